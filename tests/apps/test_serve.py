"""`learnviews serve` and `make serve`: addresses, errors before anything starts, workers that end."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import CancelledError
from pathlib import Path

import psutil
import pytest
from browser import Server
from click.testing import CliRunner
from rnnbow_page import HELPERS, record
from snowcat_data import d3m, images, texts

from learnviews.apps import cli, server
from learnviews.apps.nncubes import first
from learnviews.kernels import cube

LEARNVIEWS = [sys.executable, "-c", "from learnviews.apps.cli import main; main()"]
AT = r"LearnViews is at (http://\S+/)"


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return record(tmp_path_factory.mktemp("served") / "small.rnnbow", steps=50, every=10)


@pytest.fixture(scope="module")
def running(recording):
    started = Server([*LEARNVIEWS, "serve", str(recording), "--port", "0"], AT, cwd=Path("/"))
    yield started
    started.stop()


def test_index_page_leads_to_the_app(running):
    status, text = get(running.url)
    assert status == 200
    for route, name in (("rnnbow", "RNNbow"), ("nncubes", "NNCubes"), ("snowcat", "Snowcat")):
        assert f'href="/{route}"' in text
        assert name in text
        assert get(running.url + route)[0] == 200


def test_unknown_page_is_not_found(running):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(running.url + "nothing")


@pytest.mark.ui
def test_index_page_in_a_browser(running, page):
    page.page.add_init_script(HELPERS)
    page.page.goto(running.url)
    page.page.get_by_text("RNNbow", exact=True).click()
    page.wait("window.Bokeh && lv.ready() && lv.text().includes('of 5')")


@pytest.mark.slow
def test_ctrl_c_ends_server_and_workers(recording):
    started = Server([*LEARNVIEWS, "serve", str(recording), "--port", "0", "--workers", "2"], AT)
    family = psutil.Process(started.process.pid).children(recursive=True)
    assert len(family) >= 3  # the server and its two workers
    assert get(started.url + "rnnbow")[0] == 200
    started.process.send_signal(signal.SIGINT)
    started.process.wait(30)
    _, alive = psutil.wait_procs(family, timeout=20)
    started.stop()
    assert alive == []


def run(*args, **kwargs):
    return CliRunner().invoke(cli.main, list(args), **kwargs)


def refused(*args):
    result = run(*args)
    assert result.exit_code != 0
    assert result.output.count("Error:") == 1
    assert "Traceback" not in result.output
    return result.output


def test_port_in_use(recording):
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"localhost:{port}" in refused("serve", str(recording), "--port", str(port))


def test_port_out_of_range(recording):
    assert "99999" in refused("serve", str(recording), "--port", "99999")


def test_unknown_address(recording):
    assert "203.0.113.7" in refused("serve", str(recording), "--port", "0", "--address", "203.0.113.7")


def test_missing_recording(tmp_path):
    assert "nothing.rnnbow" in refused("serve", str(tmp_path / "nothing.rnnbow"))


def test_foreign_file(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)
    assert "letter.txt" in refused("serve", str(path))


def test_folder_without_recordings(tmp_path):
    assert "learnviews record" in refused("serve", str(tmp_path))


def test_first_recording_is_made_from_the_embedded_corpus(tmp_path, monkeypatch):
    from learnviews.kernels import rnn

    monkeypatch.setattr(server, "FIRST_STEPS", 300)
    path = server.first_recording(tmp_path / "new" / "folder", lambda trainer, steps: trainer.run(steps))
    with rnn.Recording.open(path) as made:
        assert len(made) == 3
        assert "NumPy" in made.settings["corpus"]


def test_serve_without_arguments_makes_the_first_files_and_then_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path))
    monkeypatch.setattr(first, "FIT", {"rank": 8, "queries": 300, "steps": 50})
    monkeypatch.setattr(server, "FIRST_STEPS", 200)
    served = []
    monkeypatch.setattr(cli, "serve_apps", lambda *args: served.append(args) or 0)
    output = run("serve").output
    assert "making the first one" in output
    assert "learning the embedded flights" in output
    (path,) = (tmp_path / "recordings").glob("*.rnnbow")
    (model,) = (tmp_path / "cubes").glob("*.cube.npz")
    assert cube.load(model).aggregates == ("count", ("sum", "dep_delay"), ("mean", "dep_delay"))
    stamps = [each.stat().st_mtime_ns for each in (path, model)]
    output = run("serve").output
    assert "making" not in output
    assert "learning" not in output
    assert [each.stat().st_mtime_ns for each in (path, model)] == stamps
    assert [args[0] for args in served] == [(tmp_path / "recordings", tmp_path / "cubes")] * 2


def test_bokeh_serve_with_a_bad_recording_tells_it_in_the_page(tmp_path):
    from browser import bokeh_serve

    with bokeh_serve("rnnbow", str(tmp_path / "gone.rnnbow")) as started:
        status, _ = get(started.url)
        assert status == 200


def test_first_model_that_is_cancelled_is_not_written(tmp_path):
    progress = cube.Progress()
    progress.cancel()
    with pytest.raises(CancelledError):
        first.first_model(tmp_path / "new", progress)
    assert list(tmp_path.iterdir()) == []


def test_models_of_cubes_are_checked_and_served(tmp_path, monkeypatch):
    from cube_small import model

    path = model().save(tmp_path / "small.cube.npz")
    (tmp_path / "broken.cube.npz").write_bytes(path.read_bytes()[:500])
    started = []
    monkeypatch.setattr(server.subprocess, "Popen", lambda command, **_: started.append(command) or 1 / 0)
    assert "broken.cube.npz" in refused("serve", str(tmp_path / "broken.cube.npz"), "--port", "0")
    assert started == []
    with pytest.raises(ZeroDivisionError):
        server.serve_apps([path], 0, "localhost", 1)
    (command,) = started
    assert command[-1] == str(path)
    assert [Path(each).name for each in command if each.startswith(str(server.APPS))] == [
        "rnnbow",
        "nncubes",
        "snowcat",
        "index.html",
    ]


def test_first_recording_that_was_cut_short_is_finished(tmp_path, monkeypatch):
    from learnviews.kernels import rnn

    monkeypatch.setattr(server, "FIRST_STEPS", 300)
    server.first_recording(tmp_path, lambda trainer, steps: trainer.run(120))
    with rnn.Recording.open(tmp_path / "c-headers.rnnbow", write=True):  # somebody else is at it
        assert server.first_recording(tmp_path, None) is None
    asked = []
    path = server.first_recording(tmp_path, lambda trainer, steps: asked.append(steps) or trainer.run(steps))
    assert asked == [180]
    with rnn.Recording.open(path) as finished:
        assert finished.overview()["step"].tolist() == [0, 100, 200]
    assert server.first_recording(tmp_path, None) is None


def test_first_recording_that_was_killed_at_once_is_made_again(tmp_path, monkeypatch):
    from learnviews.kernels import rnn

    monkeypatch.setattr(server, "FIRST_STEPS", 100)
    with pytest.raises(KeyboardInterrupt):
        server.first_recording(tmp_path, lambda trainer, steps: (_ for _ in ()).throw(KeyboardInterrupt))
    path = server.first_recording(tmp_path, lambda trainer, steps: trainer.run(steps))
    with rnn.Recording.open(path) as made:
        assert len(made) == 1


def test_port_is_looked_at_before_a_recording_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path))
    assert "99999" in refused("serve", "--port", "99999")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_installed_into_an_empty_environment_it_serves_from_any_folder(tmp_path, recording):
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(root)]
    subprocess.run(install, check=True, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL)
    where = (
        "import json, learnviews, learnviews.apps.rnnbow as app; print(json.dumps([learnviews.__file__, app.__file__]))"
    )
    found = subprocess.run([python, "-c", where], check=True, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert all(str(tmp_path / "venv") in name for name in json.loads(found.stdout))
    command = [str(python.with_name("learnviews")), "serve", str(recording), "--port", "0"]
    started = Server(command, AT, cwd=tmp_path)
    try:
        assert get(started.url)[0] == 200
        assert get(started.url + "rnnbow")[0] == 200
    finally:
        started.stop()


def test_tables_are_checked_and_served(tmp_path, monkeypatch):
    (tmp_path / "some.csv").write_text("a,b\n1,2\n")
    (tmp_path / "photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    (tmp_path / "words.parquet").write_text("only words")
    for name in ("photo.csv", "words.parquet", "gone.parquet"):
        assert name in refused("serve", str(tmp_path / name), "--port", "0")
    assert "--upload-limit" in refused("serve", str(tmp_path / "some.csv"), "--upload-limit", "-1")
    started = []
    monkeypatch.setattr(server.subprocess, "Popen", lambda command, **more: started.append((command, more)) or 1 / 0)
    run("serve", str(tmp_path / "some.csv"), "--port", "0", "--upload-limit", "7.5")
    ((command, more),) = started
    assert command[-1] == str(tmp_path / "some.csv")
    assert more["env"][server.UPLOAD_LIMIT] == "7.5"


def test_data_folders_are_checked_and_served(tmp_path, monkeypatch):
    good = [d3m(tmp_path / "set"), texts(tmp_path / "letters"), images(tmp_path / "faces")]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "datasetDoc.json").write_text("{")
    (tmp_path / "several").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "several" / name).write_text("x,y\n1,2\n")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "letter.docx").touch()
    wanted = {"broken": "no JSON", "several": "expected the name of one", "odd": "no data set (datasetDoc.json"}
    for name, message in wanted.items():
        assert message in refused("serve", str(tmp_path / name), "--port", "0")
    started = []
    monkeypatch.setattr(server.subprocess, "Popen", lambda command, **_: started.append(command) or 1 / 0)
    run("serve", *map(str, good), "--port", "0")
    assert started[0][-3:] == list(map(str, good))
