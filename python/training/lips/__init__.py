"""Trains the model `lipsync`: do these lips speak these words?

In `python/training`, with PyTorch, onnx, onnxruntime, tomlkit, scikit-learn, pandas, opencv and this repository's `inperson` (its `observe` gives the very
pictures, meshes and sound that the check is given); DATA is a scratch folder of about 600 MB:

    python -m lips.prepare --corpus CORPUS --data DATA [--without-licence REGEX]
    python -m lips.train --data DATA --out NETS --fold K --steps 900                (K from 0 to 4)
    python -m lips.report --data DATA --nets NETS --tag a --fit FIT.json
    python -m lips.ladder --data DATA --nets NETS --tag a --fit FIT.json --corpus CORPUS
    python -m lips.closure --data DATA --nets NETS --tag a                          (measures only)
    python -m lips.export --nets NETS --tag a --fit FIT.json --models ../../models

Preparing takes 20 minutes, a fold ten on one core. For 0.3.0 all folds had 900 steps by the code of 0b54cf4, and folds 0 to 2 ship. NEUTRAL, CHANCE and FEW of
`detect/lipsync/mod.rs` are what `lips.report` fits.
"""
