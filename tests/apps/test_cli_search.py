"""The commands `learnviews search` and `learnviews problems`: models in a folder, or one line on what to mend."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from search_fitted import table

from learnviews.apps.cli import main
from learnviews.apps.search_command import Board

PROGRAM = [sys.executable, "-c", "from learnviews.apps.cli import main; main(prog_name='learnviews')"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Everything happens in an empty folder with a table in it."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("things.csv", index=False)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def complaint(*arguments):
    result = run(*arguments)
    assert result.exit_code in (1, 2) and "Traceback" not in result.output, result.output
    assert not list(Path().glob("*search*")) + list(Path("out").glob("*"))
    return " ".join(result.output.split())


# --- problems


def test_problems_are_listed_with_their_reasons_and_written(folder):
    result = run("problems", "things.csv", "--out", "asked")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["promise", "(0", "to", "1),", "problem,", "reason"]
    assert re.match(r" +1 +\d\.\d\d +predict \w+ from .* by the best ", lines[1]) and lines[2].strip()
    assert any(
        re.fullmatch(r"Search the first: learnviews search things.csv --target \w+ --task \w+", x) for x in lines
    )
    assert any("predict price" in line for line in lines) and any("predict kind" in line for line in lines)
    assert json.loads(Path("asked/01.json").read_text())["about"]["taskKeywords"]
    few = run("problems", "things.csv", "-n", "2").stdout
    assert len(re.findall(r"^ +\d ", few, re.M)) == 2


def test_columns_that_are_no_target_are_named_with_the_reason():
    Path("same.csv").write_text("a,b\n" + "".join(f"1,{number % 3}\n" for number in range(30)))
    result = run("problems", "same.csv")
    assert result.exit_code == 0 and re.search(r"^no target: a \(.+\)$", result.stdout, re.M), result.output


def test_problems_of_no_file():
    assert "no.csv: no such file" in complaint("problems", "no.csv")


# --- search


@pytest.mark.slow
def test_search_ends_with_a_leaderboard_and_scripts_that_run(folder):
    asked = ["--target", "kind", "--metric", "accuracy", "--features", "size,colour"]
    result = run("search", "things.csv", *asked, "--trials", 3, "--workers", 1, "--out", "out")
    assert result.exit_code == 0, result.output
    assert "predict kind from size and colour with a classification model by the best accuracy" in result.stdout
    assert re.search(r"^ +[\d.]+ s  model 1: .*, accuracy 0\.\d+ \(holdout\)$", result.stdout, re.M)
    board = result.stdout[result.stdout.index("\n\n") :]
    assert "trivial" in board and "decision tree" in board and "low" in board
    ranking = pd.read_csv("out/export/ranking.csv")
    assert ranking.name.iloc[-1] == "trivial" and ranking.value[0] > ranking.value.iloc[-1]
    command = re.search(r"python (\S+) TABLE", result.stdout).group(1)
    done = subprocess.run([sys.executable, command, "things.csv"], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0 and len(pd.read_csv("predicted.csv")) == 120, done.stderr
    again = run("search", "things.csv", "--resume", "--trials", 4, "--workers", 1, "--out", "out")
    assert again.exit_code == 0, again.output
    assert re.search(r"^[45] of [45] trials finished$", again.stdout, re.M)
    assert "exists already" in run("search", "things.csv", "--target", "kind", "--out", "out").output


@pytest.mark.slow
def test_ctrl_c_ends_it_with_what_was_reached(folder):
    command = [
        *PROGRAM,
        "search",
        "things.csv",
        "--target",
        "kind",
        "--seconds",
        "200",
        "--workers",
        "1",
        "--out",
        "out",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "model 1:" in line:
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert "Stopped early. Go on: learnviews search things.csv --resume --out out" in output
    assert Path("out/export/ranking.csv").exists() and time.monotonic() - began < 60


# --- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.csv"], "no.csv: no such file"),
        (["things.csv", "--target", "colr"], "colr"),
        (["things.csv", "--target", "kind", "--task", "guess"], "guess"),
        (["things.csv", "--target", "kind", "--metric", "best"], "best"),
        (["things.csv", "--target", "kind", "--features", "size,weight"], "weight"),
        (["things.csv", "--target", "colour", "--task", "regression"], "colour"),
        (["things.csv", "--task", "graphMatching"], "no graphMatching problem is legal for its columns: size (real)"),
        (["things.csv", "--task", "regression", "--metric", "accuracy"], "accuracy"),
        (["things.csv", "--problem", "p.json", "--target", "kind"], "give one or the other"),
        (["things.csv", "--problem", "p.json"], "p.json"),
        (["things.csv", "--target", "kind", "--out", "a/b"], "a: no such folder"),
        (["things.csv", "--target", "kind", "--resume"], "leave out what names another"),
        (["things.csv", "--resume", "--out", "out"], "out: no such study"),
        (["things.csv", "--seconds", "0"], "--seconds"),
    ],
)
def test_one_line_says_what_to_mend(arguments, message):
    assert message in complaint("search", *arguments)


def test_other_files_are_not_written_over(folder):
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    assert "exists already" in complaint("search", "things.csv", "--target", "kind", "--out", "mine")
    assert [each.name for each in Path("mine").iterdir()] == ["letter.txt"]


# --- the board


def test_progress_is_of_what_runs_out_first():
    board = Board(None, 100.0, 4)
    board._count = 3
    assert re.fullmatch(r"\[#{18}\.{6}\] 0 of 100 s, 3 models of 4 trials, 0 s left", board._bar())
    assert re.fullmatch(r"\[\.{24}\] 0 of 100 s, 0 models, 100 s left", Board(None, 100.0, None)._bar())
