import pytest
import torch
from torch import nn
from torch.testing import assert_close

from paperimpl.papers.layernorm import LayerNorm, LayerNormRNN

B, T, D, H = 2, 7, 3, 5  # all different, so that no mixed-up axis passes
DOUBLE = {"dtype": torch.float64}


def unlike(norm):
    """Give every unit a gain and a bias of its own."""
    with torch.no_grad():
        norm.gain.uniform_(0.5, 2)
        norm.bias.uniform_(-1, 1)
    return norm.double()


def summed(w, x):
    """A layer's normalised summed inputs with eps = 0, as the equations are printed."""
    torch.manual_seed(0)
    return unlike(LayerNorm(H, eps=0.0))(x @ w.T)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(H,), (B, H), (B, T, H)])
def test_it_is_torchs_layer_gradients_included(shape):
    ours, theirs = unlike(LayerNorm(H)), nn.LayerNorm(H, **DOUBLE)
    theirs.load_state_dict({"weight": ours.gain.detach(), "bias": ours.bias.detach()})
    a = (torch.randn(shape, **DOUBLE) / 100).requires_grad_()  # small, so that eps and its place are seen
    by = torch.randn(shape, **DOUBLE)
    assert_close(ours(a), theirs(a), rtol=1e-12, atol=0)
    of_ours = torch.autograd.grad((ours(a) * by).sum(), [a, ours.gain, ours.bias])
    of_theirs = torch.autograd.grad((theirs(a) * by).sum(), [a, theirs.weight, theirs.bias])
    assert_close(of_ours, of_theirs, rtol=1e-10, atol=1e-12)


def test_a_new_layer_gives_every_example_mean_0_and_variance_1():
    z = LayerNorm(H, eps=0.0).double()(3 + 10 * torch.randn(B, T, H, **DOUBLE))
    assert_close(z.mean(dim=-1), torch.zeros(B, T, **DOUBLE), rtol=0, atol=1e-14)
    assert_close(z.var(dim=-1, correction=0), torch.ones(B, T, **DOUBLE), rtol=1e-14, atol=0)


@pytest.mark.oracle
def test_it_is_batch_normalisation_transposed():
    a = torch.randn(B, H, **DOUBLE)
    batch_norm = nn.functional.batch_norm(a.T, None, None, training=True, eps=1e-5)  # H "examples" of B "units"
    assert_close(LayerNorm(H).double()(a), batch_norm.T, rtol=1e-12, atol=0)


def test_an_example_is_the_same_bits_alone_in_a_batch_and_in_evaluation():
    norm = LayerNorm(97)
    a = torch.randn(11, 97)
    alone = torch.cat([norm(row) for row in a.split(1)])
    assert torch.equal(alone, norm(a))
    assert torch.equal(alone, norm.eval()(a))


TABLE_1 = {  # how (w, x) change, and whether the output stays
    "weight matrix re-scaling": (lambda w, x: (7 * w, x), True),
    "weight matrix re-centring": (lambda w, x: (w + torch.arange(1.0, D + 1), x), True),  # w + 1 gamma^T
    "weight vector re-scaling": (lambda w, x: (torch.cat([7 * w[:1], w[1:]]), x), False),
    "dataset re-scaling": (lambda w, x: (w, 7 * x), True),
    "dataset re-centring": (lambda w, x: (w, x + torch.arange(1.0, D + 1)), False),
    "single training case re-scaling": (lambda w, x: (w, torch.cat([7 * x[:1], x[1:]])), True),
}


@pytest.mark.parametrize("change", TABLE_1)
def test_table_1_is_true_where_it_says_invariant_and_where_it_says_no(change):
    (transform, stays), w, x = TABLE_1[change], torch.randn(H, D, **DOUBLE), torch.randn(B, D, **DOUBLE)
    same = torch.allclose(summed(*transform(w, x)), summed(w, x), rtol=0, atol=1e-12)
    assert same == stays


def test_the_gradient_asks_for_neither_a_shift_nor_a_scale():
    a = torch.randn(B, H, **DOUBLE, requires_grad=True)
    z = LayerNorm(H, eps=0.0).double()(a)
    grad = torch.autograd.grad((z**3).sum(), a)[0]
    assert grad.norm() > 0.1
    assert_close(grad.sum(dim=1), torch.zeros(B, **DOUBLE), rtol=0, atol=1e-12)
    assert_close((grad * a).sum(dim=1), torch.zeros(B, **DOUBLE), rtol=0, atol=1e-12)


def test_a_large_common_offset_costs_little_precision():
    a = torch.randn(B, H, **DOUBLE).float()  # E[a^2] - E[a]^2 would lose the variance altogether
    assert_close(LayerNorm(H)(a + 4096), LayerNorm(H)(a), rtol=0, atol=2e-3)


def test_a_layer_without_variation_gives_the_bias():
    norm = unlike(LayerNorm(H))
    assert_close(norm(torch.full((B, H), 3.0, **DOUBLE)), norm.bias.expand(B, H), rtol=0, atol=0)


@pytest.mark.oracle
def test_every_step_of_the_recurrent_layer_is_equation_4():
    rnn = LayerNormRNN(D, H).double()
    unlike(rnn.norm)
    x, h = torch.randn(B, T, D, **DOUBLE), torch.zeros(B, H, **DOUBLE)
    states = rnn(x)
    for t in range(T):
        a = h @ rnn.w_hh.weight.T + x[:, t] @ rnn.w_xh.weight.T
        h = torch.tanh(nn.functional.layer_norm(a, (H,), rnn.norm.gain, rnn.norm.bias, 1e-5))
        assert_close(states[:, t], h, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_recurrent_weights_of_any_scale_give_the_same_hidden_states(scale):
    rnn, x = LayerNormRNN(D, H, eps=0.0).double(), torch.randn(B, T, D, **DOUBLE)
    states = rnn(x)
    with torch.no_grad():
        rnn.w_hh.weight.mul_(scale)
        rnn.w_xh.weight.mul_(scale)
    assert_close(rnn(x), states, rtol=0, atol=1e-11)


def test_a_longer_sequence_does_not_change_the_beginning():
    rnn, x = LayerNormRNN(D, H), torch.randn(B, T, D)
    assert_close(rnn(x)[:, :4], rnn(x[:, :4]), rtol=0, atol=0)
