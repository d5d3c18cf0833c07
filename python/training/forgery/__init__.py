"""Trains the model `warp`: was this face changed, and where?

In `python/training`, with PyTorch, onnx, onnxruntime, scikit-learn, opencv, ffmpeg; DIR is a scratch folder of about 13 GB. Each file says how it
is run; in order: `prepare`, `split`, `decode`, `train`, `score`, `motion`, `fuse`, `calibrate`, `maps`, `ladder`, `export`. `textures` (with `texture`)
stands apart: a read by statistics that has not shipped.
"""
