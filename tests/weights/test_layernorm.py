import pytest
import torch
from torch import nn
from torch.testing import assert_close

from paperimpl.lab.names import LAYER_NORM
from paperimpl.lab.weights import load
from paperimpl.papers.layernorm import LayerNorm


@pytest.mark.weights
def test_a_checkpoint_of_torchs_layer_norm_gives_its_outputs_and_gradients(saved):
    theirs = nn.LayerNorm(7)
    nn.init.normal_(theirs.weight)
    nn.init.normal_(theirs.bias)
    ours = load(LayerNorm(7), saved(theirs), LAYER_NORM)
    a = torch.randn(3, 5, 7, requires_grad=True)
    by = torch.randn(3, 5, 7)
    assert_close(ours(a), theirs(a), rtol=0, atol=1e-5)
    of_ours = torch.autograd.grad((ours(a) * by).sum(), [a, ours.gain, ours.bias])
    of_theirs = torch.autograd.grad((theirs(a) * by).sum(), [a, theirs.weight, theirs.bias])
    assert_close(of_ours, of_theirs, rtol=0, atol=1e-5)
