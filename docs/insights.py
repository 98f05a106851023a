"""Do RNNbow's published insights show on real C code? Trains, measures, prints a table, and makes README's pictures.

python docs/insights.py [--steps 40000] [--out docs]
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path

import holoviews as hv
import numpy as np
import pandas as pd
from browse import save

import learnviews as lv
from learnviews.kernels import rnn

hv.extension("bokeh", logo=False)
LENGTH, PROBES = 25, 40
EARLY, EVERY = (25, 50, 100, 200, 300, 500, 750, 1000), 1000  # steps at which the horizon is measured


def train(path: Path, steps: int, initial: str, seed: int = 0) -> tuple[rnn.Trainer, pd.DataFrame]:
    """Train on the embedded C code with a recording, and probe the net's horizon now and then."""
    corpus = rnn.Corpus.embedded()
    symbols = len(corpus.symbols)
    net = rnn.RecurrentNet("tanh", symbols, 100, symbols, rng=seed, initial=initial)
    trainer = rnn.Trainer(net, corpus, length=LENGTH, record=rnn.Recording.create(path, net, corpus), every=20)
    rows = [probe(trainer)]
    for step in [*(s for s in EARLY if s < steps), *range(EARLY[-1] + EVERY, steps + 1, EVERY)]:
        trainer.run(step - trainer.step)
        rows.append(probe(trainer))
    trainer.record.close()
    return trainer, pd.DataFrame(rows)


def probe(trainer: rnn.Trainer) -> dict[str, float]:
    """All lags over the same windows of text each time: how far back does a loss reach now?"""
    tokens = trainer.corpus.tokens
    starts = np.linspace(0, len(tokens) - 3 * LENGTH - 1, PROBES).astype(int)
    warm = np.stack([tokens[s : s + LENGTH] for s in starts], axis=1)
    late = np.stack([tokens[s + LENGTH : s + 3 * LENGTH + 1] for s in starts], axis=1)
    _, _, state = rnn.bptt(trainer.net, warm, np.roll(warm, -1, axis=0))
    flow = rnn.itemize(trainer.net, late[:-1], late[1:], lags=None, state=state)
    horizon = flow.horizon(0.95)[:LENGTH].astype(float)  # steps with at least LENGTH later losses
    return {
        "step": trainer.step,
        "bits": trainer.bits,
        "mean_lag": float(rnn.mean_lag(flow.norm[:LENGTH, :LENGTH])),
        "horizon": float(np.median(horizon)),
        "horizon_90": float(np.quantile(horizon, 0.9)),
    }


def table(overview: pd.DataFrame, probes: pd.DataFrame) -> pd.DataFrame:
    """Means over stretches of training."""
    edges = [0, 100, 500, 1000, 2000, 5000, 10_000, 20_000, overview["step"].max() + 1]
    rows = []
    for first, last in pairwise(edges):
        part = overview[(overview["step"] >= first) & (overview["step"] < last)]
        at = probes[(probes["step"] >= first) & (probes["step"] < last)]
        rows.append(
            {
                "steps": f"{first:,} to {last - 1:,}",
                "largest bar": part["max_gradient"].mean(),
                "mean lag (6 lags)": part["mean_lag"].mean(),
                "bits per character": part["loss"].mean() / np.log(2),
                "95% horizon, median": at["horizon"].mean(),
                "95% horizon, 9 of 10": at["horizon_90"].mean(),
            }
        )
    return pd.DataFrame(rows).set_index("steps")


def picture(overview: pd.DataFrame, probes: pd.DataFrame, title: str) -> hv.Layout:
    """Largest bar, mean lag and horizon over training, on a log axis: most of it happens early."""
    overview, probes = (frame.assign(step=frame["step"] + 1) for frame in (overview, probes))
    smooth = overview.rolling(9, min_periods=1, center=True).median()
    size = {"width": 430, "height": 240, "show_grid": True, "logx": True, "xlim": (1, None), "xlabel": "training step"}

    def course(column: str) -> hv.Overlay:
        dots = hv.Scatter(overview, "step", column).opts(color="#B8C4BE", size=2)
        return dots * hv.Curve(smooth, "step", column).opts(color="#00441b", line_width=2)

    far = hv.Curve(probes, "step", "horizon", label="median step").opts(color="#0072B2", line_width=2)
    far *= hv.Curve(probes, "step", "horizon_90", label="9 of 10 steps").opts(color="#D55E00", line_width=2)
    return hv.Layout(
        [
            course("max_gradient").opts(ylabel="nats per unit weight", title="Largest bar of a batch", **size),
            course("mean_lag").opts(ylabel="steps", title="Mean lag of the gradient (6 lags)", **size),
            far.opts(ylabel="characters", title="95% horizon (all lags)", legend_position="top_left", **size),
        ]
    ).opts(title=title, shared_axes=False, toolbar=None)


def flows(path: Path, batches: list[int]) -> hv.Layout:
    """Gradient flow of an early and a late batch."""
    with rnn.Recording.open(path) as recording:
        views = [
            lv.GradientFlow.from_flow(recording[i]).opts(
                width=630, height=260, responsive=False, title=f"training step {recording[i].step:,}"
            )
            for i in batches
        ]
    return hv.Layout(views).opts(shared_axes=False, toolbar=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for initial in ("small", "uniform"):
            path = Path(folder) / f"{initial}.rnnbow"
            trainer, probes = train(path, arguments.steps, initial)
            with rnn.Recording.open(path) as recording:
                overview = recording.overview()
            print(f"\n{trainer.corpus}, initial={initial!r}: {trainer.bits:.2f} bits per character at the end")
            print(table(overview, probes).round(3).to_string())
            if initial == "small":
                named = picture(overview, probes, "One tanh layer, 100 units, C headers")
                save(named, arguments.out / "insights.png", 1320, 280)
                save(flows(path, [2, len(overview) - 300]), arguments.out / "early-late.png", 1320, 280)


if __name__ == "__main__":
    main()
