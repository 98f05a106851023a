"""Training a recurrent net on a corpus, with itemized gradients recorded on the way."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..optimizers import DivergedError, Optimizer, optimizer
from ..progress import Progress
from ..store import StoreError
from .corpus import Corpus
from .flow import check_lags, itemize_run
from .inside import itemize_inside
from .net import RecurrentNet
from .planes import STATES
from .recording import Recording
from .sample import sample
from .unroll import Errors, Run, errors, forward, gradients
from .views import flow_of, split

SNAPSHOT_SECONDS = 20.0  # at most this much work is lost to a killed process
SMOOTHING = 0.999  # of the running loss, per step


class Trainer:
    """Trains `net` on `corpus`, sequence by sequence, state carried from batch to batch.

    The corpus is cut into `batch` streams of equal length that are read side by side, `length` characters per step.
    At the streams' end reading starts over with an empty state.

    Parameters
    ----------
    net : RecurrentNet
        Changed in place. On whichever device its arrays are.
    corpus : Corpus
        At least ``batch * (length + 1)`` characters.
    length, batch : int
        Characters per sequence, sequences per step.
    optimizer : "sgd", "adagrad", "adam" or an Optimizer
        By name with a learning rate of 0.1, 0.1 or 0.002.
    clip : float or None
        Every element of the gradient is clipped to [-clip, clip], as min-char-rnn does.
    record : Recording, optional
        Every `every`-th step is recorded in it, the first one included.
    snapshot_every : int
        Steps between snapshots of the weights that are kept. Further ones, for resuming, replace each other.
    rng : int or Generator
        For `sample`.
    """

    def __init__(
        self,
        net: RecurrentNet,
        corpus: Corpus,
        length: int = 25,
        batch: int = 1,
        optimizer: str | Optimizer = "adagrad",
        record: Recording | None = None,
        every: int = 100,
        *,
        clip: float | None = 5.0,
        snapshot_every: int = 10_000,
        rng: int | np.random.Generator | None = 0,
    ) -> None:
        for name, value in (("length", length), ("batch", batch), ("every", every), ("snapshot_every", snapshot_every)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if clip is not None and not clip > 0:
            raise ValueError(f"clip must be a positive number or None, got {clip!r}")
        if net.inputs != len(corpus.symbols) or net.outputs != len(corpus.symbols):
            raise ValueError(
                f"the corpus has {len(corpus.symbols)} symbols; the net takes {net.inputs} and gives {net.outputs}"
            )
        stream = len(corpus) // batch
        if stream < length + 1:
            raise ValueError(
                f"corpus {corpus.name!r} has {len(corpus)} characters; {batch} sequences of length {length} need "
                f"at least {batch * (length + 1)}"
            )
        self.net, self.corpus, self.length, self.batch = net, corpus, int(length), int(batch)
        self.optimizer = _optimizer(optimizer)
        self.record, self.every, self.clip, self.snapshot_every = record, int(every), clip, int(snapshot_every)
        self.rng = np.random.default_rng(rng)
        xp = array_namespace(net.flat)
        self._streams = xp.asarray(corpus.tokens[: stream * batch].reshape(batch, stream).astype(np.intp))
        self.step, self.position = 0, 0
        self.state = _in_public_form(
            tuple(xp.zeros((len(net.strands), self.batch, net.hidden), net.dtype) for _ in range(net.cell.states))
        )
        self.loss = math.log(len(corpus.symbols))  # running mean, nats per symbol; starts at that of guessing
        self._snapshot_time = time.monotonic()
        if record is not None:
            _check_recording(record, net)
            check_lags(record.settings["lags"], self.length)
            record.set_settings(**self._settings())

    @classmethod
    def resume(cls, recording: Recording) -> Trainer:
        """Go on with a recording (opened with `write=True`) from its last snapshot, as if it had never stopped.

        Batches recorded after that snapshot are dropped first; they come again.

        Raises
        ------
        LookupError
            If the recording holds no snapshot.
        """
        if recording.settings["source"] != "trainer":
            raise ValueError(
                f"{recording.path}: of a PyTorch training loop; go on with it by TorchRecorder(resume=True)"
            )
        net = recording.net()
        settings = dict(recording.settings["trainer"])
        step, state, arrays = recording.snapshot()  # type: ignore[misc]
        recording.forget_after(step)
        trainer = cls(
            net,
            recording.corpus(),
            optimizer=optimizer(**settings.pop("optimizer")),
            record=recording,
            **settings,
        )
        trainer._restore(step, state, arrays)
        return trainer

    @property
    def bits(self) -> float:
        """Running loss in bits per symbol."""
        return self.loss / math.log(2)

    def run(self, steps: int, progress: Progress | None = None) -> Trainer:
        """Train for `steps` more steps, or until `progress` is cancelled; then leave a snapshot.

        Raises
        ------
        DivergedError
            If loss or gradient stop being finite. Weights are those before that step; what was recorded is kept.
        """
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
            raise ValueError(f"steps must be a whole number of at least 0, got {steps!r}")
        progress = progress or Progress()
        progress.start(steps)
        if self.step == 0:
            self.snapshot()  # so that a run killed early can go on too
        try:
            for done in range(1, steps + 1):
                if progress.cancelled:
                    break
                self._one_step()
                self._maybe_snapshot()
                progress.update(done, lambda: f"{self.bits:.2f} bits/char")
        except BaseException:
            if self.record is not None:
                with contextlib.suppress(StoreError):  # the error that is under way says more
                    self.record.commit()
            raise
        self.snapshot()
        return self

    def sample(self, length: int = 200, prime: str = "", temperature: float = 1.0) -> str:
        """Text that the net writes as it is now; see `rnn.sample`."""
        return sample(self.net, self.corpus, length, prime=prime, temperature=temperature, rng=self.rng)

    def snapshot(self) -> None:
        """Write what resuming needs, if there is a recording."""
        if self.record is None:
            return
        keep = self.step % self.snapshot_every == 0
        arrays = {"weights": self.net.flat, **dict(zip(STATES, _parts(self.state), strict=False))}
        arrays |= {f"optimizer/{name}": array for name, array in self.optimizer.memory.items()}
        state = {
            "position": self.position,
            "loss": self.loss,
            "optimizer_steps": self.optimizer.steps,
            "rng": _plain(self.rng.bit_generator.state),
        }
        self.record.add_snapshot(self.step, state, arrays, keep)
        self._snapshot_time = time.monotonic()

    def _one_step(self) -> None:
        xp = array_namespace(self.net.flat)
        window = self._streams[:, self.position : self.position + self.length + 1]
        x, y = xp.ascontiguousarray(window[:, :-1].T), xp.ascontiguousarray(window[:, 1:].T)
        try:
            run = forward(self.net, x, y, _parts(self.state), None)
        except FloatingPointError as error:
            raise DivergedError(f"training diverged at step {self.step}: {error}") from error
        own, total = errors(self.net, run)
        grads = gradients(self.net, run, total)
        flat = _flat(grads)
        if not math.isfinite(float(xp.abs(flat).max())):
            raise DivergedError(f"training diverged at step {self.step}: the gradient holds NaN or Inf")
        if self.record is not None and self.step % self.every == 0:
            self._write(self.record, run, own, total, grads)
        if self.clip is not None:
            xp.clip(flat, -self.clip, self.clip, out=flat)
        self.optimizer.step({"net": self.net.flat}, {"net": flat})
        mean = float(run.loss.sum()) / run.loss.size
        self.loss += (1 - SMOOTHING) * (mean - self.loss)
        self._go_on(run.state)

    def _write(self, record: Recording, run: Run, own: list[Any], total: Errors, grads: dict[str, Any]) -> None:
        settings, inside = record.settings, None
        parameter, lags = settings["parameter"], settings["lags"]
        if settings["inside"]:
            inside = itemize_inside(self.net, run, own, total, lags, grads)
            flow = flow_of(self.net.cell, run, inside[self.net.strands.index(split(parameter)[1])], parameter)
        else:
            flow = itemize_run(self.net, run, own, total, lags, parameter, True, grads)
        record.append(self.step, self.position, run, flow, self.state, inside)

    def _go_on(self, state: Any) -> None:
        """To the next window, or back to the start where the streams have none left."""
        self.step += 1
        self.position += self.length
        over = self.position + self.length + 1 > self._streams.shape[1]
        if over:
            self.position = 0
        for part in _parts(state):
            if over:
                part[...] = 0
            elif self.net.bidirectional:
                part[1::2] = 0  # a backward direction starts at the window's end
        self.state = state

    def _maybe_snapshot(self) -> None:
        due = time.monotonic() - self._snapshot_time > SNAPSHOT_SECONDS
        if self.record is not None and (due or self.step % self.snapshot_every == 0):
            self.snapshot()

    def _restore(self, step: int, state: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.step, self.position, self.loss = step, state["position"], state["loss"]
        self.state = _in_public_form(tuple(arrays[name] for name in STATES[: self.net.cell.states]))
        self.optimizer.steps = state["optimizer_steps"]
        self.optimizer.memory = {
            name.removeprefix("optimizer/"): array for name, array in arrays.items() if name.startswith("optimizer/")
        }
        self.rng = np.random.Generator(getattr(np.random, state["rng"]["bit_generator"])())
        self.rng.bit_generator.state = state["rng"]

    def _settings(self) -> dict[str, Any]:
        return {
            "trainer": {
                "length": self.length,
                "batch": self.batch,
                "optimizer": self.optimizer.settings(),
                "every": self.every,
                "clip": self.clip,
                "snapshot_every": self.snapshot_every,
            }
        }


def _check_recording(record: Recording, net: RecurrentNet) -> None:
    own = {"cell": net.cell.name, "hidden": net.hidden, "embedding": net.embedding, "dtype": net.dtype.name}
    own |= {"layers": net.layers, "bidirectional": net.bidirectional, "decoder": net.decoder}
    for name, value in own.items():
        if record.settings[name] != value:
            raise ValueError(
                f"{record.path}: this recording was made for a net with {name} {record.settings[name]!r}, "
                f"the net to train has {value!r}"
            )


def _parts(state: Any) -> tuple[Any, ...]:
    """The state as a tuple of arrays: (h,), or (h, c) of an LSTM."""
    return state if isinstance(state, tuple) else (state,)


def _in_public_form(parts: tuple[Any, ...]) -> Any:
    return parts if len(parts) > 1 else parts[0]


def _plain(state: Any) -> Any:
    """A generator's state in JSON's terms: some hold arrays."""
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    return state.tolist() if hasattr(state, "tolist") else state


def _optimizer(given: str | Optimizer) -> Optimizer:
    if isinstance(given, Optimizer):
        return given
    rates = {"sgd": 0.1, "adagrad": 0.1, "adam": 0.002}
    if given not in rates:
        raise ValueError(f"optimizer must be one of {sorted(rates)} or an Optimizer, got {given!r}")
    return optimizer(given, rate=rates[given])


def _flat(grads: dict[str, Any]) -> Any:
    """The one array that all gradients are views of."""
    return next(iter(grads.values())).base
