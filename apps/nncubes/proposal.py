"""What a table is to be learned with: proposed by a look at its rows, edited by whoever brought it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from learnviews.apps.nncubes.kinds import LIMITS, choices, finite_of, is_number, kind_of, make, titled
from learnviews.kernels.cube import Attribute, Schema
from learnviews.kernels.cube.numeric import short_numbers
from learnviews.kernels.cube.sampling import Sample, take_sample

LOOKED_AT = 200_000  # rows
SHOWN = 9  # attributes that are taken unless somebody asks for more
MOST = 16  # views that a page can show
MOST_BINS = 20_000
LONGEST = 60  # letters of a title
AGGREGATES = ("sum", "mean")
QUALITIES: dict[str, dict[str, int]] = {
    "quick": {"rank": 64, "queries": 2000, "steps": 2000},
    "good": {"rank": 128, "queries": 6000},
}


@dataclass
class Line:
    """One attribute, as it is to be."""

    name: str
    columns: tuple[str, ...]
    kinds: dict[str, str]
    kind: str
    bins: int
    title: str
    taken: bool
    preview: str
    missing: float
    infinite: float  # share of the rows, which no bin takes
    attribute: Attribute | None = None
    error: str = ""

    @property
    def counted(self) -> bool:
        """Whether the number of bins can be asked for."""
        return self.kind in LIMITS


@dataclass
class Measure:
    """A column of numbers to add up. `refused` says why that cannot be."""

    name: str
    preview: str
    refused: str = ""
    wanted: set[str] = field(default_factory=set)
    error: str = ""


class Proposal:
    """Attributes and measures of a table, to be edited.

    Parameters
    ----------
    path : path of a Parquet file
    name : str
        What to call the table in errors.

    Attributes
    ----------
    lines : list of Line
    measures : list of Measure
    axes : list of str
        Columns that may be the axes of a map.
    left_out : dict of str
        Columns without an attribute, and why.
    quality : "quick" or "good"
    rows : int

    Raises
    ------
    ValueError, FileNotFoundError
        If the table cannot be read, has no rows, or no column can become an attribute.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name, self.quality = path, name, "good"
        self.rows = _count_rows(path)
        try:
            self.sample = take_sample(path, LOOKED_AT)
            inferred = _infer(self.sample)
        except (ValueError, TypeError) as error:
            raise ValueError(str(error).replace(str(path), name).replace("the table:", f"{name}:")) from error
        self.left_out = dict(inferred.left_out)
        frame = self.sample.frame
        self.columns = len(frame.columns)
        first = sorted(inferred, key=lambda each: each.kind != "spatial")[:SHOWN]  # maps above all
        self.lines = [self._line(each, each in first) for each in inferred]
        self.lines += self._single_axes()
        self.axes = [name for name in frame if isinstance(name, str) and _is_spread(frame[name])]
        self.measures = [_measure(each, frame[each]) for each in frame if _may_be_measure(frame[each])]

    def _line(self, attribute: Attribute, taken: bool) -> Line:
        kind = kind_of(attribute)
        limits = LIMITS.get(kind)
        kinds = choices(self.sample, attribute)
        kinds.setdefault(kind, kind)
        missing = max(float(self.sample.frame[column].isna().mean()) for column in attribute.columns)
        line = Line(
            attribute.name,
            attribute.columns,
            kinds,
            kind,
            limits.usual if limits else attribute.size,
            attribute.title,
            taken,
            preview(self.sample.frame, attribute.columns),
            missing,
            max(_infinite(self.sample.frame[column]) for column in attribute.columns),
        )
        line.attribute = attribute
        return line

    def _single_axes(self) -> list[Line]:
        """The columns of maps, each as an attribute of its own, not taken."""
        pairs = [column for line in self.lines if line.kind == "map" for column in line.columns]
        used = {line.name for line in self.lines}
        made = [each for column in pairs if column not in used for each in _infer(self.sample, [column])]
        return [self._line(each, False) for each in made]

    # -- edits

    def edit(self, place: int, what: str, value: Any) -> None:
        """Change one thing about a line: "taken", "kind", "bins" or "title". What cannot be is said at the line."""
        line = self.lines[place]
        line.error = ""
        if what == "taken":
            line.taken = bool(value)
        elif what == "kind" and value in line.kinds:
            line.kind = str(value)
            line.bins = LIMITS[line.kind].usual if line.counted else line.bins
        elif what == "bins":
            line.bins = _whole(value)
        elif what == "title":
            line.title = str(value).strip()
        else:
            raise ValueError(f"{what}={value!r}: no such thing to change about {line.name}")
        self._remake(line)

    def _remake(self, line: Line) -> None:
        limits = LIMITS.get(line.kind)
        if limits and not limits.low <= line.bins <= limits.high:
            line.error = f"Bins: expected a whole number from {limits.low} to {limits.high}"
        elif not 0 < len(line.title) <= LONGEST:
            line.error = f"Title: expected 1 to {LONGEST} letters"
        else:
            try:
                made = make(self.sample, line.kind, line.name, line.columns, line.bins)
                line.attribute = titled(made, line.title)
            except (ValueError, TypeError) as error:
                line.error = str(error)

    def measure(self, name: str, aggregate: str, wanted: bool) -> None:
        """Ask for the sum or mean of a column, or no longer."""
        found = next((each for each in self.measures if each.name == name), None)
        if found is None or aggregate not in AGGREGATES:
            raise ValueError(f"{aggregate} of {name!r}: expected sum or mean of a column of numbers")
        (found.wanted.add if wanted else found.wanted.discard)(aggregate)
        found.error = found.refused if found.wanted else ""

    def add_map(self, x: str, y: str) -> None:
        """Take two columns as a map; ValueError if they are none."""
        if x == y:
            raise ValueError(f"A map needs two columns, not {x} twice")
        lacking = [name for name in (x, y) if name not in self.axes]
        if lacking:
            raise ValueError(f"column {lacking[0]!r} cannot be a coordinate: expected numbers that differ")
        there = next((line for line in self.lines if line.kind == "map" and set(line.columns) == {x, y}), None)
        if there is not None:
            there.taken = True
            return
        name = _free(f"{x}, {y}", {line.name for line in self.lines})
        made = make(self.sample, "map", name, (x, y), LIMITS["map"].usual)
        self.lines.insert(0, self._line(made, True))

    def set_quality(self, quality: str) -> None:
        if quality not in QUALITIES:
            raise ValueError(f"{quality!r}: expected one of {', '.join(QUALITIES)}")
        self.quality = quality

    # -- what came of it

    @property
    def taken(self) -> list[Line]:
        return [line for line in self.lines if line.taken]

    @property
    def bins(self) -> int:
        return sum(line.attribute.bins for line in self.taken if line.attribute)

    def problem(self) -> str:
        """What keeps it from being learned; empty if nothing does."""
        wrong = [line.name for line in self.taken if line.error] + [each.name for each in self.measures if each.error]
        if wrong:
            return f"Mend first: {', '.join(wrong)}"
        if not self.taken:
            return "Choose at least one attribute"
        if len(self.taken) > MOST:
            return f"{len(self.taken)} attributes; at most {MOST} views fit the page"
        if self.bins > MOST_BINS:
            return f"{self.bins:,} bins; at most {MOST_BINS:,} can be learned here"
        return ""

    def schema(self) -> Schema:
        """The schema of what is taken; ValueError if that cannot be."""
        if self.problem():
            raise ValueError(self.problem())
        return Schema(*(line.attribute for line in self.taken if line.attribute))

    def aggregates(self) -> list[Any]:
        """Counts, and the sums and means that are wanted."""
        more = [(kind, each.name) for each in self.measures for kind in AGGREGATES if kind in each.wanted]
        return ["count", *more]


def _infer(sample: Sample, names: Any = None) -> Schema:
    from learnviews.kernels.cube.infer import Reader

    reader = Reader(sample, LIMITS["round"].usual, LIMITS["categories"].usual)
    if names is None:
        return reader.everything()
    return Schema(*(made for name in names for made in reader.named(name)))


def _count_rows(path: Path) -> int:
    import pyarrow.parquet as parquet

    return int(parquet.read_metadata(path).num_rows)


def _whole(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0  # which is refused with what was expected
    return int(number) if number.is_integer() and abs(number) < 1e9 else 0


def _free(name: str, used: set[str]) -> str:
    return name if name not in used else _free(f"{name} map", used)


# -- what is seen of a column


def preview(frame: pd.DataFrame, columns: tuple[str, ...]) -> str:
    """Its range, or what is frequent in it."""
    if len(columns) == 2:
        return ", ".join(f"{name} {preview(frame, (name,))}" for name in columns)
    values = frame[columns[0]].dropna()
    if not len(values):
        return "nothing"
    if is_number(values):
        finite = finite_of(values)
        if not len(finite):
            return "no finite number"
        low, high = finite.min(), finite.max()
        return " to ".join(short_numbers(np.array([low, high]))) if low < high else short_numbers(np.array([low]))[0]
    if values.dtype.kind == "M":
        return f"{str(values.min())[:10]} to {str(values.max())[:10]}"
    shares = values.astype(str).value_counts(normalize=True)
    shown = [f"{_cut(str(name))} {100 * share:.0f}%" for name, share in shares.head(3).items()]
    more = f", {len(shares) - 3} more" if len(shares) > 3 else ""
    return ", ".join(shown) + more


def _cut(text: str, most: int = 16) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _is_spread(values: pd.Series) -> bool:
    if not is_number(values):
        return False
    finite = finite_of(values)
    return bool(len(finite)) and float(finite.min()) < float(finite.max())


def _may_be_measure(values: pd.Series) -> bool:
    return is_number(values) or bool(_numbers_in_text(values) >= 0.5)


def _measure(name: str, values: pd.Series) -> Measure:
    shown = preview(values.to_frame(), (name,))
    if not is_number(values):
        text = values.dropna().astype(str)
        odd = text[pd.to_numeric(text, errors="coerce").isna()]
        held = f" such as {_cut(odd.iloc[0])!r} ({len(odd):,} of {len(text):,} values)" if len(odd) else ""
        return Measure(name, shown, f"holds text{held}; expected numbers to add up")
    infinite = int(np.isinf(values.dropna().to_numpy(np.float64)).sum())
    if infinite:
        return Measure(name, shown, f"holds infinite values ({infinite:,}); expected finite ones to add up")
    if not len(values.dropna()):
        return Measure(name, shown, "holds no value")
    return Measure(name, shown)


def _numbers_in_text(values: pd.Series) -> float:
    """Share of texts that are numbers."""
    text = values.dropna()
    if not len(text) or not isinstance(text.iloc[0], str):
        return 0.0
    return float(pd.to_numeric(text.astype(str).head(2000), errors="coerce").notna().mean())


def _infinite(column: pd.Series) -> float:
    """Share of infinite numbers."""
    return float(np.isinf(column.to_numpy(float)).mean()) if column.dtype.kind == "f" and len(column) else 0.0
