import pytest
import torch
from torch import nn
from torch.testing import assert_close

from paperimpl.lab.names import RNN_TANH
from paperimpl.lab.weights import load
from paperimpl.papers.rnn import RNN

B, T, D, H = 2, 7, 3, 5  # all different, so that no mixed-up axis passes


@pytest.mark.weights
def test_a_checkpoint_of_torchs_recurrent_layer_gives_its_outputs_and_gradients(saved):
    theirs = nn.RNN(D, H, batch_first=True)
    ours = load(RNN(D, H, squash=torch.tanh), saved(theirs), RNN_TANH)
    x = torch.randn(B, T, D, requires_grad=True)
    by = torch.randn(B, T, H)
    assert_close(ours(x), theirs(x)[0], rtol=0, atol=1e-5)
    (of_x, of_w), (of_their_x, *of_theirs) = (
        torch.autograd.grad((y * by).sum(), [x, *net.parameters()])
        for y, net in ((ours(x), ours), (theirs(x)[0], theirs))
    )
    of_w_x, of_w_h, of_b_x, _ = of_theirs
    assert_close(of_x, of_their_x, rtol=0, atol=1e-5)
    assert_close(of_w, torch.cat([of_w_x, of_b_x[:, None], of_w_h], dim=1), rtol=0, atol=1e-5)
