"""Starting `bokeh serve` on the apps, and stopping all of it again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from .tables import check_table, is_table

APPS = Path(__file__).parent
SERVED = ("rnnbow", "nncubes", "snowcat")
CUBE = ".cube.npz"
UPLOAD_LIMIT = "LEARNVIEWS_UPLOAD_LIMIT"  # MB: how the apps hear of it
FIRST_STEPS = 30_000  # 300 recorded batches, as in the original


def first_recording(folder: Path, run: Callable[[Any, int], None]) -> Path | None:
    """Train on the embedded C code and record it, unless `folder` holds recordings already.

    One that was cut short is gone on with. `run(trainer, steps)` does the training.

    Returns
    -------
    Path or None
        The recording that was made or finished; None where there was nothing to do.
    """
    from ..kernels import rnn

    path = folder / "c-headers.rnnbow"
    if not path.exists():
        if any(folder.glob("*.rnnbow")):
            return None
        folder.mkdir(parents=True, exist_ok=True)
        corpus = rnn.Corpus.embedded()
        symbols = len(corpus.symbols)
        net = rnn.RecurrentNet("tanh", symbols, 100, symbols, rng=0)
        with rnn.Recording.create(path, net, corpus, lags=6) as recording:
            recording.set_settings(planned_steps=FIRST_STEPS)
            run(rnn.Trainer(net, corpus, record=recording, every=100), FIRST_STEPS)
        return path
    try:
        recording = rnn.Recording.open(path, write=True)
    except rnn.StoreError:
        return None  # another process is at it
    with recording:
        last = recording.snapshot()
        left = recording.settings.get("planned_steps", 0) - (last[0] if last else 0)
        if last and left > 0:
            run(rnn.Trainer.resume(recording), left)
    if last is None:  # killed before there was anything to go on from
        path.unlink()
        return first_recording(folder, run)
    return path if left > 0 else None


def serve_apps(
    paths: Sequence[Path],
    port: int,
    address: str,
    workers: int,
    origins: Sequence[str] = (),
    upload_limit: float | None = None,
) -> int:
    """Serve recordings, cubes and tables until interrupted; the exit status of the server.

    `upload_limit` is in MB; 0 forbids uploads, None leaves it as it is.

    Raises
    ------
    ValueError, FileNotFoundError
        If a recording, a model or a table is missing or broken, or the port is taken.
    """
    for path in paths:
        _check(path)
    port = free_port(address, port)
    command = [
        *(sys.executable, "-m", "bokeh", "serve", *(str(APPS / name) for name in SERVED)),
        *("--index", str(APPS / "index.html"), "--disable-index-redirect", "--port", str(port), "--address", address),
        *("--num-procs", str(workers), "--log-level", "warning"),
        *(f"--allow-websocket-origin={origin}" for origin in _origins(address, port, origins)),
        *("--args", *(str(path.resolve()) for path in paths)),
    ]
    limit = {} if upload_limit is None else {UPLOAD_LIMIT: f"{upload_limit:g}"}
    started = subprocess.Popen(command, start_new_session=True, env={**os.environ, **limit})
    with _stopping_all(started) as server:
        url = f"http://{'localhost' if address in ('0.0.0.0', '::') else address}:{port}/"
        if _answers(url, server):
            click.echo(f"LearnViews is at {url}  (Ctrl-C stops it)")
        return server.wait()


def _check(path: Path) -> None:
    from ..kernels import cube, rnn

    if path.is_dir():
        if not any(path.glob("*.rnnbow")) and not any(path.glob(f"*{CUBE}")):
            _check_data(path)
        return
    if path.name.endswith(CUBE):
        cube.load(path)
        return
    if is_table(path):
        check_table(path)
        return
    rnn.Recording.open(path).close()


def _check_data(folder: Path) -> None:
    """Complain about a folder that holds no data set either."""
    from ..kernels.search import Study, load

    if (folder / "study.sqlite").is_file():
        Study.open(folder).close()
        return
    try:
        load(folder)
    except (ValueError, OSError) as error:
        files = ", ".join(sorted({each.suffix for each in folder.iterdir() if each.suffix})[:6])
        if "no data set: neither" not in str(error):
            raise  # a data set, but a damaged one
        raise FileNotFoundError(
            f"{folder}: no recording (*.rnnbow), no model (*{CUBE}) and no data set (datasetDoc.json, one table, "
            f"images, texts or series) in this folder{f', only {files}' if files else ''}; make a recording or a model "
            "with `learnviews record` or `learnviews cube`"
        ) from error


def free_port(address: str, port: int) -> int:
    """The port, or a free one for 0; ValueError if it is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OverflowError as error:
            raise ValueError(f"port must lie between 0 and 65535, got {port}") from error
        except OSError as error:
            raise ValueError(
                f"cannot serve at {address}:{port} ({error.strerror}); choose another --port (0 takes a free one)"
            ) from error
        return probe.getsockname()[1]


def _origins(address: str, port: int, more: Sequence[str]) -> list[str]:
    names = {"localhost", "127.0.0.1"}
    if address not in names:
        names |= {address, socket.gethostname(), socket.getfqdn()}
    return [*sorted(f"{name}:{port}" for name in names), *more]


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False if it ends first."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    return False


class _stopping_all:  # noqa: N801  reads as a clause: `with _stopping_all(server)`
    """Ctrl-C and SIGTERM end the server's whole process group: its workers outlive a signal to the parent alone."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self.server = server

    def __enter__(self) -> subprocess.Popen[bytes]:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._stop)
        return self.server

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self, *_: object) -> None:
        if self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGTERM)
