"""Slow twins of the kernels of graphs: loops over nodes, sets of neighbours, dense matrices."""

from collections import deque
from itertools import combinations, product

import numpy as np


def neighbours(network):
    """A set per node, directions and loops left aside."""
    found = [set() for _ in range(len(network))]
    for u, v in network.ends:
        if u != v:
            found[u].add(int(v))
            found[v].add(int(u))
    return found


def successors(network):
    """A set per node of where its edges lead."""
    if not network.directed:
        return neighbours(network)
    found = [set() for _ in range(len(network))]
    for u, v in network.ends:
        if u != v:
            found[u].add(int(v))
    return found


def clustering(near):
    return np.array(
        [
            2 * sum(b in near[a] for a, b in combinations(each, 2)) / (len(each) * (len(each) - 1))
            if len(each) > 1
            else 0
            for each in near
        ]
    )


def core_numbers(near):
    found, left = np.zeros(len(near)), set(range(len(near)))
    for k in range(len(near)):
        while out := [node for node in left if len(near[node] & left) < k + 1]:
            found[out] = k
            left -= set(out)
    return found


def pagerank(after, damping=0.85):
    count = len(after)
    steps = np.zeros((count, count))
    for u, each in enumerate(after):
        for v in each or range(count):
            steps[v, u] = 1 / len(each or range(count))
    return np.linalg.solve(np.eye(count) - damping * steps, np.full(count, (1 - damping) / count))


def distances(near, start):
    found, line = {start: 0}, deque([start])
    while line:
        node = line.popleft()
        for each in near[node]:
            if each not in found:
                found[each] = found[node] + 1
                line.append(each)
    return found


def paths(near, u, v, length):
    """Shortest or not: walks of so many steps."""
    if length == 0:
        return int(u == v)
    return sum(paths(near, each, v, length - 1) for each in near[u])


def betweenness(near):
    """Over ordered pairs: the share of their shortest paths that go through a node."""
    count, found = len(near), np.zeros(len(near))
    far = [distances(near, node) for node in range(count)]
    for s, t in product(range(count), repeat=2):
        if s == t or t not in far[s]:
            continue
        whole = paths(near, s, t, far[s][t])
        for node in set(range(count)) - {s, t}:
            if node in far[s] and t in far[node] and far[s][node] + far[node][t] == far[s][t]:
                found[node] += paths(near, s, node, far[s][node]) * paths(near, node, t, far[node][t]) / whole
    return found


def link_scores(network, u, v):
    """One pair, in the order of `link_features.SCORES`."""
    near, after = neighbours(network), successors(network)
    both, either = near[u] & near[v], near[u] | near[v]
    degree = [len(each) for each in near]
    counts = [paths(near, u, v, length) for length in (3, 4)]
    far = distances(near, u).get(v, 99)
    walks = [weighed(near, u, v, length) * len(near) ** 0.5 for length in (2, 3, 4)]
    return [
        len(both),
        len(both) / max(len(either), 1),
        sum(1 / np.log(max(degree[each], 2)) for each in both),
        sum(1 / degree[each] for each in both),
        np.log1p(degree[u] * degree[v]),
        np.log1p(min(degree[u], degree[v])),
        np.log1p(max(degree[u], degree[v])),
        *np.log1p(counts),
        *walks,
        1 / far if 0 < far <= 4 else 0,
        float(v in after[u]),
        float(network.directed and u in after[v]),
    ]


def weighed(near, u, v, length):
    """Walks from u to v, each over the roots of the degrees it steps from and to."""
    if length == 0:
        return float(u == v)
    return sum(weighed(near, each, v, length - 1) / (len(near[u]) * len(near[each])) ** 0.5 for each in near[u])


def propagated(near, seeds, damping):
    """What label propagation ends at, by solving for it."""
    steps = np.zeros((len(near), len(near)))
    for u, each in enumerate(near):
        for v in each:
            steps[u, v] = 1 / len(each)
    found = np.linalg.solve(np.eye(len(near)) - damping * steps, (1 - damping) * seeds)
    whole = found.sum(axis=1, keepdims=True)
    return np.where(whole > 1e-9, found / np.where(whole > 1e-9, whole, 1), 0)


def modularity(weights, groups):
    strength, whole = weights.sum(axis=1), weights.sum()
    return sum(
        (weights[a, b] - strength[a] * strength[b] / whole) / whole
        for a, b in product(range(len(groups)), repeat=2)
        if groups[a] == groups[b]
    )


def block_likelihood(weights, groups, count):
    """Of the degree-corrected block model."""
    strength = weights.sum(axis=1)
    found = 0.0
    for r, s in product(range(count), repeat=2):
        ours, theirs = np.flatnonzero(groups == r), np.flatnonzero(groups == s)
        between = weights[np.ix_(ours, theirs)].sum()
        if between:
            found += between * np.log(between / (strength[ours].sum() * strength[theirs].sum()))
    return found


def agreement(near, others, seeds, u, v):
    """Known matches beside both nodes of a pair; and beside each of them."""
    both = sum(a in near[u] and b in others[v] for a, b in seeds)
    a, b = sum(a in near[u] for a, _ in seeds), sum(b in others[v] for _, b in seeds)
    return both, both / max(a, b, 1), both / max(len(near[u]) * len(others[v]), 1) ** 0.5, np.log1p(a), np.log1p(b)
