"""The console command `learnviews report`: the best models of a study as one HTML file to mail."""

from __future__ import annotations

from pathlib import Path

import click

from .terminal import Bars, clear_errors, stopped_by


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: STUDY-report.html]")
@click.option("--models", "most", default=5, show_default=True, type=click.IntRange(1), help="So many of the best.")
@click.option("--title", help="Of the report.  [default: Models of DATA]")
@click.option(
    "--features/--no-features", default=True, show_default=True, help="Say which features matter: seconds per model."
)
def report(study: Path, out: Path | None, most: int, title: str | None, features: bool) -> None:
    """Write a report on the best models of STUDY, the folder that `learnviews search` made.

    One HTML file that loads nothing from anywhere: data, problem, scores with intervals beside what a predictor
    reaches that knows nothing, what the models say of the held-out rows, the search, and their pipelines.
    """
    from concurrent.futures import CancelledError

    from ..kernels import search as kernel

    with clear_errors():
        out = out or Path(f"{study.resolve().name}-report.html")
        if not out.resolve().parent.is_dir():
            raise FileNotFoundError(f"{out.parent}: no such folder to put the report in")
        opened = kernel.Study.open(study)
        try:
            models = opened.models[:most]
            if not models:
                raise ValueError(
                    f"{study}: this study has no model yet; go on with it: learnviews search DATA --resume"
                )
            _write(out, models, opened, title, features)
        except CancelledError:
            raise click.ClickException("stopped before the report was written") from None
        finally:
            opened.close()


def _write(out: Path, models: list, study: object, title: str | None, features: bool) -> None:
    from ..grammar import write_report

    with Bars(("writing the report", "parts")) as bars, stopped_by(bars.cancel):
        write_report(out, models, title=title, studies=[study], importance=features, progress=bars)
    click.echo(f"{len(models)} model{'' if len(models) == 1 else 's'} in {out}, {out.stat().st_size / 1e6:.1f} MB")
