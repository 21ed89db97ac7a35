import pytest
import torch
from torch.testing import assert_close

from paperimpl.papers.backprop import GeneralizedDeltaRule, Net

B, D, H, H2, K = 7, 5, 3, 11, 2  # all different, so that no mixed-up axis passes
ETA, ALPHA = 0.3, 0.8


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def error(net, x, t):
    return (t - net.forward(x)[-1]).square().sum() / 2


@pytest.mark.oracle
def test_the_net_is_linear_layers_and_sigmoids():
    net, x = Net(D, H, K), torch.randn(B, D)
    theirs = torch.nn.Sequential(torch.nn.Linear(D, H), torch.nn.Sigmoid(), torch.nn.Linear(H, K), torch.nn.Sigmoid())
    with torch.no_grad():
        for w, layer in zip(net.w, (theirs[0], theirs[2]), strict=True):
            layer.weight.copy_(w[:, :-1])
            layer.bias.copy_(w[:, -1])
    outputs = net.forward(x)
    assert_close(outputs[0], x, rtol=0, atol=0)
    assert_close(outputs[1], theirs[:2](x), rtol=1e-12, atol=0)
    assert_close(outputs[2], theirs(x), rtol=1e-12, atol=0)


@pytest.mark.oracle
@pytest.mark.parametrize("widths", [(D, K), (D, H, K), (D, H, H2, K)])
def test_without_momentum_a_change_is_minus_eta_times_the_gradient_of_autograd(widths):
    net, x, t = Net(*widths), torch.randn(B, D), torch.rand(B, K)
    net.w = [(3 * w).requires_grad_() for w in net.w]
    gradients = torch.autograd.grad(error(net, x, t), net.w)
    before = [w.detach() for w in net.w]
    net.w = list(before)
    GeneralizedDeltaRule(net, ETA, 0.0).sweep(x, t)
    for w, was, gradient in zip(net.w, before, gradients, strict=True):
        assert_close(w - was, -ETA * gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.oracle
def test_a_delta_is_the_central_difference_of_the_error_in_a_net_input():
    net, x, t, h = Net(D, H, H2, K), torch.randn(1, D), torch.rand(1, K), 1e-5
    for w, delta in zip(net.w, net.deltas(net.forward(x), t), strict=True):
        for j in range(len(w)):
            w[j, -1] += h  # a threshold enters net_j with weight 1
            above = error(net, x, t)
            w[j, -1] -= 2 * h
            below = error(net, x, t)
            w[j, -1] += h
            assert_close(delta[0, j], -(above - below) / (2 * h), rtol=1e-6, atol=1e-10)


@pytest.mark.oracle
def test_momentum_is_that_of_sgd():
    net, x, t = Net(D, H, K), torch.randn(B, D), torch.rand(B, K)
    theirs = Net(D, H, K)
    theirs.w = [w.clone().requires_grad_() for w in net.w]
    steps = torch.optim.SGD(theirs.w, lr=ETA, momentum=ALPHA)
    rule = GeneralizedDeltaRule(net, ETA, ALPHA)
    for _ in range(5):
        steps.zero_grad()
        error(theirs, x, t).backward()
        steps.step()
        rule.sweep(x, t)
    for w, their in zip(net.w, theirs.w, strict=True):
        assert_close(w, their.detach(), rtol=1e-9, atol=1e-12)


def test_a_sweep_returns_the_error_of_each_pattern_from_before_the_change():
    net, x, t = Net(D, H, K), torch.randn(B, D), torch.rand(B, K)
    expected = torch.stack([error(net, x[n : n + 1], t[n : n + 1]) for n in range(B)])
    assert_close(GeneralizedDeltaRule(net, ETA).sweep(x, t), expected, rtol=1e-12, atol=0)


def test_alpha_is_nine_tenths_unless_told():
    assert GeneralizedDeltaRule(Net(D, K), ETA).alpha == 0.9


def test_equal_hidden_units_stay_equal():  # symmetry breaking, p. 330
    net, x, t = Net(D, H, K), torch.randn(B, D), torch.rand(B, K)
    net.w[0][:] = net.w[0][:1].clone()
    net.w[1][:, :-1] = net.w[1][:, :1].clone()
    rule = GeneralizedDeltaRule(net, ETA)
    for _ in range(50):
        rule.sweep(x, t)
    assert_close(net.w[0], net.w[0][:1].expand(H, -1), rtol=1e-9, atol=1e-12)


def test_start_weights_are_small_and_differ():
    w = torch.cat([w.flatten() for w in Net(101, 103, 2).w])
    assert w.abs().max() <= 0.5
    assert w.mean().abs() < 0.01
    assert_close(w.std().item(), 12**-0.5, rtol=0.02, atol=0)
    assert len(w.unique()) == len(w)
