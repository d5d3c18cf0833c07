"""The check `voice` against onnxruntime on the same sound."""

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

import inperson

onnxruntime = pytest.importorskip("onnxruntime")

MODEL = Path(__file__).parents[2] / "models" / "voice" / "model.onnx"
RATE = 16_000
# one breath, so that no pause is cut out
WORDS = (
    "In my last project I moved a small team from one database to another and it took us three months and I learned that "
    "the plan is less important than telling everybody when it changes and that I should start with the reports"
)


@pytest.fixture(scope="module")
def voice(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("voice")
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", folder / "made.wav", WORDS], check=True)
    path = folder / "voice.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", folder / "made.wav", "-ar", str(RATE), "-ac", "1", path], check=True)
    return path


def test_the_check_says_what_the_model_says(voice):
    report = inperson.analyze(voice, checks=["voice"])
    (turn,) = report.tracks["turns"]
    start, end = (round(turn["span"][k] * RATE / 1e6) for k in ("start", "end"))
    with wave.open(str(voice)) as f:
        sound = np.frombuffer(f.readframes(f.getnframes()), np.int16).astype(np.float32) / 32768
    session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    # speech comes by the second: 2.4 s are heard once there are two, and then again at every further second
    first = -(-(start + 2 * RATE) // RATE) * RATE
    ends = range(first, end // RATE * RATE + 1, RATE)
    heard = [sound[max(start, e - RATE * 12 // 5) : e] for e in ends]
    logits = [float(session.run(None, {"audio": x[None]})[0][0]) for x in heard]
    (found,) = [e for e in report.evidence if e["code"] == "voice.synthetic"]
    assert found["facts"]["listenings"] == len(logits)
    expected = np.mean(logits) * len(logits) / (len(logits) + 1)
    assert found["facts"]["raw"] == pytest.approx(expected, abs=5e-3)
