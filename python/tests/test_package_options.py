"""What analyzers are made from, and reports that were kept."""

import copy
import json
import pickle
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

import inperson


@pytest.fixture(scope="module")
def report() -> inperson.Report:
    with inperson.Analyzer(checks="capture", prior=0.02).session("a call", audio=False) as session:
        rng = np.random.default_rng(0)
        for i in range(50):
            session.push_video(rng.integers(0, 255, (90, 160, 3), dtype=np.uint8), i / 25)
        return session.finish()


@pytest.mark.parametrize(("options", "message"), [
    ({"checks": []}, "checks names no check"),
    ({"checks": "nonsense"}, "no check `nonsense`"),
    ({"prior": float("nan")}, "prior must be a finite number, not nan"),
    ({"prior": "often"}, "prior must be a number, not 'often'"),
    ({"config": {"fusion": {"rho_within": np.inf}}}, r"fusion\.rho_within must be a finite number"),
    ({"config": {"fusion": {"rho_within": "x"}}}, r"fusion\.rho_within: invalid type"),
    ({"config": {"fusion": {"prioor": 0.1}}}, r"fusion\.prioor: unknown field"),
    ({"config": {"fusion": 3}, "prior": 0.1}, "fusion must be a mapping, not int"),
    ({"config": {"limits": {"pixels": {1}}}}, r"limits\.pixels cannot be a set"),
    ({"config": "prior"}, "config must be a mapping, not str"),
    ({"candidate": "biggest"}, "candidate: unknown variant `biggest`"),
    ({"candidate": {"region": (0, 0, 1)}}, r"candidate\.region: invalid length 3"),
    ({"candidate": {"region": (0, 0, 1, np.nan)}}, r"candidate\.region\[3\] must be a finite number"),
    ({"audio_track": -1}, "audio_track: invalid value"),
    ({"device": "gpu"}, "device `gpu` is not one of cpu, cuda, cuda:N"),
])
def test_what_cannot_be_is_named(options, message):
    with pytest.raises(inperson.ConfigError, match=message):
        inperson.Analyzer(**options)


def test_options_arrive_whatever_kind_of_number_or_path_they_are(tmp_path):
    region = {"region": (0, np.float32(0.25), 0.5, np.int64(1))}
    analyzer = inperson.Analyzer(
        checks="capture", prior=np.float32(0.25), device="cpu", candidate=region, speaker="Ben",
        audio_track=np.int64(1), config={"runtime": None, "limits": {"pixels": np.int64(10**6)}, "speaker": "Ann", "fusion": {"prior": 0.1}},
    )
    config = analyzer.config
    assert config["checks"] == ["capture"] and config["fusion"]["prior"] == 0.25
    assert config["candidate"] == {"region": [0, 0.25, 0.5, 1]} and config["speaker"] == "Ben" and config["audio_track"] == 1
    assert config["limits"]["pixels"] == 10**6 and config["runtime"]["device"] == "cpu"
    config["checks"].append("face")
    assert analyzer.config["checks"] == ["capture"]
    with pytest.raises(inperson.ModelError, match=tmp_path.name):
        inperson.Analyzer(models=tmp_path)
    # one picture for all inputs: told once, not by each of thousands
    with pytest.raises(inperson.InputError, match=f"{tmp_path / 'face.png'}: No such file"):
        inperson.Analyzer(checks="capture", candidate={"reference": tmp_path / "face.png"})


def test_a_device_is_written_as_on_the_command_line():
    # there is none here: the library says so by the name that it was given
    for options in ({"device": "cuda:7"}, {"config": {"runtime": {"device": "cuda:7"}}}):
        with pytest.raises(inperson.ModelError, match="`cuda:7`"):
            inperson.Analyzer(checks="capture", **options)


def test_the_sound_track_is_chosen(tmp_path):
    for name, rate in (("a", 0), ("b", 440)):
        sound = np.sin(np.arange(16_000) * 2 * np.pi * rate / 16_000) * 16_000
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as out:
            out.setnchannels(1), out.setsampwidth(2), out.setframerate(16_000)
            out.writeframes(sound.astype(np.int16).tobytes())
    both = tmp_path / "both.mka"
    inputs = ["-i", tmp_path / "a.wav", "-i", tmp_path / "b.wav", "-map", "0", "-map", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, both], check=True)
    loud = [np.abs(inperson.Analyzer(checks="capture", audio_track=n).observe(both)["audio"]).max() for n in (0, 1)]
    assert loud[0] < 0.01 and loud[1] > 0.4


def test_analyzers_travel_as_their_configuration():
    analyzer = inperson.Analyzer(checks="capture", prior=0.02)
    assert "capture" in repr(analyzer) and "0.02" in repr(analyzer)
    again = pickle.loads(pickle.dumps(analyzer))
    assert again.config == analyzer.config and repr(again) == repr(analyzer)
    assert copy.deepcopy(analyzer) is analyzer and copy.copy(analyzer) is analyzer


def test_a_report_is_read_again(report):
    text = report.to_json()
    for kept in (text, text + "\n", text.encode(), json.loads(text), json.dumps(json.loads(text), indent=2)):
        again = inperson.Report.from_json(kept)
        assert again == report and again.to_html() == report.to_html()
    assert inperson.Report.from_json(text + "\n").to_json() == text and "\n" not in text
    assert pickle.loads(pickle.dumps(report)) == report
    with pytest.raises(TypeError, match="unhashable"):
        hash(report)
    other = report.to_dict()
    other["media"]["input"] = "another"
    assert inperson.Report.from_json(other) != report and report != report.to_dict()
    assert inperson.Analyzer(config=report.config).config == report.config


def test_what_is_no_report_is_refused(report):
    for change, message in (({"tracks": None}, "tracks|null"), ({"schema_version": 9, "tracks": None}, "schema_version is 9"), ({"span": np.nan}, "no report")):
        with pytest.raises(ValueError, match=message):
            inperson.Report.from_json(report.to_dict() | change)
    lacking = report.to_dict()
    del lacking["assessment"]
    with pytest.raises(ValueError, match="missing field `assessment`"):
        inperson.Report.from_json(lacking)
    for text in ("", "no\njson", "[\n]", "{}"):
        with pytest.raises(ValueError, match="no report"):
            inperson.Report.from_json(text)
    with pytest.raises(TypeError, match="not PosixPath"):
        inperson.Report.from_json(Path("report.json"))


def test_what_a_report_gives_is_a_copy(report):
    whole = report.to_dict()
    for name in ("assessment", "evidence", "not_judged", "tracks", "media", "span", "models", "config"):
        part = getattr(report, name)
        assert part == whole[name]
        part.clear()
        assert getattr(report, name) == whole[name]
    report.assessment["overall"]["llr"] = 99
    report.to_dict().clear()
    assert report.to_dict() == whole
