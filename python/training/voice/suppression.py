"""Noise suppression as calls, phones and editors have it, by the programs themselves.

    pip install webrtc-noise-gain speexdsp-ns noisereduce pyrnnoise

WebRTC's (as browsers have it; BSD, wrapper MIT), Speex' (BSD), FFmpeg's `afftdn`, spectral gating (noisereduce, MIT) and RNNoise (Valin 2018,
"A hybrid DSP/deep learning approach to real-time full-band speech enhancement"; BSD). 16-bit samples at 16 kHz in and out.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import numpy as np
from scipy.signal import resample_poly

from .store import RATE, to_float, to_pcm

FRAME = RATE // 100


def settled(pcm: np.ndarray, step: Callable[[bytes], bytes]) -> np.ndarray:
    """Every 10 ms through `step`, and only what comes out the second time: in a call the filter knows the noise long since."""
    twice = np.concatenate([pcm, pcm, np.zeros(FRAME, np.int16)])
    frames = twice[: len(twice) // FRAME * FRAME].reshape(-1, FRAME)
    return np.frombuffer(b"".join(step(f.tobytes()) for f in frames), np.int16)[len(pcm) :][: len(pcm)]


def webrtc(pcm: np.ndarray, level: int = 2, gain: int = 0) -> np.ndarray:
    """Levels 1 to 4, the most; with `gain` (dB under full scale) the automatic gain control too."""
    from webrtc_noise_gain import AudioProcessor

    process = AudioProcessor(gain, level)
    return settled(pcm, lambda f: process.Process10ms(f).audio)


def speex(pcm: np.ndarray) -> np.ndarray:
    from speexdsp_ns import NoiseSuppression

    return settled(pcm, NoiseSuppression.create(FRAME, RATE).process)


def afftdn(pcm: np.ndarray, decibels: float) -> np.ndarray:
    """What FFmpeg's filter takes off: 12 dB unless told otherwise, 97 at most."""
    command = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-af", f"afftdn=nr={decibels:.1f}", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(command, input=pcm.tobytes(), capture_output=True, check=True).stdout, np.int16)


def gating(pcm: np.ndarray, share: float = 1.0, stationary: bool = False) -> np.ndarray:
    """Bins of the spectrum that do not stand out are turned down by a share."""
    from noisereduce import reduce_noise

    return to_pcm(reduce_noise(y=to_float(pcm), sr=RATE, prop_decrease=share, stationary=stationary))


def rnnoise(pcm: np.ndarray) -> np.ndarray:
    """A recurrent network at 48 kHz. Nothing is trained on it: what it does to verdicts shows what suppression that was not met does."""
    from pyrnnoise import RNNoise

    fine = to_pcm(resample_poly(np.concatenate([pcm, pcm]) / 32768, 48_000, RATE, axis=0))
    heard = np.concatenate([frame.ravel() for _, frame in RNNoise(48_000).denoise_chunk(fine, partial=True)])
    return to_pcm(resample_poly(heard / 32768, RATE, 48_000))[len(pcm) :][: len(pcm)]
