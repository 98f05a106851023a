"""The console command `learnviews cube`: a model file, or one line that says what to mend."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from learnviews.apps.cli import main
from learnviews.apps.terminal import Bars
from learnviews.kernels import cube

ROWS = 3000
SMALL = ["--steps", "20", "--queries", "50", "--out", "x.cube.npz"]
PROGRAM = [sys.executable, "-c", "from learnviews.apps.cli import main; main(prog_name='learnviews')"]


def table(rows=ROWS):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "hour": rng.integers(0, 24, rows),
            "kind": rng.choice(["a", "b", "c"], rows),
            "size": rng.gamma(2.0, 3.0, rows),
            "x": rng.normal(size=rows),
            "y": rng.normal(size=rows),
            "one": 1,
        }
    )
    frame.loc[:9, "size"] = np.nan
    return frame


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Everything happens in an empty folder with a table in it."""
    monkeypatch.chdir(tmp_path)
    table().to_parquet("t.parquet", row_group_size=1000)
    return tmp_path


def run(*arguments, small=True):
    return CliRunner().invoke(main, ["cube", *(SMALL if small else []), *arguments])


def made(*arguments, small=True, path="x.cube.npz"):
    result = run(*arguments, small=small)
    assert result.exit_code == 0, result.output
    return result, cube.load(path)


# --- what it makes


def test_model_is_the_one_that_fit_makes():
    _, model = made("t.parquet", "--attributes", "hour,kind", "--seed", "3", "--rank", "5")
    schema = cube.Schema.infer("t.parquet", ["hour", "kind"])
    exact = cube.ExactCube.build("t.parquet", schema)
    expected = cube.fit(exact, rank=5, rng=3, steps=20, queries=50)
    assert model.schema == schema
    queries = cube.random_queries(schema, 20)
    np.testing.assert_array_equal(model.query_many(queries), expected.query_many(queries))
    assert model.about["rows"] == ROWS


def test_table_at_the_end():
    result, model = made("t.parquet", "--attributes", "hour,kind,size")
    lines = result.stdout.splitlines()
    size = os.path.getsize("x.cube.npz") / 1000
    assert lines[0] == f"t.parquet: hour 24, kind 3, size {model.schema['size'].bins}; {model.schema.bins} bins"
    assert any(re.fullmatch(rf"file +x\.cube\.npz, {size:.1f} kB", line) for line in lines)
    for start in (
        "net  ",
        "model size",
        "rows  ",
        "exact cube, dense",
        "exact cube, sparse",
        "trained on",
        "RAE of count",
    ):
        assert [line for line in lines if line.startswith(start)], start
    for view in ("all", "hour", "kind", "size"):
        assert [line for line in lines if re.fullmatch(rf"{view} +[\d.]+ +[\d.]+", line)], view
    assert lines[-1].endswith('cube.load("x.cube.npz").views()')


def test_columns_without_an_attribute_are_listed():
    result, model = made("t.parquet")
    assert "left out: column one (constant (1))" in result.stdout
    assert model.schema.names == ("hour", "kind", "size", "place")


def test_a_place_of_two_columns():
    _, model = made("t.parquet", "--attributes", "x:y,hour")
    assert isinstance(model.schema.attributes[0], cube.Spatial)
    assert model.schema.columns == ("x", "y", "hour")


def test_advice_when_the_exact_cube_is_smaller():
    result, model = made("t.parquet", "--attributes", "kind,hour", "--rank", "100")
    assert re.search(r"^advice +an exact dense cube is smaller: 576 B", result.stdout, re.MULTILINE)
    assert "exact dense cube" in model.about["advice"]


def test_a_net_that_is_not_worth_its_weights_is_named():
    note = "note: count is no better than by independent attributes; train it for longer"
    result, model = made("flights", "--attributes", "hour,delay", "--steps", "1")
    assert model.error.overall >= model.error.independence
    assert note in result.stdout
    result, model = made("flights", "--attributes", "hour,delay", "--steps", "300", "--force")
    assert model.error.overall < model.error.independence
    assert note not in result.stdout


@pytest.mark.parametrize(
    ("options", "aggregates"),
    [
        ([], ("count",)),
        (["--measures", "size"], ("count", ("mean", "size"))),
        (["--aggregate", "mean:size"], (("mean", "size"),)),
        (["--aggregate", "count", "--aggregate", "var:size"], ("count", ("var", "size"))),
        (["--aggregate", "sum:size", "--measures", "size, x"], (("sum", "size"), ("mean", "x"))),
    ],
)
def test_aggregates(options, aggregates):
    result, model = made("t.parquet", "--attributes", "hour,kind", *options)
    assert model.aggregates == aggregates
    assert result.stdout.count("RAE of ") == len(aggregates)


@pytest.mark.parametrize("net", ["signed", "mlp", "auto"])
def test_nets(net):
    _, model = made("t.parquet", "--attributes", "kind,hour", "--net", net)
    assert model.net.kind == ("mlp" if net == "mlp" else "product")
    assert model.net.signed == (net == "signed")


def test_training_stops_at_the_error_asked_for():
    result, _ = made("t.parquet", "--attributes", "hour,kind", "--error", "5", "--steps", "5000")
    assert not re.search(r"5000/5000", result.stderr)


# --- what it reads


def test_every_kind_of_table_gives_the_same_model():
    frame = table()
    frame.to_csv("t.csv", index=False)
    with gzip.open("t.csv.gz", "wt") as file:
        frame.to_csv(file, index=False)
    os.mkdir("parts")
    for part in range(3):
        frame.iloc[part::3].to_parquet(f"parts/{part}.parquet")
    parts = [f"parts/{part}.parquet" for part in range(3)]
    _, expected = made("t.parquet")
    for named in (["t.csv"], ["t.csv.gz"], ["parts"], ["parts/*.parquet"], parts):
        _, model = made(*named, "--force")
        assert model.schema.names == expected.schema.names, named
        queries = cube.random_queries(expected.schema, 20)
        np.testing.assert_array_equal(model.query_many(queries), expected.query_many(queries), err_msg=str(named))


def test_csv_that_turns_to_decimals_late(folder):
    whole = pd.DataFrame({"a": np.arange(400_000) % 7, "b": np.arange(400_000) % 5})
    text = whole.to_csv(index=False) + "2.5,1\n"  # after more than a megabyte
    (folder / "late.csv").write_text(text)
    _, model = made("late.csv")
    assert model.about["rows"] == 400_001


def test_flights_by_the_names_of_their_schema():
    _, model = made("flights", "--attributes", "hour,delay,distance", small=True)
    _, schema = cube.flights()
    assert model.schema.names == ("hour", "delay", "distance")
    assert model.schema["delay"] == schema["delay"]
    assert model.about["rows"] == 320_960


def test_schema_from_a_file(folder):
    schema = cube.Schema(cube.Integer("hour", 0, 11), cube.Categorical("kind", ["a", "b"]), cube.Integer("one", 0, 3))
    (folder / "s.json").write_text(json.dumps(schema.to_json()))
    result, model = made("t.parquet", "--schema", "s.json")
    frame = table()
    assert model.schema == schema
    kept = (frame["hour"] < 12) & frame["kind"].isin(["a", "b"])
    assert model.about["rows"] == kept.sum()
    outside = f"hour: {(frame['hour'] > 11).sum():,} outside its bins; kind: {(frame['kind'] == 'c').sum():,} outside"
    assert re.search(rf"rows left out +{ROWS - kept.sum():,} \({outside}", result.stdout)
    _, model = made("t.parquet", "--schema", "s.json", "--attributes", "kind,hour", "--force")
    assert model.schema == cube.Schema(schema["kind"], schema["hour"])


def test_default_name_and_force(folder):
    rest = ["--steps", "20", "--queries", "50", "--attributes", "hour,kind"]
    made("t.parquet", *rest, small=False, path="t.cube.npz")
    before = (folder / "t.cube.npz").read_bytes()
    result = run("t.parquet", *rest, "--seed", "1", small=False)
    assert result.stderr == "Error: t.cube.npz: exists already; choose another name, or overwrite it with --force\n"
    assert (folder / "t.cube.npz").read_bytes() == before
    made("t.parquet", *rest, "--seed", "1", "--force", small=False, path="t.cube.npz")
    assert (folder / "t.cube.npz").read_bytes() != before


# --- bars and Ctrl-C


def test_bars_with_time_left_are_on_stderr():
    result, _ = made("t.parquet", "--attributes", "hour,kind")
    bars = result.stderr.replace("\r", "\n")
    assert re.search(r"reading: 100%\|.*\| 3\.00k/3\.00k \[\d\d:\d\d<\d\d:\d\d, ", bars)
    assert re.search(r"answering queries: 100%\|.*\| 50/50 ", bars)
    assert re.search(r"training: +\d+%\|.*\| \d+/20 \[.*held-out error \d\.\d{4}\]", bars)
    assert "training:" not in result.stdout


def interrupt(monkeypatch, what):
    """Ctrl-C at the first sign of work of this name."""
    update = Bars.update
    sent = []

    def then_update(self, done, text=None):
        update(self, done, text)
        if self._name[0].startswith(what) and not sent:
            sent.append(done)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Bars, "update", then_update)
    return sent


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_ctrl_c_while_reading_leaves_nothing(folder, monkeypatch, kind):
    frame = table(200_000)
    frame.to_parquet("big.parquet") if kind == "parquet" else frame.to_csv("big.csv", index=False)
    before = sorted(os.listdir())
    sent = interrupt(monkeypatch, "reading")
    result = run(f"big.{kind}")
    assert sent
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: stopped before the training; nothing was written"
    assert sorted(os.listdir()) == before


def test_ctrl_c_while_answering_leaves_nothing(monkeypatch):
    interrupt(monkeypatch, "answering")
    result = run("t.parquet", "--queries", "3000", "--steps", "10", "--out", "x", small=False)
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert os.listdir() == ["t.parquet"]


def test_ctrl_c_while_training_writes_what_was_reached():
    options = ["--attributes", "hour,kind,size", "--steps", "10000000", "--queries", "200", "--out", "x.cube.npz"]
    process = subprocess.Popen(
        [*PROGRAM, "cube", "t.parquet", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        seen = b""
        while b"training:" not in seen:
            more = os.read(process.stderr.fileno(), 4096)
            assert more, seen.decode()
            seen += more
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
    assert "Stopped early: the model is what was reached." in out.decode()
    model = cube.load("x.cube.npz")
    assert model.about["stopped"] == "cancelled"
    assert sorted(os.listdir()) == ["t.parquet", "x.cube.npz"]


# --- what cannot be done


def refused(*arguments, small=True):
    """The one line of an error; nothing is made or changed."""
    before = {name: os.path.getmtime(name) for name in os.listdir()}
    result = run(*arguments, small=small)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    lines = result.stderr.replace("\r", "\n").splitlines()
    errors = [line for line in lines if line.startswith("Error: ")]
    assert errors == lines[-1:]
    assert {name: os.path.getmtime(name) for name in os.listdir()} == before
    return errors[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.parquet"], "nothing.parquet: no Parquet file there"),
        (["nothing.csv"], "nothing.csv: no such file"),
        (["*.parq"], "*.parq: no Parquet file there"),
        (["a.csv", "b.csv"], "expected one CSV file, or Parquet files"),
        (["t.parquet", "--attributes", "hour,nope"], "t.parquet: no column 'nope'; there are hour, kind, size"),
        (["t.parquet", "--attributes", "one,hour"], "column 'one' cannot become an attribute: constant (1)"),
        (["t.parquet", "--attributes", " , "], "names no column"),
        (["t.parquet", "--measures", "nope"], "t.parquet has no column 'nope'"),
        (["t.parquet", "--measures", "kind"], "column 'kind' holds"),
        (["t.parquet", "--aggregate", "mode:size"], "--aggregate 'mode:size'; expected count, or sum:COLUMN"),
        (["t.parquet", "--aggregate", "mean"], "--aggregate 'mean'; expected count"),
        (["t.parquet", "--aggregate", "mean:"], "--aggregate 'mean:'; expected count"),
        (["t.parquet", "--net", "cnn"], "'--net': 'cnn' is not one of"),
        (["t.parquet", "--rank", "0"], "'--rank': 0 is not in the range"),
        (["t.parquet", "--rank", "4", "--net", "auto"], "--rank is for --net product or signed, not auto"),
        (["t.parquet", "--error", "0"], "--error must be above 0"),
        (["t.parquet", "--error", "nan"], "--error must be above 0"),
        (["t.parquet", "--queries", "9"], "'--queries': 9 is not in the range"),
        (["t.parquet", "--seed", "-1"], "'--seed': -1 is not in the range"),
        (["t.parquet", "--schema", "no.json"], "no.json: No such file"),
        (["t.parquet", "--schema", "t.parquet"], "t.parquet: no text"),
        (
            ["flights", "--attributes", "hours"],
            "flights: no attribute or column 'hours'; there are month, weekday, hour",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments(arguments, message):
    assert message in refused(*arguments)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("nowhere/x.npz", "nowhere: no such folder to put the model in"),
        (".", ".: a folder; expected the name of a file to write"),
        ("/proc/x.npz", "/proc: cannot be written to"),
        ("t.parquet", "t.parquet: is the table; choose another name"),
    ],
)
def test_where_it_cannot_be_written_is_known_before_the_work(monkeypatch, out, message):
    monkeypatch.setattr(cube, "fit", None)
    monkeypatch.setattr(cube.Schema, "infer", None)
    assert message in refused("t.parquet", "--force", "--out", out, small=False)


def test_tables_without_use(folder):
    table(0).to_parquet("empty.parquet")
    (folder / "empty.csv").write_text("a,b\n")
    (folder / "nothing.csv").write_text("")
    (folder / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    (folder / "broken.csv.gz").write_bytes(b"no gzip")
    (folder / "constant.csv").write_text("a,b\n" + "1,x\n" * 9)
    assert "empty.parquet has no rows" in refused("empty.parquet")
    assert "empty.csv has no rows" in refused("empty.csv")
    assert "nothing.csv: cannot be read as CSV" in refused("nothing.csv")
    assert "broken.parquet: " in refused("broken.parquet")
    assert "broken.csv.gz: cannot be read as CSV" in refused("broken.csv.gz")
    assert "(a: constant (1); b: constant (x))" in refused("constant.csv")


def test_no_row_in_any_bin(folder):
    schema = cube.Schema(cube.Integer("hour", 100, 110), cube.Categorical("kind", ["a", "b", "c"]))
    (folder / "s.json").write_text(json.dumps(schema.to_json()))
    error = refused("t.parquet", "--schema", "s.json")
    assert "t.parquet: no row has a bin in every attribute (hour: 3,000 outside its bins)" in error


def test_columns_of_files_that_differ(folder):
    os.mkdir("parts")
    pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3]}).to_parquet("parts/0.parquet")
    pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}).to_parquet("parts/1.parquet")
    assert "their columns differ" in refused("parts")


@pytest.mark.parametrize(
    "text", ["{}", "no JSON\nat all", '{"version": 1, "attributes": []}', '{"version": 9, "attributes": []}']
)
def test_files_that_hold_no_schema(folder, text):
    (folder / "s.json").write_text(text)
    assert "Error: s.json: " in refused("t.parquet", "--schema", "s.json")
