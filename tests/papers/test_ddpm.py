import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F
from torch.testing import assert_close

from paperimpl.papers.ddpm import CELEBA_HQ, CIFAR10, DDPM, Attention, ResidualBlock, UNet, time_embedding

B, T, C, K, D = 2, 5, 4, 6, 10  # T and B are different primes; groups must divide channels
assert_same = partial(assert_close, rtol=1e-10, atol=1e-11)


@pytest.fixture(autouse=True)
def in_double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Guess(nn.Module):
    """A net that sees the image and the step, and tells which steps it saw."""

    def forward(self, x, t):
        self.seen = t
        return torch.tanh(x) + (t + 1).view(-1, *[1] * (x.dim() - 1)) / 7


class Knows(nn.Module):
    """A net that was told the noise."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def forward(self, x, t):
        return self.noise


def process(**settings):
    return DDPM(Guess(), torch.tensor([0.1, 0.3, 0.2, 0.5, 0.4]), **settings)


def each(t):
    return torch.full((B,), t)


def moved(net):
    """Give every layer that starts at 0 or 1 numbers of its own."""
    with torch.no_grad():
        for p in net.parameters():
            p.normal_(std=0.4)
    return net.eval()


@pytest.mark.oracle
@pytest.mark.parametrize("image", [(3,), (1, 7, 7)])
def test_a_step_back_without_clipping_is_equation_11(image):
    ddpm, x = process(clip=False), torch.randn(B, *image)
    for t in range(1, T + 1):
        rate, left = ddpm.beta[t], ddpm.alpha_bar[t]
        eps = ddpm.net(x, each(t - 1))
        assert_same(ddpm.mean(x, each(t)), (x - rate / (1 - left).sqrt() * eps) / (1 - rate).sqrt())


@pytest.mark.oracle
@pytest.mark.parametrize("t", range(2, T + 1))
def test_the_weight_makes_the_error_of_the_noise_the_divergence_of_the_bound(t):  # eq. 8, 12
    ddpm, x0, noise = process(clip=False, small=True), torch.randn(B, 3), torch.randn(B, 3)
    x_t = ddpm.q_sample(x0, each(t), noise)
    rate, left, before = ddpm.beta[t], ddpm.alpha_bar[t], ddpm.alpha_bar[t - 1]
    true = before.sqrt() * rate / (1 - left) * x0 + (1 - rate).sqrt() * (1 - before) / (1 - left) * x_t
    deviation = (rate * (1 - before) / (1 - left)).sqrt()
    divergence = kl_divergence(Normal(true, deviation), Normal(ddpm.mean(x_t, each(t)), deviation)).sum(dim=1)
    assert_same(3 * ddpm.weight(each(t)) * ddpm.loss(x0, each(t), noise), divergence)


@pytest.mark.oracle
@pytest.mark.parametrize("t", range(2, T + 1))
def test_the_small_variance_and_the_mean_are_the_posteriors_by_bayes_rule(t):  # eq. 6, 7
    ddpm, x0, before = process(clip=False, small=True), torch.randn(B, 3), torch.randn(B, 3)
    noise = torch.randn(B, 3)
    x_t = ddpm.q_sample(x0, each(t), noise)
    ddpm.net = Knows(noise)
    rate, left = ddpm.beta[t], ddpm.alpha_bar
    log_p = Normal(ddpm.mean(x_t, each(t)), ddpm.variance(each(t)).sqrt()[:, None]).log_prob(before)
    forward = Normal((1 - rate).sqrt() * before, rate.sqrt()).log_prob(x_t)
    prior, marginal = (
        Normal(left[s].sqrt() * x0, (1 - left[s]).sqrt()).log_prob(x) for s, x in ((t - 1, before), (t, x_t))
    )
    assert_same(log_p, forward + prior - marginal)


def test_the_large_variance_is_the_rate():
    assert_same(process().variance(torch.tensor([1, 4])), torch.tensor([0.1, 0.5]))
    assert process(small=True).variance(each(1)).tolist() == [0, 0]


def test_the_loss_is_the_mean_square_of_what_the_net_gets_wrong_at_a_step_of_each_image():
    ddpm, x0, noise = process(), torch.randn(B, 1, 7, 7), torch.randn(B, 1, 7, 7)
    t = torch.tensor([4, 1])
    left = ddpm.alpha_bar[t].view(B, 1, 1, 1)
    x_t = left.sqrt() * x0 + (1 - left).sqrt() * noise
    assert_same(ddpm.q_sample(x0, t, noise), x_t)
    wrong = noise - torch.tanh(x_t) - t.view(B, 1, 1, 1) / 7
    assert_same(ddpm.loss(x0, t, noise), (wrong**2).mean(dim=(1, 2, 3)))
    assert ddpm.net.seen.tolist() == [3, 0]


@pytest.mark.parametrize("small", [False, True])
def test_sampling_is_algorithm_2(small):
    ddpm, noise = process(small=small), torch.randn(T + 1, B, 3, requires_grad=True)
    x = noise[T]
    for t in (5, 4, 3, 2):
        x = ddpm.mean(x, each(t)) + ddpm.variance(each(t))[0].sqrt() * noise[t - 1]
    drawn = ddpm.sample(noise)
    assert_same(drawn, ddpm.mean(x, each(1)))
    assert not drawn.requires_grad
    assert_same(ddpm.sample(noise[:, :1]), drawn[:1])


def test_clipping_keeps_the_guessed_image_in_range_and_so_the_last_step():
    ddpm, x = process(), 9 * torch.randn(B, 3)
    assert ddpm.mean(x, each(1)).abs().max() <= 1 + 1e-12
    assert process(clip=False).mean(x, each(1)).abs().max() > 1
    assert_same(ddpm.mean(x / 100, each(1)), process(clip=False).mean(x / 100, each(1)))


def test_the_rates_are_the_papers_and_leave_next_to_nothing():
    ddpm = DDPM(Guess())
    assert_same(ddpm.beta[[0, 1, 1000]], torch.tensor([0.0, 1e-4, 0.02]))
    assert_same(ddpm.beta[1:].diff(), torch.full((999,), (0.02 - 1e-4) / 999))
    assert_same(ddpm.alpha_bar, (1 - ddpm.beta).cumprod(dim=0))
    assert ddpm.alpha_bar[0] == 1
    assert ddpm.alpha_bar[-1] < 1e-4
    assert set(ddpm.state_dict()) == {"beta", "alpha_bar"}
    torch.set_default_dtype(torch.float32)
    rounded = DDPM(Guess())
    assert rounded.beta.dtype == rounded.alpha_bar.dtype == torch.float32
    assert torch.equal(rounded.alpha_bar, ddpm.alpha_bar.float())  # and not a product of rounded numbers


@pytest.mark.oracle
def test_the_embedding_of_a_step_is_sines_then_cosines_of_geometric_frequencies():
    t = torch.tensor([0, 3, 999])
    frequencies = [10_000 ** (-i / 4) for i in range(5)]
    expected = [[math.sin(s * f) for f in frequencies] + [math.cos(s * f) for f in frequencies] for s in t.tolist()]
    assert_same(time_embedding(t, D), torch.tensor(expected))


@pytest.mark.oracle
@pytest.mark.parametrize("c_out", [C, K])
def test_a_residual_block_is_its_parts_in_order(c_out):
    block, x, time = moved(ResidualBlock(C, c_out, D, 2, 0.5)), torch.randn(B, C, 7, 7), torch.randn(B, D)
    p = dict(block.named_parameters())
    h = F.silu(F.group_norm(x, 2, p["norm_1.weight"], p["norm_1.bias"], 1e-6))
    h = F.conv2d(h, p["conv_1.weight"], p["conv_1.bias"], padding=1)
    h = h + (F.silu(time) @ p["time.weight"].T + p["time.bias"])[:, :, None, None]
    h = F.silu(F.group_norm(h, 2, p["norm_2.weight"], p["norm_2.bias"], 1e-6))
    h = F.conv2d(h, p["conv_2.weight"], p["conv_2.bias"], padding=1)
    skip = x if c_out == C else F.conv2d(x, p["shortcut.weight"], p["shortcut.bias"])
    assert_same(block(x, time), skip + h)
    block.train()
    assert not torch.allclose(block(x, time), block(x, time))  # dropout


@pytest.mark.oracle
def test_attention_adds_the_average_of_values_that_a_softmax_weighs():
    attention, x = moved(Attention(C, 2)), torch.randn(B, C, 3, 3)
    p = dict(attention.named_parameters())
    pixels = F.group_norm(x, 2, p["norm.weight"], p["norm.bias"], 1e-6).flatten(2).transpose(1, 2)
    q, k, v = (pixels @ p[f"to_{n}.weight"].T + p[f"to_{n}.bias"] for n in "qkv")
    found = (q @ k.transpose(1, 2) / math.sqrt(C)).softmax(dim=2) @ v
    assert_same(attention(x), x + (found @ p["out.weight"].T + p["out.bias"]).transpose(1, 2).reshape(x.shape))


def small_net(**settings):
    sizes = {"multiples": (1, 2), "size": 8, "channels": 4, "c_image": 1, "n_blocks": 1, "attend_at": 4, "n_groups": 2}
    return UNet(**sizes | settings)


def test_a_new_net_predicts_nothing_and_each_of_its_blocks_passes_its_input_on():
    assert not small_net()(torch.randn(B, 1, 8, 8), torch.tensor([3, 0])).any()
    block, x = ResidualBlock(C, C, D, 2, 0.0), torch.randn(B, C, 7, 7)
    assert torch.equal(block(x, torch.randn(B, D)), x)
    assert torch.equal(Attention(C, 2)(x), x)


def test_the_net_is_a_u_with_attention_where_it_was_asked_for():
    net = small_net(multiples=(1, 2, 3), size=16, attend_at=8, n_blocks=2)
    attends = [[type(a).__name__ for a in level.attend] for level in (*net.down, *net.up)]
    none, all_2, all_3 = "Identity", ["Attention"] * 2, ["Attention"] * 3
    assert attends == [[none] * 2, all_2, [none] * 2, [none] * 3, all_3, [none] * 3]
    ins = [[block.conv_1.in_channels for block in level.refine] for level in (*net.down, *net.up)]
    assert ins == [[4, 4], [4, 8], [8, 12], [24, 24, 20], [20, 16, 12], [12, 8, 8]]
    outs = [{block.conv_2.out_channels for block in level.refine} for level in (*net.down, *net.up)]
    assert outs == [{4}, {8}, {12}, {12}, {8}, {4}]
    assert [level.resize is None for level in (*net.down, *net.up)] == [False, False, True, False, False, True]
    assert net(torch.randn(B, 1, 16, 16), torch.tensor([3, 0])).shape == (B, 1, 16, 16)


def test_the_net_knows_the_step_and_images_do_not_mix():
    net, x = moved(small_net()), torch.randn(B, 1, 8, 8)
    y = net(x, torch.tensor([3, 0]))
    assert_same(y, torch.cat([net(x[:1], torch.tensor([3])), net(x[1:], torch.tensor([0]))]))
    assert not torch.allclose(y, net(x, torch.tensor([0, 3])))


@pytest.mark.oracle
def test_the_net_is_its_parts_in_order():
    net, x, t = moved(small_net()), torch.randn(B, 1, 8, 8), torch.tensor([3, 0])
    fine, coarse, wide, full = *net.down, *net.up

    def conv(h, layer, **how):
        return F.conv2d(h, layer.weight, layer.bias, **how)

    def linear(h, layer):
        return h @ layer.weight.T + layer.bias

    time = linear(F.silu(linear(time_embedding(t, 4), net.time_1)), net.time_2)
    entered = conv(x, net.enter, padding=1)
    refined = fine.refine[0](entered, time)
    bordered = torch.zeros(B, 4, 9, 9)
    bordered[:, :, :8, :8] = refined
    halved = conv(bordered, fine.resize, stride=2)
    lowest = coarse.attend[0](coarse.refine[0](halved, time))
    h = net.middle_2(net.attend(net.middle_1(lowest, time)), time)
    for refine, attend, kept in zip(wide.refine, wide.attend, (lowest, halved), strict=True):
        h = attend(refine(torch.cat([h, kept], dim=1), time))
    h = conv(h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3), wide.resize, padding=1)
    for refine, kept in zip(full.refine, (refined, entered), strict=True):
        h = refine(torch.cat([h, kept], dim=1), time)
    h = F.silu(F.group_norm(h, 2, net.norm.weight, net.norm.bias, 1e-6))
    assert_same(net(x, t), conv(h, net.leave, padding=1))
    assert net.float()(x.float(), t).dtype == torch.float32


@pytest.mark.parametrize(("config", "level"), [(CIFAR10, 1), (CELEBA_HQ, 4)])
def test_the_published_nets_attend_at_16_pixels(config, level):
    with torch.device("meta"):
        net = UNet(**config)
    attending = [i for i, part in enumerate(net.down) if isinstance(part.attend[0], Attention)]
    assert attending == [level]


def weights(net):
    with torch.device("meta"):
        return sum(p.numel() for p in UNet(**net).parameters())


@pytest.mark.full_size
def test_the_net_for_cifar_has_the_weights_that_appendix_b_prints():
    assert weights(CIFAR10) == 35_746_307  # "35.7 million"


@pytest.mark.full_size
def test_the_nets_for_images_of_256_pixels_have_the_weights_that_appendix_b_prints():
    assert weights(CELEBA_HQ) == pytest.approx(114e6, abs=0.5e6)
