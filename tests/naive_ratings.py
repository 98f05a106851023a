"""The slow oracle of ratings: ridge equations written out densely, neighbours one pair at a time."""

import numpy as np


def biases(users, items, ratings, shape, strength):
    """Mean and biases from the normal equations of one large ridge regression."""
    design = np.zeros((len(ratings), sum(shape)))
    for row, (user, item) in enumerate(zip(users, items, strict=True)):
        if user >= 0:
            design[row, user] = 1
        if item >= 0:
            design[row, shape[0] + item] = 1
    left = ratings - ratings.mean()
    found = np.linalg.solve(design.T @ design + strength * np.eye(sum(shape)), design.T @ left)
    return ratings.mean(), found[: shape[0]], found[shape[0] :]


def solved(users, items, left, fixed, strength, count):
    """One side's factors, each by a dense solve."""
    found = np.zeros((count, fixed.shape[1]))
    for user in range(count):
        mine = [row for row in range(len(left)) if users[row] == user]
        if mine:
            F = np.array([fixed[items[row]] for row in mine])
            found[user] = np.linalg.solve(F.T @ F + strength * np.eye(F.shape[1]), F.T @ left[mine])
    return found


def objective(users, items, left, P, Q, strength):
    errors = [left[row] - P[users[row]] @ Q[items[row]] for row in range(len(left))]
    return float(np.sum(np.square(errors)) + strength * ((P**2).sum() + (Q**2).sum()))


def near(table, user, item, count, shrink):
    """What the most similar users say of an item; `table` (users, items) with NaN where there is no rating."""
    said = []
    for other in range(len(table)):
        if other == user or np.isnan(table[other, item]):
            continue
        common = ~np.isnan(table[user]) & ~np.isnan(table[other])
        lengths = np.sqrt(np.nansum(table[user] ** 2) * np.nansum(table[other] ** 2))
        if lengths > 0:
            cosine = (table[user, common] * table[other, common]).sum() / lengths
            said.append((cosine * common.sum() / (common.sum() + shrink), table[other, item]))
    said = sorted((one for one in said if one[0] > 0), reverse=True)[:count]
    total = sum(weight for weight, _ in said)
    return sum(weight * value for weight, value in said) / total if said else 0.0
