"""The console command `learnviews cube`: from a table to a file with a net that answers every brush."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .tables import is_csv, named, read_csv, rows_left_out, spread_rows
from .terminal import Bars, clear_errors, stopped_by

if TYPE_CHECKING:
    from ..kernels.cube import ExactCube, Model, Schema

FLIGHTS = "flights"
NETS = ("product", "signed", "mlp", "auto")
ENDING = ".cube.npz"
LISTED = 12  # columns left out that are named one by one


@click.command()
@click.argument("table", nargs=-1, required=True)
@click.option(
    "--attributes", metavar="A,B,...", help="Columns to filter by and to see; X:Y is one place of two columns."
)
@click.option(
    "--measures", metavar="A,B,...", help="Columns of numbers; without an --aggregate their means are learned."
)
@click.option(
    "--aggregate", "aggregates", multiple=True, metavar="AGGREGATE", help="count, or sum:, mean: or var: and a measure."
)
@click.option("--schema", "schema_file", type=click.Path(path_type=Path), help="Bins as Schema.to_json describes them.")
@click.option(
    "--net", default="product", show_default=True, type=click.Choice(NETS), help="auto: the smallest product."
)
@click.option("--rank", type=click.IntRange(1), help="Of a product net.  [default: 256]")
@click.option("--error", type=float, help="Stop once the error on held-out queries is at most this (0.01 is 1%).")
@click.option("--queries", default=10_000, show_default=True, type=click.IntRange(10), help="To learn from.")
@click.option("--steps", type=click.IntRange(1), help="Training steps per net.  [default: by the number of queries]")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of queries and initial weights.")
@click.option("--out", type=click.Path(path_type=Path), help=f"Model file.  [default: TABLE{ENDING}]")
@click.option("--force", is_flag=True, help="Overwrite the model file.")
def cube(table: tuple[str, ...], out: Path | None, force: bool, **options: Any) -> None:
    """Learn a net that answers every brush over TABLE, and write it to a small file.

    TABLE is one or more Parquet files, a folder or pattern of them, a .csv or .csv.gz file, or the word `flights` for
    the embedded data. Bins are chosen by a look at the rows, unless --schema gives them. Ctrl-C while training ends
    the training; the model is what was reached.
    """
    with clear_errors():
        wanted = _aggregates(options["aggregates"], _listed(options["measures"]))
        _check(options)
        out = out or Path(_stem(table) + ENDING)
        _check_target(out, force, table)
        source = _Source(table)
        model = _learned(source, wanted, options)
        model.save(out)
        _show(model, out)


# -- what is asked for


def _listed(text: str | None) -> list[str] | None:
    """The names in a list with commas; None where there is no list."""
    names = None if text is None else [name.strip() for name in text.split(",") if name.strip()]
    if names is not None and not names:
        raise click.UsageError(f"{text!r} names no column; expected names with commas between them")
    return names


def _aggregates(texts: Sequence[str], measures: list[str] | None) -> list[Any]:
    """("mean", "dep_delay") for mean:dep_delay, and means of measures that no aggregate names."""
    found: list[Any] = [_aggregate(text) for text in texts]
    named = {each[1] for each in found if isinstance(each, tuple)}
    rest = [("mean", name) for name in measures or () if name not in named]
    return found + rest if found else ["count", *rest]


def _aggregate(text: str) -> Any:
    from ..kernels.cube.aggregates import KINDS

    kind, _, measure = text.partition(":")
    if text == "count":
        return "count"
    if kind not in KINDS or not measure:
        raise click.UsageError(f"--aggregate {text!r}; expected count, or {', '.join(f'{k}:COLUMN' for k in KINDS)}")
    return kind, measure


def _check(options: dict[str, Any]) -> None:
    error = options["error"]
    if error is not None and not (math.isfinite(error) and error > 0):
        raise click.UsageError(f"--error must be above 0 (0.01 is 1%), got {error}")
    if options["rank"] is not None and options["net"] not in ("product", "signed"):
        raise click.UsageError(f"--rank is for --net product or signed, not {options['net']}")


def _stem(table: Sequence[str]) -> str:
    name = Path(table[0]).resolve().name.split(".")[0]
    return name if name and not set("*?[") & set(name) else "table"


def _check_target(out: Path, force: bool, table: Sequence[str]) -> None:
    """Complain before any work if the model cannot be written."""
    if out.is_dir():
        raise IsADirectoryError(f"{out}: a folder; expected the name of a file to write")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"{out.parent}: no such folder to put the model in")
    if any(Path(each).exists() and out.exists() and out.samefile(each) for each in table):
        raise ValueError(f"{out}: is the table; choose another name")
    if out.exists() and not force:
        raise FileExistsError(f"{out}: exists already; choose another name, or overwrite it with --force")
    try:
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise OSError(f"{out.parent}: cannot be written to ({error.strerror})") from error


# -- tables


@dataclass(frozen=True)
class _Source:
    """A table as it was named, and what the kernels can read of it."""

    names: tuple[str, ...]

    @property
    def name(self) -> str:
        more = len(self.names) - 1
        return self.names[0] + (f" and {more} more" if more else "")

    @property
    def is_flights(self) -> bool:
        return self.names == (FLIGHTS,)

    @property
    def is_csv(self) -> bool:
        return any(is_csv(name) for name in self.names)

    def open(self) -> tuple[Any, Any, Any]:
        """What to choose bins by, what to read rows from, and a schema where there is one already."""
        from ..kernels.cube import flights, tables

        if self.is_flights:
            frame, schema = flights()
            return frame, frame, schema
        if self.is_csv:
            if len(self.names) > 1:
                raise ValueError(f"{self.name}: expected one CSV file, or Parquet files")
            path = Path(self.names[0])
            with Bars((f"reading {path.name}", "B"), scaled=True) as bars, stopped_by(bars.cancel):
                held = read_csv(path, bars)
            return held, held, None
        files = tables.parquet_files(list(self.names))
        return (files[0] if len(files) == 1 else _sample(files)), files, None


def _sample(files: list[str]) -> Any:
    """Row groups spread over many Parquet files."""
    found, stride = spread_rows(files)
    if stride > 1:
        click.echo(f"bins are chosen by every {stride}th row group of {len(files)} files")
    return found


# -- the work


def _learned(source: _Source, wanted: list[Any], options: dict[str, Any]) -> Model:
    from ..kernels.cube import fit
    from ..kernels.cube.auto import advice

    try:
        exact = _exact(source, wanted, options)
        with Bars(("answering queries", "queries"), ("training", "steps")) as bars, stopped_by(bars.cancel):
            settings = {name: options[name] for name in ("net", "rank", "error", "queries", "steps")}
            model = fit(exact, aggregate=wanted, rng=options["seed"], progress=bars, **settings)
    except CancelledError:
        raise click.ClickException("stopped before the training; nothing was written") from None
    except (TypeError, ModuleNotFoundError) as error:  # columns of another kind; packages for this kind of table
        raise click.ClickException(str(error)) from error
    if bars.cancelled:
        click.echo("Stopped early: the model is what was reached.")
    model.about["advice"] = advice(model, options["error"])
    return model


def _exact(source: _Source, wanted: list[Any], options: dict[str, Any]) -> ExactCube:
    from ..kernels.cube import ExactCube

    measures = list(dict.fromkeys(each[1] for each in wanted if isinstance(each, tuple)))
    looked_at, rows, given = source.open()
    with named(source.name):
        schema = _schema(looked_at, given, _listed(options["attributes"]), options["schema_file"])
    click.echo(f"{source.name}: {', '.join(f'{a.name} {a.bins}' for a in schema)}; {schema.bins:,} bins")
    _list_left_out(schema)
    with named(source.name), Bars(("reading", "rows"), scaled=True) as bars, stopped_by(bars.cancel):
        exact = ExactCube.build(rows, schema, measures, progress=bars)
    if not exact.rows:
        why = rows_left_out(exact)
        raise ValueError(f"{source.name}: no row has a bin in every attribute ({why or 'there are no rows'})")
    return exact


def _schema(table: Any, given: Any, names: list[str] | None, path: Path | None) -> Schema:
    from ..kernels.cube import Schema

    if path is not None:
        given = _read_schema(path)
        return Schema(*(given[name] for name in names)) if names else given
    if given is not None and names is None:
        return given
    chosen = None if names is None else [_entry(table, given, name) for name in names]
    return Schema.infer(table, chosen)


def _read_schema(path: Path) -> Schema:
    from ..kernels.cube import Schema

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: no text ({error})") from error
    except OSError as error:
        raise type(error)(f"{path}: {error.strerror}") from error
    try:
        return Schema.from_json(text)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error


def _entry(table: Any, given: Any, name: str) -> Any:
    """What `Schema.infer` takes for one of --attributes."""
    if given is not None and name in given:
        return given[name]
    if given is not None and name not in table:
        there = ", ".join(dict.fromkeys((*given.names, *table)))
        raise LookupError(f"the table: no attribute or column {name!r}; there are {there}")
    pair = tuple(name.split(":"))
    return pair if len(pair) == 2 and all(pair) else name


def _list_left_out(schema: Schema) -> None:
    reasons = list(schema.left_out.items())
    for name, reason in reasons[:LISTED]:
        click.echo(f"left out: column {name} ({reason})")
    if len(reasons) > LISTED:
        click.echo(f"left out: {len(reasons) - LISTED} more columns")


# -- the table at the end


def _show(model: Model, out: Path) -> None:
    from ..kernels.cube.aggregates import label
    from ..kernels.cube.report import size

    exact = model.exact
    assert exact is not None
    click.echo("")
    click.echo(f"{'file':20} {out}, {size(out.stat().st_size)}")
    if exact.left_out:
        click.echo(f"{'rows left out':20} {exact.left_out:,} ({rows_left_out(exact)})")
    click.echo(model.report())
    for aggregate in model.aggregates:
        found = model.errors[aggregate]
        if not found.overall < found.independence:
            click.echo(f"\nnote: {label(aggregate)} is no better than by independent attributes; train it for longer")
    click.echo(f'\nAsk it: from learnviews.kernels import cube; cube.load("{out}").views()')
