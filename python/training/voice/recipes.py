"""The networks by name: what they listen to, and their first layer and widths. `time` resolves single periods of the voice,
`long` its harmonics."""

RECIPES = {
    "linear": {"front": {"bands": 128}},
    "time": {"front": {"bands": 40, "size": 160, "hop": 40}, "stem": (2, 16), "widths": (64, 48, 56, 56)},
    "long": {"front": {"bands": 256, "size": 1024}, "stem": (8, 4), "widths": (64, 48, 56, 56)},
}
