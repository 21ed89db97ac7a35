import pytest
import torch
from torch.testing import assert_close

from paperimpl.papers.lstm import LSTM, LSTMCell

B, T, D, H = 2, 7, 3, 5  # all different, so that no mixed-up axis passes


def series(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.oracle
def test_it_is_the_modern_lstm_with_every_forget_gate_stuck_open():
    ours, modern = LSTM(D, H, truncate=False).double(), torch.nn.LSTM(D, H, batch_first=True).double()
    (w_in, w_out, w_c), (b_in, b_out, b_c) = (p.split(H) for p in ours.cell.net.parameters())
    with torch.no_grad():  # torch stacks i, f, g, o; and h(2z) = tanh(z) = g(2z) / 2
        w = torch.cat([w_in, 0 * w_in, w_c / 2, w_out])
        modern.weight_ih_l0.copy_(w[:, :D])
        modern.weight_hh_l0.copy_(w[:, D:])
        modern.bias_ih_l0.copy_(torch.cat([b_in, 0 * b_in + 100, b_c / 2, b_out]))
        modern.bias_hh_l0.zero_()
    x = series(B, T, D).requires_grad_()
    weight = series(B, T, H)
    (y, grad), (y_modern, grad_modern) = (
        (y, torch.autograd.grad((y * weight).sum(), x)[0]) for y in (ours(x), modern(x)[0])
    )
    assert_close(y, y_modern, rtol=0, atol=1e-14)
    assert_close(grad, grad_modern, rtol=0, atol=1e-14)


@pytest.mark.parametrize("steps", [1, 30, 1000])
def test_an_error_inside_the_carousel_is_never_scaled(steps):  # section 4.5
    cell, x, y = LSTMCell(D, H), torch.randn(steps, B, D), torch.randn(B, H)
    s0 = s = torch.randn(B, H, requires_grad=True)
    for x_t in x:
        y, s = cell(x_t, y, s)  # the outputs do come back: only their errors are cut off
    assert_close(torch.autograd.grad(s.sum(), s0)[0], torch.ones(B, H), rtol=0, atol=0)


def test_without_truncation_an_error_also_returns_through_the_gates():
    cell, y = LSTMCell(D, H, truncate=False), torch.zeros(B, H)
    s0 = s = torch.randn(B, H, requires_grad=True)
    for x_t in torch.randn(T, B, D):
        y, s = cell(x_t, y, s)
    assert (torch.autograd.grad(s.sum(), s0)[0] != 1).all()


@pytest.mark.oracle
def test_the_truncated_gradient_needs_no_past_but_two_running_sums():  # A.1.2, A.1.3, for the last output
    lstm, x, weight = LSTM(D, H).double(), series(1, T, D), series(H)
    w, b = (p.detach().unflatten(0, (3, H)) for p in lstm.cell.net.parameters())  # (3, H, D + H), (3, H)
    y = s = torch.zeros(H, dtype=torch.float64)
    ds_in = ds_c = torch.zeros(H, D + H + 1, dtype=torch.float64)  # of a cell's state by its own weights
    for x_t in x[0]:
        z = torch.cat([x_t, y])
        net_in, net_out, net_c = w @ z + b
        y_in, y_out, c = net_in.sigmoid(), net_out.sigmoid(), 2 * (net_c / 2).tanh()
        z = torch.cat([z, z.new_ones(1)])
        ds_in = ds_in + torch.outer(c * y_in * (1 - y_in), z)
        ds_c = ds_c + torch.outer(y_in * (1 - c**2 / 4), z)
        s = s + y_in * c
        y = y_out * (s / 2).tanh()
    e_s = weight * y_out * (1 - (s / 2).tanh() ** 2) / 2
    by_hand = torch.cat(
        [
            e_s[:, None] * ds_in,
            torch.outer(weight * y_out * (1 - y_out) * (s / 2).tanh(), z),
            e_s[:, None] * ds_c,
        ]
    )
    (lstm(x)[0, -1] * weight).sum().backward()
    net = lstm.cell.net
    assert_close(net.weight.grad, by_hand[:, :-1], rtol=1e-12, atol=1e-14)
    assert_close(net.bias.grad, by_hand[:, -1], rtol=1e-12, atol=1e-14)


def test_truncation_changes_errors_but_no_output():
    truncated, full, x = LSTM(D, H), LSTM(D, H, truncate=False), torch.randn(B, T, D)
    full.load_state_dict(truncated.state_dict())
    assert_close(truncated(x), full(x), rtol=0, atol=0)


def test_a_shut_input_gate_keeps_the_state_and_a_shut_output_gate_hides_it():
    cell, x, y, s = LSTMCell(D, H), torch.randn(B, D), torch.randn(B, H), torch.randn(B, H)
    with torch.no_grad():
        cell.net.bias[: 2 * H] = -1000.0
    y_next, s_next = cell(x, y, s)
    assert_close(s_next, s, rtol=0, atol=0)
    assert_close(y_next, torch.zeros(B, H), rtol=0, atol=0)


def test_only_the_input_gates_start_almost_shut():  # sections 4.8 and 5.4.3
    b_in, b_out, b_c = LSTM(D, H).cell.net.bias.split(H)
    assert (b_in == -3).all()
    assert (torch.cat([b_out, b_c]).abs() < 1).all()


def test_the_future_does_not_change_the_past():
    lstm, x = LSTM(D, H), torch.randn(B, T, D)
    y = lstm(x)
    x[:, 4:] += 1
    changed = lstm(x)
    assert_close(changed[:, :4], y[:, :4], rtol=0, atol=0)
    assert not torch.allclose(changed[:, 4:], y[:, 4:])
