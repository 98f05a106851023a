"""The slow oracle: nets, BPTT and itemized gradients as the formulas read, one cell and one outer product at a time.

Nothing of the kernels is used but the weights of a net. Everything is float64. Letters as in the paper: loss step t,
state step s, lag k = t - s, sequence b, error d_{t->s} = dL_t/dz_s, and G_{t,s} what loss t adds to dL/dparameter
through step s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

CELLS = {"tanh": np.tanh, "relu": lambda z: np.where(z > 0, z, 0.0)}
SLOPES = {"tanh": lambda h: 1 - h**2, "relu": lambda h: np.where(h > 0, 1.0, 0.0)}


@dataclass
class Pass:
    """What happened going forward."""

    weights: dict[str, np.ndarray]
    cell: str
    u: np.ndarray  # (T, B, I) what weight_ih was multiplied with: floats, embedded tokens, or one-hot tokens
    h: np.ndarray  # (T+1, B, H) h[0] is the state before the first step
    p: np.ndarray  # (T, B, O)
    y: np.ndarray  # (T, B)
    mask: np.ndarray  # (T, B)
    loss: np.ndarray  # (T, B)


@dataclass
class Items:
    """Itemized gradients of one parameter."""

    norm: np.ndarray  # (T, K, B)
    beyond: np.ndarray  # (T, B)
    share: np.ndarray  # (T, K, B)
    share_beyond: np.ndarray  # (T, B)
    total: float
    gradient: np.ndarray  # the sum of all cells


def forward(net: Any, x: Any, y: Any, state: Any = None, mask: Any = None) -> Pass:
    """Run the net step by step."""
    w = {name: np.asarray(value, np.float64) for name, value in net.parameters.items()}
    y = np.asarray(y)
    T, B = y.shape
    H, V = net.hidden, w["decoder.weight"]
    u = inputs(w, x, net.inputs)
    mask = np.ones((T, B)) if mask is None else np.asarray(mask, np.float64)
    h, p, loss = np.zeros((T + 1, B, H)), np.zeros((T, B, len(V))), np.zeros((T, B))
    if state is not None:
        h[0] = np.asarray(state, np.float64).reshape(B, H)
    for b in range(B):
        for t in range(T):
            z = w["weight_hh_l0"] @ h[t, b] + w["bias_hh_l0"] + w["weight_ih_l0"] @ u[t, b] + w["bias_ih_l0"]
            h[t + 1, b] = CELLS[net.cell.name](z)
            logits = V @ h[t + 1, b] + w["decoder.bias"]
            e = np.exp(logits - logits.max())
            p[t, b] = e / e.sum()
            loss[t, b] = mask[t, b] * (np.log(e.sum()) - (logits[y[t, b]] - logits.max()))
    return Pass(w, net.cell.name, u, h, p, y, mask, loss)


def inputs(w: dict[str, np.ndarray], x: Any, symbols: int) -> np.ndarray:
    """What weight_ih is multiplied with at each step."""
    x = np.asarray(x)
    if x.ndim == 3:
        return x.astype(np.float64)
    table = w["embedding.weight"] if "embedding.weight" in w else np.eye(symbols)
    return np.array([[table[token] for token in row] for row in x])


def own_error(run: Pass, t: int, b: int) -> np.ndarray:
    """dL_t/dh_t through the read-out of step t."""
    return run.weights["decoder.weight"].T @ logit_error(run, t, b)


def logit_error(run: Pass, t: int, b: int) -> np.ndarray:
    """dL_t/dlogits = mask (p - onehot(y))."""
    onehot = np.eye(run.p.shape[2])[run.y[t, b]]
    return run.mask[t, b] * (run.p[t, b] - onehot)


def slope(run: Pass, t: int, b: int) -> np.ndarray:
    """dh_t/dz_t."""
    return SLOPES[run.cell](run.h[t + 1, b])


def bptt(net: Any, x: Any, y: Any, state: Any = None, mask: Any = None) -> tuple[float, dict, np.ndarray]:
    """Loss, gradients and last state by ordinary back-propagation through time, sequence by sequence."""
    run = forward(net, x, y, state, mask)
    w = run.weights
    grads = {name: np.zeros_like(value) for name, value in w.items()}
    T, B = run.loss.shape
    for b in range(B):
        d_after = np.zeros(net.hidden)
        for t in reversed(range(T)):
            d = slope(run, t, b) * (own_error(run, t, b) + w["weight_hh_l0"].T @ d_after)
            grads["weight_hh_l0"] += np.outer(d, run.h[t, b])
            grads["weight_ih_l0"] += np.outer(d, run.u[t, b])
            grads["bias_hh_l0"] += d
            grads["bias_ih_l0"] += d
            grads["decoder.weight"] += np.outer(logit_error(run, t, b), run.h[t + 1, b])
            grads["decoder.bias"] += logit_error(run, t, b)
            if "embedding.weight" in w:
                grads["embedding.weight"][x[t, b]] += w["weight_ih_l0"].T @ d
            d_after = d
    return float(run.loss.sum()), grads, run.h[-1:]


def errors(run: Pass) -> np.ndarray:
    """(T, T, B, H): element [t, s, b] is d_{t->s}; 0 for s > t."""
    T, B = run.loss.shape
    W = run.weights["weight_hh_l0"]
    d = np.zeros((T, T, B, len(W)))
    for b in range(B):
        for t in range(T):
            d[t, t, b] = slope(run, t, b) * own_error(run, t, b)
            for s in reversed(range(t)):
                d[t, s, b] = slope(run, s, b) * (W.T @ d[t, s + 1, b])
    return d


def cell_gradient(run: Pass, d: np.ndarray, s: int, b: int, parameter: str) -> np.ndarray:
    """The explicit gradient of one cell: an outer product, or the error itself for a bias."""
    if parameter == "weight_hh_l0":
        return np.outer(d, run.h[s, b])
    if parameter == "weight_ih_l0":
        return np.outer(d, run.u[s, b])
    return d


def cells(run: Pass, parameter: str = "weight_hh_l0") -> np.ndarray:
    """(T, T, B, *shape of the parameter): element [s, k, b] is G_{s+k,s}, every matrix of it; 0 where s+k >= T."""
    d = errors(run)
    T, B = run.loss.shape
    G = np.zeros((T, T, B, *run.weights[parameter].shape))
    for s in range(T):
        for k in range(T - s):
            for b in range(B):
                G[s, k, b] = cell_gradient(run, d[s + k, s, b], s, b, parameter)
    return G


def itemize(
    net: Any, x: Any, y: Any, lags: int, parameter: str = "weight_hh_l0", state: Any = None, mask: Any = None
) -> Items:
    """Norms, the norm of the sum of what is not kept, and shares, from the explicit matrices."""
    G = cells(forward(net, x, y, state, mask), parameter)
    gradient = G.sum(axis=(0, 1, 2))
    T, B = G.shape[0], G.shape[2]
    norm, share = np.zeros((T, lags, B)), np.zeros((T, lags, B))
    beyond, share_beyond = np.zeros((T, B)), np.zeros((T, B))
    for s in range(T):
        for b in range(B):
            for k in range(lags):
                norm[s, k, b] = np.linalg.norm(G[s, k, b])
                share[s, k, b] = np.sum(G[s, k, b] * gradient)
            dropped = G[s, lags:, b].sum(axis=0)
            beyond[s, b] = np.linalg.norm(dropped)
            share_beyond[s, b] = np.sum(dropped * gradient)
    return Items(norm, beyond, share, share_beyond, float(np.sum(gradient**2)), gradient)


def horizon(
    net: Any, x: Any, y: Any, lags: int, fraction: float = 0.95, state: Any = None, mask: Any = None
) -> np.ndarray:
    """(T, B): smallest m from which on |d_s - sum of the first m lags| <= (1 - fraction) |d_s|; -1 if no m <= lags."""
    d = errors(forward(net, x, y, state, mask))
    T, B = d.shape[0], d.shape[2]
    return np.array([[_horizon(d[s:, s, b], lags, 1 - fraction) for b in range(B)] for s in range(T)])


def _horizon(ahead: np.ndarray, lags: int, miss: float) -> int:
    """`ahead` (lags to the sequence's end, H): the errors that the losses s, s+1, ... cause at step s."""
    whole = ahead.sum(axis=0)
    good = [bool(np.linalg.norm(ahead[m:].sum(axis=0)) <= miss * np.linalg.norm(whole)) for m in range(lags + 1)]
    return next((m for m in range(lags + 1) if all(good[m:])), -1)


def mean_lag(norm: np.ndarray) -> float:
    """Mean lag weighted by norm over the steps whose losses all exist; nan without any weight."""
    T, K, B = norm.shape
    weight = moment = 0.0
    for s in range(T - K + 1):
        for k in range(K):
            for b in range(B):
                weight += norm[s, k, b]
                moment += k * norm[s, k, b]
    return moment / weight if weight else float("nan")


def central_differences(loss: Any, flat: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Gradient of `loss()` with respect to the array it reads, which is changed in place and put back."""
    gradient = np.zeros_like(flat)
    for i, value in enumerate(flat.copy()):
        flat[i] = value + step
        above = loss()
        flat[i] = value - step
        gradient[i] = (above - loss()) / (2 * step)
        flat[i] = value
    return gradient


def bin_of_number(value: float, edges: Any, clamp: bool = False, missing: int = -2) -> int:
    """Half-open bins, the last one closed."""
    n = len(edges) - 1
    if value != value:
        return missing
    for i in range(n):
        if edges[i] <= value < edges[i + 1] or (i == n - 1 and value == edges[n]):
            return i
    return (0 if value < edges[0] else n - 1) if clamp else -1


def bin_of_whole(value: Any, low: int, high: int, missing: int = -2) -> int:
    """A bin per whole number; None and nan are missing."""
    if value is None or value != value:
        return missing
    return int(value) - low if low <= value <= high and value == int(value) else -1


def calendar_part(instant: Any, part: str) -> int:
    """Of a datetime, by Python's own calendar."""
    parts = {"weekday": instant.weekday(), "quarter": (instant.month + 2) // 3}
    return parts[part] if part in parts else getattr(instant, part)


def bin_of_instant(instant: Any, starts: Any) -> int:
    """Interval of a datetime between the starts of intervals, the last of which is where they end."""
    for i in range(len(starts) - 1):
        if starts[i] <= instant < starts[i + 1]:
            return i
    return -1


def mask_of_range(bounds: Any, shape: tuple[int, ...], missing: bool) -> list[bool]:
    """Half-open ranges per axis; missing values are in where everything else is."""
    places = [[bounds[2 * axis] <= i < bounds[2 * axis + 1] for i in range(size)] for axis, size in enumerate(shape)]
    cells = places[0] if len(shape) == 1 else [x and y for x in places[0] for y in places[1]]
    return cells + [all(cells)] * missing


# -- cubes: row by row


def cube_cells(codes: Any, values: Any = ()) -> dict[tuple[int, ...], list]:
    """By cell (its codes): [count, [sum, squares, present values] of each measure], of rows with no negative code."""
    cells: dict[tuple[int, ...], list] = {}
    for i, cell in enumerate(zip(*(np.asarray(code).tolist() for code in codes), strict=True)):
        if min(cell) < 0:
            continue
        held = cells.setdefault(cell, [0, *([0.0, 0.0, 0] for _ in values)])
        held[0] += 1
        for k, column in enumerate(values):
            if not np.isnan(column[i]):
                held[1 + k][0] += column[i]
                held[1 + k][1] += column[i] ** 2
                held[1 + k][2] += 1
    return cells


def cube_views(codes: Any, sizes: Any, mask: Any, weights: Any = None) -> np.ndarray:
    """Crossfilter: answers (bins,) to one query's mask (bins,), a view ignoring its own filter."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    answers = np.zeros(offsets[-1])
    for i, cell in enumerate(zip(*(np.asarray(code).tolist() for code in codes), strict=True)):
        if min(cell) < 0:
            continue
        passes = [bool(mask[offsets[a] + code]) for a, code in enumerate(cell)]
        for a, code in enumerate(cell):
            if all(passes[:a] + passes[a + 1 :]):
                answers[offsets[a] + code] += 1 if weights is None else weights[i]
    return answers


def cube_total(codes: Any, sizes: Any, mask: Any, weights: Any = None) -> float:
    """The rows (or their weights) that pass all filters."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    total = 0.0
    for i, cell in enumerate(zip(*(np.asarray(code).tolist() for code in codes), strict=True)):
        if min(cell) >= 0 and all(mask[offsets[a] + code] for a, code in enumerate(cell)):
            total += 1 if weights is None else weights[i]
    return total


# -- surrogates: cell by cell, and bar by bar


def product_views(factors: Any, mask: Any) -> tuple[np.ndarray, float]:
    """Answers to one query's mask (soft or not) and their total; a cell holds sum_r prod_a factors[a][code_a, r]."""
    sizes = [len(E) for E in factors]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    answers, total = np.zeros(offsets[-1]), 0.0
    for cell in np.ndindex(*sizes):
        held = sum(np.prod([E[i, r] for E, i in zip(factors, cell, strict=True)]) for r in range(factors[0].shape[1]))
        passes = [mask[offset + i] for offset, i in zip(offsets, cell, strict=False)]
        for a, i in enumerate(cell):
            answers[offsets[a] + i] += held * np.prod(passes[:a] + passes[a + 1 :])
        total += held * np.prod(passes)
    return answers, total


def mlp_answer(net: Any, mask: np.ndarray) -> float:
    """The net's answer to one query, layer by layer."""
    codes = []
    for branch, part in zip(net.branches, np.split(mask, net.offsets[1:-1]), strict=True):
        x = mlp_inputs(branch, part)
        for k in range(branch.read):
            x = _relu(x @ net.parameters[f"{branch.name}.{k}/W"] + net.parameters[f"{branch.name}.{k}/b"])
        codes.append(x)
    join = np.concatenate([net.parameters[f"join{a}"] for a in range(len(codes))])
    x = _relu(np.concatenate(codes) @ join + net.parameters["join/b"])
    layers = len(net.description["regressor"])
    for k in range(layers):
        x = x @ net.parameters[f"regressor{k}/W"] + net.parameters[f"regressor{k}/b"]
        x = x if k == layers - 1 else _relu(x)
    if net.base is None:
        return float(x[0])
    factors = [_all_factors(net.base, a) for a in range(len(net.sizes))]
    parts = zip(np.split(mask, net.offsets[1:-1]), factors, strict=True)
    return float(np.prod([part @ E for part, E in parts]) * np.exp(x[0]))


def _all_factors(base: Any, a: int) -> np.ndarray:
    """Factors (bins,) of one attribute of a net of rank 1, 0 where a bin is not kept."""
    start, stop = np.concatenate([[0], np.cumsum(base.sizes)])[a : a + 2]
    every = np.zeros(len(base.keep))
    every[base.keep] = np.asarray(base.factors(), np.float64)[:, 0]
    return every[start:stop]


def mlp_inputs(branch: Any, mask: np.ndarray) -> np.ndarray:
    """What a branch reads of its attribute's mask."""
    if not branch.axes:
        return mask
    nx, ny = branch.shape
    columns = [max(mask[ix * ny + iy] for iy in range(ny)) for ix in range(nx)]
    rows = [max(mask[ix * ny + iy] for ix in range(nx)) for iy in range(ny)]
    return np.array([*columns, *rows, *mask[nx * ny :]])


def mlp_bars(net: Any, mask: np.ndarray) -> list[np.ndarray]:
    """The queries of all bars: that view's filter is replaced by the bar's bin alone."""
    bars = []
    for start, stop in zip(net.offsets[:-1], net.offsets[1:], strict=True):
        for i in range(start, stop):
            bar = mask.copy()
            bar[start:stop] = 0
            bar[i] = 1
            bars.append(bar)
    return bars


def mlp_loss(net: Any, masks: np.ndarray, answers: np.ndarray, weight: float, halves: Any = None) -> float:
    """The description's losses, row by row; `halves` are the two parts that additivity cuts every query into."""
    loss, unit = net.description["loss"], weight * answers.shape[1] if net.description["loss"]["relative"] else 1.0
    rows = [bar for mask in masks for bar in mlp_bars(net, mask)]
    error = (np.array([mlp_answer(net, row) for row in rows]) - answers.ravel()) * unit
    value = loss["l1"] * np.mean(abs(error)) + loss["mse"] * np.mean(error**2)
    for branch, start, stop in zip(net.branches, net.offsets[:-1], net.offsets[1:], strict=True):
        if branch.decoder and loss["autoencoder"]:
            entropies = [_cross_entropy(net, branch, mlp_inputs(branch, row[start:stop])) for row in rows]
            value += loss["autoencoder"] * np.mean(entropies)
    if loss["additivity"]:
        misses = []
        for left, right, mask, truth in zip(*halves, masks, answers, strict=True):
            total = sum(m * y for m, y in zip(mask[: net.sizes[0]], truth[: net.sizes[0]], strict=True))
            misses.append((mlp_answer(net, left) + mlp_answer(net, right) - total) * unit)
        value += loss["additivity"] * np.mean(np.square(misses))
    return float(value)


def _cross_entropy(net: Any, branch: Any, x: np.ndarray) -> float:
    z = x
    for k in range(len(branch.widths) - 1):
        z = z @ net.parameters[f"{branch.name}.{k}/W"] + net.parameters[f"{branch.name}.{k}/b"]
        z = z if k == len(branch.widths) - 2 else _relu(z)
    p = 1 / (1 + np.exp(-z))
    return float(np.mean(-x * np.log(p) - (1 - x) * np.log(1 - p)))


def _relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.0)


# -- columns in bins


def bin_counts(codes: Any, rows: Any, sizes: Any) -> list[list[int]]:
    """Per column, how many of `rows` are in each of its bins; codes (rows, columns)."""
    counts = [[0] * size for size in sizes]
    for row in rows:
        for column, size in enumerate(sizes):
            assert codes[row][column] < size
            counts[column][codes[row][column]] += 1
    return counts


def confusion_counts(truth: Any, prediction: Any, classes: Any) -> list[list[int]]:
    """[truth][prediction], in the order of `classes`."""
    pairs = list(zip(truth, prediction, strict=True))
    return [[pairs.count((true, said)) for said in classes] for true in classes]


def residual_bars(pairs: Any, marks: Any) -> list[tuple[float, ...]]:
    """Per bar least, largest, count, mean truth and mean prediction; pairs (truth, prediction) are in order."""
    bars = []
    for mark in sorted(set(marks)):
        mine = [pair for pair, where in zip(pairs, marks, strict=True) if where == mark]
        off = [said - true for true, said in mine]
        means = [sum(pair[side] for pair in mine) / len(mine) for side in (0, 1)]
        bars.append((min(off), max(off), len(mine), *means))
    return bars


def cut_counts(positive: Any, chances: Any, cutoff: float) -> tuple[int, int, int, int]:
    """Hits, false alarms, misses, rejections, row by row."""
    hits = false_alarms = misses = rejections = 0
    for true, chance in zip(positive, chances, strict=True):
        if chance != chance:
            continue
        hits += true and chance >= cutoff
        false_alarms += (not true) and chance >= cutoff
        misses += true and chance < cutoff
        rejections += (not true) and chance < cutoff
    return hits, false_alarms, misses, rejections
