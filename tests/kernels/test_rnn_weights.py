"""Weights trained elsewhere: state dicts of PyTorch's modules, safetensors files, and what is wrong with them."""

import json
import subprocess
import sys

import naive
import numpy as np
import pytest
import torch
from deep_nets import BOTH_DIRECTIONS, EVERY_CELL, EVERY_DEPTH, make_batch, make_net
from torch import nn

from learnviews.kernels import rnn

MODULES = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
EVERY_MODULE = pytest.mark.parametrize("cell", MODULES)


def write(path, arrays, metadata=None, **changes):
    """A safetensors file, written by the format's description."""
    kinds = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64"}
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": kinds[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(blob)],
        }
        data += blob
    for name, change in changes.items():
        header[name] |= change
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


# --- state dicts


@EVERY_CELL
@EVERY_DEPTH
@BOTH_DIRECTIONS
@pytest.mark.parametrize("kind", ["tokens", "embedding"])
def test_round_trip(kind, both, layers, cell):
    net = make_net(cell, layers, both, kind)
    again = rnn.from_state_dict({f"model.{name}": value for name, value in net.state_dict().items()}, cell=cell)
    assert repr(again) == repr(net)
    assert again.strands == net.strands
    np.testing.assert_array_equal(again.flat, net.flat)


@EVERY_MODULE
@EVERY_DEPTH
@BOTH_DIRECTIONS
@pytest.mark.parametrize("bias", [True, False])
def test_state_dicts_of_modules(bias, both, layers, cell):
    torch.manual_seed(0)
    module = MODULES[cell](4, 5, layers, bias=bias, bidirectional=both).double()
    net = rnn.from_state_dict(module.state_dict())
    assert (net.cell.name, net.layers, net.bidirectional, net.outputs) == (cell, layers, both, net.width)
    x = np.random.default_rng(0).normal(size=(6, 2, 4))
    out, last = module(torch.from_numpy(x))
    target = np.zeros((6, 2, net.width))
    loss, grads, state = rnn.bptt(net, x, target)
    want = (out**2).mean(-1).sum()
    want.backward()
    assert loss == pytest.approx(want.item(), rel=1e-12)
    for got, wanted in zip(*((state, last) if cell == "lstm" else ([state], [last])), strict=True):
        np.testing.assert_allclose(got, wanted.detach().numpy(), rtol=1e-12, atol=1e-14)
    for name, p in module.named_parameters():
        np.testing.assert_allclose(grads[name], p.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_modules_of_other_names():
    model = nn.ModuleDict({"embed": nn.Embedding(7, 4), "lstm": nn.LSTM(4, 5), "fc": nn.Linear(5, 3)})
    net = rnn.from_state_dict(model.state_dict(), embedding="embed", decoder="fc")
    assert (net.cell.name, net.inputs, net.embedding, net.outputs) == ("lstm", 7, 4, 3)
    with pytest.raises(ValueError, match=r"unknown: embed\.weight, fc\.weight, fc\.bias"):
        rnn.from_state_dict(model.state_dict())


def test_relu_has_to_be_named():
    module = nn.RNN(4, 5, nonlinearity="relu")
    assert rnn.from_state_dict(module.state_dict()).cell.name == "tanh"
    assert rnn.from_state_dict(module.state_dict(), cell="relu").cell.name == "relu"


def test_projections_are_refused():
    module = nn.LSTM(4, 5, proj_size=3)
    with pytest.raises(ValueError, match=r"projections: weight_hr_l0\).*proj_size"):
        rnn.from_state_dict(module.state_dict())


def test_missing_and_unknown_keys_of_every_layer_come_in_one_error():
    state = nn.GRU(4, 5, 3, bidirectional=True).state_dict()
    del state["weight_hh_l1_reverse"], state["bias_ih_l2"]
    state |= {"norm.weight": torch.ones(5), "peephole_l0": torch.ones(5)}
    with pytest.raises(ValueError) as error:
        rnn.from_state_dict(state)
    assert "missing: weight_hh_l1_reverse, bias_ih_l2;" in str(error.value)
    assert "unknown: norm.weight, peephole_l0" in str(error.value)


@pytest.mark.parametrize("rows", [10, 12, 25])
def test_rows_of_no_cell(rows):
    state = nn.LSTM(4, 5).state_dict() | {"weight_hh_l0": torch.ones(rows, 5)}
    with pytest.raises(ValueError, match=f"weight_hh_l0: expected 1, 3 or 4 times 5 rows .* got {rows}"):
        rnn.from_state_dict(state)


# --- safetensors


@EVERY_CELL
@BOTH_DIRECTIONS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_safetensors_file(dtype, both, cell, tmp_path):
    net = make_net(cell, 2, both, "embedding", dtype)
    file = write(tmp_path / "net.safetensors", net.state_dict(), {"format": "pt"})
    for path in (file, str(file)):
        again = rnn.from_state_dict(path, cell=cell)
        assert again.dtype == net.dtype
        np.testing.assert_array_equal(again.flat, net.flat)


def test_brain_floats_are_read(tmp_path):
    net = make_net("gru", kind="tokens", dtype="float32")
    net.flat[...] = (net.flat.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    arrays = {name: (value.view(np.uint32) >> 16).astype(np.uint16) for name, value in net.state_dict().items()}
    halves = {name: value.view(np.float16) for name, value in arrays.items()}
    file = write(tmp_path / "a.safetensors", halves, **{name: {"dtype": "BF16"} for name in halves})
    np.testing.assert_array_equal(rnn.from_state_dict(file).flat, net.flat)
    tensors = {name: torch.from_numpy(value).bfloat16() for name, value in net.state_dict().items()}
    np.testing.assert_array_equal(rnn.from_state_dict(tensors).flat, net.flat)


def test_safetensors_need_no_pytorch(tmp_path):
    file = write(tmp_path / "net.safetensors", make_net("lstm").state_dict())
    script = (
        "import sys; from learnviews.kernels import rnn; "
        f"rnn.from_state_dict({str(file)!r}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd="/")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda data: data[:5], "not a safetensors file, or a truncated one"),
        (lambda data: b"PK\x03\x04" + data, "not a safetensors file"),
        (lambda data: data[:-10], "damaged safetensors file: data from"),
        (lambda data: data.replace(b'"F64"', b'"F6x"', 1), "type 'F6x' is not known"),
        (lambda data: data[:8] + b"[" + data[9:], "damaged safetensors file"),
    ],
)
def test_damaged_safetensors_are_named(change, message, tmp_path):
    file = write(tmp_path / "net.safetensors", make_net("tanh").state_dict())
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(rnn.FileFormatError, match=message) as error:
        rnn.from_state_dict(file)
    assert str(file) in str(error.value)
    with pytest.raises(FileNotFoundError):
        rnn.from_state_dict(tmp_path / "none.safetensors")


# --- arguments that are wrong


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize(
    "change, message",
    [
        ({"parameter": "weight_hh_l2"}, "parameter must be one of"),
        ({"parameter": "weight_hh_l0_reverse"}, "parameter must be one of"),
        ({"parameter": "decoder.weight"}, "parameter must be one of"),
        ({"gate": "x"}, "gate must be one of"),
        ({"gate": "r", "parameter": "state"}, "gate must be None here"),
        ({"unit": 5}, r"unit must be a whole number from 0 to 4"),
        ({"unit": "each"}, "unit must be"),
        ({"unit": True}, "unit must be"),
        ({"parameter": "state", "shares": True}, "shares are parts of a parameter's gradient"),
        ({"lags": 7}, "lags must be a whole number from 1 to the 6 steps"),
        ({"y": np.zeros((6, 2))}, "y: expected int tokens"),
        ({"y": np.zeros((6, 2, 2))}, r"floats of shape \(6, 2, 3\) or \(2, 3\)"),
        ({"y": np.zeros(3, int)}, "y: expected int tokens"),
        ({"y": np.full(2, 3)}, "y: expected tokens from 0 to 2"),
    ],
)
def test_wrong_arguments_are_named(cell, change, message):
    net = make_net(cell, 2)
    with pytest.raises(ValueError, match=message):
        rnn.itemize(net, **make_batch(net) | change)


def test_cell_state_is_an_lstm_s():
    net = make_net("gru")
    with pytest.raises(ValueError, match="parameter must be one of"):
        rnn.itemize(net, **make_batch(net), parameter="cell")
    net = make_net("tanh")
    with pytest.raises(ValueError, match="gate must be None here"):
        rnn.itemize(net, **make_batch(net), gate="i")


@pytest.mark.parametrize(
    "state, message",
    [
        (np.zeros((1, 2, 5)), r"an lstm cell has a pair \(h, c\), each of shape \(1, 2, 5\); got shape"),
        ((np.zeros((1, 2, 5)),), "an lstm cell has a pair"),
        ((np.zeros((1, 2, 5)), np.zeros((1, 2, 4))), r"state: expected shape \(1, 2, 5\), got \(1, 2, 4\)"),
    ],
)
def test_states_of_an_lstm(state, message):
    net = make_net("lstm")
    with pytest.raises(ValueError, match=message):
        rnn.bptt(net, **make_batch(net) | {"state": state})


@pytest.mark.parametrize("symbol", ["next", 3, -1, True, 1.0])
def test_symbols_that_are_not_there(symbol):
    net = make_net("gru")
    with pytest.raises(ValueError, match="symbol must be"):
        rnn.connectivity(net, **make_batch(net), symbol=symbol)
    with pytest.raises(ValueError, match="one target per step"):
        rnn.connectivity(net, **make_batch(net, head="end"))
    with pytest.raises(ValueError, match="symbol must be"):
        rnn.connectivity(net, **make_batch(net, head="numbers"))


def test_connectivity_of_one_symbol_and_of_the_predicted_one():
    net = make_net("lstm", 2)
    batch = make_batch(net)
    target = rnn.connectivity(net, **batch)
    always = [rnn.connectivity(net, **batch, symbol=v).norm for v in range(3)]
    for s in range(6):
        for k in range(6 - s):
            for b in range(2):
                assert target.norm[s, k, b] == pytest.approx(always[batch["y"][s + k, b]][s, k, b], rel=1e-12)
    assert rnn.connectivity(net, **batch, symbol="predicted").norm.shape == target.norm.shape
    assert target.parameter == "input"
    masked = rnn.connectivity(net, **batch, mask=np.eye(6)[:, [3, 3]])
    np.testing.assert_allclose(masked.norm[0, 3], target.norm[0, 3], rtol=1e-12)
    assert not masked.norm[0, [0, 1, 2, 4, 5]].any()


@EVERY_CELL
def test_gradients_against_central_differences(cell):
    for layers, both, kind, head in ((2, True, "embedding", "steps"), (1, False, "floats", "numbers at the end")):
        net = make_net(cell, layers, both, kind, hidden=3)
        batch = make_batch(net, kind, head, T=4)
        grads = rnn.bptt(net, **batch)[1]
        measured = net.views(naive.central_differences(lambda: rnn.bptt(net, **batch)[0], net.flat))  # noqa: B023
        for name, value in grads.items():
            assert abs(value - measured[name]).max() < 1e-7, name
