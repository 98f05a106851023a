"""What Opacus and BackPACK can do: gradients of weight_hh per *sequence*, all steps and losses added up.

Neither tells losses or steps apart, so these are no peers of itemizing: they answer a smaller question, and are
measured to say what that costs. Opacus brings layers of its own (`DPRNN`, `DPGRU`, `DPLSTM`, any depth, both
directions). BackPACK extends `nn.RNN` (tanh) and `nn.LSTM` of one layer and one direction, and not `nn.GRU`.
Each function returns a call that gives (B, G*H, H).
"""

from __future__ import annotations

import warnings

from torch.nn import functional

from .torch_peers import TorchNet


def opacus_gradients(net: TorchNet):
    """Opacus: forward and backward of its own recurrent layer, which leaves `grad_sample` behind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it would need to make training private
        from opacus.grad_sample import GradSampleModule
        from opacus.layers import DPGRU, DPLSTM, DPRNN

        layer = {"tanh": DPRNN, "gru": DPGRU, "lstm": DPLSTM}[net.cell](net.rnn.input_size, net.rnn.hidden_size)
        layer.load_state_dict(net.rnn.state_dict())
        for name, parameter in layer.named_parameters():
            parameter.requires_grad_(name == "weight_hh_l0")
        model = GradSampleModule(layer, batch_first=False, loss_reduction="sum")
    weight = next(p for p in model.parameters() if p.requires_grad)

    def call():
        weight.grad = weight.grad_sample = None
        _loss(net, model(net.one_hot)[0]).backward()
        return weight.grad_sample

    return call


def backpack_gradients(net: TorchNet):
    """BackPACK: forward and backward of the nn module, extended by `BatchGrad`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backpack import backpack, extend
        from backpack.extensions import BatchGrad

    layer = type(net.rnn)(net.rnn.input_size, net.rnn.hidden_size, batch_first=True)  # all that it takes
    layer.load_state_dict(net.rnn.state_dict())
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(name == "weight_hh_l0")
    layer, inputs = extend(layer), net.one_hot.transpose(0, 1).contiguous()

    def call():
        layer.zero_grad()
        with backpack(BatchGrad()):
            _loss(net, layer(inputs)[0].transpose(0, 1)).backward()
        return layer.weight_hh_l0.grad_batch

    return call


def _loss(net, h):
    logits = functional.linear(h, net.V, net.c)
    return functional.cross_entropy(logits.flatten(0, 1), net.y.flatten(), reduction="sum")


WAYS = {"Opacus": opacus_gradients, "BackPACK": backpack_gradients}
MODULES = {"Opacus": "opacus", "BackPACK": "backpack"}
CELLS = {"Opacus": ("tanh", "gru", "lstm"), "BackPACK": ("tanh", "lstm")}


def version(name: str) -> str:
    """Of an installed peer."""
    from importlib.metadata import version

    return version({"Opacus": "opacus", "BackPACK": "backpack-for-pytorch"}[name])
