import math

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.testing import assert_close

from paperimpl.papers.gan import (
    Discriminator,
    Generator,
    Maxout,
    criterion,
    minimax_loss,
    non_saturating_loss,
    optimal_discriminator,
    value,
)

N, M, Z, D, H, PIECES, STATES = 11, 13, 2, 7, 5, 3, 17  # all different, so that no mixed-up axis passes
DOUBLE = {"dtype": torch.float64}


def world():
    """Two distributions over the same few states."""
    return torch.randn(2, STATES, **DOUBLE).softmax(dim=1)


@pytest.mark.oracle
def test_the_value_is_minus_the_cross_entropy_of_telling_data_from_samples():
    real, fake = torch.randn(N, **DOUBLE), torch.randn(M, **DOUBLE)
    of_real = binary_cross_entropy_with_logits(real, torch.ones(N, **DOUBLE))
    of_fake = binary_cross_entropy_with_logits(fake, torch.zeros(M, **DOUBLE))
    assert_close(value(real, fake), -of_real - of_fake, rtol=1e-14, atol=0)
    assert_close(minimax_loss(fake), -of_fake, rtol=1e-14, atol=0)
    ones = torch.ones(M, **DOUBLE)
    assert_close(non_saturating_loss(fake), binary_cross_entropy_with_logits(fake, ones), rtol=1e-14, atol=0)


def test_a_discriminator_that_cannot_tell_is_worth_minus_log_4():
    assert_close(value(torch.zeros(N, **DOUBLE), torch.zeros(M, **DOUBLE)).item(), -math.log(4))


@pytest.mark.parametrize("log_odds", [1e4, -1e4])
def test_a_discriminator_beyond_doubt_has_a_finite_value(log_odds):
    sure = torch.full((N,), log_odds)
    assert_close(value(sure, -sure).item(), min(0.0, 2 * log_odds))


@pytest.mark.oracle
def test_no_probability_on_a_fine_grid_beats_the_optimal_discriminator():  # Proposition 1
    p_data, p_g = world()
    y = torch.linspace(0.0005, 0.9995, 1000, **DOUBLE)[:, None]
    by_search = y[(p_data * y.log() + p_g * (1 - y).log()).argmax(dim=0), 0]
    assert_close(optimal_discriminator(p_data, p_g), by_search, rtol=0, atol=0.0006)


def test_the_optimal_discriminator_is_sure_of_a_state_that_one_of_the_two_never_takes():
    p_data, p_g = torch.tensor([0.5, 0.5, 0.0, 0.0]), torch.tensor([0.0, 0.5, 0.5, 0.0])
    assert optimal_discriminator(p_data, p_g).tolist() == [1.0, 0.5, 0.0, 0.5]


def test_the_value_of_every_discriminator_is_at_most_the_criterion_and_the_best_one_attains_it():
    p_data, p_g = world()

    def V(log_odds):  # of a whole world, with every state as often as its mass says
        return sum(p_data * log_odds.sigmoid().log() + p_g * (-log_odds).sigmoid().log())

    best = optimal_discriminator(p_data, p_g).logit()
    assert_close(V(best), criterion(p_data, p_g), rtol=1e-12, atol=0)
    for _ in range(100):
        assert V(best + torch.randn(STATES, **DOUBLE)) < criterion(p_data, p_g)


@pytest.mark.oracle
def test_the_criterion_is_minus_log_4_and_two_jensen_shannon_divergences():  # eq. 5 and 6
    p, q = world()
    middle = Categorical((p + q) / 2)
    divergences = sum(kl_divergence(Categorical(one), middle) for one in (p, q))  # twice the JSD
    assert_close(criterion(p, q), divergences - math.log(4), rtol=1e-12, atol=0)


def test_the_criterion_is_least_where_samples_are_like_data_and_0_where_they_never_meet():  # Theorem 1
    p, q = world()
    assert_close(criterion(p, p).item(), -math.log(4))
    assert criterion(p, q) > -math.log(4)
    apart = torch.eye(2, **DOUBLE)
    assert criterion(apart[0], apart[1]) == 0


def test_a_state_that_hardly_ever_comes_costs_hardly_anything():
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([1e-30, 1.0])  # 1 - D* would round to 0, and its log to infinity
    assert_close(criterion(p, q), torch.tensor(0.0))
    assert_close(criterion(q, p), torch.tensor(0.0))


@pytest.mark.oracle
def test_the_minimax_gradient_dies_where_d_is_sure_of_a_fake_and_the_other_lives_on():  # section 3
    fake = torch.linspace(-20, 20, M, **DOUBLE, requires_grad=True)
    d = fake.detach().sigmoid()
    assert_close(torch.autograd.grad(minimax_loss(fake), fake)[0], -d / M)
    assert_close(torch.autograd.grad(non_saturating_loss(fake), fake)[0], -(1 - d) / M)


@pytest.mark.oracle
@pytest.mark.parametrize("loss", [minimax_loss, non_saturating_loss])
def test_what_g_learns_through_d_is_the_slope_by_finite_differences(loss):
    G, judge = Generator(Z, H, D, squash=torch.tanh).double(), Discriminator(D, H, PIECES).double().eval()
    z, w = torch.randn(N, Z, **DOUBLE), G.hidden[0].weight
    slope = torch.autograd.grad(loss(judge(G(z))), w)[0]
    by_hand = torch.zeros_like(w)
    with torch.no_grad():
        for i in range(w.numel()):
            for sign in (1, -1):
                w.view(-1)[i] += sign * 1e-6
                by_hand.view(-1)[i] += sign * loss(judge(G(z))) / 2e-6
                w.view(-1)[i] -= sign * 1e-6
    assert slope.abs().max() > 1e-4
    assert_close(slope, by_hand, rtol=1e-5, atol=1e-9)


@pytest.mark.oracle
def test_the_generator_is_two_rectified_layers_and_a_squashed_one():
    G, z = Generator(Z, H, D).double(), torch.randn(N, Z, **DOUBLE)
    (w1, b1, w2, b2, w3, b3), h = [p.detach() for p in G.parameters()], z
    for w, b in ((w1, b1), (w2, b2)):
        h = (h @ w.T + b).clamp(min=0)
    assert_close(G(z), 1 / (1 + (-(h @ w3.T + b3)).exp()))
    linear = Generator(Z, H, D, squash=nn.Identity()).double()
    linear.load_state_dict(G.state_dict())
    assert_close(linear(z), h @ w3.T + b3)


@pytest.mark.oracle
def test_a_maxout_unit_is_the_largest_of_its_own_pieces():
    layer, x = Maxout(D, H, PIECES).double(), torch.randn(N, D, **DOUBLE)
    w, b = layer.pieces.weight, layer.pieces.bias
    assert w.shape == (H * PIECES, D)
    for n in range(N):
        for unit in range(H):
            mine = range(unit * PIECES, (unit + 1) * PIECES)
            assert_close(layer(x)[n, unit], torch.stack([w[i] @ x[n] + b[i] for i in mine]).max())


def test_maxout_with_two_opposite_pieces_is_the_absolute_value_and_with_one_is_linear():
    layer, x = Maxout(1, 1, 2), torch.randn(N, 1)
    layer.load_state_dict({"pieces.weight": torch.tensor([[1.0], [-1.0]]), "pieces.bias": torch.zeros(2)})
    assert torch.equal(layer(x), x.abs())
    line, x = Maxout(D, H, 1), torch.randn(N, D)
    assert torch.equal(line(x), line.pieces(x))


@pytest.mark.oracle
def test_the_discriminator_in_use_is_two_maxout_layers_and_a_linear_one():
    judge, x = Discriminator(D, H, PIECES).double().eval(), torch.randn(N, D, **DOUBLE)
    (w1, b1, w2, b2, w3, b3), h = [p.detach() for p in judge.parameters()], x
    for w, b in ((w1, b1), (w2, b2)):
        h = (h @ w.T + b).reshape(N, H, PIECES).max(dim=2).values
    assert_close(judge(x), (h @ w3.T + b3)[:, 0])


def test_dropout_stands_before_every_layer():
    x = torch.randn(N, D)
    blind = Discriminator(D, H, PIECES, (1.0, 0.0))
    assert_close(blind(x), blind.eval()(torch.zeros(N, D)))
    deaf = Discriminator(D, H, PIECES, (0.0, 1.0))
    assert_close(deaf(x), deaf.net[-1].bias.expand(N))
    deaf.net[-2].p = 0.0
    _, second = (layer for layer in deaf.modules() if isinstance(layer, Maxout))
    assert_close(deaf(x), deaf.net[-1](second(torch.zeros(N, H)))[:, 0])
    assert deaf.eval()(x).std() > 0.01  # in use nothing is dropped


def test_without_dropout_training_changes_nothing():
    judge, x = Discriminator(D, H, PIECES, (0.0, 0.0)), torch.randn(N, D)
    assert torch.equal(judge(x), judge.eval()(x))


def test_the_defaults_are_those_of_the_authors_code_for_mnist():
    judge = Discriminator(D, H)
    assert [layer.p for layer in judge.modules() if isinstance(layer, nn.Dropout)] == [0.2, 0.5, 0.5]
    assert [layer.n_pieces for layer in judge.modules() if isinstance(layer, Maxout)] == [5, 5]


def test_examples_do_not_see_each_other():
    G, judge, z = Generator(Z, H, D).double(), Discriminator(D, H, PIECES).double().eval(), torch.randn(N, Z, **DOUBLE)
    for few in (slice(3, 5), slice(3, 4)):
        assert_close(judge(G(z))[few], judge(G(z[few])), rtol=1e-12, atol=1e-14)
