"""Does a gradient through the sample beat wake-sleep at training encoder and decoder, and do spare latents hurt?"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from paperimpl.lab import Effect, Panel, Result
from paperimpl.lab.data.mnist import mnist
from paperimpl.papers.vae import VAE, g, kl_to_prior, log_normal, of_data_set

SAYS = (
    "Section 5, Figure 2: at every number of latents AEVB reaches a better bound than wake-sleep, and superfluous "
    "latents do not overfit. Section 2.2: the naive estimator of the encoder's gradient has too high a variance."
)
EFFECT = Effect("AEVB_20 - wake_sleep_20", "nats an image that AEVB's bound lies above wake-sleep's, 20 latents")
N, SIZE, D_HIDDEN = 1000, 100, 100


def binary(images: Float[Tensor, "N 1 28 28"], rng: torch.Generator) -> Float[Tensor, "N 784"]:
    """Draw each pixel once, white with the probability that is its grey value."""
    x = images.flatten(1)  # (N, 784)
    return (torch.rand(x.shape, generator=rng) < x).to(x)


def normal(like: Tensor, *shape: int, rng: torch.Generator) -> Tensor:
    """Draw standard normal noise on the CPU and take it to where `like` is."""
    return torch.randn(*shape, generator=rng).to(like)


def aevb(net: VAE, x: Float[Tensor, "B 784"], rng: torch.Generator) -> Float[Tensor, " B"]:
    """Return the bound, eq. 10 with one draw."""
    return net(x, normal(x, 1, len(x), net.encoder.mu.out_features, rng=rng))


def wake_sleep(net: VAE, x: Float[Tensor, "B 784"], rng: torch.Generator) -> Float[Tensor, " B"]:
    """Awake, explain images by the encoder's latents; asleep, recognise the latents of the decoder's dreams."""
    z, dreamt = (normal(x, len(x), net.encoder.mu.out_features, rng=rng) for _ in range(2))
    with torch.no_grad():
        z = g(z, *net.encoder(x))
        dream = (torch.rand(x.shape, generator=rng).to(x) < net.decoder(dreamt)).to(x)
    return net.decoder.log_prob(x, z) + net.encoder.log_prob(dreamt, dream)


@torch.no_grad()
def bound(net: VAE, x: Float[Tensor, "N 784"]) -> float:
    """Estimate the bound in nats an image, always with the same noise."""
    return aevb(net, x, torch.Generator().manual_seed(0)).mean().item()


RUNS = {  # objective, latents, and the best for them of Adagrad's step sizes 0.01, 0.02 and 0.1
    "AEVB_3": (aevb, 3, 0.1),
    "AEVB_20": (aevb, 20, 0.02),
    "AEVB_100": (aevb, 100, 0.02),
    "wake_sleep_3": (wake_sleep, 3, 0.02),
    "wake_sleep_20": (wake_sleep, 20, 0.02),
}


def train(
    name: str, x: Float[Tensor, "N 784"], test: Float[Tensor, "M 784"], steps: int, seed: int
) -> tuple[VAE, list[float]]:
    """Climb an objective plus the log prior of the weights, as section 5 does; return the net and bounds on the way."""
    objective, n_latents, alpha = RUNS[name]
    rng = torch.Generator().manual_seed(seed)
    net, bounds = VAE(784, n_latents, D_HIDDEN), []
    for p in net.parameters():
        nn.init.normal_(p, std=0.1, generator=rng)  # N(0, 0.01), read as a variance
    net = net.to(x)
    ascent = torch.optim.Adagrad(net.parameters(), lr=alpha, maximize=True, weight_decay=1.0)  # p(theta) = N(0, I)
    for step, rows in enumerate(batches(len(x), steps, rng), start=1):
        ascent.zero_grad()
        of_data_set(objective(net, x[rows], rng), len(x)).backward()
        ascent.step()
        if step % pause(steps) == 0:
            bounds.append(bound(net, test))
    return net, bounds


def pause(steps: int) -> int:
    """Steps between two looks at the test bound: a twelfth of all."""
    return max(1, steps // 12)


def batches(n_examples: int, steps: int, rng: torch.Generator) -> Iterator[Tensor]:
    """Shuffle and cut, again and again."""
    for _ in range(steps * SIZE // n_examples):
        yield from torch.randperm(n_examples, generator=rng).split(SIZE)


def variances(net: VAE, x: Float[Tensor, "B 784"], rng: torch.Generator, n_draws: int = 64) -> dict[str, float]:
    """Measure the variance over single draws of two estimators of the bound's gradient by the encoder's outputs.

    It is summed over the outputs and averaged over the images.
    """
    q = [t.detach().expand(n_draws, *t.shape).requires_grad_() for t in net.encoder(x)]  # (L, B, J), one for each draw
    eps = normal(x, *q[0].shape, rng=rng)
    z = q[0] + (q[1] / 2).exp() * eps  # eq. 4, and its gradient
    through = net.decoder.log_prob(x, z) - kl_to_prior(*q).sum(dim=-1)  # (L, B) eq. 10
    z = z.detach()
    log_q, at_0 = log_normal(z, *q), torch.zeros_like(z)
    f = net.decoder.log_prob(x, z) + log_normal(z, at_0, at_0) - log_q  # (L, B) eq. 6
    naive = f.detach() * log_q  # section 2.2: its gradient is f times that of log q
    return {
        name: sum(t.var(dim=0).sum(dim=-1).mean().item() for t in torch.autograd.grad(estimate.sum(), q))
        for name, estimate in {"through_the_sample": through, "naive": naive}.items()
    }


def claim(seed: int = 0, *, steps: int = 480, device: str = "cpu") -> Result:
    """Train on 1,000 binary digits; compare bounds on 1,000 others, in nats an image.

    Holds if with 20 latents AEVB ends at least 10 nats above wake-sleep; if 100 latents end at least 20 nats above
    independent pixels, and with a gap from training to test bound that is at most 1 nat wider than with 20; and if
    the naive gradient's variance is more than 100 times that of the gradient through the sample.
    """
    rng = torch.Generator().manual_seed(seed)
    images, _, others, _ = mnist(N, N, seed)
    x, test = binary(images, rng).to(device), binary(others, rng).to(device)
    nets, ends, curves = {}, {}, {}
    for name in RUNS:
        nets[name], curves[name.replace("_", " ")] = train(name, x, test, steps, seed)
        ends[name] = bound(nets[name], test)
    coins = x.mean(dim=0).clamp(1 / N, 1 - 1 / N)  # (784,)
    ends["independent_pixels"] = -F.binary_cross_entropy(coins.expand_as(test), test).item() * 784
    gaps = {f"gap_{n}": bound(nets[f"AEVB_{n}"], x) - ends[f"AEVB_{n}"] for n in (3, 20, 100)}
    variance = variances(nets["AEVB_20"], x[:SIZE], rng)
    with torch.no_grad():
        mus, log_vars = zip(*(nets[f"AEVB_{n}"].encoder(test) for n in (3, 20, 100)), strict=True)
        nats = [kl_to_prior(*q).mean(dim=0).sort(descending=True).values for q in zip(mus, log_vars, strict=True)]
        z = normal(x, N, 20, rng=rng)
        drawn = {name: nets[name].decoder(z) for name in ("AEVB_20", "wake_sleep_20")}
        pictures = {"a digit": test[0], "from its 20 latents": nets["AEVB_20"].decoder(mus[1][:1])[0]}
        pictures |= {"drawn, AEVB": drawn["AEVB_20"][0], "drawn, wake-sleep": drawn["wake_sleep_20"][0]}
    white = {"white_in_digits": test.mean().item()}
    white |= {f"white_drawn_from_{name}": y.mean().item() for name, y in drawn.items()}
    code = {f"code_{n}": nat.sum().item() for n, nat in zip((3, 20, 100), nats, strict=True)}
    code["mean_code_20"] = mus[1].mean(dim=0).square().sum().item() / 2
    return Result(
        measured=ends | gaps | code | white | variance,
        holds=ends["AEVB_20"] >= ends["wake_sleep_20"] + 10
        and gaps["gap_100"] <= gaps["gap_20"] + 1
        and ends["AEVB_100"] >= ends["independent_pixels"] + 20
        and variance["naive"] > 100 * variance["through_the_sample"],
        units=dict.fromkeys(ends, "bound on test images, nats an image")
        | dict.fromkeys(gaps, "training bound minus test bound, nats an image")
        | dict.fromkeys(code, "KL from the prior, test images, nats an image")
        | dict.fromkeys(white, "share of white pixels")
        | dict.fromkeys(variance, "variance of the gradient by the encoder's outputs, nats²"),
        curves={
            "Learning": Panel(
                [SIZE * pause(steps) * (n + 1) for n in range(len(curves["AEVB 20"]))],
                curves,
                "training images seen",
                "test bound, nats",
            ),
            "What each latent of the encoder says": Panel(
                list(range(1, 101)),
                {f"{n} latents": F.pad(nat, (0, 100 - n)) for n, nat in zip((3, 20, 100), nats, strict=True)},
                "latents, the busiest first",
                "KL from the prior, nats",
            ),
        },
        images={
            title: F.avg_pool2d(picture.view(1, 28, 28), 2)[0].mul(100).round().div(100).tolist()
            for title, picture in pictures.items()
        },
    )
