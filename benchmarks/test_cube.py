"""Cubes: linked views of a brush, building, training and sizes, each beside its peer, whose answers are checked.

LEARNVIEWS_BENCH_ROWS, LEARNVIEWS_BENCH_DATA: see `cube_data`. LEARNVIEWS_BENCH_EPOCHS: of the authors' net (3 if
absent; their recipe has 50). Figures by row count are kept in the data folder, for `docs/cube_growth.py`.
"""

import json
import os
import time
import tracemalloc
from pathlib import Path

import cube_data
import cube_peers
import duckdb
import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from threadpoolctl import threadpool_limits

from learnviews.kernels import cube
from learnviews.kernels.cube.description import authors
from learnviews.kernels.cube.mlp import MLP
from learnviews.kernels.cube.product import ProductNet
from learnviews.kernels.cube.report import size
from learnviews.kernels.cube.training import relative_error
from learnviews.kernels.optimizers import optimizer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
BRIGHTKITE = Path(__file__).parent.parent.parent / "shared" / "data" / "brightkite_nyc_queries.txt"
DUCK = f"DuckDB {duckdb.__version__}"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
BRUSHES, SECONDS = 200, 5.0  # at most so many of both per peer, but FEWEST brushes at least
FEWEST = 5
IN_MEMORY = 10_000_000  # rows that DuckDB holds in memory beside those of the file
ATTRIBUTES = {"4 attributes": cube_data.FOUR, "7 attributes": cube_data.SEVEN}


def seconds(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def medians(calls, rounds=3):
    """Median seconds of each, after a warm-up, in turn, so that a slow moment of the machine meets all alike."""
    spent = {label: [] for label in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for label, call in calls.items():
            spent[label].append(seconds(call))
    return {label: float(np.median(values)) for label, values in spent.items()}


def bandwidth():
    """Bytes per second, read and written, of np.copyto between arrays that no cache holds."""
    a = np.ones(1 << 25)
    b = np.empty_like(a)
    return 2 * a.nbytes / medians({"copy": lambda: np.copyto(b, a)}, 7)["copy"]


# -- the linked views of one brush, at growing numbers of rows


@pytest.fixture(scope="module")
def growth():
    """What is kept for the picture: by attributes and rows."""
    path, measured = cube_data.folder() / "cube-growth.json", {few: {} for few in ATTRIBUTES}
    yield measured
    kept = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({few: {**kept.get(few, {}), **new} for few, new in measured.items()}, indent=1))


@pytest.mark.parametrize("rows", cube_data.sizes(), ids=str)
@pytest.mark.parametrize("few", ATTRIBUTES)
def test_brush(table, growth, tmp_path, few, rows):
    """All linked views of one brush, p50 over seeded random brushes."""
    schema, path = cube_data.schema(ATTRIBUTES[few]), cube_data.file(rows)
    case = f"all {schema.bins} bars of a brush, {few}, {rows:,} rows ({DUCK}, {CORES} threads; ours 1)"
    exact = cube.ExactCube.build(path, schema)
    index = held_by(exact.views)
    model = cube.fit(exact, queries=2000, steps=1000)
    cells = cube_peers.DuckCells(schema, path)
    peers = {"surrogate, model.views": model.views, "exact cube, exact.views": exact.views}
    peers[f"{DUCK}, counted cells"] = cells.views
    if rows <= IN_MEMORY:
        peers[f"{DUCK}, rows in memory"] = cube_peers.DuckRows(schema, path, in_memory=True).views
    peers[f"{DUCK}, rows in Parquet"] = cube_peers.DuckRows(schema, path).views
    brushes = cube_data.queries(ATTRIBUTES[few], BRUSHES)
    p50 = {}
    for label, views in peers.items():
        if label != "surrogate, model.views":
            same_answers(exact, views, brushes[:FEWEST])
        spent = each_brush(views, brushes)
        p50[label] = float(np.median(spent))
        table.add(case, label, p50[label])
        table.note(case, f"{label}: p95 {np.quantile(spent, 0.95) * 1e3:.3f} ms of {len(spent)} brushes")
    bytes_ = sizes_of(model, exact, cells, path, tmp_path)
    table.note(case, "; ".join(f"{label} {size(n)}" for label, n in bytes_.items()))
    table.note(case, f"exact cube in memory {size(exact.nbytes)}, and {size(index)} more once it has answered")
    table.note(case, f"{exact.occupied:,} cells; surrogate after 1,000 steps on 2,000 queries: {model.error}")
    growth[few][str(rows)] = {"p50": p50, "bytes": bytes_}
    cells.close()


def held_by(call):
    """Bytes that a call leaves allocated."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def same_answers(exact, views, brushes):
    """Counts are whole numbers: equal, not nearly."""
    for brush in brushes:
        expected, found = exact.views(brush), views(brush)
        for name, counts in expected.items():
            np.testing.assert_array_equal(found[name], counts, err_msg=f"{name} of {brush}")


def each_brush(views, brushes):
    views(brushes[0])
    views(brushes[1])
    spent = []
    for brush in brushes:
        spent.append(seconds(views, brush))
        if sum(spent) > SECONDS and len(spent) >= FEWEST:
            break
    return spent


def sizes_of(model, exact, cells, path, folder):
    return {
        "surrogate's file": model.save(folder / "x.cube.npz").stat().st_size,
        "exact cube, dense": exact.dense_bytes,
        "exact cube, sparse": exact.sparse_bytes,
        f"{DUCK}, counted cells in a file": cells.bytes,
        "Parquet of the rows": path.stat().st_size,
    }


# -- building the exact cube


def small_codes(schema, columns):
    """Bins of rows in the smallest integers that hold them."""
    return [
        c.astype(np.uint8 if a.bins <= 256 else np.uint16) for c, a in zip(schema.codes(columns), schema, strict=True)
    ]


@pytest.mark.parametrize("few", ATTRIBUTES)
def test_building_in_memory(table, few):
    rows = min(10_000_000, cube_data.most())
    schema, columns = cube_data.schema(ATTRIBUTES[few]), cube_data.arrays(rows)
    codes, delay = small_codes(schema, columns), {"dep_delay": columns["dep_delay"]}
    read = sum(columns[name].nbytes for name in schema.columns)
    more = read + (0 if "dep_delay" in schema.columns else delay["dep_delay"].nbytes)
    coded = sum(array.nbytes for array in codes)

    def raw(measures=()):
        return cube.ExactCube.build(columns, schema, measures, threads=1)

    calls = {
        "coded rows": lambda: cube.ExactCube(schema).add_codes(codes),
        "coded rows, sums and squares": lambda: cube.ExactCube(schema, ["dep_delay"]).add_codes(codes, delay),
        "raw rows": raw,
        "raw rows, sums and squares": lambda: raw(["dep_delay"]),
    }
    moved = dict(zip(calls, (coded, coded + delay["dep_delay"].nbytes, read, more), strict=True))
    case, speed = f"exact cube in memory, {few}, {rows:,} rows, one thread", bandwidth()
    for label, median in medians(calls).items():
        table.add(case, label, median)
        floor = moved[label] / speed
        table.note(case, f"{label}: {rows / median / 1e6:.1f} M rows/s, measured / floor {median / floor:.1f}")
    table.note(case, f"floor: reading the rows once at {speed / 1e9:.1f} GB/s, np.copyto's rate in this run")
    same_cells(calls["raw rows"]().cells(), calls["coded rows"]().cells())


def same_cells(one, other):
    for a, b in zip(one[:2], other[:2], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [None, 1], ids=["all cores", "1 thread"])
@pytest.mark.parametrize("few", ATTRIBUTES)
def test_building_from_parquet(table, few, threads):
    rows = min(10_000_000, cube_data.most())
    schema, path = cube_data.schema(ATTRIBUTES[few]), cube_data.file(rows)
    duck = cube_peers.DuckRows(schema, path, threads)
    names = [*schema.columns, *(["dep_delay"] if "dep_delay" not in schema.columns else [])]

    def ours(measures=()):
        return cube.ExactCube.build(path, schema, measures, threads=threads)

    calls = {
        "ExactCube.build": ours,
        f"{DUCK}, GROUP BY": duck.cells,
        "ExactCube.build, sums and squares": lambda: ours(["dep_delay"]),
        f"{DUCK}, GROUP BY, sums and squares": lambda: duck.cells("dep_delay"),
        "pyarrow reads the columns, no more": lambda: parquet.read_table(
            path, columns=names, use_threads=threads is None
        ),
    }
    case = f"exact cube from Parquet, {few}, {rows:,} rows, {duck.threads} thread(s) each"
    for label, median in medians(calls).items():
        table.add(case, label, median)
        table.note(case, f"{label}: {rows / median / 1e6:.1f} M rows/s")
    same_as_counted(schema, ours(["dep_delay"]), duck.cells("dep_delay"))


def same_as_counted(schema, exact, counted):
    """DuckDB's groups are our cells: the same counts, the same sums but for rounding."""
    codes, count, sums, squares = exact.cells()
    theirs = cube_peers.codes_of_cells(schema, counted)
    order = np.lexsort(theirs[::-1])
    np.testing.assert_array_equal(theirs[:, order], codes)
    np.testing.assert_array_equal(np.asarray(counted["n"])[order], count)
    scale = np.sqrt(squares["dep_delay"] * count)
    np.testing.assert_allclose(np.asarray(counted["s"])[order] / scale, sums["dep_delay"] / scale, atol=1e-12)
    np.testing.assert_allclose(np.asarray(counted["s2"])[order], squares["dep_delay"], rtol=1e-10)


# -- learning


@pytest.fixture(scope="module")
def brightkite():
    """Schema, masks and answers of 720 queries to learn from and 80 to be measured by."""
    if not BRIGHTKITE.exists():
        pytest.skip(f"{BRIGHTKITE}: not there")
    data = np.loadtxt(BRIGHTKITE)
    schema = cube.Schema(
        cube.Integer("month", 0, 11),
        cube.Integer("weekday", 0, 6),
        cube.Integer("hour", 0, 23),
        cube.Spatial("place", "x", "y", extent=(0, 20, 0, 20), shape=(20, 20)),
    )
    masks, answers = schema.masks(data[:, :10].astype(int)), data[:, 10:]
    return schema, masks[:720], answers[:720], masks[720:], answers[720:]


def test_training_beside_pytorch(table, brightkite):
    """The authors' net and recipe, the same weights, batches and losses; ours runs branches once per query and bin."""
    schema, masks, answers, test_masks, test_answers = brightkite
    epochs = int(os.environ.get("LEARNVIEWS_BENCH_EPOCHS", 3))
    shapes = [(each.shape, each.bins) for each in schema]
    ours = Ours(MLP.initial(shapes, authors(shapes), np.random.default_rng(0)))
    peer = Torch(ours.net)
    X, Y = masks.astype(np.float32), answers.astype(np.float32)
    same_gradients(ours.net, peer.net, X[:10], Y[:10])
    product = Ours(
        ProductNet.initial(schema.sizes, marginals_of(masks, answers, schema), 256, np.random.default_rng(0))
    )
    case = f"Brightkite, one epoch of 720 queries (PyTorch {torch.__version__})"
    step_times(table, case, ours, peer, product, X, Y)
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(X))
        for start in range(0, len(X), 10):
            chosen = order[start : start + 10]
            for net in (ours, peer):
                net.begin(epoch)
                net.step(X[chosen], Y[chosen])
    found = {"ours": ours.answers(test_masks), "PyTorch": peer.answers(test_masks)}
    errors = {name: relative_error(each, test_answers) for name, each in found.items()}
    note = ", ".join(f"{name} {value:.4f}" for name, value in errors.items())
    table.note(case, f"authors' net after {epochs} epochs of their recipe, RAE on 80 test queries: {note}")
    assert errors["ours"] == pytest.approx(errors["PyTorch"], rel=0.02)
    start = time.perf_counter()
    model = cube.fit((masks, answers), schema)
    spent = time.perf_counter() - start
    error = relative_error(model.query_many(test_masks), test_answers)
    base = relative_error(model.independence(test_masks), test_answers)
    table.note(case, f"product net: cube.fit in {spent:.1f} s, RAE {error:.4f}; independence {base:.4f}")


def marginals_of(masks, answers, schema):
    from learnviews.kernels.cube.independence import marginals

    return marginals(masks, answers, schema.sizes)


def step_times(table, case, ours, peer, product, X, Y):
    """Steps of copies: what is trained later has not been trained here."""
    ours, peer = Ours(ours.net.from_arrays(ours.net.shapes, ours.net.description, ours.net.arrays())), Torch(ours.net)
    for net in (ours, peer, product):
        net.begin(0)
    x, y = product.net.compress(X), product.net.compress(Y)

    def on(threads, step, *batch):
        torch.set_num_threads(threads)
        with threadpool_limits(threads, "blas"):
            step(*batch)

    calls = {
        "ours, authors' net": (lambda: on(1, ours.step, X[:10], Y[:10]), 72),
        f"PyTorch, authors' net, {CORES} threads": (lambda: on(CORES, peer.step, X[:10], Y[:10]), 72),
        "PyTorch, authors' net, 1 thread": (lambda: on(1, peer.step, X[:10], Y[:10]), 72),
        "ours, product net of rank 256": (lambda: on(1, product.step, x[:32], y[:32]), 22),
    }
    found = medians({label: call for label, (call, _) in calls.items()}, 15)
    for label, (_, steps) in calls.items():
        table.add(case, label, found[label] * steps)
        table.note(case, f"{label}: {found[label] * 1e3:.2f} ms per step, {steps} steps")
    torch.set_num_threads(CORES)


class Ours:
    """A net of ours with the authors' optimizers: Adam, from epoch 20 on SGD with momentum."""

    def __init__(self, net):
        self.net, self.epoch = net, None

    def begin(self, epoch):
        if self.epoch is None or (self.epoch < 20 <= epoch):
            self.method = optimizer("adam", rate=1e-4) if epoch < 20 else optimizer("sgd", rate=1e-6, momentum=0.9)
        self.epoch = epoch

    def step(self, masks, answers):
        self.method.step(self.net.parameters, self.net.loss(masks, answers, 1.0)[1])

    def answers(self, masks):
        return self.net.forward(self.net.compress(masks))[0]


class Torch:
    """The same in PyTorch."""

    def __init__(self, net):
        self.net, self.epoch = cube_peers.TorchAuthors(net), None

    def begin(self, epoch):
        weights = self.net.parameters()
        if self.epoch is None:
            self.method = torch.optim.Adam(weights, lr=1e-4)
        elif self.epoch < 20 <= epoch:
            self.method = torch.optim.SGD(weights, lr=1e-6, momentum=0.9)
        self.epoch = epoch

    def step(self, masks, answers):
        self.method.zero_grad()
        self.net.loss(torch.from_numpy(masks), torch.from_numpy(answers)).backward()
        self.method.step()

    def answers(self, masks):
        with torch.no_grad():
            return self.net(torch.from_numpy(masks.astype(np.float32)))[0].numpy()


def same_gradients(net, peer, masks, answers):
    value, gradients = net.loss(masks, answers, 1.0)
    loss = peer.loss(torch.from_numpy(masks), torch.from_numpy(answers))
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-4)
    pairs = {
        f"{each.name}.{k}/W": layer.weight
        for each, layers in zip(net.branches, peer.layers, strict=True)
        for k, layer in enumerate(layers)
    }
    pairs |= {"regressor0/W": peer.last.weight, "join/b": peer.join.bias}
    for name, weight in pairs.items():
        expected, found = weight.grad.numpy().T, gradients[name]
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4 * np.abs(expected).max(), err_msg=name)
    peer.zero_grad()


# -- the flights


@pytest.fixture(scope="module")
def fitted():
    frame, schema = cube.flights()
    exact = cube.ExactCube.build(frame, schema)
    start = time.perf_counter()
    return cube.fit(exact), time.perf_counter() - start


def test_fit_flights(table, fitted, tmp_path):
    model, spent = fitted
    exact, masks = model.exact, cube.random_masks(model.schema, 1000, 1_000_000)
    truth = exact.query_many(masks)
    error, base = (relative_error(each, truth) for each in (model.query_many(masks), model.independence(masks)))
    file = model.save(tmp_path / "flights.cube.npz").stat().st_size
    case = "flights, 7 attributes, 320,960 rows"
    table.add(case, "cube.fit, 10,000 queries", spent)
    table.note(case, f"RAE on 1,000 fresh queries {error:.4f}, independence {base:.4f}")
    table.note(
        case, f"file {size(file)}; exact cube {size(exact.sparse_bytes)} sparse, {size(exact.dense_bytes)} dense"
    )


def test_inversion(table, measure, fitted):
    """From no filter to a bar that some brush, unknown to the search, is known to have."""
    model, _ = fitted
    case = "model.invert, flights, 64 starts"
    try:
        model.invert({("hour", 8): 1000.0}, starts=2)
    except (ImportError, NotImplementedError) as error:
        pytest.skip(f"no inversion: {error}")
    brushes = cube.random_queries(model.schema, 20, 7, [name for name in model.schema.names if name != "hour"])
    wanted = [{("hour", 8): float(model.exact.views(brush)["hour"][8])} for brush in brushes]
    spent = [seconds(lambda each=each: model.invert(each, starts=64)) for each in wanted]
    best = [model.invert(each, starts=64)[0] for each in wanted]
    missed = [abs(model.exact.views(b.query)["hour"][8] - w["hour", 8]) for b, w in zip(best, wanted, strict=True)]
    hits = sum(miss <= max(0.5, 0.01 * each["hour", 8]) for miss, each in zip(missed, wanted, strict=True))
    table.add(case, "one bar of 20 random brushes, median", float(np.median(spent)))
    table.note(case, f"{hits} of 20 found: exactly within 1% or half a row")
    half = {("hour", 8): 0.5 * float(model.exact.views()["hour"][8])}
    measure(case, "one bar to half its height", lambda: model.invert(half, starts=64), 5, 1)
