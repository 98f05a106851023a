"""Recording from somebody's own PyTorch training loop: hooks on the recurrent module, no change to the model."""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from ..one_thread import one_blas_thread
from ..store import StoreError
from .net import RecurrentNet
from .planes import STATES
from .recording import Recording
from .seeded import itemize_measured
from .torch_batch import filled, filled_inside, known_of
from .torch_parts import net_of, recurrent_module, refresh, unwrapped, watched
from .torch_pass import Pass, is_packed, shape_of
from .views import flow_of, split

SNAPSHOT_SECONDS = 20.0
FEW = 2**26  # multiply-adds per product up to which one thread is faster than two (measured, beside a training PyTorch)
KNOWN = ("inputs", "targets", "top", "top_probability", "loss")  # what may be known of a batch beside its gradients
UNKNOWN = 2**32  # symbols, where it is not known how many there are


class TorchRecorder:
    """Records itemized gradients from a training loop of PyTorch's.

        recorder = rnn.TorchRecorder(model, every=100, path="run.rnnbow")
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            recorder.step(targets=y)  # after backward, before the optimizer moves the weights
            optimizer.step()
            optimizer.zero_grad()
        recorder.close()

    Hooks on the one `nn.RNN`, `nn.GRU` or `nn.LSTM` within the model see its input, its initial state, and the gradient
    that comes back to its output. That gradient, step by step, is what each step's own loss does to the last layer's
    states; decoder, loss function and reduction need not be known. With the module's weights, copied to host memory,
    all itemized gradients follow. On steps that are not recorded there are no hooks at all.

    * Where a read-out mixes steps (attention, pooling over time), "the loss of step t" means: what reaches the loss
      through the recurrent module's output at step t. Gradients that come in through the last states h_n and c_n count
      as a loss of the step whose states these are: the last one, or, running backward, the first.
    * Dropout between layers is off in the analysis; the gradients at the output were measured with it on. Half
      precision becomes float32.
    * Of several forward passes before a `step`, the last one that a gradient came back to is recorded. Passes without
      gradients, as in evaluation, leave nothing behind. A module that is called step by step gives sequences of length
      1, in which no lag is to be seen.
    * A recording has one shape. The first recorded batch sets it, unless `steps` and `sequences` do. Smaller batches
      are padded (`RecordedBatch.mask`), larger ones skipped; `skipped` and the recording's settings count them, as they
      do batches whose gradients are not finite.
    * Inputs are recorded where they are tokens that an `nn.Embedding` was given, or one-hot vectors; predictions where
      an `nn.Linear` (or softmax) after the recurrent module gives scores per step; losses, as cross entropies in nats
      without any weights, where there are integer targets too. What is not known is None, or nan among the losses.

    Parameters
    ----------
    module : torch.nn.Module
        Also one wrapped by `torch.compile` or `DistributedDataParallel` (record in one process only).
    path : str or Path
        The file, readable by `Recording.open`, also meanwhile.
    every : int
        Every `every`-th step is recorded, the first one included.
    rnn : torch.nn.Module or str, optional
        Which recurrent module, where there are several; itself, or its name in the model.
    lags : int
        How many losses ahead of each step are told apart.
    parameter : str
        The recording's main parameter.
    inside : bool
        Whether all other parameters, gates and hidden units are recorded too.
    steps, sequences : int, optional
        The shape of all recorded batches, instead of that of the first one.
    symbols, target_symbols : sequence of str, optional
        What the tokens, and the targets if they are of another vocabulary, are called.
    scale : float or torch.amp.GradScaler, optional
        What the loss was multiplied with before `backward`. With a scaler call `step` before its `update`.
    snapshot_every : int
        Steps between snapshots of the weights that are kept.
    resume : bool or int
        Go on with the file if it exists: from where it ends, or from that step on, whose later batches are dropped. Of
        lags, parameter and inside the file's own hold.

    Raises
    ------
    FileExistsError
        If the file exists, and is not to be gone on with: nothing is ever overwritten.
    ValueError
        If the model has no recurrent module, or several, or one of a kind that cannot be recorded (`proj_size`,
        several devices); if an argument makes no sense, or the file to go on with is of another net.
    """

    def __init__(
        self,
        module: Any,
        path: str | Path,
        every: int = 100,
        *,
        rnn: Any = None,
        lags: int = 6,
        parameter: str = "weight_hh_l0",
        inside: bool = True,
        steps: int | None = None,
        sequences: int | None = None,
        symbols: Any = None,
        target_symbols: Any = None,
        scale: Any = None,
        snapshot_every: int = 10_000,
        resume: bool | int = False,
    ) -> None:
        counts = {"every": every, "snapshot_every": snapshot_every, "steps": steps, "sequences": sequences}
        for name, value in counts.items():
            if value is not None or name in ("every", "snapshot_every"):
                _check_count(name, value)
        self.model = unwrapped(module)
        self.module = recurrent_module(self.model, rnn)
        self._net = net_of(self.module)  # its weights in host memory, as of the last recorded step
        self.every, self.scale, self.snapshot_every = int(every), scale, int(snapshot_every)
        self._size = (steps, sequences)
        self._names = {"symbols": symbols, "target_symbols": target_symbols}
        self._handles: list[Any] = []
        self._latest: Any = None  # weak reference to the pass that was seen last
        self._found: Pass | None = None  # the last pass that a gradient came back to
        self._tokens: Any = None
        self._serial = self._done = 0
        self._snapshot_time = time.monotonic()
        self.number = 0  # training steps so far
        self.recording = self._opened(Path(path), lags, parameter, inside, resume)
        self._closing = weakref.finalize(self, _close, self.recording, self._handles, os.getpid())
        self._watch()

    def step(self, targets: Any = None, *, scores: Any = None, scale: Any = None) -> None:
        """Tell that a training step's gradients are there; every `every`-th is recorded.

        Parameters
        ----------
        targets : integer tensor, optional
            Laid out as the module's batch is, (T, B) or (B, T), flat, or a PackedSequence; negative where there is
            none. (B,): one per sequence.
        scores : tensor, optional
            The scores of every symbol, with a last axis for them, where they are not found in the model.
        scale : float, optional
            Instead of the recorder's.

        Raises
        ------
        RuntimeError
            If this step is to be recorded and no gradient has come back to the recurrent module, or the recorder is
            closed.
        ValueError
            If the loss depends, other than through its output, on a bidirectional module of several layers.
        StoreError
            If the file cannot be written.
        """
        if not self._closing.alive:
            raise RuntimeError(f"{self.recording.path}: this recorder is closed")
        number, seen, self._found = self.number, self._found, None
        self._tokens, self._latest, self._done = None, None, self._serial
        if number % self.every == 0:
            if seen is None:
                raise RuntimeError(
                    "step: no gradient has come back to the output of the recurrent module since the last step; call "
                    "it after loss.backward(), with a loss that the module's output takes part in (and where "
                    "torch.compile was told to take recurrent modules in, record from a model that is not compiled)"
                )
            with self._threads(seen):
                self._record(number, seen, targets, scores, _factor(self.scale if scale is None else scale))
        self.number += 1
        self._watch()

    @property
    def skipped(self) -> dict[str, int]:
        """How many batches were not recorded, by reason."""
        return dict(self.recording.settings.get("skipped", {}))

    def close(self) -> None:
        """Take the hooks away and close the file; twice does no harm."""
        self._unwatch()
        self._found = self._latest = self._tokens = None
        if self._closing.alive:
            try:
                if self.number:
                    self._snapshot(self.number, refresh(self._net, self.module))
            finally:
                self._closing.detach()
                self.recording.close()

    def __enter__(self) -> TorchRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the file -------------------------------------------------------------------------------------------------

    def _opened(self, path: Path, lags: int, parameter: str, inside: bool, resume: bool | int) -> Recording:
        import torch

        net = self._net
        if resume is not False and path.exists():
            recording = Recording.open(path, write=True)
            try:
                self._go_on(recording, net, resume)
            except BaseException:
                recording.close()
                raise
            return recording
        recording = Recording.new(path, net, lags, parameter, inside, source="torch", module=type(self.module).__name__)
        versions = {**recording.settings["versions"], "torch": str(torch.__version__)}
        recording.set_settings(versions=versions, every=self.every, dropout=self.module.dropout)
        recording.commit()
        return recording

    def _go_on(self, recording: Recording, net: RecurrentNet, resume: bool | int) -> None:
        settings = recording.settings
        if settings["source"] != "torch":
            raise ValueError(f"{recording.path}: made by a Trainer; go on with it by Trainer.resume")
        own = {"cell": net.cell.name, "inputs": net.inputs, "hidden": net.hidden, "layers": net.layers}
        own |= {"bidirectional": net.bidirectional, "dtype": net.dtype.name}
        for name, value in own.items():
            if settings[name] != value:
                raise ValueError(
                    f"{recording.path}: this recording was made for a module with {name} {settings[name]!r}, the one "
                    f"here has {value!r}"
                )
        last, table = recording.snapshot(), recording.overview()
        ends = [0 if last is None else last[0], int(table.step.iloc[-1]) + 1 if len(table) else 0]
        self.number = max(ends) if resume is True else int(resume)
        recording.forget_after(self.number)

    def _snapshot(self, number: int, net: RecurrentNet) -> None:
        keep = number % self.snapshot_every == 0
        self.recording.add_snapshot(number, {"steps": number}, {"weights": net.flat}, keep)
        self._snapshot_time = time.monotonic()

    def _skip(self, reason: str) -> None:
        skipped = self.skipped
        skipped[reason] = skipped.get(reason, 0) + 1
        self.recording.set_settings(skipped=skipped)

    # -- hooks ----------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Hooks where the coming step is to be recorded, and none where it is not."""
        if self.number % self.every:
            self._unwatch()
        elif not self._handles:
            hook = _Hook(self, "_saw")
            self._handles.append(self.module.register_forward_hook(hook, with_kwargs=True))
            before, after = _Hook(self, "_saw_tokens"), _Hook(self, "_saw_scores")
            self._handles.extend(watched(self.model, self.module, before, after))

    def _unwatch(self) -> None:
        while self._handles:
            self._handles.pop().remove()

    def _saw(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """A forward pass. Nothing of it is kept but by the hooks on its output: no gradient, no trace."""
        out, last = output
        rows = out.data if is_packed(out) else out
        tokens, self._tokens = self._tokens, None
        if not rows.requires_grad:
            return
        given = args[0] if args else kwargs["input"]
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        parts = () if state is None else state if isinstance(state, tuple) else (state,)
        self._serial += 1
        seen = Pass(
            self._serial,
            shape_of(module, given),
            (given.data if is_packed(given) else given).detach(),
            tuple(part.detach() for part in parts),
            rows.shape[-1],
        )
        if tokens is not None and seen.shape.layout(tokens[0]) is not None:
            seen.tokens = tokens
        ends = last if isinstance(last, tuple) else (last,)
        for name, tensor in zip(("out", "last", "last_cell"), (rows, *ends), strict=False):
            if tensor.requires_grad:
                tensor.register_hook(_Arrival(self, seen, name))
        self._latest = weakref.ref(seen)

    def _saw_tokens(self, module: Any, args: tuple[Any, ...], output: Any) -> None:
        import torch

        if args and torch.is_grad_enabled():
            self._tokens = (args[0].detach(), module.num_embeddings)

    def _saw_scores(self, module: Any, args: tuple[Any, ...], output: Any) -> None:
        seen = None if self._latest is None else self._latest()
        if seen is not None and output.ndim > 1 and output.requires_grad:
            seen.scores = output.detach()

    def _arrived(self, seen: Pass, name: str, gradient: Any) -> None:
        if seen.serial <= self._done:
            return  # of a step that is over
        seen.arrived(name, gradient)
        if self._found is None or seen.serial > self._found.serial:
            self._found = seen

    # -- a step that is recorded ----------------------------------------------------------------------------------

    def _record(self, number: int, seen: Pass, targets: Any, scores: Any, scale: float) -> None:
        net = refresh(self._net, self.module)
        if number % self.snapshot_every == 0 or time.monotonic() - self._snapshot_time > SNAPSHOT_SECONDS:
            self._snapshot(number, net)
        size = self._shape(seen)
        if seen.shape.steps > size[0] or seen.shape.sequences > size[1]:
            self._skip(f"larger than {size[0]} steps x {size[1]} sequences")
            return
        settings = self.recording.settings
        found = self._itemized(net, seen, scale, min(settings["lags"], seen.shape.steps))
        if found is None:
            self._skip("gradients that are not finite")
            return
        run, insides = found
        strand = net.strands.index(split(settings["parameter"])[1])
        flow = flow_of(net.cell, run, insides[strand], settings["parameter"])
        arrays = {name: getattr(flow, name) for name in ("norm", "beyond", "share", "share_beyond")}
        arrays |= dict(zip(STATES, seen.states(net), strict=False))
        known = self._known(seen, targets, scores)
        if known is None:
            self._skip("without the tokens, targets or scores that the first batch had")
            return
        lags = [self.recording.lags_of_strand(name) for name in net.strands]
        arrays = filled({**known, **arrays}, seen, size, insides[strand].lags, lags[strand])
        insides = filled_inside(insides, size, lags) if settings["inside"] else None
        first = not self.recording.field_names
        self.recording.append_arrays(number, -1, arrays, insides)
        if first:
            self.recording.commit()  # what it holds is what all others have to hold

    def _threads(self, seen: Pass) -> AbstractContextManager[Any]:
        """One thread of NumPy's BLAS for small products: PyTorch's own, which go on waiting for work, are in the way of
        more."""
        products = seen.shape.steps * seen.shape.sequences * self._net.parameters["weight_hh_l0"].size
        if products > FEW:
            return contextlib.nullcontext()
        return one_blas_thread()

    def _shape(self, seen: Pass) -> tuple[int, int]:
        fixed = self.recording.batch_shape
        given = (self._size[0] or seen.shape.steps, self._size[1] or seen.shape.sequences)
        return fixed or given

    def _itemized(self, net: RecurrentNet, seen: Pass, scale: float, K: int) -> Any:
        """Run and insides; None where gradients are not finite. Wide numbers where they outgrow narrow ones."""
        with np.errstate(over="ignore"):
            measured = seen.measured(net, scale)
        parts = (measured.out, measured.last, measured.last_cell)
        if not all(part is None or np.isfinite(part).all() for part in parts):
            return None
        for wide in (net, net.as_type("float64")):
            x, state = seen.inputs.astype(wide.dtype), tuple(part.astype(wide.dtype) for part in seen.states(net))
            with contextlib.suppress(FloatingPointError):
                return itemize_measured(wide, x, state, seen.measured(wide, scale), K, seen.shape.length)
        return None

    def _known(self, seen: Pass, targets: Any, scores: Any) -> dict[str, np.ndarray] | None:
        """Tokens, targets, predictions and losses: those that the first batch had; None where one is missing."""
        sizes: dict[str, int] = {}
        known = known_of(seen, targets, scores, sizes)
        names = self.recording.field_names
        if not names:
            self._name_symbols(known, sizes)
        wanted = [name for name in KNOWN if name in (names or known)]
        return {name: known[name] for name in wanted} if set(wanted) <= set(known) else None

    def _name_symbols(self, known: dict[str, np.ndarray], sizes: dict[str, int]) -> None:
        """How many symbols there are, and what they are called."""
        names = {name: None if given is None else [str(s) for s in given] for name, given in self._names.items()}
        for field, side in (("symbols", "inputs"), ("target_symbols", "targets")):
            given = names[field]
            if given is not None and len(given) < sizes.get(side, 0):
                raise ValueError(f"{field}: expected a name for each of the {sizes[side]} tokens, got {len(given)}")
        counts = [sizes[side] for side in ("inputs", "targets") if side in sizes]
        counts += [len(given) for given in names.values() if given is not None]
        unsure = "targets" in known and "targets" not in sizes
        self.recording.set_settings(
            **names,
            input_tokens=sizes.get("inputs"),
            target_tokens=sizes.get("targets"),
            tokens=UNKNOWN if unsure or not counts else max(counts),
        )


class _Hook:
    """A forward hook that keeps no recorder alive, and does nothing in a copy of the model."""

    def __init__(self, recorder: TorchRecorder | None, name: str) -> None:
        self.recorder, self.name = None if recorder is None else weakref.ref(recorder), name

    def __call__(self, *seen: Any) -> None:
        recorder = None if self.recorder is None else self.recorder()
        if recorder is not None:
            getattr(recorder, self.name)(*seen)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Hook, (None, self.name)


class _Arrival:
    """A hook on one output of a pass, which keeps the pass alive for as long as a gradient may come back to it."""

    def __init__(self, recorder: TorchRecorder, seen: Pass, name: str) -> None:
        self.recorder, self.seen, self.name = weakref.ref(recorder), seen, name

    def __call__(self, gradient: Any) -> None:
        recorder = self.recorder()
        if recorder is not None and gradient is not None:
            recorder._arrived(self.seen, self.name, gradient)


def _close(recording: Recording, handles: list[Any], process: int) -> None:
    """When nobody has the recorder any more, or the interpreter ends, where there is nobody to tell of a full disk."""
    for handle in handles:
        handle.remove()
    if os.getpid() == process:  # a child that was forked off has no business with the file
        with contextlib.suppress(StoreError):
            recording.close()


def _factor(scale: Any) -> float:
    """The number that the loss was multiplied with."""
    value = float(1.0 if scale is None else scale.get_scale() if hasattr(scale, "get_scale") else scale)
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"scale: expected a positive number or a GradScaler, got {scale!r}")
    return value


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
