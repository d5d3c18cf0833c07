"""What is pushed into a live call, and how it ends."""

import threading

import numpy as np
import pytest

import inperson

SECOND = np.sin(np.arange(16_000) / 10) * 0.3


@pytest.fixture(scope="module")
def analyzer() -> inperson.Analyzer:
    return inperson.Analyzer(checks="capture")


@pytest.fixture
def session(analyzer) -> inperson.Session:
    return analyzer.session("a call")


@pytest.mark.parametrize(("value", "error", "message"), [
    (float("nan"), ValueError, "a finite number of seconds since the start of the call, not nan"),
    (np.inf, ValueError, "a finite number of seconds since the start of the call, not inf"),
    (-0.5, ValueError, "0 or more seconds since the start of the call, not -0.5"),
    ("1", TypeError, "a number of seconds since the start of the call, not str"),
    (None, TypeError, "a number of seconds since the start of the call, not NoneType"),
])
def test_times_are_finite_and_not_before_the_start(session, value, error, message):
    for name, push in (
        ("at", lambda: session.push_audio(SECOND, value)),
        ("at", lambda: session.push_video(np.zeros((90, 160, 3), np.uint8), value)),
        ("start", lambda: session.push_text("yes", value, 2)),
        ("end", lambda: session.push_text("yes", 1, value)),
    ):
        with pytest.raises(error, match=f"^{name} must be {message}$"):
            push()


def test_words_do_not_end_before_they_start(session):
    with pytest.raises(ValueError, match="end must not lie before start, which is 5.0, but is 3.0"):
        session.push_text("yes", 5, 3)
    assert session.push_text("yes", np.float32(5), 5) == []


@pytest.mark.parametrize(("samples", "error", "message"), [
    (np.zeros((16_000, 2), np.int32), ValueError, r"push_audio: samples must be .* of shape \(n,\), not int32 of shape \(16000, 2\)"),
    (np.zeros((1, 4), np.float32), ValueError, r"not float32 of shape \(1, 4\)"),
    (np.zeros(4, np.float16), ValueError, "not float16"),
    (np.zeros(4, np.uint8), ValueError, "not uint8"),
    ([0.0, 0.1], TypeError, "must be an array of .*, not list"),
    (np.array([0, 1, np.nan]), ValueError, "finite numbers, but the one at 2 is nan"),
    (np.array([0, -np.inf], np.float32), ValueError, "finite numbers, but the one at 1 is -inf"),
    (np.array([1e300]), ValueError, "finite numbers, but the one at 0 is 1e.300"),
])
def test_sound_of_another_kind_is_refused(session, samples, error, message):
    with pytest.raises(error, match=message):
        session.push_audio(samples, 0)


@pytest.mark.parametrize(("rgb", "error", "message"), [
    (np.zeros((90, 160, 4), np.uint8), ValueError, r"uint8 of shape \(height, width, 3\), not uint8 of shape \(90, 160, 4\)"),
    (np.zeros((90, 160), np.uint8), ValueError, r"of shape \(90, 160\)"),
    (np.zeros((90, 160, 3), np.float32), ValueError, "not float32"),
    ([[[0, 0, 0]]], TypeError, "must be an array of .*, not list"),
])
def test_pictures_of_another_kind_are_refused(session, rgb, error, message):
    with pytest.raises(error, match=message):
        session.push_video(rgb, 0)


def test_sound_is_the_same_sound_in_every_kind_of_number():
    analyzer, reports = inperson.Analyzer(checks=["channel", "voice"]), []
    whole = np.round(np.tile(SECOND, 8) * 32768).astype(np.int16)
    twice = np.repeat(whole, 2)
    for samples in (whole, whole.astype(np.float32) / 32768, whole.astype(np.float64) / 32768, (whole / 32768).astype(">f4"), twice[::2]):
        session = analyzer.session(video=False)
        session.push_audio(samples, 0)
        reports.append(session.finish())
    assert all(r == reports[0] for r in reports)


def test_rows_may_lie_backwards_in_memory(analyzer):
    rng, reports = np.random.default_rng(3), []
    pictures = rng.integers(0, 255, (30, 90, 160, 3), dtype=np.uint8)
    for flip in (lambda p: p[::-1, ::-1], lambda p: np.ascontiguousarray(p[::-1, ::-1])):
        session = analyzer.session(audio=False)
        for i, picture in enumerate(pictures):
            session.push_video(flip(picture), i / 25)
        reports.append(session.finish())
    assert reports[0] == reports[1]


def test_sound_may_begin_at_any_byte_of_a_packet(session):
    packet = b"\x07" + SECOND.astype(np.float32).tobytes()
    samples = np.frombuffer(packet, np.float32, offset=1)
    assert not samples.flags.aligned
    session.push_audio(samples, 0)
    assert session.finish().to_dict()["span"]["end"] == 1_000_000


def test_a_call_in_which_nothing_came_goes_on(session):
    for _ in range(2):
        with pytest.raises(inperson.InputError, match="a call: no picture and no sound came"):
            session.finish()
        session.push_text("Hello?", 0, 1)
    with pytest.raises(inperson.LimitError):
        session.push_audio(SECOND, 1e9)
    with pytest.raises(inperson.InputError):
        session.finish()
    session.push_audio(SECOND, 0)
    assert session.finish().span == {"start": 0, "end": 1_000_000}
    with pytest.raises(ValueError, match="finished"):
        session.finish()


def test_a_session_ends_with_its_block(analyzer):
    with analyzer.session("a call") as session:
        session.push_audio(SECOND, 0)
        assert "a call" in repr(session) and "finished" not in repr(session)
        report = session.finish()
    assert report.span["end"] == 1_000_000 and "finished" in repr(session)
    with pytest.raises(ZeroDivisionError), analyzer.session() as session:
        1 / 0
    with pytest.raises(ValueError, match="finished"):
        session.push_audio(SECOND, 0)


def test_nobody_waits_for_a_repr(analyzer):
    session = analyzer.session("a call", video=False)
    pushing = threading.Thread(target=lambda: [session.push_audio(SECOND, t) for t in range(200)])
    pushing.start()
    seen = set()
    while pushing.is_alive():
        seen.add(repr(session).split(" at")[0])
    pushing.join()
    assert seen <= {"Session(a call", "Session(a call, busy)"} and seen


def test_sound_of_another_rate_is_resampled_or_refused():
    def heard(rate, told):
        session = inperson.Analyzer(checks=["capture"]).session(video=False)
        tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(rate * 5) / rate)
        for k, piece in enumerate(np.split(tone, 250)):
            session.push_audio(piece, k * 0.02, rate=told)
        return session.finish()

    seconds = lambda report: (report.span["end"] - report.span["start"]) / 1e6
    assert seconds(heard(48_000, 48_000)) == pytest.approx(5, abs=0.01) == seconds(heard(16_000, 16_000))
    with pytest.raises(inperson.InputError, match="16000 Hz mono"):
        heard(48_000, 16_000)
    with pytest.raises(ValueError, match="rate must be"):
        heard(48_000, 0)


def test_what_a_limit_refuses_leaves_the_sound_before_and_after_alone():
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.1, 96_000).astype(np.float32)
    config = {"limits": {"duration_s": 10.0}}
    calls = [inperson.Analyzer(checks="channel", config=config).session("a call") for _ in range(2)]
    for call in calls:
        call.push_audio(sound[:48_000], 0, np.int64(48_000))
    with pytest.raises(inperson.LimitError):
        calls[1].push_audio(sound[:48_000], 20, 48_000)
    for call in calls:
        assert call.push_audio(sound[48_000:], 1, 48_000) == []
    plain, refused = (call.finish() for call in calls)
    assert plain.media["audio"]["samples"] == pytest.approx(refused.media["audio"]["samples"], abs=40)
    assert [n["code"] for n in refused.media["notes"]] == [n["code"] for n in plain.media["notes"]]


def test_a_call_of_which_all_lies_ahead_goes_on(analyzer):
    call = analyzer.session("a call", video=False)
    call.push_audio(np.zeros(1_600, np.float32), 3_600)
    with pytest.raises(inperson.InputError, match="no picture and no sound came"):
        call.finish()
    call.push_audio(np.zeros(16_000, np.float32), 0)
    assert call.finish().span["end"] == 1_000_000
