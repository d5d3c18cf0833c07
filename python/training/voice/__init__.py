"""Trains the model `voice`: is this a human voice?

In `python/training`, with PyTorch, onnx, onnxruntime, scikit-learn, scipy, pandas, soundfile, pyworld (and setuptools below 81 for it),
ai-edge-litert for Lyra, ffmpeg, libopus and libopencore-amrnb; DATA is a scratch folder of about 6 GB:

    python -m voice.prepare --corpus CORPUS --data DATA [--without-licence REGEX]
    python -m voice.versions --data DATA --name clips
    python -m voice.twins --data DATA --kind lyra --backbones BACKBONES          (and world, griffin-lim, lpc)
    python -m voice.train --data DATA --out NETS --fold K --twins twins-lyra,twins-world --tag TAG       (K from 0 to 4)
    python -m voice.evaluate --data DATA --nets NETS --recipe linear-TAG
    python -m voice.ladder --data DATA --nets NETS --recipe linear-TAG --nulls --rival AASIST.onnx
    python -m voice.export --data DATA --nets NETS --recipe linear-TAG --models ../../models
"""
