"""Trains the model `voice`: is this a human voice?

In `python/training`, with PyTorch and torchaudio, onnx, onnxruntime, scikit-learn, scipy, pandas, soundfile, pyworld (and setuptools below 81 for it),
ai-edge-litert for Lyra, ffmpeg, libopus and libopencore-amrnb; DATA is a scratch folder of about 5 GB:

    python -m voice.prepare --corpus CORPUS --data DATA [--without-licence REGEX]
    python -m voice.engines --data DATA                                  (Debian's engines among the spoofs)
    python -m voice.registries --data DATA                               (and neural engines and vocoders of the Python registry; half an hour)
    python -m voice.packaged --data DATA --packages FOLDER               (people and product voices whose recordings lie in its packages)
    python -m voice.videos --corpus CORPUS --data DATA                   (the sound of its videos)
    python -m voice.versions --data DATA --name clips --seed 1 --every 2
    python -m voice.versions --data DATA --name clips --seed 3 --every 2 --first 1 --chain mild
    python -m voice.versions --data DATA --name clips --seed 4 --chain called       (and --seed 5)
    python -m voice.versions --data DATA --name clips --seed 6 --every 2 --chain filed
    python -m voice.versions --data DATA --name clips --seed 7 --every 2 --first 1 --chain suppressed      (packages: voice.suppression)
    python -m voice.mixes --data DATA                                    (two voices at once)
    python -m voice.pauses --data DATA                                   (what is not speech)
    python -m voice.losses --data DATA                                   (what tells frames made up for lost packets; ten minutes)
    python -m voice.lessons --data DATA --teacher FOLDER                 (what a speaker network hears; FOLDER as there; half an hour)
    python -m voice.student --data DATA --half H                         (and what learns to hear it; H 0 and 1, ten minutes each)
    python -m voice.textures --data DATA --name clips                    (and clips-v1, -v3 to -v7, mixes, pauses: what the network sees; an hour)
    python -m voice.train --data DATA --out NETS --fold K                (K from 0 to 4, and -1 for all that ships; two minutes each)
    python -m voice.evaluate --data DATA --nets NETS
    python -m voice.report --data DATA --nets NETS
    python -m voice.ladder --data DATA --nets NETS --nulls --rival AASIST.onnx
    python -m voice.strangers --packages FOLDER --wav FOLDER             (people whom none of it met, for `inperson batch`)
    python -m voice.export --data DATA --nets NETS --models ../../models --version 0.18.0

The first rough versions were made before band limits and late noise were in the chain. `voice.twins` and `voice.neural` make twins, which
did not help these statistics and are not trained on. The networks on bands of a spectrum that 0.3.0 is made of are in the history, before commit df19af7.
"""
