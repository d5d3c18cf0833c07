"""The networks that were tried, by name."""

RECIPES = {
    "linear": {"front": {"bands": 128}},
    "fast": {"front": {"bands": 128}, "stem": (4, 2), "widths": (24, 48, 64, 64)},
    "mel": {"front": {"bands": 96, "scale": "mel"}},
    "fine": {"front": {"bands": 192, "size": 1024}},
    "short": {"front": {"bands": 96, "size": 320, "hop": 80}, "stem": (4, 4)},
}
