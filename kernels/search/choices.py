"""What can be chosen for one problem on one data set: which hyper-parameters there are, and which go together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .families import FAMILIES, LABELS, VALUES, offered
from .hyperparameters import Ban, Choice, Float, Hyperparameter, Integer, When, complete
from .tasks import COMMUNITIES, DETECTION, GRAPHS, RATING, REGRESSION

KINDS = {
    "real": "numbers",
    "integer": "numbers",
    "boolean": "numbers",
    "categorical": "categories",
    "dateTime": "dates",
    "text": "texts",
    "image": "images",
    "timeseries": "series",
    "audio": "sounds",
    "video": "clips",
}
"""Column type -> how it is treated. Types that are not here are left out, and `Facts.left_out` says so."""

FORECASTERS = ("linear", "elastic", "neighbours", "forest", "extra", "boosting", "svm", "kernel", "gaussian", "mlp")
RULES = ("naive", "seasonal", "drift", "mean", "smoothing")
RATERS = ("biases", "factors", "items", "users")
CROWD = 4000
"""Beyond so many users, or items, neighbours are not offered: similarities of all pairs would not fit."""
DETECTORS = ("linear", "boosting", "forest", "extra", "svm", "mlp", "kernel", "discriminant")
CLUSTERERS = ("kmeans", "mixture", "agglomerative", "spectral", "dbscan")


@dataclass(frozen=True)
class Facts:
    """What the choices depend on.

    Attributes
    ----------
    columns : dict
        Treatment ("numbers", "categories", "dates", "texts", "images", "series") -> names of columns.
    left_out : dict
        Name -> type of features nothing can be made of.
    rows : int
    missing : bool
        Whether a numeric feature has gaps.
    outcomes : int
        Distinct values of the target; 0 without one.
    targets : tuple of str
    """

    columns: dict[str, list[str]]
    left_out: dict[str, str]
    rows: int
    missing: bool
    outcomes: int
    targets: tuple[str, ...] = ()


def targets(problem) -> tuple[str, ...]:
    """The problem's target columns."""
    target = getattr(problem, "target", None)
    return () if target is None else (target,) if isinstance(target, str) else tuple(target)


def features(data, problem) -> list[str]:
    """The columns the problem may learn from: its own list, else all attributes but the targets."""
    wanted = getattr(problem, "features", None)
    names = list(wanted) if wanted else [n for n, c in data.columns.items() if c.role == "attribute"]
    if problem.task == "timeSeriesForecasting":
        names += [n for n in (problem.time, *problem.groups, *(problem.known or ())) if n and n not in names]
    return [n for n in names if n in data.columns and n not in targets(problem)]


def facts(data, problem) -> Facts:
    """Look once at the data, for everything the choices depend on."""
    columns: dict[str, list[str]] = {}
    left_out = {}
    for name in features(data, problem):
        type_ = data.columns[name].type
        if name in (getattr(problem, "keys", None) or ()):
            columns.setdefault("keys", []).append(name)
        elif name in (getattr(problem, "nodes", None) or ()):
            columns.setdefault("nodes", []).append(name)
        elif type_ in KINDS:
            columns.setdefault(KINDS[type_], []).append(name)
        else:
            left_out[name] = type_
    wanted = targets(problem)
    outcomes = int(data.frame[wanted[0]].nunique()) if len(wanted) == 1 and wanted[0] in data.frame else len(wanted)
    return Facts(columns, left_out, len(data.frame), _gaps(data, columns.get("numbers", [])), outcomes, wanted)


def _gaps(data, names: list[str]) -> bool:
    """Whether a value is missing, or infinite, which counts as missing too."""
    endless = (float("inf"), float("-inf"))
    return any(bool(data.frame[n].isna().any() or data.frame[n].isin(endless).any()) for n in names)


def parameters(data, problem, exclude: Iterable[str] = ()) -> list[Hyperparameter]:
    """Every hyper-parameter of a problem, parents first."""
    known = facts(data, problem)
    if problem.task == "clustering":
        return _clustering(known, problem, tuple(exclude))
    if problem.task == "timeSeriesForecasting":
        return _forecasting(known, tuple(exclude), _signless(data, known.targets), bool(problem.known))
    if problem.task in COMMUNITIES:
        return _communities(known, data, problem, tuple(exclude))
    if problem.task in GRAPHS:
        return _of_graphs(known, data, problem, tuple(exclude))
    if problem.task == DETECTION:
        return _detection(known, tuple(exclude))
    if problem.task == RATING:
        return _ratings(known, problem, tuple(exclude), tuple(map(data.distinct, problem.keys)))
    return _supervised(known, problem, tuple(exclude))


def _signless(data, names: tuple[str, ...]) -> bool:
    """Whether no target has a value below 0: roots and logarithms then say something."""
    return bool((data.frame[[n for n in names if n in data.frame]].min() >= 0).all())


def bans(data, problem) -> list[Ban]:
    """Combinations that no configuration may hold."""
    demanding = tuple(n for n, f in FAMILIES.items() if not f.missing)
    dense = tuple(n for n, f in FAMILIES.items() if not f.sparse)
    return [
        (("model", (*demanding, *CLUSTERERS, "spreading")), ("impute", ("keep",))),
        (("model", (*dense, *CLUSTERERS, "spreading")), ("text:reduce", ("none",))),
        (("model", ("counts",)), ("text:reduce", ("svd",))),
    ]


def default(data, problem, **config) -> dict:
    """A full configuration that differs from the defaults where `config` says so."""
    return complete(config, parameters(data, problem))


def _models(names: list[str], exclude: tuple[str, ...], first: str) -> Choice:
    left = tuple(n for n in names if n not in exclude)
    if not left:
        raise ValueError(f"no model is left: {', '.join(names)} are all excluded")
    return Choice("model", left, first if first in left else left[0])


def _supervised(known: Facts, problem, exclude: tuple[str, ...]) -> list[Hyperparameter]:
    kind = VALUES if problem.task in REGRESSION else LABELS
    names = offered(kind, known.rows, exclude)
    if "counts" in names and set(known.columns) != {"texts"}:
        names.remove("counts")
    if problem.task == "semiSupervisedClassification":
        names = ["spreading", *names]
    model = _models(names, exclude, "boosting")
    found: list[Hyperparameter] = [model]
    found += [p for n in model.values if n in FAMILIES for p in FAMILIES[n].parameters()]
    if problem.task == "semiSupervisedClassification":
        found += _semi(model)
    if kind == LABELS:
        found += _choice("balance", ("none", "balanced"), model, lambda f: f.balanced)
        found += [Choice("labels", ("separate", "chain"))] if several(known, problem) else []
    elif len(known.targets) == 1:
        found.append(Choice("target", ("plain", "power")))
    return [*found, *_preparation(known, model, _learnable(known, problem, kind))]


def several(known: Facts, problem) -> bool:
    """Whether a row can have several labels at once."""
    return getattr(problem, "subtask", None) == "multiLabel" or len(known.targets) > 1


def _learnable(known: Facts, problem, kind: str) -> bool:
    """Whether an encoder may learn from the target: one target, not too many classes."""
    single = len(known.targets) == 1 and not several(known, problem)
    return single and (kind == VALUES or known.outcomes <= 30)


def _choice(name: str, values: tuple, model: Choice, of) -> list[Hyperparameter]:
    names = tuple(n for n in model.values if n in FAMILIES and of(FAMILIES[n]))
    return [Choice(name, values, when=(("model", names),))] if names else []


def _semi(model: Choice) -> list[Hyperparameter]:
    trained = tuple(n for n in model.values if n in FAMILIES and FAMILIES[n].probable)
    spread = (("model", ("spreading",)),)
    found: list[Hyperparameter] = []
    if "spreading" in model.values:
        found += [Integer("spreading:neighbours", 2, 30, 7, log=True, when=spread)]
        found += [Float("spreading:clamping", 0.01, 0.9, 0.2, when=spread)]
    if trained:
        found.append(Choice("unlabelled", ("self-training", "left out"), when=(("model", trained),)))
        sure = (("model", trained), ("unlabelled", ("self-training",)))
        found.append(Float("unlabelled:sure", 0.55, 0.99, 0.8, when=sure))
    return found


def _preparation(known: Facts, model: Choice, learnable: bool) -> list[Hyperparameter]:
    kinds = known.columns
    found: list[Hyperparameter] = []
    if "numbers" in kinds and known.missing:
        found.append(Choice("impute", ("median", "mean", "most_frequent", "keep")))
        found.append(Choice("impute:flag", ("no", "yes")))
    if "categories" in kinds:
        encoders = ("onehot", "target", "ordinal") if learnable else ("onehot", "ordinal")
        found.append(Choice("encode", encoders))
        found.append(Integer("encode:limit", 5, 100, 30, log=True, when=(("encode", ("onehot",)),)))
    if {"numbers", "dates", "categories"} & set(kinds):
        found += _choice("scale", ("standard", "robust", "quantile", "power"), model, lambda f: f.scaled) or []
    for kind, settings in _MEDIA.items():
        found += settings if kind in kinds else []
    if (learnable and sum(map(len, kinds.values())) > 2) or (_MEDIA.keys() & set(kinds) and learnable):
        found.append(Choice("select", ("all", "best")))
        found.append(Float("select:share", 0.1, 0.95, 0.6, when=(("select", ("best",)),)))
    return found


_MEDIA: dict[str, list[Hyperparameter]] = {
    "texts": [
        Choice("text:parts", ("words", "pairs", "characters", "hashes")),
        Integer("text:features", 200, 20_000, 5000, log=True),
        Choice("text:reduce", ("svd", "none")),
        Integer("text:components", 10, 200, 60, log=True, when=(("text:reduce", ("svd",)),)),
    ],
    "images": [
        Choice("image:features", ("all", "hog", "colours", "thumbnail")),
        Choice("image:size", (32, 16, 48)),
        Integer("image:components", 8, 200, 60, log=True),
    ],
    "series": [
        Choice("series:features", ("kernels", "statistics", "intervals", "values", "all")),
        Integer("series:length", 16, 256, 64, log=True),
        Integer("series:kernels", 50, 500, 150, log=True, when=(("series:features", ("kernels", "all")),)),
    ],
    "sounds": [
        Choice("sound:features", ("all", "course", "cepstra", "shape")),
        Integer("sound:cepstra", 8, 30, 16),
        Choice("sound:pieces", (8, 4, 16), when=(("sound:features", ("all", "course")),)),
    ],
    "clips": [
        Choice("video:features", ("all", "motion", "colours", "texture")),
        Choice("video:size", (32, 16, 48), when=(("video:features", ("all", "colours", "texture")),)),
    ],
}


def _forecasting(known: Facts, exclude: tuple[str, ...], bent: bool, told: bool) -> list[Hyperparameter]:
    names = [*RULES, *(n for n in offered(VALUES, known.rows, exclude) if n in FORECASTERS)]
    model = _models([n for n in names if n not in exclude], exclude, "linear")
    learned = (("model", tuple(n for n in model.values if n in FAMILIES)),)
    found: list[Hyperparameter] = [model]
    found += [p for n in model.values if n in FAMILIES for p in FAMILIES[n].parameters()]
    seasonal = (("model", tuple(n for n in model.values if n not in ("naive", "drift", "mean"))),)
    if seasonal[0][1]:
        found.append(Choice("season", ("found", "set", "none"), when=seasonal))
        when = (*seasonal, ("season", ("set",)))
        longest = max(3, min(60, known.rows // 3))
        found.append(Integer("season:length", 2, longest, min(12, longest), True, when))
    bending = (("model", tuple(n for n in model.values if n not in ("naive", "seasonal"))),)
    if bent and bending[0][1]:
        found.append(Choice("series:shape", ("none", "root", "log"), when=bending))
    if told and learned[0][1]:
        found += [Choice("lags:known", (0, 1, 3, 7), 0, learned), Choice("lags:past", ("yes", "no"), None, learned)]
    return [*found, *_lags(known, learned)] if learned[0][1] else found


def _lags(known: Facts, learned: When) -> list[Hyperparameter]:
    longest = max(2, min(48, known.rows // 4))
    ahead = tuple(n for n in learned[0][1] if n not in ("gaussian", "svm"))  # too slow for every step of every row
    found: list[Hyperparameter] = [
        Integer("lags:count", 1, longest, min(12, longest), True, learned),
        Choice("lags:target", ("level", "difference", "season"), None, learned),
        Choice("lags:means", ("no", "yes"), None, learned),
        Choice("lags:calendar", ("no", "yes"), None, learned),
        Choice("season:waves", (0, 1, 2, 3), 0, (*learned, ("season", ("found", "set")))),
    ]
    if ahead:
        found.append(Choice("lags:ahead", ("recursive", "direct"), None, (("model", ahead),)))
    return found


def _ratings(known: Facts, problem, exclude: tuple[str, ...], sides: tuple[int, ...]) -> list[Hyperparameter]:
    """Models of the two keys alone, then any regressor on their factors and on all other columns."""
    crowds = dict(zip(("users", "items"), sides, strict=True))
    names = [name for name in RATERS if crowds.get(name, 0) <= CROWD]
    model = _models(
        [n for n in (*names, *offered(VALUES, known.rows, exclude)) if n not in exclude], exclude, "factors"
    )
    learned = (("model", tuple(n for n in model.values if n in FAMILIES)),)
    found: list[Hyperparameter] = [model, *(p for p in _RATERS if p.when[0][1][0] in model.values)]
    if not learned[0][1]:
        return found
    found += [p for n in learned[0][1] for p in FAMILIES[n].parameters()]
    found += [Choice("target", ("plain", "power"), when=learned)]
    found += [Integer("keys:count", 0, 20, 4, when=learned)]
    found += [Float(f"keys:{name}", 0.1, 200.0, 5.0, log=True, when=learned) for name in ("strength", "ridge")]
    prepared = _preparation(known, model, _learnable(known, problem, VALUES))
    of_tables = (p if any(n == "model" for n, _ in p.when) else replace(p, when=(*learned, *p.when)) for p in prepared)
    return [*found, *of_tables]


def _of_graphs(known: Facts, data, problem, exclude: tuple[str, ...]) -> list[Hyperparameter]:
    """As of any table, with a featurizer of nodes or of pairs of them in front; and propagation alone."""
    from . import graph_choices

    alone = ("propagation",) if problem.task in graph_choices.VERTICES and not several(known, problem) else ()
    names = [n for n in (*alone, *offered(LABELS, known.rows, exclude)) if n != "counts"]
    model = _models(names, exclude, "boosting")
    learned = (("model", tuple(n for n in model.values if n in FAMILIES)),)
    found: list[Hyperparameter] = [model, *graph_choices.propagation_settings(data, problem, model.values)]
    if not learned[0][1]:
        return found
    found += [p for n in learned[0][1] for p in FAMILIES[n].parameters()]
    found += _choice("balance", ("none", "balanced"), model, lambda f: f.balanced)
    found += [Choice("labels", ("separate", "chain"), when=learned)] if several(known, problem) else []
    found += graph_choices.graph_settings(data, problem, learned)
    return [*found, *_under(learned, _preparation(known, model, _learnable(known, problem, LABELS)))]


def _under(learned: When, prepared: list[Hyperparameter]) -> list[Hyperparameter]:
    """Settings that have no meaning for models that look at nothing but keys or nodes."""
    return [p if any(n == "model" for n, _ in p.when) else replace(p, when=(*learned, *p.when)) for p in prepared]


def _communities(known: Facts, data, problem, exclude: tuple[str, ...]) -> list[Hyperparameter]:
    from . import graph_choices

    model = _models([n for n in graph_choices.finders(data, problem) if n not in exclude], exclude, "louvain")
    return [model, *graph_choices.community_settings(data, problem, model.values, known.outcomes)]


def _detection(known: Facts, exclude: tuple[str, ...]) -> list[Hyperparameter]:
    """Where to look, what to look at, and the classifier that says what is an object."""
    model = _models([n for n in DETECTORS if n not in exclude], exclude, "boosting")
    looked = (("look:at", ("windows", "both")),)
    return [
        model,
        *(p for n in model.values for p in FAMILIES[n].parameters()),
        *_choice("balance", ("none", "balanced"), model, lambda f: f.balanced),
        Choice("look:at", ("windows", "both", "regions")),
        Integer("look:shapes", 1, 6, 3, when=looked),
        Float("look:stride", 0.1, 0.4, 0.2, when=looked),
        Choice("look:side", (128, 96, 192)),
        Choice("look:cells", (4, 3, 6)),
        Choice("look:hard", ("no", "yes")),
        Choice("look:refine", ("yes", "no")),
        Float("look:overlap", 0.1, 0.6, 0.3),
    ]


def _rater(name: str, fewest: int, most: int, usual: int, ridge: float) -> list[Hyperparameter]:
    when = (("model", (name,)),)
    return [
        Integer(f"{name}:count", fewest, most, usual, log=True, when=when),
        Float(f"{name}:strength", 0.1, 200.0, 5.0, log=True, when=when),
        Float(f"{name}:ridge", 0.1, 200.0, ridge, log=True, when=when),
    ]


_RATERS: list[Hyperparameter] = [
    Float("biases:strength", 0.1, 200.0, 5.0, log=True, when=(("model", ("biases",)),)),
    *_rater("factors", 1, 50, 6, 10.0),
    Integer("factors:sweeps", 3, 40, 15, log=True, when=(("model", ("factors",)),)),
    *_rater("items", 2, 200, 30, 5.0),
    *_rater("users", 2, 200, 30, 5.0),
]


def _clustering(known: Facts, problem, exclude: tuple[str, ...]) -> list[Hyperparameter]:
    names = [
        n
        for n in CLUSTERERS
        if known.rows <= {"agglomerative": 5000, "spectral": 2000, "dbscan": 20_000}.get(n, 10**9)
        and not (n == "dbscan" and problem.clusters)  # it makes as many as it finds
    ]
    model = _models(names, exclude, "kmeans")
    most = max(2, min(20, known.rows // 2))
    counted = tuple(n for n in model.values if n != "dbscan")
    found: list[Hyperparameter] = [model]
    if counted:
        when = (("model", counted),)
        count = Integer("clusters", 2, max(most, 3), 3, when=when)
        found.append(Choice("clusters", (problem.clusters,), when=when) if problem.clusters else count)
    found += [p for p in _CLUSTER if p.when[0][1][0] in model.values]
    prepared = [p for p in _preparation(known, model, False) if p.name != "scale"]
    scaled = {"numbers", "dates", "categories"} & set(known.columns)
    return [*found, *([Choice("scale", ("standard", "robust", "quantile", "power"))] if scaled else []), *prepared]


_CLUSTER: list[Hyperparameter] = [
    Choice("mixture:shape", ("full", "diag", "tied", "spherical"), when=(("model", ("mixture",)),)),
    Choice("agglomerative:linkage", ("ward", "average", "complete"), when=(("model", ("agglomerative",)),)),
    Integer("spectral:neighbours", 3, 30, 10, log=True, when=(("model", ("spectral",)),)),
    Float("dbscan:reach", 0.5, 0.99, 0.9, when=(("model", ("dbscan",)),)),
    Integer("dbscan:core", 3, 20, 5, when=(("model", ("dbscan",)),)),
]
