"""Parts of a PyTorch model: the recurrent module to look into, what stands before and after it, and its weights.

Nothing here imports PyTorch before a module of PyTorch's has been handed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .net import RecurrentNet
from .weights import from_state_dict

CELLS = {"RNN_TANH": "tanh", "RNN_RELU": "relu", "GRU": "gru", "LSTM": "lstm"}  # by PyTorch's `mode`


def unwrapped(model: Any) -> Any:
    """The module within `torch.compile`'s, `DataParallel`'s and `DistributedDataParallel`'s.

    Raises
    ------
    TypeError
        If it is no module.
    ValueError
        If it is spread over several devices: each of them then sees a part of the batch.
    """
    from torch import nn

    if not isinstance(model, nn.Module):
        raise TypeError(f"module: expected a torch.nn.Module, got {type(model).__name__}")
    while True:
        if isinstance(model, nn.DataParallel):
            if len(model.device_ids) > 1:
                raise ValueError(
                    f"module: nn.DataParallel splits each batch over the devices {model.device_ids}; record from its "
                    ".module on one device, or from one process of DistributedDataParallel"
                )
            model = model.module
        elif isinstance(model, nn.parallel.DistributedDataParallel):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def recurrent_module(model: Any, chosen: Any) -> Any:
    """The one nn.RNN, nn.GRU or nn.LSTM of a model, or the chosen one (a module, or its name).

    Raises
    ------
    ValueError
        If there is none, or several and none was chosen; if it is of a kind that has no counterpart here.
    """
    from torch import nn

    found = {name: part for name, part in model.named_modules() if isinstance(part, nn.RNNBase)}
    names = {part: name for name, part in found.items()}
    if chosen is not None:
        chosen = unwrapped(chosen) if isinstance(chosen, nn.Module) else chosen
        part = found.get(chosen) if isinstance(chosen, str) else chosen
        if part not in names:
            raise ValueError(f"rnn: expected one of {_listed(found)}, got {chosen!r}")
    elif len(found) != 1:
        raise ValueError(
            f"module: expected one nn.RNN, nn.GRU or nn.LSTM in it, found {_listed(found) if found else 'none'}"
            + ("; name one by rnn=" if found else " (cells called step by step cannot be recorded)")
        )
    else:
        part = next(iter(found.values()))
    if getattr(part, "proj_size", 0):
        raise ValueError(
            f"module: {_called(names[part])} has proj_size={part.proj_size}; projections are not supported"
        )
    if getattr(part, "mode", None) not in CELLS:
        raise ValueError(f"module: {_called(names[part])} is of an unknown kind, {getattr(part, 'mode', None)!r}")
    return part


def net_of(module: Any) -> RecurrentNet:
    """A net without decoder with the weights that a recurrent module has now, in host memory."""
    state = {name: getattr(module, name) for names in module._all_weights for name in names}
    return from_state_dict(state, cell=CELLS[module.mode])


def refresh(net: RecurrentNet, module: Any) -> RecurrentNet:
    """The net with the weights that the module has by now."""
    for names in module._all_weights:
        for name in names:
            net.parameters[name][...] = host(getattr(module, name))
    return net


def watched(model: Any, module: Any, before: Callable[..., None], after: Callable[..., None]) -> list[Any]:
    """Handles of forward hooks: `before` on embeddings, `after` on what may give scores."""
    from torch import nn

    handles, inner = [], set(module.modules())
    for part in model.modules():
        if part in inner:
            continue
        if isinstance(part, nn.Embedding):
            handles.append(part.register_forward_hook(before))
        elif isinstance(part, nn.Linear | nn.LogSoftmax | nn.Softmax):
            handles.append(part.register_forward_hook(after))
    return handles


def host(tensor: Any) -> np.ndarray:
    """A copy in host memory; half precision becomes float32."""
    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()
    return np.array(tensor.cpu().numpy(), order="C")


def _listed(found: dict[str, Any]) -> str:
    return ", ".join(f"{_called(name)} ({type(part).__name__})" for name, part in found.items())


def _called(name: str) -> str:
    return repr(name) if name else "the module itself"
