import pytest
import torch
from torch.testing import assert_close

from paperimpl.papers.rnn import RNN, RTRL

B, T, D, H = 2, 7, 3, 5  # all different, so that no mixed-up axis passes
both = pytest.mark.parametrize("squash", [torch.sigmoid, torch.tanh])


def double(squash=torch.sigmoid):
    rnn = RNN(D, H, squash=squash).double()
    torch.nn.init.normal_(rnn.w)  # large enough for the past to matter
    return rnn, torch.randn(B, T, D, dtype=torch.float64), torch.rand(B, T, H, dtype=torch.float64)


@pytest.mark.oracle
def test_with_tanh_it_is_the_fields_plain_recurrent_layer():
    ours, field = RNN(D, H, squash=torch.tanh).double(), torch.nn.RNN(D, H, batch_first=True).double()
    with torch.no_grad():
        field.weight_ih_l0.copy_(ours.w[:, :D])
        field.bias_ih_l0.copy_(ours.w[:, D])
        field.bias_hh_l0.zero_()
        field.weight_hh_l0.copy_(ours.w[:, D + 1 :])
    x = torch.randn(B, T, D, dtype=torch.float64)
    assert_close(ours(x), field(x)[0], rtol=0, atol=1e-14)


def test_by_default_units_are_logistic():
    rnn, x = RNN(D, H), torch.randn(B, T, D)
    s = x[:, 0] @ rnn.w[:, :D].T + rnn.w[:, D]
    assert_close(rnn(x)[:, 0], 1 / (1 + torch.exp(-s)))


def test_unless_told_there_is_one_stream():
    assert RTRL(RNN(D, H)).step(torch.randn(1, D)).shape == (1, H)


@pytest.mark.oracle
@both
def test_the_gradient_carried_forward_is_the_one_carried_back(squash):
    rnn, x, d = double(squash)
    targeted = torch.rand(B, T, H) < 0.5  # some units, at some steps
    y = rnn(x)
    (0.5 * (targeted * (d - y)) ** 2).sum().backward()
    net, change = RTRL(rnn, B), torch.zeros_like(rnn.w)
    for t in range(T):
        y_t = net.step(x[:, t])
        assert_close(y_t, y[:, t], rtol=0, atol=1e-14)
        change += net.change(targeted[:, t] * (d[:, t] - y_t))
    assert_close(change, -rnn.w.grad, rtol=0, atol=1e-10)


@pytest.mark.oracle
@both
def test_sensitivities_are_what_a_nudged_weight_does(squash):
    rnn, x, _ = double(squash)
    net = RTRL(rnn, B)
    for t in range(T):
        net.step(x[:, t])
    nudge = 1e-6
    for i, j in [(0, 0), (1, D), (2, D + 1), (H - 1, D + H)]:  # an input, the bias, two units
        with torch.no_grad():
            rnn.w[i, j] += nudge
            more = rnn(x)[:, -1]
            rnn.w[i, j] -= 2 * nudge
            less = rnn(x)[:, -1]
            rnn.w[i, j] += nudge
        assert_close(net.p[:, :, i, j], (more - less) / (2 * nudge), rtol=0, atol=1e-8)


def test_forgotten_sensitivities_are_a_gradient_cut_off_in_time():
    rnn, x, d = double()
    net = RTRL(rnn, B)
    for t in range(T):
        if t == T - 3:
            y, net.p = net.y, torch.zeros_like(net.p)
        net.step(x[:, t])
    for t in range(T - 3, T):
        y = torch.sigmoid(rnn.lines(x[:, t], y) @ rnn.w.T)
    (0.5 * (d[:, -1] - y) ** 2).sum().backward()
    assert_close(net.change(d[:, -1] - net.y), -rnn.w.grad, rtol=0, atol=1e-12)


def test_a_forced_unit_says_its_target_and_owes_it_to_no_weight():
    rnn, x, d = double()
    taught = torch.rand(B, T, H) < 0.5
    net, change, loss = RTRL(rnn, B), torch.zeros_like(rnn.w), 0.0
    y = torch.zeros(B, H, dtype=torch.float64)
    for t in range(T):
        y = torch.sigmoid(rnn.lines(x[:, t], y) @ rnn.w.T)
        loss = loss + 0.5 * (taught[:, t] * (d[:, t] - y)).square().sum()
        y = torch.where(taught[:, t], d[:, t], y)
        e = taught[:, t] * (d[:, t] - net.step(x[:, t]))
        change += net.change(e)
        net.force(d[:, t], taught[:, t])
        assert_close(net.y, y, rtol=0, atol=1e-14)
    loss.backward()
    assert_close(change, -rnn.w.grad, rtol=0, atol=1e-12)


def test_a_first_step_learns_by_the_delta_rule():  # the limit: no past, a single layer
    rnn, x, d = double()
    net = RTRL(rnn, B)
    y = net.step(x[:, 0])
    e = d[:, 0] - y
    z = torch.cat([x[:, 0], torch.ones(B, 1), torch.zeros(B, H)], dim=1)
    assert_close(net.change(e), (e * y * (1 - y)).T @ z, rtol=0, atol=1e-14)


def test_weights_start_within_one_over_the_root_of_the_units():
    w = RNN(D, 101).w
    assert w.abs().max() <= 101**-0.5
    assert_close(w.std().item(), (3 * 101) ** -0.5, rtol=0.05, atol=0)
