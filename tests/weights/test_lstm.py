import pytest
import torch
from torch import nn
from torch.testing import assert_close

from paperimpl.lab.names import LSTM_1997
from paperimpl.lab.weights import load
from paperimpl.papers.lstm import LSTM

B, T, D, H = 2, 7, 3, 5  # all different, so that no mixed-up axis passes


def always_open():
    """Torch's layer with nothing to shut its forget gate."""
    theirs = nn.LSTM(D, H, batch_first=True)
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter[H : 2 * H] = 20.0 if name == "bias_ih_l0" else 0.0
    return theirs


@pytest.mark.weights
def test_a_checkpoint_of_torchs_lstm_that_forgets_nothing_gives_its_outputs_and_gradients(saved):
    theirs = always_open()
    ours = load(LSTM(D, H, truncate=False), saved(theirs), LSTM_1997)
    x = torch.randn(B, T, D, requires_grad=True)
    by = torch.randn(B, T, H)
    y, y_theirs = ours(x), theirs(x)[0]
    assert_close(y, y_theirs, rtol=0, atol=1e-5)
    assert_close(*(torch.autograd.grad((out * by).sum(), x)[0] for out in (y, y_theirs)), rtol=0, atol=1e-5)


@pytest.mark.weights
def test_a_checkpoint_that_forgets_is_refused_and_nothing_is_loaded(saved):
    theirs, ours = always_open(), LSTM(D, H)
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with torch.no_grad():
        theirs.bias_hh_l0[H] = -4.0  # a gate at sigmoid(16), not 1
    with pytest.raises(ValueError, match=r"1 tensors do not fit(.|\n)*the forget gate .* is always open"):
        load(ours, saved(theirs), LSTM_1997)
    assert_close(ours.state_dict(), before, rtol=0, atol=0)
