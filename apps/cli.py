"""The console command `learnviews`: record a training, learn a cube, serve the apps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from .. import __version__
from .cube_command import cube
from .home import home
from .report_command import report
from .search_command import problems, search
from .server import first_recording, free_port, serve_apps
from .terminal import Bars, clear_errors, stopped_by

CELLS = ("tanh", "relu")
AT_LEAST_1 = click.IntRange(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="learnviews")
def main() -> None:
    """LearnViews: views of learning."""


main.add_command(cube)
main.add_command(search)
main.add_command(problems)
main.add_command(report)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--port", default=5006, show_default=True, help="Port to serve at; 0 takes a free one.")
@click.option("--address", default="localhost", show_default=True, help="Address to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Server processes.")
@click.option("--allow-origin", multiple=True, metavar="HOST[:PORT]", help="Further hosts that pages may come from.")
@click.option(
    "--upload-limit",
    default=200.0,
    show_default=True,
    type=click.FloatRange(0, max=1e6),
    metavar="MB",
    help="Largest file that a page may send; 0 forbids it.",
)
def serve(
    paths: tuple[Path, ...],
    port: int,
    address: str,
    workers: int,
    allow_origin: tuple[str, ...],
    upload_limit: float,
) -> None:
    """Serve the apps for PATHS: recordings (.rnnbow), models of cubes (.cube.npz), folders of them, or data.

    Data are tables (.parquet, .csv, .csv.gz), D3M data sets, and folders of images, texts or series, in a folder per
    label. Models are found for them in Snowcat; a table can also be learned as a cube, by NNCubes.

    Without any, those of `learnviews` itself are served; the first ones are made from embedded C code and the embedded
    flights when there are none yet (under a minute each).
    """
    with clear_errors():
        port = free_port(address, port)  # complain before anything is made
        if not paths:
            folder, models = home() / "recordings", home() / "cubes"
            first_recording(folder, _announced(folder))
            _first_model(models)
            paths = (folder, models)
        sys.exit(serve_apps(paths, port, address, workers, allow_origin, upload_limit))


@main.command()
@click.argument("corpus", nargs=-1)
@click.option("--cell", default="tanh", show_default=True, type=click.Choice(CELLS))
@click.option("--hidden", default=100, show_default=True, type=AT_LEAST_1, help="Hidden units.")
@click.option("--length", default=25, show_default=True, type=AT_LEAST_1, help="Characters per sequence.")
@click.option("--batch", default=1, show_default=True, type=AT_LEAST_1, help="Sequences per step.")
@click.option(
    "--lags", default=6, show_default=True, type=AT_LEAST_1, help="Losses told apart per step, the step's own included."
)
@click.option("--every", default=100, show_default=True, type=AT_LEAST_1, help="Record every so many steps.")
@click.option("--steps", default=None, type=click.IntRange(0), help="Training steps in all.  [default: 30000]")
@click.option("--optimizer", default="adagrad", show_default=True, type=click.Choice(["sgd", "adagrad", "adam"]))
@click.option("--rate", default=None, type=float, help="Learning rate.  [default: the optimizer's]")
@click.option("--clip", default=5.0, show_default=True, help="Clip gradient elements to this; 0 does not clip.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the initial weights.")
@click.option("--initial", default="small", show_default=True, type=click.Choice(["small", "uniform"]))
@click.option("--encoding", default=None, help="Of files without byte order mark.  [default: utf-8]")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Recording file.  [default: CORPUS.rnnbow]")
@click.option("--resume", is_flag=True, help="Go on with the recording --out from its last snapshot.")
@click.pass_context
def record(
    context: click.Context, corpus: tuple[str, ...], out: Path | None, resume: bool, steps: int | None, **options: Any
) -> None:
    """Train a character net on CORPUS (files, folders, patterns) and record its itemized gradients.

    Without CORPUS: the C headers that ship with NumPy and Python. Ctrl-C ends the recording cleanly; `--resume` goes
    on with it as if it had never stopped.
    """
    with clear_errors():
        if resume:
            _nothing_else_given(context)
        trainer = _resumed(out) if resume else _fresh(corpus, out, options)
        planned = trainer.record.settings.get("planned_steps")
        steps = steps if steps is not None else planned if resume and planned else 30_000
        trainer.record.set_settings(planned_steps=steps)
        path = trainer.record.path
        with trainer.record:
            if trainer.step:
                click.echo(f"{path}: going on from step {trainer.step:,}")
            run_with_bar(trainer, max(0, steps - trainer.step))
            click.echo(f"{len(trainer.record):,} batches in {path}, {trainer.bits:.2f} bits per character. It writes:")
            click.echo(click.style(trainer.sample(160), dim=True))
        if trainer.step < steps:
            click.echo(f"Stopped at step {trainer.step:,} of {steps:,}. Go on: learnviews record --resume --out {path}")
        click.echo(f"Look at it: learnviews serve {path}")


def run_with_bar(trainer: Any, steps: int) -> None:
    """Train with a progress bar; the first Ctrl-C (or SIGTERM) ends the run after the current step."""
    from tqdm import tqdm

    from ..kernels.progress import Progress

    with tqdm(total=steps, unit=" steps", mininterval=0, dynamic_ncols=True) as bar:

        def show(progress: Progress) -> None:
            bar.set_postfix_str(progress.text, refresh=False)
            bar.update(progress.done - bar.n)

        progress = Progress(show)
        with stopped_by(progress.cancel):
            trainer.run(steps, progress)


def _announced(folder: Path) -> Callable[[Any, int], None]:
    def run(trainer: Any, steps: int) -> None:
        click.echo(f"{'Finishing' if trainer.step else 'No recording yet: making'} the first one in {folder}")
        run_with_bar(trainer, steps)

    return run


def _first_model(folder: Path) -> None:
    from concurrent.futures import CancelledError

    from .nncubes.first import ENDING, first_model

    if any(folder.glob(f"*{ENDING}")):
        return
    click.echo(f"No model of a cube yet: learning the embedded flights into {folder}")
    try:
        with Bars(("answering queries", "queries"), ("training", "steps")) as bars, stopped_by(bars.cancel):
            first_model(folder, bars)
    except CancelledError:
        raise click.ClickException("stopped before the training ended; no model was written") from None


def _nothing_else_given(context: click.Context) -> None:
    """A resumed run goes on as it was begun: refuse what would be ignored."""
    given = [
        parameter.human_readable_name if parameter.param_type_name == "argument" else parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in ("out", "resume", "steps")
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--resume goes on as the run was begun; leave out {', '.join(given)}")


def _resumed(out: Path | None) -> Any:
    from ..kernels import rnn

    if out is None:
        raise click.UsageError("--resume needs --out with the recording to go on with")
    return rnn.Trainer.resume(rnn.Recording.open(out, write=True))


def _fresh(corpus: tuple[str, ...], out: Path | None, options: dict[str, Any]) -> Any:
    from ..kernels import rnn
    from ..kernels.optimizers import optimizer
    from ..kernels.rnn.flow import check_lags

    text = rnn.Corpus.read(*corpus, encoding=options["encoding"]) if corpus else rnn.Corpus.embedded()
    for skipped in text.skipped:
        click.echo(f"left out, no text: {skipped}")
    symbols = len(text.symbols)
    click.echo(f"{text.name}: {len(text):,} characters, {symbols} symbols")
    net = rnn.RecurrentNet(
        options["cell"], symbols, options["hidden"], symbols, rng=options["seed"], initial=options["initial"]
    )
    settings = {name: options[name] for name in ("length", "batch", "every")}
    settings["clip"] = options["clip"] or None
    settings["optimizer"] = options["optimizer"]
    if options["rate"] is not None:
        settings["optimizer"] = optimizer(options["optimizer"], rate=options["rate"])
    check_lags(options["lags"], options["length"])  # complain before a file is made
    rnn.Trainer(net, text, **settings)
    if out is not None and out.suffix != ".rnnbow":
        click.echo(f"note: in a folder, `learnviews serve` looks for *.rnnbow; {out.name} has to be named")
    out = out or Path(f"{text.name.replace(' ', '-')}.rnnbow")
    recording = rnn.Recording.create(out, net, text, lags=options["lags"])
    return rnn.Trainer(net, text, record=recording, **settings)
