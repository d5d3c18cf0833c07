"""Trains the model `voice`: is this a human voice?

In `python/training`, with PyTorch, onnx, onnxruntime, scikit-learn, scipy, pandas, soundfile, pyworld (and setuptools below 81 for it),
ai-edge-litert for Lyra, ffmpeg, libopus and libopencore-amrnb; DATA is a scratch folder of about 6 GB:

    python -m voice.prepare --corpus CORPUS --data DATA [--without-licence REGEX]
    python -m voice.versions --data DATA --name clips
    python -m voice.twins --data DATA --kind lyra --backbones BACKBONES
    python -m voice.train --data DATA --out NETS --fold K --steps 700 --twins twins-lyra --tag b       (K from 0 to 4)
    python -m voice.evaluate --data DATA --nets NETS --recipe linear-b
    python -m voice.report --data DATA --nets NETS --recipe linear-b
    python -m voice.ladder --data DATA --nets NETS --recipe linear-b --nulls --rival AASIST.onnx
    python -m voice.export --data DATA --nets NETS --recipe linear-b --models ../../models

This is how 0.2.0 was made. To go on from there, with more twins (`twins` also makes world, griffin-lim and lpc) and their rough versions:

    python -m voice.neural --data DATA
    python -m voice.versions --data DATA --name twins-lyra
    python -m voice.train ... --resume b --twins twins-lyra,twins-neural,twins-world --rate 1.5e-3 --seed 2 --tag c
"""
