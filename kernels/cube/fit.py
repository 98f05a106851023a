"""Fitting a surrogate: queries and answers in, a measured and calibrated model out."""

from __future__ import annotations

import copy
import importlib.util
import time
from typing import Any

import numpy as np

from ..arrays import as_numpy
from ..one_thread import one_blas_thread
from ..progress import Progress
from . import aggregates as ag
from .calibration import calibrate
from .description import OVER, authors, tuned
from .errors import measure
from .exact import ExactCube
from .mlp import MLP
from .model import Model, answers, independent_answers
from .product import ProductNet
from .schema import Schema
from .training import Phase, train
from .training_set import TrainingSet, from_answers, from_cube

NETS = ("product", "signed", "mlp", "auto")
QUERIES = 10_000
RANK = 256
MANY = 4000  # queries from which on large batches at a high rate pay
UPDATE = 0.3  # share of the steps that an update takes


def fit(
    source: ExactCube | tuple[Any, Any],
    schema: Schema | None = None,
    *,
    net: str = "product",
    aggregate: Any = "count",
    rng: int | np.random.Generator = 0,
    queries: int = QUERIES,
    rank: int | None = None,
    steps: int | None = None,
    error: float | None = None,
    description: dict[str, Any] | str | None = None,
    progress: Progress | None = None,
    device: str = "cpu",
) -> Model:
    """A net that answers every brush.

    Parameters
    ----------
    source : ExactCube or (queries, answers)
        A cube is asked `queries` random queries. Else queries as `Schema.masks` takes them, n of them, and answers
        (n, total bins), views in the schema's order, each view answered without its own filter.
    schema : Schema
        Needed for queries and answers.
    net : "product", "signed", "mlp" or "auto"
        product: non-negative factors, additive and monotone, any region. signed: the same with signed factors, for a
        smaller error; additive (before counts below 0 are cut off), but not monotone. mlp: the published net, or what
        `description` says.
        auto: the smallest product net that meets `error`, or advice that an exact cube is smaller (`auto.smallest`).
    aggregate : "count", ("sum" | "mean" | "var", measure), or a list of these
        Means and variances need a cube as source.
    rng : int or Generator
        Same seed, same machine: same bits.
    rank : int, optional
        Of the product net; 256 if absent, less where all cells are fewer.
    steps : int, optional
        Of the optimizer; chosen by the number of queries if absent.
    error : float, optional
        Training stops once the held-out error is at most this.
    description : dict, "tuned" or "authors", optional
        Of the mlp: see `learnviews.kernels.cube.description`.
    progress : Progress, optional
        Counts queries answered, then steps, anew for each part. Cancelling ends the training early, and the model is
        what was reached; while the cube still answers it raises concurrent.futures.CancelledError.
    device : "cpu" or "gpu"
        Where to train; the model itself answers on the CPU.

    Raises
    ------
    ValueError, TypeError, LookupError
        If arguments do not fit together; the message names the argument and what was expected.
    DivergedError
        If the training does.
    """
    _check(net, rank, steps, queries, error, device)
    if description is not None and net != "mlp":
        raise ValueError('description is for net="mlp"; the product net has only a rank')
    if rank is not None and net in ("mlp", "auto"):
        raise ValueError(f'rank is for net="product" and "signed"; net={net!r} does not take one')
    rng = np.random.default_rng(rng)
    wanted = ag.several(aggregate)
    started = time.monotonic()
    data = _training_set(source, schema, wanted, queries, rng, progress)
    if net == "auto":
        from .auto import smallest

        model = smallest(data, error, rng, progress, device, steps)
    else:
        make = _maker(data, net, rank, description, rng)
        model = fit_nets(data, make, steps, rng, progress, error or 0.0, device, recipe=net == "mlp")
    return finished(model, source, started)


def update(
    model: Model,
    source: ExactCube | tuple[Any, Any],
    *,
    rng: int | np.random.Generator = 0,
    queries: int | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
    device: str = "cpu",
) -> Model:
    """A model of data that has grown, from the weights of `model`, in a fraction of the steps.

    Parameters
    ----------
    source : ExactCube or (queries, answers)
        As for `fit`, of the grown data, with the model's schema.

    Other parameters are those of `fit`. The model itself stays as it is.
    """
    _check("product", None, steps, queries, None, device)
    rng = np.random.default_rng(rng)
    if isinstance(source, ExactCube) and source.schema != model.schema:
        raise ValueError("the cube has another schema than the model; expected the same attributes and bins")
    started = time.monotonic()
    count = queries or model.about["queries"]
    data = _training_set(source, model.schema, model.aggregates, count, rng, progress, model.centres)

    def make(part: ag.Part) -> Any:
        return grown(model.nets[part], data, part, rng)

    steps = steps or max(1, int(UPDATE * default_steps(len(data.masks) - data.held)))
    return finished(fit_nets(data, make, steps, rng, progress, 0.0, device, recipe=False, soft=False), source, started)


def grown(net: Any, data: TrainingSet, part: ag.Part, rng: np.random.Generator) -> Any:
    """A copy of the net with room for bins that are occupied only now, scaled to the new total."""
    net = copy.deepcopy(net)
    if net.kind != "product":
        if net.base is not None:
            net.base = base_of(data, part, net.description["output"])
        return net
    expected = data.marginals[part]
    if not net.keep.any():  # there was nothing so far
        return ProductNet.initial(net.sizes, expected, net.rank, rng, net.signed, negative(data, part))
    keep = net.keep | (expected > 0)
    scale = _scale(net, data, part)
    full = np.full((len(keep), net.rank), -np.inf, np.float32)
    full[net.keep] = net.parameters["log"] + np.float32(np.log(scale) / len(net.sizes))
    sign = np.ones(full.shape, np.float32)
    if net.signed:
        sign[net.keep] = net.parameters["sign"]
    for start, stop in zip(np.cumsum((0, *net.sizes[:-1])), np.cumsum(net.sizes), strict=True):
        old, new = net.keep[start:stop], (keep & ~net.keep)[start:stop]
        if old.any() and new.any():  # like the average bin of its view, at its share of the total
            mean = (np.exp(full[start:stop][old]) * sign[start:stop][old]).mean(0)
            pattern = np.log(np.abs(mean) + 1e-30)
            sign[start:stop][new] = np.where(mean < 0, -1, 1)
            share = expected[start:stop][new] / max(expected[start:stop][old].mean(), 1e-30)
            full[start:stop][new] = pattern + np.log(share + 1e-7)[:, None]
        elif new.any():
            full[start:stop][new] = np.log(expected[start:stop][new] / expected[start:stop][new].sum())[:, None]
    return ProductNet(net.sizes, keep, full[keep], sign[keep] if net.signed else None)


def _scale(net: ProductNet, data: TrainingSet, part: ag.Part) -> float:
    some = slice(0, min(256, len(data.masks)))
    before = np.abs(answers(net, data.masks[some])).sum()
    ratio = np.abs(data.answers[part][some]).sum() / before if before else 1.0
    return float(ratio) if ratio > 0 else 1.0


def fit_nets(
    data: TrainingSet,
    make: Any,
    steps: int | None,
    rng: np.random.Generator,
    progress: Progress | None,
    enough: float,
    device: str,
    recipe: bool,
    soft: bool = True,
) -> Model:
    """Train one net per part, then measure and calibrate all aggregates on the held-out queries."""
    nets: dict[ag.Part, Any] = {}
    stopped = []
    for part in data.answers:
        twin = next((each for each in nets if np.array_equal(data.answers[each], data.answers[part])), None)
        if twin is not None:  # present rows are all rows where a measure has no gaps
            nets[part] = nets[twin]
            continue
        net = make(part)
        if not np.any(data.answers[part]):
            net = silent(net)
        elif net.keep.any():
            stopped.append(_train(net, data, part, steps, rng, progress, enough, device, recipe, soft))
        net.halved()
        nets[part] = net
    model = measured(data, nets)
    model.about["stopped"] = "; ".join(sorted({why for why in stopped if why}))
    return model


def silent(net: Any) -> Any:
    """What answers 0, as there is nothing else to learn."""
    if net.kind == "product":
        none = np.zeros((0, net.rank), np.float32)
        return ProductNet(net.sizes, np.zeros(len(net.keep), bool), none, none.copy() if net.signed else None)
    net.silence()
    return net


def measured(data: TrainingSet, nets: dict[ag.Part, Any]) -> Model:
    """A model of these nets, with errors and intervals from the held-out queries."""
    held = data.masks[: data.held]
    model = Model(data.schema, data.aggregates, nets, data.independent, {}, {}, dict(data.about), data.centres)
    raw = {part: answers(net, held) for part, net in nets.items()}
    for aggregate in data.aggregates:
        centre, truth = model._centre(aggregate), data.truths[aggregate]
        found = ag.combine(aggregate, raw, centre)
        independent = independent_answers(data.independent, held, aggregate, centre)
        by_rows = isinstance(aggregate, tuple) and aggregate[0] != "sum"
        first = data.parts(aggregate)[0]
        weights = data.answers[first][: data.held] if by_rows else None
        model.errors[aggregate] = measure(data.schema, truth, found, independent, weights)
        size = raw[first] if by_rows else np.abs(found)
        model.calibrations[aggregate] = calibrate(found, truth, size, data.schema.sizes, zeros=not by_rows)
    return model


def finished(model: Model, source: Any, started: float) -> Model:
    model.about["seconds"] = time.monotonic() - started
    model.exact = source if isinstance(source, ExactCube) else None
    return model


def default_steps(queries: int) -> int:
    """Steps that bring a product net near its best."""
    return 3000 if queries >= MANY else 12_000


def _train(
    net: Any,
    data: TrainingSet,
    part: ag.Part,
    steps: int | None,
    rng: Any,
    progress: Any,
    enough: float,
    device: str,
    recipe: bool,
    soft: bool,
) -> str:
    on_device(net, device)
    n = len(data.masks) - data.held
    if recipe:
        batch = int(net.description["batch"])
        phases = described_phases(net.description, max(1, n // batch), steps)
    else:
        batch = 128 if n >= MANY else 32
        rate = 3e-3 if net.kind == "mlp" else 0.2 if batch == 128 and not net.signed else 0.1
        phases = [Phase(steps or default_steps(n), settings={"rate": rate, "beta2": 0.99})]
    answers = data.answers[part]
    held, rest = slice(0, data.held), slice(data.held, None)
    pairs = [(net.compress(data.masks[some]), net.compress(answers[some])) for some in (rest, held)]
    with one_blas_thread():  # products this small take longer on several threads
        history = train(net, pairs[0], pairs[1], phases, batch, rng, progress, enough=enough, soft=soft)
    on_device(net, "cpu")
    return history.stopped


def described_phases(description: dict[str, Any], per_epoch: int, steps: int | None = None) -> list[Phase]:
    """Phases of a description, epochs turned into steps; with `steps` all of them scaled to that many in all."""
    phases = description["phases"]
    epochs = [int(phase["epochs"]) for phase in phases]
    total = sum(epochs)
    counts = [each * per_epoch if steps is None else max(1, round(steps * each / total)) for each in epochs]
    return [
        Phase(count, phase["optimizer"], dict(phase["settings"]), bool(phase.get("cosine", False)))
        for count, phase in zip(counts, phases, strict=True)
    ]


def on_device(net: Any, device: str) -> None:
    """Move a net's parameters to "cpu" or "gpu" in place."""
    if device == "gpu":
        import cupy
    for name, array in net.parameters.items():
        net.parameters[name] = as_numpy(array) if device == "cpu" else cupy.asarray(array)


def _maker(data: TrainingSet, net: str, rank: int | None, description: Any, rng: np.random.Generator) -> Any:
    sizes, shapes = data.schema.sizes, [(each.shape, each.bins) for each in data.schema]
    if net == "mlp":
        described = _described(description, shapes)

        def mlp(part: ag.Part) -> MLP:
            if described.get("output") not in OVER:
                return MLP.initial(shapes, described, rng)
            output = "rows" if part.signed else described["output"]
            return MLP.initial(shapes, {**described, "output": output}, rng, base_of(data, part, output))

        return mlp
    rank = rank or default_rank(sizes)

    def product(part: ag.Part) -> ProductNet:
        signed = part.signed or net == "signed"
        return ProductNet.initial(sizes, data.marginals[part], rank, rng, signed, negative(data, part))

    return product


def _described(description: Any, shapes: Any) -> dict[str, Any]:
    if isinstance(description, dict):
        return description
    known = {"tuned": tuned, "authors": authors}
    name = "tuned" if description is None else description
    if not isinstance(name, str) or name not in known:
        raise ValueError(f'description must be "tuned", "authors" or a dict, got {description!r}')
    return known[name](shapes)


def base_of(data: TrainingSet, part: ag.Part, output: str) -> ProductNet:
    """What an mlp's output multiplies: independence of the part, or of the rows."""
    return data.rows if output == "rows" else data.independent[part]


def negative(data: TrainingSet, part: ag.Part) -> float:
    """Share of the ranks that begin below 0, where answers do: a quarter at least, three at most, for both signs."""
    if not part.signed:
        return 0.0
    answers = data.answers[part]
    whole = np.abs(answers).sum() or 1.0
    return float(np.clip(np.abs(np.minimum(answers, 0)).sum() / whole, 0.25, 0.75))


def default_rank(sizes: tuple[int, ...]) -> int:
    """256, or as many numbers as there are cells."""
    cells = float(np.prod(np.array(sizes, np.float64)))
    return int(max(1, min(RANK, cells // sum(sizes))))


def _training_set(
    source: Any,
    schema: Any,
    wanted: Any,
    queries: int,
    rng: Any,
    progress: Any,
    centres: dict[str, float] | None = None,
) -> TrainingSet:
    if isinstance(source, ExactCube):
        if schema is not None and schema != source.schema:
            raise ValueError(
                "the cube has another schema than the one given; leave the schema out, or build the cube with it"
            )
        return from_cube(source, wanted, queries, rng, progress, centres)
    if not isinstance(source, tuple) or len(source) != 2:
        raise TypeError(f"{type(source).__name__}: expected an ExactCube or a pair (queries, answers)")
    if not isinstance(schema, Schema):
        raise TypeError("queries and answers need a schema (cube.Schema)")
    return from_answers(*source, schema, wanted, rng)


def _check(
    net: str, rank: int | None, steps: int | None, queries: int | None, error: float | None, device: str
) -> None:
    if net not in NETS:
        raise ValueError(f"net must be one of {NETS}, got {net!r}")
    for name, value in (("rank", rank), ("steps", steps), ("queries", queries)):
        if value is not None and (not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1):
            raise ValueError(f"{name} must be a positive integer, got {value!r}")
    if error is not None and not (isinstance(error, int | float | np.floating) and error > 0):
        raise ValueError(f"error must be above 0 (an RAE, 0.01 is 1%), got {error!r}")
    if device not in ("cpu", "gpu"):
        raise ValueError(f'device must be "cpu" or "gpu", got {device!r}')
    if device == "gpu" and importlib.util.find_spec("cupy") is None:
        raise ValueError('device="gpu" needs CuPy, which is not installed; expected "cpu"')
