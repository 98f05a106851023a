"""The console command `learnviews record`: a recording, or one line that says what to mend."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from learnviews.apps.cli import main
from learnviews.kernels import rnn
from learnviews.kernels.optimizers import optimizer

TEXT = "the cat sat on the mat, and the rat ran. " * 20
SMALL = ["--hidden", "8", "--length", "10", "--lags", "4", "--every", "10"]
PROGRAM = [sys.executable, "-c", "from learnviews.apps.cli import main; main(prog_name='learnviews')"]
FIELDS = ("step", "position", "inputs", "targets", "top", "norm", "beyond", "share", "share_beyond", "state", "loss")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Everything happens in an empty folder with a text in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cats.txt").write_text(TEXT)
    return tmp_path


def record(*arguments, small=True):
    return CliRunner().invoke(main, ["record", *arguments, *(SMALL if small else [])])


def same_recording(one, other):
    with rnn.Recording.open(one) as a, rnn.Recording.open(other) as b:
        assert len(a) == len(b) > 0
        for number in range(len(a)):
            for name in FIELDS:
                np.testing.assert_array_equal(getattr(a[number], name), getattr(b[number], name), err_msg=name)
        np.testing.assert_array_equal(a.net().flat, b.net().flat)
        assert a.snapshot()[:2] == b.snapshot()[:2]


# --- what it makes


def test_records_a_text():
    result = record("cats.txt", "--steps", "95")
    assert result.exit_code == 0, result.output
    assert "cats.txt: 820 characters, 14 symbols" in result.stdout
    assert "10 batches in cats.txt.rnnbow" in result.stdout
    assert "bits per character. It writes:" in result.stdout
    assert result.stdout.rstrip().endswith("Look at it: learnviews serve cats.txt.rnnbow")
    assert "Stopped" not in result.stdout
    with rnn.Recording.open("cats.txt.rnnbow") as rec:
        assert rec.overview().step.tolist() == list(range(0, 100, 10))
        assert rec.settings["planned_steps"] == 95
        assert rec.snapshot()[0] == 95


def test_options_reach_the_recording():
    options = ["--cell", "relu", "--batch", "3", "--optimizer", "adam", "--rate", "0.01", "--clip", "0"]
    result = record("cats.txt", *options, "--initial", "uniform", "--seed", "4", "--steps", "20", "--out", "a.rnnbow")
    assert result.exit_code == 0, result.output
    corpus = rnn.Corpus(TEXT)
    net = rnn.RecurrentNet("relu", 14, 8, 14, rng=4, initial="uniform")
    rnn.Trainer(net, corpus, 10, 3, optimizer("adam", rate=0.01), clip=None).run(20)
    with rnn.Recording.open("a.rnnbow") as rec:
        np.testing.assert_array_equal(rec.net().flat, net.flat)
        assert rec[0].norm.shape == (10, 4, 3)
        trainer = rec.settings["trainer"]
    assert trainer["clip"] is None
    assert (trainer["length"], trainer["batch"], trainer["every"]) == (10, 3, 10)
    assert (trainer["optimizer"]["name"], trainer["optimizer"]["rate"]) == ("adam", 0.01)


def test_progress_bar_with_time_left_is_on_stderr():
    result = record("cats.txt", "--steps", "300")
    assert re.search(r"300/300 \[\d\d:\d\d<\d\d:\d\d, .*bits/char\]", result.stderr)
    assert "bits/char]" not in result.stdout


def test_left_out_files_are_named(folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text(TEXT)
    (folder / "texts" / "b.png").write_bytes(b"\x89PNG\r\n\0\0")
    result = record("texts", "--steps", "10")
    assert result.exit_code == 0, result.output
    assert f"left out, no text: {os.path.join('texts', 'b.png')}" in result.stdout


def test_named_encoding(folder):
    (folder / "latin.txt").write_bytes(("naïve " + TEXT).encode("latin-1"))
    result = record("latin.txt", "--encoding", "latin-1", "--steps", "10")
    assert result.exit_code == 0, result.output
    with rnn.Recording.open("latin.txt.rnnbow") as rec:
        assert "ï" in rec.symbols


def test_without_a_corpus_it_learns_embedded_c():
    result = record("--steps", "3")
    assert result.exit_code == 0, result.output
    assert "C headers of NumPy" in result.stdout
    (made,) = (name for name in os.listdir() if name.endswith(".rnnbow"))
    assert made.startswith("C-headers-of-NumPy")
    with rnn.Recording.open(made) as rec:
        assert rec.settings["characters"] > 300_000


# --- going on


@pytest.mark.parametrize("name", ["sgd", "adagrad", "adam"])
def test_resumed_equals_never_stopped(name):
    options = ["--optimizer", name, "--batch", "2"]
    assert record("cats.txt", *options, "--steps", "90", "--out", "whole").exit_code == 0
    assert record("cats.txt", *options, "--steps", "35", "--out", "parts").exit_code == 0
    result = record("--resume", "--out", "parts", "--steps", "90", small=False)
    assert result.exit_code == 0, result.output
    assert "parts: going on from step 35" in result.stdout
    same_recording("whole", "parts")


def test_nothing_left_to_do():
    assert record("cats.txt", "--steps", "30", "--out", "a").exit_code == 0
    result = record("--resume", "--out", "a", small=False)
    assert result.exit_code == 0, result.output
    with rnn.Recording.open("a") as rec:
        assert rec.overview().step.tolist() == [0, 10, 20]


# --- a process of its own


@contextlib.contextmanager
def running(*arguments):
    """The command in a process of its own; killed if it is still there."""
    process = subprocess.Popen([*PROGRAM, "record", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_batches(path, count):
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, rnn.FileFormatError), rnn.Recording.open(path) as reader:
            if len(reader) >= count:
                return
        time.sleep(0.05)
    pytest.fail(f"{path}: {count} batches never came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_cleanly_and_resume_completes_it(number):
    with running("cats.txt", *SMALL, "--steps", "1000000", "--out", "a.rnnbow") as process:
        wait_for_batches("a.rnnbow", 5)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    out, err = out.decode(), err.decode()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert re.search(r"\d+/1000000 \[\d\d:\d\d<[\d:]+, .*bits/char\]", err)  # so much is done, so much time is left
    step = int(re.search(r"Stopped at step ([\d,]+) of 1,000,000\.", out)[1].replace(",", ""))
    assert "Go on: learnviews record --resume --out a.rnnbow" in out
    assert sorted(os.listdir()) == ["a.rnnbow", "cats.txt"]
    with rnn.Recording.open("a.rnnbow") as rec:
        assert rec.overview().step.tolist() == list(range(0, step, 10))
        assert rec.snapshot()[0] == step
        assert rec.settings["planned_steps"] == 1_000_000
    steps = str(step + 55)
    with running("--resume", "--out", "a.rnnbow", "--steps", steps) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert f"going on from step {step:,}" in out.decode()
    assert record("cats.txt", "--steps", steps, "--out", "whole").exit_code == 0
    same_recording("whole", "a.rnnbow")


def test_planned_steps_are_remembered():
    stopped = [*SMALL, "--every", "100", "--steps", "6000", "--out", "a.rnnbow"]
    with running("cats.txt", *stopped) as process:
        wait_for_batches("a.rnnbow", 1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert record("--resume", "--out", "a.rnnbow", small=False).exit_code == 0
    with rnn.Recording.open("a.rnnbow") as rec:
        assert rec.snapshot()[0] == 6000


def test_kill_9_then_resume():
    with running("cats.txt", *SMALL, "--steps", "1000000", "--out", "a.rnnbow") as process:
        wait_for_batches("a.rnnbow", 5)
        process.kill()
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    with rnn.Recording.open("a.rnnbow") as rec:
        assert [batch.step for batch in rec] == rec.overview().step.tolist()
        steps = str(len(rec) * 10 + 55)
    result = record("--resume", "--out", "a.rnnbow", "--steps", steps, small=False)
    assert result.exit_code == 0, result.output
    assert record("cats.txt", "--steps", steps, "--out", "whole").exit_code == 0
    same_recording("whole", "a.rnnbow")


# --- what cannot be done


def refused(folder, *arguments, small=True):
    """The one line of an error; nothing is made or changed."""
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    result = record(*arguments, small=small)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    *usage, error = result.stderr.splitlines()
    assert error.startswith("Error: ")
    assert not [line for line in usage if not line.startswith(("Usage: ", "Try ")) and line]
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before
    return error


def test_missing_corpus(folder):
    assert "nothing.txt: no such file" in refused(folder, "nothing.txt")


def test_binary_corpus(folder):
    (folder / "a.bin").write_bytes(bytes(range(256)))
    assert "a.bin: a binary file" in refused(folder, "a.bin")


def test_text_in_another_encoding(folder):
    (folder / "latin.txt").write_bytes("naïve".encode("latin-1"))
    assert "latin.txt: not utf-8" in refused(folder, "latin.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lags", "11"], "lags must be a whole number from 1 to the 10 steps of the sequence, got 11"),
        (["--lags", "0"], "'--lags': 0 is not in the range"),
        (["--length", "1000"], "has 820 characters"),
        (["--hidden", "0"], "'--hidden': 0 is not in the range"),
        (["--batch", "0"], "'--batch': 0 is not in the range"),
        (["--every", "-1"], "'--every': -1 is not in the range"),
        (["--rate", "0"], "rate must be a positive number"),
        (["--rate", "nan"], "rate must be a positive number"),
        (["--clip", "-1"], "clip must be a positive number"),
        (["--steps", "-5"], "steps"),
        (["--steps", "many"], "--steps"),
        (["--seed", "-1"], "'--seed': -1 is not in the range"),
        (["--cell", "gru2"], "--cell"),
        (["--optimizer", "lion"], "--optimizer"),
        (["--encoding", "klingon"], "'klingon' is not known"),
        (["--out", "nowhere/a.rnnbow"], "no such folder"),
        (["--out", "cats.txt"], "cats.txt: exists already"),
        (["--out", "."], "exists already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options(folder, arguments, message):
    result = CliRunner().invoke(main, ["record", "cats.txt", *SMALL, *arguments])
    error = result.stderr.splitlines()[-1]
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert error.startswith("Error: ")
    assert message in error
    assert os.listdir() == ["cats.txt"]
    assert (folder / "cats.txt").read_text() == TEXT


def test_one_symbol(folder):
    (folder / "a.txt").write_text("aaaa")
    assert "one symbol only" in refused(folder, "a.txt")


def test_resume_needs_a_recording(folder):
    assert "--resume needs --out" in refused(folder, "--resume", small=False)
    assert "missing: no such recording" in refused(folder, "--resume", "--out", "missing", small=False)
    assert "cats.txt: not a LearnViews recording" in refused(folder, "--resume", "--out", "cats.txt", small=False)
    assert ".: a folder" in refused(folder, "--resume", "--out", ".", small=False)


def test_resume_of_a_damaged_recording(folder):
    assert record("cats.txt", "--steps", "30", "--out", "a").exit_code == 0
    whole = (folder / "a").read_bytes()
    (folder / "a").write_bytes(whole[: len(whole) // 2])
    assert "a: " in refused(folder, "--resume", "--out", "a", small=False)


def test_divergence_is_one_line():
    exploding = ["--cell", "relu", "--optimizer", "sgd", "--rate", "1e6", "--clip", "0"]
    with running("cats.txt", *SMALL, *exploding, "--out", "a") as process:
        _, err = process.communicate(timeout=60)
    lines = err.decode().replace("\r", "\n").splitlines()
    assert process.returncode == 1
    assert re.match(r"Error: training diverged at step \d+: ", lines[-1])
    assert not [line for line in lines if "Traceback" in line or "Warning" in line]
    with rnn.Recording.open("a") as rec:
        assert len(rec) > 0


def test_resume_refuses_what_it_would_ignore(tmp_path):
    result = CliRunner().invoke(main, ["record", "text.c", "--hidden", "20", "--resume", "--out", "any.rnnbow"])
    assert result.exit_code == 2
    assert "CORPUS, --hidden" in result.output
