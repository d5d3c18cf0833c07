"""Speech codecs of calls: Opus with lost packets and AMR through their libraries, G.711 by its formula, others through ffmpeg.

Debian packages: libopus0, libopencore-amrnb0, ffmpeg.
"""

from __future__ import annotations

import ctypes
import subprocess
from ctypes.util import find_library
from functools import cache

import numpy as np

from .store import RATE

FRAME = RATE // 50  # 20 ms
AHEAD = RATE * 65 // 10_000  # samples that Opus' encoder looks ahead
VOIP, AUDIO = 2048, 2049
SET_BITRATE, SET_COMPLEXITY, SET_FEC, SET_LOSS = 4002, 4010, 4012, 4014
AMR_MODES = {4.75: 0, 5.15: 1, 5.9: 2, 6.7: 3, 7.4: 4, 7.95: 5, 10.2: 6, 12.2: 7}


@cache
def library(name: str) -> ctypes.CDLL:
    path = find_library(name)
    if path is None:
        raise OSError(f"the library {name} is not installed: apt-get install libopus0 libopencore-amrnb0")
    return ctypes.CDLL(path)


def bursts(packets: int, loss: float, rng: np.random.Generator) -> np.ndarray:
    """Which packets are lost: so many on average, some of them in bursts."""
    lost, now = np.zeros(packets, bool), False
    for i in range(packets):
        # a packet after a lost one is lost with 40 %
        lost[i] = now = rng.random() < (0.4 if now else 0.6 * loss / (1 - loss))
    return lost


def opus(pcm: np.ndarray, bits: int, loss: float = 0.0, rng: np.random.Generator | None = None, fec: bool = False) -> np.ndarray:
    """Opus at `bits` per second; `loss` of the packets never arrive, some of them in bursts, and are concealed."""
    packets = len(pcm) // FRAME + 1
    return carried(pcm, bits, bursts(packets, loss, rng) if rng is not None and loss else np.zeros(packets, bool), loss, fec)[0]


def carried(pcm: np.ndarray, bits: int, lost: np.ndarray, loss: float = 0.0, fec: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Opus at `bits` per second, of whose packets those that are `lost` are concealed where the encoder expects so much `loss`; and which samples those are."""
    lib = library("opus")
    lib.opus_encoder_create.restype = lib.opus_decoder_create.restype = ctypes.c_void_p
    error = ctypes.c_int()
    encoder = ctypes.c_void_p(lib.opus_encoder_create(RATE, 1, VOIP if bits < 32_000 else AUDIO, ctypes.byref(error)))
    decoder = ctypes.c_void_p(lib.opus_decoder_create(RATE, 1, ctypes.byref(error)))
    for key, value in ((SET_BITRATE, bits), (SET_COMPLEXITY, 7), (SET_FEC, int(fec)), (SET_LOSS, int(100 * loss))):
        lib.opus_encoder_ctl(encoder, key, ctypes.c_int(value))
    padded = np.concatenate([pcm, np.zeros(FRAME + AHEAD - len(pcm) % FRAME, np.int16)])
    frames = np.ascontiguousarray(padded[: len(padded) // FRAME * FRAME].reshape(-1, FRAME))
    packet, heard = (ctypes.c_ubyte * 1500)(), np.zeros_like(frames)
    for i, frame in enumerate(frames):
        size = lib.opus_encode(encoder, frame.ctypes.data_as(ctypes.c_void_p), FRAME, packet, 1500)
        out = heard[i].ctypes.data_as(ctypes.c_void_p)
        lib.opus_decode(decoder, None if lost[i] else packet, 0 if lost[i] else size, out, FRAME, 0)
    lib.opus_encoder_destroy(encoder)
    lib.opus_decoder_destroy(decoder)
    whole = lambda x: x[AHEAD : AHEAD + len(pcm)]
    return whole(heard.reshape(-1)), whole(np.repeat(lost[: len(frames)], FRAME))


def to_8k(x: np.ndarray) -> np.ndarray:
    from scipy.signal import resample_poly

    return np.clip(resample_poly(x.astype(np.float32), 1, 2), -32768, 32767).astype(np.int16)


def to_16k(x: np.ndarray, n: int) -> np.ndarray:
    from scipy.signal import resample_poly

    return np.clip(resample_poly(x.astype(np.float32), 2, 1), -32768, 32767).astype(np.int16)[:n]


def amr(pcm: np.ndarray, kbits: float) -> np.ndarray:
    """AMR narrow band, the codec of mobile telephones."""
    lib = library("opencore-amrnb")
    lib.Encoder_Interface_init.restype = lib.Decoder_Interface_init.restype = ctypes.c_void_p
    encoder, decoder = ctypes.c_void_p(lib.Encoder_Interface_init(0)), ctypes.c_void_p(lib.Decoder_Interface_init())
    x = to_8k(pcm)
    x = np.concatenate([x, np.zeros(-len(x) % 160, np.int16)]).reshape(-1, 160)
    packet, heard = (ctypes.c_ubyte * 64)(), np.zeros_like(x)
    for i, frame in enumerate(x):
        lib.Encoder_Interface_Encode(encoder, AMR_MODES[kbits], frame.ctypes.data_as(ctypes.c_void_p), packet, 0)
        lib.Decoder_Interface_Decode(decoder, packet, heard[i].ctypes.data_as(ctypes.c_void_p), 0)
    lib.Encoder_Interface_exit(encoder)
    lib.Decoder_Interface_exit(decoder)
    return to_16k(heard.reshape(-1), len(pcm))


def g711(pcm: np.ndarray) -> np.ndarray:
    """The telephone's 8 kHz and mu law."""
    x = to_8k(pcm).astype(np.float32) / 32768
    code = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127) / 127
    y = np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255
    return to_16k(y * 32767, len(pcm))


def through_ffmpeg(pcm: np.ndarray, form: str, args: list[str]) -> np.ndarray:
    raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
    a = subprocess.run(["ffmpeg", "-v", "error", *raw, "-i", "-", *args, "-f", form, "-"], input=pcm.tobytes(), capture_output=True, check=True)
    b = subprocess.run(["ffmpeg", "-v", "error", "-f", form.replace("adts", "aac"), "-i", "-", *raw, "-"], input=a.stdout, capture_output=True, check=True)
    return np.frombuffer(b.stdout, np.int16)


def mp3(pcm: np.ndarray, kbits: int, rate: int = RATE) -> np.ndarray:
    return through_ffmpeg(pcm, "mp3", ["-c:a", "libmp3lame", "-b:a", f"{kbits}k", "-ar", str(rate)])


def aac(pcm: np.ndarray, kbits: int, rate: int = RATE) -> np.ndarray:
    """AAC-LC at a sampling rate: recorders mostly have 48 kHz."""
    return through_ffmpeg(pcm, "adts", ["-c:a", "aac", "-b:a", f"{kbits}k", "-ar", str(rate)])
