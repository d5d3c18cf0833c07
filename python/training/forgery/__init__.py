"""Trains the models `warp` (was this face changed, and where?) and `face` (is its texture a camera's?).

In `python/training`, with PyTorch, onnx, onnxruntime, tomlkit, scikit-learn, opencv, ffmpeg (`strangers`: pypi-simple, npm); DIR is a scratch folder of about 13 GB. Each file says how it
is run; in order: `prepare`, `split`, `decode`, `train`, `score`, `motion`, `fuse`, `calibrate`, `maps`, `ladder`, `export`. `face` is made by
`lessons` and `student` (which learns from a teacher on what `prepare` wrote), `textures`, `kernel`, and told on its ladder by `rungs`; `strangers` gathers
talkers whom none of it met, for `inperson batch`.
"""
