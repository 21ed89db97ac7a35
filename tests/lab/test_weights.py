import re

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.testing import assert_close

from paperimpl.lab.names import MARIAN, RNN_TANH
from paperimpl.lab.weights import NameMap, Take, load, read
from paperimpl.papers.rnn import RNN
from paperimpl.papers.transformer import Transformer

TWO = NameMap({"0.weight": Take("a.w"), "0.bias": Take("a.b"), "1.weight": Take("b.w"), "1.bias": Take("b.b")})


def net():
    return nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))


def state(**changed):
    tensors = {"a.w": torch.randn(5, 3), "a.b": torch.randn(5), "b.w": torch.randn(2, 5), "b.b": torch.randn(2)}
    return {name: t for name, t in (tensors | changed).items() if t is not None}


def test_every_tensor_that_is_missing_left_over_or_misshapen_is_named_and_nothing_is_loaded():
    model = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    wrong = state(**{"a.w": torch.randn(3, 5), "b.b": None, "c.w": torch.randn(1), "d.w": torch.randn(2, 2)})
    with pytest.raises(ValueError, match="nothing was loaded") as refused:
        load(model, wrong, TWO)
    assert str(refused.value).split("\n  ") == [
        "4 tensors do not fit, so nothing was loaded:",
        "extra: c.w (1,)",
        "extra: d.w (2, 2)",
        "missing: b.b, for our 1.bias",
        "wrong shape: a.w is (3, 5), which makes no (5, 3) for our 0.weight",
    ]
    assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_pieces_that_do_not_fit_together_are_named_with_their_shapes():
    theirs = nn.RNN(3, 5).state_dict() | {"weight_hh_l0": torch.randn(7, 5)}
    with pytest.raises(ValueError, match=re.escape("weight_hh_l0 is (7, 5), which makes no (5, 9) for our w")):
        load(RNN(3, 5), theirs, RNN_TANH)


def test_a_tensor_of_ours_that_no_rule_names_is_missing():
    with pytest.raises(ValueError, match=r"missing: nothing in the name map for our 2\.weight"):
        load(nn.Sequential(*net(), nn.Linear(2, 2, bias=False)), state(), TWO)


def test_weights_take_the_dtype_of_the_model():
    model, tensors = net().double(), state()
    load(model, tensors, TWO)
    assert_close(model[0].weight.detach(), tensors["a.w"].double(), rtol=0, atol=0)


def test_a_layer_of_ours_is_the_layer_of_the_same_number():
    assert MARIAN.of("decoder.11.cross.to_q.bias").names == ("model.decoder.layers.11.encoder_attn.q_proj.bias",)
    with torch.device("meta"):
        names = Transformer(3, 4, 2, 5, 2, bias=True).state_dict()
    assert all(MARIAN.of(name) for name in names)
    assert MARIAN.of("decoder.1.cross.to_r.bias") is None
    assert NameMap({"layers.*.net.0.w": Take("block.*.w")}).of("layers.3.net.0.w").names == ("block.3.w",)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_file_that_is_none_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "model.safetensors"
    if content is None:
        save_file(state(), path)
        content = path.read_bytes()[:-7]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.safetensors: not a whole safetensors file .* fetch it again"):
        load(net(), path, TWO)


@pytest.mark.parametrize("place", ["absent.safetensors", "."])
def test_a_file_that_is_not_there_is_refused_with_what_to_name(tmp_path, place):
    with pytest.raises(ValueError, match=r"there is no such checkpoint; name a \.safetensors file"):
        read(tmp_path / place)
