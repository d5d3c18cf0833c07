"""Trains the model `voice`: is this a human voice?

In `python/training`, with PyTorch, onnx, onnxruntime, scikit-learn, scipy, pandas, soundfile, pyworld (and setuptools below 81 for it),
ai-edge-litert for Lyra, ffmpeg, libopus and libopencore-amrnb; DATA is a scratch folder of about 6 GB:

    python -m voice.prepare --corpus CORPUS --data DATA [--without-licence REGEX]
    python -m voice.engines --data DATA                                  (Debian's engines among the spoofs)
    python -m voice.versions --data DATA --name clips
    python -m voice.twins --data DATA --kind lyra --backbones BACKBONES      (and world; griffin-lim and lpc were not used)
    python -m voice.neural --data DATA
    python -m voice.versions --data DATA --name twins-lyra               (and twins-neural)
    python -m voice.train --data DATA --out NETS --fold K --steps 700 --twins twins-lyra --tag b       (K from 0 to 4)
    python -m voice.train ... --recipe linear --steps 700 --rate 1.5e-3 --seed 2 --resume b --twins twins-lyra,twins-neural,twins-world --tag f
    python -m voice.train ... --recipe time --steps 1300 --twins twins-lyra,twins-neural,twins-world --tag u
    python -m voice.evaluate --data DATA --nets NETS --recipe linear-f+time-u
    python -m voice.report --data DATA --nets NETS --recipe linear-f+time-u
    python -m voice.ladder --data DATA --nets NETS --recipe linear-f+time-u --nulls --rival AASIST.onnx
    python -m voice.export --data DATA --nets NETS --recipe linear-f+time-u --models ../../models --version 0.3.0

This is how 0.3.0 was made, but that the networks b had not met the engines (they are 0.2.0's), and that `time` had 1,000 steps for folds 3 and 4, and for 0 and 1
some in two parts.
"""
