"""The drawn candidate of `make demo`, as it is and as attacks would send it."""

import subprocess
import sys
from pathlib import Path

import pytest

import inperson

MAKER = Path(__file__).parents[2] / "examples" / "demo" / "candidate.py"
MOVED = "scale=1280:720,rotate=0.04*sin(1.1*t)+0.02*sin(2.7*t),crop=880:496:200+60*sin(0.9*t):110+40*sin(1.3*t),scale=640:360"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


@pytest.fixture(scope="module")
def candidate(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("candidate") / "candidate.mp4"
    subprocess.run([sys.executable, MAKER, path, "--seconds", "14"], check=True, stdout=subprocess.DEVNULL)
    return path


def codes(report: inperson.Report) -> set[str]:
    return {e["code"] for e in report.evidence if e["finding"]["kind"] == "score" and e["finding"]["llr"] > 0.05}


def test_a_speaking_face_is_followed_and_nothing_is_held_against_its_capture(candidate):
    report = inperson.analyze(candidate, checks=["capture"])
    tracks = report.tracks
    assert len(tracks["faces"]) == 1 and tracks["candidate"] == tracks["faces"][0]["id"]
    seen = sum(s["end"] - s["start"] for s in tracks["faces"][0]["seen"]) / 1e6
    assert seen > 13 and tracks["speech_s"] > 8
    # the mouth that moves under the speech is the speaker's
    spoken = sum(t["span"]["end"] - t["span"]["start"] for t in tracks["turns"] if t["face"] == tracks["candidate"]) / 1e6
    assert spoken > 0.8 * tracks["speech_s"]
    assert codes(report) == set()


def test_a_still_and_a_photograph_under_the_voice_are_found(candidate, tmp_path):
    still = tmp_path / "still.png"
    ffmpeg("-ss", "2", "-i", candidate, "-frames:v", "1", still)
    for name, filters, code in [("still", "scale=640:360", "capture.still"), ("moved", MOVED, "capture.photo")]:
        path = tmp_path / f"{name}.mp4"
        ffmpeg("-loop", "1", "-framerate", "25", "-i", still, "-i", candidate, "-map", "0:v", "-map", "1:a", "-vf", filters,
               "-t", "14", "-pix_fmt", "yuv420p", "-preset", "veryfast", path)
        report = inperson.analyze(path, checks=["capture"])
        found = [e for e in report.evidence if e["code"] == code]
        assert found and found[0]["subject"] == report.tracks["candidate"], (name, codes(report))
        assert report.assessment["questions"]["capture"]["llr"] > 1


@pytest.mark.parametrize(("turned", "roll"), [("hflip,vflip", 180), ("transpose=1", 90), ("transpose=2", -90)])
def test_a_camera_on_its_head_and_a_phone_on_its_side_show_the_same_person(candidate, tmp_path, turned, roll):
    path = tmp_path / "turned.mp4"
    ffmpeg("-i", candidate, "-vf", turned, "-c:a", "copy", "-preset", "veryfast", path)
    report = inperson.analyze(path, checks=["capture", "lipsync"])
    (face,) = report.tracks["faces"]
    assert face["observations"] > 60 and face["speaking_s"] > 8
    assert abs((face["quality"]["roll"] - roll + 180) % 360 - 180) < 10
    assert report.assessment["questions"]["sync"]["llr"] < -0.5


def test_what_repeats_around_a_candidate_is_no_loop(candidate, tmp_path):
    film, around = tmp_path / "film.mp4", tmp_path / "around.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=4", "-pix_fmt", "yuv420p", "-preset", "veryfast", film)
    ffmpeg("-stream_loop", "3", "-i", film, "-i", candidate, "-filter_complex", "[1:v]scale=-2:480[c];[0:v][c]overlay=(W-w)/2:(H-h)/2:shortest=1",
           "-t", "14", "-preset", "veryfast", around)
    report = inperson.analyze(around, checks=["capture"])
    assert report.tracks["candidate"] is not None and codes(report) == set()


def test_who_comes_back_after_a_while_is_the_same(candidate, tmp_path):
    # a quarter of a minute of a shared screen between two parts of the talk
    away = tmp_path / "away.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=15", "-pix_fmt", "yuv420p", "-preset", "veryfast", away)
    whole = tmp_path / "whole.mp4"
    ffmpeg("-i", candidate, "-i", away, "-i", candidate, "-filter_complex", "[0:v][1:v][2:v]concat=n=3:v=1:a=0", "-preset", "veryfast", whole)
    tracks = inperson.analyze(whole, checks=["capture"]).tracks
    (face,) = tracks["faces"]
    assert [round(s["start"] / 1e6) for s in face["seen"]] == [0, 29]
    assert face["observations"] > 120


def test_what_others_say_by_the_transcript_is_not_the_candidate_s(candidate, tmp_path):
    def told(speaker):
        session = inperson.Analyzer(checks=["voice"], config={"speaker": speaker}).session(video=False, audio=True)
        session.push_text("what is said", start=0.0, end=9.0, speaker="Ann")
        session.push_text("what is said", start=9.0, end=14.0, speaker="Bob")
        sound = inperson.Analyzer(checks=["capture"]).observe(candidate)["audio"]
        session.push_audio(sound, 0.0)
        (found,) = [e for e in session.finish().evidence if e["code"].startswith("voice.") and e["finding"]["kind"] != "note"]
        return found["facts"]["speech_s"]

    whole, ann, bob = told(None), told("Ann"), told("Bob")
    assert ann > bob > 2 and whole == pytest.approx(ann + bob, abs=1.5)


def test_a_reference_picture_names_the_smaller_of_two_faces(candidate, tmp_path):
    pair, picture = tmp_path / "pair.mp4", tmp_path / "picture.png"
    rough = "noise=alls=45:all_seed={}:allf={},gblur=1"
    other = f"scale=512:288,{rough.format(1, 't')},pad=640:360:64:36:gray"
    ffmpeg("-i", candidate, "-filter_complex", f"[0:v]split[a][b];[b]{other}[c];[a][c]hstack", "-t", "6", "-pix_fmt", "yuv420p",
           "-preset", "veryfast", pair)
    ffmpeg("-ss", "8", "-i", candidate, "-vf", f"scale=512:288,{rough.format(2, 'u')}", "-frames:v", "1", picture)

    def middle(**options):
        tracks = inperson.analyze(pair, checks=["capture"], **options).tracks
        assert len(tracks["faces"]) == 2
        (bounds,) = (f["mean_bounds"] for f in tracks["faces"] if f["id"] == tracks["candidate"])
        return (bounds[0] + bounds[2]) / 2

    assert middle() < 0.5 < middle(candidate={"reference": picture})
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360", "-frames:v", "1", picture)
    with pytest.raises(inperson.InputError, match="no face was found"):
        inperson.Analyzer(candidate={"reference": picture})
