"""Forks, workers and Ctrl-C: what ends in other packages in waiting for ever."""

import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import inperson

FORKED = """
import multiprocessing, os, warnings
import numpy as np
import inperson

warnings.simplefilter("ignore")
context = multiprocessing.get_context("fork")

def fresh(_):
    return bool(inperson.Analyzer(checks="capture").config)

with context.Pool(1) as pool:
    print("imported only:", pool.map(fresh, [0]))

analyzer, wording = inperson.Analyzer(checks="capture"), inperson.Wording()
session = analyzer.session("a call")
session.push_audio(np.zeros(16_000, np.float32), 0)
uses = {
    "Analyzer": inperson.Analyzer, "Wording": inperson.Wording, "analyze": lambda: analyzer.analyze("a.mp4"),
    "observe": lambda: analyzer.observe("a.mp4"), "session": analyzer.session, "judge": lambda: wording.judge("yes"),
    "push": lambda: session.push_audio(np.zeros(16_000, np.float32), 1), "assess": session.assess, "finish": session.finish,
}

def used(name):
    try:
        uses[name]()
    except inperson.Error as e:
        return type(e) is inperson.Error and "get_context('spawn')" in str(e)

with context.Pool(1) as pool:
    print("used:", [name for name in uses if not pool.map(used, [name])[0]])
    # what is sent to a worker is unpickled there
    try:
        pool.map(analyzer.analyze, ["a.mp4"])
    except inperson.Error as e:
        print("sent:", "spawn" in str(e))
print("parent:", session.finish().span["end"])
"""

AT_WORK = """
import sys, threading, time
import inperson

analyzer = inperson.Analyzer(checks="capture")

def again():
    while True:
        analyzer.analyze(sys.argv[1])

threading.Thread(target=again, daemon=True).start()
time.sleep(float(sys.argv[2]))
"""

INTERRUPTED = """
import os, signal, sys, threading
import inperson

# a job in the background is started with Ctrl-C ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
analyzer = inperson.Analyzer(checks="capture")
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
while True:
    analyzer.observe(sys.argv[1])
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    lavfi = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=20"]
    subprocess.run(["ffmpeg", "-v", "error", *lavfi, "-pix_fmt", "yuv420p", path], check=True)
    return path


@pytest.fixture(scope="module")
def sounding(clip) -> Path:
    path = clip.with_name("sounding.mp4")
    sine = ["-f", "lavfi", "-i", "sine=frequency=300:duration=2"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, *sine, "-shortest", path], check=True)
    return path


def until(found):
    since = time.monotonic()
    while not (value := found()):
        assert time.monotonic() - since < 60, "it did not come about"
        time.sleep(0.05)
    return value


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="left out: this system has no SIGALRM, so that a fork that hangs could not be ended")
def test_a_fork_after_use_is_told_and_does_not_hang():
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["imported only: [True]", "used: []", "sent: True", "parent: 1000000"], done.stderr


def test_spawned_workers_are_sent_analyzers(clip):
    analyzer = inperson.Analyzer(checks="capture", prior=0.02)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        [report] = pool.map_async(analyzer.analyze, [clip]).get(120)
    assert report == analyzer.analyze(clip) and report.assessment["prior"] == 0.02


def test_ctrl_c_ends_observe(clip):
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, clip], capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGINT and done.stderr.rstrip().endswith("KeyboardInterrupt") and "Panic" not in done.stderr


def test_the_interpreter_ends_while_a_daemon_thread_is_at_work(clip):
    for wait in np.linspace(0.2, 1.2, 12):
        done = subprocess.run([sys.executable, "-c", AT_WORK, clip, str(wait)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and "Fatal" not in done.stderr, (wait, done)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="left out: this system kills no process by a signal")
def test_sound_for_a_transcriber_does_not_outlive_a_killed_process(sounding, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "import inperson, sys; inperson.analyze(sys.argv[1], checks='capture', transcriber='sh -c \"exec sleep 60\"')"
    killed = subprocess.Popen([sys.executable, "-c", code, sounding])
    left = until(lambda: [p for p in tmp_path.glob("inperson-*.wav") if p.stat().st_size > 44])
    killed.kill()
    killed.wait()
    assert left[0].exists()
    os.utime(left[0], (0, 0))
    inperson.analyze(sounding, checks="capture", transcriber=lambda wav: "")
    assert not list(tmp_path.glob("inperson-*.wav"))


def test_ctrl_c_ends_a_transcriber_that_does_not_hear_it(sounding, tmp_path):
    begun = tmp_path / "begun"
    command = shlex.join([sys.executable, "-c", f"import time; open({str(begun)!r}, 'w'); time.sleep(60)"])
    code = (
        "import inperson, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "inperson.analyze(sys.argv[1], checks='capture', transcriber=sys.argv[2])"
    )
    running = subprocess.Popen([sys.executable, "-c", code, sounding, command], stderr=subprocess.PIPE, text=True)
    until(begun.exists)
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=30)[1].rstrip().endswith("KeyboardInterrupt")
