"""The networks by name. Others (mel bands, longer or shorter frames, a finer first layer) were not tried for want of time."""

RECIPES = {"linear": {"front": {"bands": 128}}}
