"""The data sets that come with libraries, with names to read: there without a network, to begin with."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store import StoreError
from .tasks import RATING

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset

_FLIGHTS = 10  # that a mean delay is made of, at least
_PIXELS = 8  # sides of the pictures of digits
_BLOOD = {
    "age": "age (years)",
    "bmi": "body mass index",
    "bp": "blood pressure",
    "s1": "total cholesterol",
    "s2": "low-density lipoproteins",
    "s3": "high-density lipoproteins",
    "s4": "total cholesterol / HDL",
    "s5": "log of triglycerides",
    "s6": "blood sugar",
}


@dataclass(frozen=True)
class Bundled:
    """A data set that comes with scikit-learn or networkx, or is made of the embedded flights.

    Attributes
    ----------
    name : str
        For `load_bundled`.
    title : str
    rows, columns : int
        Of its table, targets among the columns.
    task : str
        What it is most used for: a name of `TASKS`.
    targets : tuple of str
        The suggested ones.
    about : str
        What a row is, in a sentence.
    kind : {"table", "image", "graph"}
    """

    name: str
    title: str
    rows: int
    columns: int
    task: str
    targets: tuple[str, ...]
    about: str
    kind: str = "table"


_CLASSES, _VALUES = "classification", "regression"
_VERTICES, _LINKS, _GROUPS = "vertexClassification", "linkPrediction", "communityDetection"
_ALL = (
    Bundled("iris", "Iris", 150, 5, _CLASSES, ("species",), "Flowers of three species of iris, by their measures."),
    Bundled(
        *("wine", "Wine", 178, 14, _CLASSES, ("cultivar",)),
        "Italian wines of three cultivars, by a chemical analysis.",
    ),
    Bundled(
        *("breast_cancer", "Breast cancer", 569, 31, _CLASSES, ("diagnosis",)),
        "Breast masses, by measures of the cells in an image of a needle aspirate.",
    ),
    Bundled(
        *("diabetes", "Diabetes", 442, 11, _VALUES, ("progression",)),
        "Patients, by age, sex, body and blood; the progression of the disease a year later.",
    ),
    Bundled(
        *("linnerud", "Linnerud", 20, 6, _VALUES, ("weight", "waist", "pulse")),
        "Men of a fitness club, by what they can do; three measures of their bodies.",
    ),
    Bundled("digits", "Digits", 1797, 65, _CLASSES, ("digit",), "Handwritten digits, by the greys of 8 x 8 pixels."),
    Bundled(
        *("digit_images", "Digits as images", 1797, 2, _CLASSES, ("digit",)),
        "Handwritten digits, by a picture of 8 x 8 pixels.",
        "image",
    ),
    Bundled(
        *("flight_delays", "Delays by carrier and destination", 2602, 6, RATING, ("delay",)),
        "Carriers, and where they flew to from New York in a month of 2013; the mean delay of departure, in minutes.",
    ),
    Bundled(
        *("karate_club", "Zachary's karate club", 34, 2, _VERTICES, ("club",)),
        "Members of a karate club and who met whom outside of it; the side each took when the club split.",
        "graph",
    ),
    Bundled(
        *("karate_club_links", "Karate club: links", 78, 3, _LINKS, ("link",)),
        "Pairs of members of a karate club; half of them met outside of it, and half did not.",
        "graph",
    ),
    Bundled(
        *("les_miserables", "Les Misérables", 77, 1, _GROUPS, ()),
        "Characters of the novel, and in how many chapters two of them appear together.",
        "graph",
    ),
    Bundled(
        *("les_miserables_links", "Les Misérables: links", 254, 3, _LINKS, ("link",)),
        "Pairs of characters of the novel; half of them appear in a chapter together, and half do not.",
        "graph",
    ),
    Bundled(
        *("davis_women", "Davis's Southern women", 32, 2, _GROUPS, ()),
        "Women of Natchez, Mississippi, and social events of 1936, with who was seen at which.",
        "graph",
    ),
    Bundled(
        *("davis_women_links", "Southern women: links", 88, 3, _LINKS, ("link",)),
        "Pairs of a woman and a social event; half of the women were seen there, and half were not.",
        "graph",
    ),
)


def bundled() -> list[Bundled]:
    """What `load_bundled` can load; this loads nothing."""
    return list(_ALL)


def load_bundled(name: str, folder: str | Path | None = None) -> Dataset:
    """A data set that comes with a library: columns and classes by names to read, targets marked as suggested.

    Parameters
    ----------
    name : str
        Of one of `bundled()`.
    folder : path, optional
        Where pictures are put (once) if it has some; by default "learnviews" in the user's cache.

    Raises
    ------
    ValueError
        If there is none of this name.
    StoreError
        If the folder cannot be written to.
    """
    from .legality import nearest

    about = {each.name: each for each in _ALL}.get(name)
    if about is None:
        raise ValueError(f"no bundled data set {name!r}: {nearest(name, [each.name for each in _ALL])}")
    if about.kind == "graph":
        data = _graph(about)
    else:
        data = _pictures(Path(folder) if folder else _cache()) if about.kind == "image" else _table(about)
    data = data.with_roles(dict.fromkeys(about.targets, "suggestedTarget"))
    return replace(data, name=about.title, notes=(*data.notes, about.about))


def _source(name: str, **options: Any) -> Any:
    return getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")(**options)


def _table(about: Bundled) -> Dataset:
    from .data import load

    if about.name == "flight_delays":
        return _delays()
    frames = {"diabetes": _diabetes, "linnerud": _linnerud, "digits": _digits}
    if about.name not in frames:
        return load(_labelled(about.name, about.targets[0]))
    frame, types = frames[about.name]()
    return load(frame, types=types)


def _delays() -> Dataset:
    """The embedded flights by carrier, destination and month, where there were some."""
    from ..flight_files import read_airports, read_flights
    from .data import load

    frame = read_flights(("month", "carrier", "dest", "dep_delay", "distance")).dropna(subset=["dep_delay"])
    frame = frame[frame["dest"].isin(read_airports(["lon"]).index)]
    means = frame.groupby(["carrier", "dest", "month"]).agg(
        flights=("dep_delay", "size"), distance=("distance", "mean"), delay=("dep_delay", "mean")
    )
    table = means[means["flights"] >= _FLIGHTS].round(2).reset_index().rename(columns={"dest": "destination"})
    keys = dict.fromkeys(("carrier", "destination"), "suggestedGroupingKey")
    return load(table, roles=keys)


def _labelled(name: str, target: str) -> pd.DataFrame:
    """A table whose classes are named as the source names them."""
    source = _source(name, as_frame=True)
    names = [
        f"{target} {at + 1}" if str(each) == f"class_{at}" else str(each) for at, each in enumerate(source.target_names)
    ]
    labels = source.target.map(dict(enumerate(names))).astype(object)
    return source.data.rename(columns=lambda column: column.replace("_", " ")).assign(**{target: labels})


def _diabetes() -> tuple[pd.DataFrame, dict[str, str]]:
    frame = _source("diabetes", as_frame=True, scaled=False).frame
    frame = frame.rename(columns={**_BLOOD, "target": "progression"})
    return frame, {"sex": "categorical"}  # 1 and 2: the source does not say which is which


def _linnerud() -> tuple[pd.DataFrame, dict[str, str]]:
    frame = _source("linnerud", as_frame=True).frame
    return frame.rename(columns=str.lower), {}


def _digits() -> tuple[pd.DataFrame, dict[str, str]]:
    source = _source("digits", as_frame=True)
    names = {f"pixel_{r}_{c}": f"pixel {r + 1}-{c + 1}" for r in range(_PIXELS) for c in range(_PIXELS)}
    return source.data.rename(columns=names).assign(digit=source.target), {"digit": "categorical"}


# -- graphs


def _graph(about: Bundled) -> Dataset:
    """A row per member, or per pair of them."""
    import networkx as nx

    from .data import load
    from .graph_data import links

    name = about.name.removesuffix("_links")
    makers = {
        "karate_club": nx.karate_club_graph,
        "les_miserables": nx.les_miserables_graph,
        "davis_women": nx.davis_southern_women_graph,
    }
    graph = makers[name]()
    graph.name = name.replace("_", " ")
    for _, told in graph.nodes(data=True):
        if "bipartite" in told:
            told["side"] = ("woman", "event")[told.pop("bipartite")]
    data = load(graph)
    return links(data, rng=0, sides="side") if name != about.name else data


# -- pictures


def _cache() -> Path:
    """The user's folder for files that can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "learnviews"


def _pictures(place: Path) -> Dataset:
    from .media import LABEL, load_media

    folder = place / "digit-images"
    if not folder.is_dir():
        _write(folder)
    data = load_media(folder)
    columns = {("digit" if name == LABEL else name): column for name, column in data.columns.items()}
    columns["digit"] = replace(columns["digit"], name="digit")
    return replace(data, frame=data.frame.rename(columns={LABEL: "digit"}), columns=columns)


def _write(folder: Path) -> None:
    """A sub-folder per digit with a PNG per picture, whole or not at all: ink is dark."""
    from PIL import Image

    source, part = _source("digits"), folder.with_name(f"{folder.name}.part-{os.getpid()}")
    try:
        for at, (image, digit) in enumerate(zip(source.images, source.target, strict=True)):
            file = part / str(digit) / f"{at:04}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((255 - image * 255 / 16).round().astype("uint8")).save(file)
        with contextlib.suppress(OSError):  # somebody else was quicker
            part.rename(folder)
    except OSError as error:
        raise StoreError(f"{folder}: pictures could not be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
