"""A recorded training run again, to look at what was not recorded: training is deterministic."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..optimizers import optimizer
from ..progress import Progress
from .flow import Flow, itemize
from .recording import Recording
from .trainer import Trainer

SAME = 1e-3  # relative difference of losses up to which a replay shows the training that was recorded


class Replay:
    """Goes through the training of a recording again, in memory: from the nearest snapshot to the batch that is wanted.

    Nothing is written. Where it stopped last it goes on from there, so that batch after batch costs no more than
    training did. Not for several threads at once.

    Parameters
    ----------
    recording : Recording
        Made by a `Trainer`, with at least one snapshot.

    Raises
    ------
    LookupError
        If the recording was not made by a `Trainer` (one from a PyTorch training holds neither the data nor the
        optimizer), or holds no snapshot of the weights.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._trainer: Trainer | None = None
        settings = recording.settings
        if settings.get("source", "trainer") != "trainer" or "trainer" not in settings:
            raise LookupError(
                f"{recording.path}: recorded from a training outside of LearnViews, which cannot be run again"
            )
        if not len(recording.snapshots()):
            raise LookupError(f"{recording.path}: no snapshot of the weights to run the training again from")

    def trainer(self, step: int, progress: Progress | None = None) -> Trainer | None:
        """The trainer just before training step `step`, its net and state as they were then.

        Parameters
        ----------
        step : int
        progress : Progress, optional
            Counts training steps; can cancel.

        Returns
        -------
        Trainer or None
            None if it was cancelled. The next call goes on from there.

        Raises
        ------
        LookupError
            If there is no snapshot at or before `step`.
        """
        trainer = self._trainer = self._nearest(step)
        if trainer.step < step:
            trainer.run(step - trainer.step, progress)
        return trainer if trainer.step == step else None

    def itemize(
        self,
        number: int,
        parameter: str | None = None,
        gate: str | None = None,
        unit: int | str | None = None,
        lags: int | None = None,
        progress: Progress | None = None,
    ) -> Flow | None:
        """Itemize a recorded batch anew, with shares.

        Parameters
        ----------
        number : int
            Of the batch.
        parameter, gate, unit
            As for `itemize`; by default the recording's main parameter, whole.
        lags : int, optional
            As many as were recorded by default.
        progress : Progress, optional
            As for `trainer`.

        Returns
        -------
        Flow or None
            None if it was cancelled.

        Raises
        ------
        IndexError
            If there is no such batch.
        LookupError
            If there is no snapshot before it, or the training went another way this time: its losses differ from the
            recorded ones by more than a thousandth. That happens on other hardware, with another number of threads,
            or with another version of NumPy, long after the snapshot.
        ValueError
            As `itemize`.
        """
        recorded = self.recording[number]
        settings = self.recording.settings
        trainer = self.trainer(recorded.step, progress)
        if trainer is None:
            return None
        x, y = (np.asarray(tokens).astype(np.intp) for tokens in (recorded.inputs, recorded.targets))
        chosen = settings["parameter"] if parameter is None else parameter
        most = settings["lags"] if lags is None else lags
        flow = itemize(trainer.net, x, y, most, chosen, shares=True, state=trainer.state, unit=unit, gate=gate)
        self._compare(number, flow.loss, recorded.loss)
        return flow

    def _nearest(self, step: int) -> Trainer:
        """The trainer to start from: the one at hand, or the last snapshot's where that is nearer."""
        found = self.recording.snapshot(step)
        at_hand = self._trainer
        if at_hand is not None and at_hand.step <= step and (found is None or found[0] <= at_hand.step):
            return at_hand
        if found is None:
            raise LookupError(f"{self.recording.path}: no snapshot of the weights at or before step {step:,}")
        snapshot, state, arrays = found
        settings = dict(self.recording.settings["trainer"])
        rule = optimizer(**settings.pop("optimizer"))
        trainer = Trainer(self.recording.net(snapshot), self.recording.corpus(), optimizer=rule, **settings)
        trainer._restore(snapshot, state, arrays)
        return trainer

    def _compare(self, number: int, found: Any, recorded: np.ndarray) -> None:
        found = np.asarray(found, np.float64)
        if not np.allclose(found, recorded, rtol=SAME, atol=SAME * float(np.abs(recorded).mean())):
            raise LookupError(
                f"{self.recording.path}: run again from the last snapshot, batch {number} came out otherwise (mean "
                f"loss {found.mean():.4g}, recorded {recorded.mean():.4g}): another machine, or other versions"
            )
