"""PyTorch as the witness: its gradients, its autograd on an unrolled net, and its modules' state dicts."""

import cases
import numpy as np
import pytest
import torch
from torch import nn

from learnviews.kernels import rnn
from learnviews.kernels.rnn import flow as flow_module

EVERY_CELL = pytest.mark.parametrize("cell", cases.CELLS)
EVERY_KIND = pytest.mark.parametrize("kind", cases.KINDS)
T, B = 12, 2


class Model(nn.Module):
    """The architecture people train: [embedding,] nn.RNN, nn.Linear."""

    def __init__(self, kind, cell, bias=True):
        super().__init__()
        torch.manual_seed(0)
        width = cases.WIDTH if kind == "embedding" else cases.INPUTS
        self.embedding = nn.Embedding(cases.INPUTS, width) if kind == "embedding" else None
        self.rnn = nn.RNN(width, cases.HIDDEN, nonlinearity=cell, bias=bias)
        self.decoder = nn.Linear(cases.HIDDEN, cases.OUTPUTS, bias=bias)
        self.double()

    def inputs(self, x):
        if self.embedding is not None:
            return self.embedding(torch.from_numpy(x))
        return torch.from_numpy(x if x.ndim == 3 else np.eye(cases.INPUTS)[x])

    def losses(self, hidden, y, mask):
        logits = self.decoder(hidden).flatten(0, 1)
        losses = nn.functional.cross_entropy(logits, torch.from_numpy(y).flatten(), reduction="none")
        return losses.reshape(y.shape) * torch.from_numpy(mask)

    def unrolled(self, x, state):
        """Pre-activations and hidden states of every step; the fused kernel gives only the latter."""
        p, h = dict(self.rnn.named_parameters()), torch.from_numpy(state)[0]
        activation = {"tanh": torch.tanh, "relu": torch.relu}[self.rnn.nonlinearity]
        z, hidden = [], []
        for u in self.inputs(x):
            z.append(u @ p["weight_ih_l0"].T + p["bias_ih_l0"] + h @ p["weight_hh_l0"].T + p["bias_hh_l0"])
            h = activation(z[-1])
            hidden.append(h)
        return z, torch.stack(hidden)


def problem(kind, cell):
    model = Model(kind, cell)
    net = rnn.from_state_dict(model.state_dict(), cell=cell)
    return model, net, cases.make_batch(net, kind, T, B, masked=True, started=True)


@EVERY_CELL
@EVERY_KIND
def test_loss_gradients_and_state_are_those_of_nn_rnn(kind, cell):
    model, net, batch = problem(kind, cell)
    hidden, last = model.rnn(model.inputs(batch["x"]), torch.from_numpy(batch["state"]))
    loss = model.losses(hidden, batch["y"], batch["mask"]).sum()
    loss.backward()
    got_loss, grads, state = rnn.bptt(net, **batch)
    assert got_loss == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(state, last.detach().numpy(), rtol=1e-12, atol=1e-14)
    want = {name.removeprefix("rnn."): p.grad.numpy() for name, p in model.named_parameters()}
    assert set(grads) == set(want)
    for name, gradient in grads.items():
        assert np.linalg.norm(gradient - want[name]) <= 1e-12 * np.linalg.norm(want[name]), name


@EVERY_CELL
@EVERY_KIND
def test_norms_are_those_of_one_autograd_call_per_loss(kind, cell):
    model, net, batch = problem(kind, cell)
    errors = autograd_errors(model, batch)
    reach = {"weight_hh_l0": previous_states(model, batch), "weight_ih_l0": model.inputs(batch["x"]).detach().numpy()}
    for parameter in flow_module.PARAMETERS:
        norm = rnn.itemize(net, **batch, lags=None, parameter=parameter).norm
        for t in range(T):
            for s in range(t + 1):
                for b in range(B):
                    d = errors[t, b, s]
                    G = np.outer(d, reach[parameter][s, b]) if parameter in reach else d
                    assert norm[s, t - s, b] == pytest.approx(np.linalg.norm(G), rel=1e-10, abs=1e-300)


def autograd_errors(model, batch):
    """(T, B, T, H): [t, b, s] = dL_{t,b}/dz_{s,b}, asked of autograd loss by loss."""
    z, hidden = model.unrolled(batch["x"], batch["state"])
    losses = model.losses(hidden, batch["y"], batch["mask"])
    errors = np.zeros((T, B, T, cases.HIDDEN))
    for t in range(T):
        for b in range(B):
            gradients = torch.autograd.grad(losses[t, b], z[: t + 1], retain_graph=True)
            errors[t, b, : t + 1] = [gradient[b] for gradient in gradients]
    return errors


def previous_states(model, batch):
    hidden = model.unrolled(batch["x"], batch["state"])[1].detach().numpy()
    return np.concatenate([batch["state"], hidden[:-1]])


@EVERY_CELL
def test_the_unrolled_net_is_nn_rnn(cell):
    model, _, batch = problem("floats", cell)
    want = model.rnn(model.inputs(batch["x"]), torch.from_numpy(batch["state"]))[0]
    got = model.unrolled(batch["x"], batch["state"])[1]
    torch.testing.assert_close(got, want, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("prefix", ["", "module.", "a.b.c."])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_state_dict_there_and_back(prefix, dtype):
    model = Model("embedding", "tanh").to(dtype)
    net = rnn.from_state_dict({prefix + name: tensor for name, tensor in model.state_dict().items()})
    assert net.dtype == ("float64" if dtype == torch.float64 else "float32")
    back = Model("embedding", "tanh").to(dtype)
    names = {name.removeprefix("rnn."): name for name in back.state_dict()}
    back.load_state_dict({names[name]: torch.from_numpy(value) for name, value in net.state_dict().items()})
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], tensor, rtol=0, atol=0)


def test_parameters_that_require_grad_are_taken_and_copied():
    model = Model("floats", "tanh")
    net = rnn.from_state_dict(dict(model.named_parameters()))
    net.flat[...] = 0
    assert all(p.detach().abs().sum() > 0 for p in model.parameters())


def test_modules_without_biases():
    net = rnn.from_state_dict(Model("floats", "relu", bias=False).state_dict(), cell="relu")
    assert not any(net.parameters[name].any() for name in ("bias_ih_l0", "bias_hh_l0", "decoder.bias"))


@pytest.mark.parametrize("module", [nn.GRU, nn.LSTM])
def test_gated_weights_do_not_fit_a_plain_cell(module):
    model = Model("floats", "tanh")
    model.rnn = module(cases.INPUTS, cases.HIDDEN)
    with pytest.raises(ValueError, match=r"weight_ih_l0: expected shape \(5, 4\) for a tanh cell"):
        rnn.from_state_dict(model.state_dict(), cell="tanh")


def test_tensors_as_input():
    net = rnn.from_state_dict(Model("floats", "tanh").state_dict())
    batch = cases.make_batch(net, "floats", masked=True, started=True)
    tensors = {name: torch.from_numpy(value) for name, value in batch.items()}
    assert rnn.bptt(net, **tensors)[0] == rnn.bptt(net, **batch)[0]
