"""Trains the model `lipsync`: do these lips speak these words?

In `python/training`, with PyTorch, onnx, onnxruntime, tomlkit, scikit-learn, pandas, opencv and this repository's `inperson` (its `observe` gives the very
pictures, meshes and sound that the check is given); DATA is a scratch folder of about 600 MB:

    python -m lips.prepare --corpus CORPUS --data DATA [--without-licence REGEX]
    python -m lips.train --data DATA --out NETS --fold K --steps 700                (K from 0 to 4)
    python -m lips.report --data DATA --nets NETS --tag a --fit FIT.json
    python -m lips.ladder --data DATA --nets NETS --tag a --fit FIT.json --corpus CORPUS
    python -m lips.closure --data DATA --nets NETS --tag a                          (measures only)
    python -m lips.export --nets NETS --tag a --fit FIT.json --models ../../models

For 0.1.0 fold 0 was stopped after 1,050 of 1,500 steps, fold 1 had 700, folds 2 to 4 had 500. NEUTRAL, CHANCE and FEW of
`detect/lipsync/mod.rs` are what `lips.report` fits.
"""
