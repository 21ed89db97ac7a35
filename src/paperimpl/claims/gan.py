"""Does D learn p_data / (p_data + p_g), and does the game take p_g to p_data?"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from paperimpl.lab import Effect, Panel, Result
from paperimpl.lab.data.mnist import mnist
from paperimpl.papers.gan import (
    Discriminator,
    Generator,
    criterion,
    minimax_loss,
    non_saturating_loss,
    optimal_discriminator,
    value,
)

SAYS = (
    "Proposition 1: for a fixed G the best D is p_data / (p_data + p_g). Theorem 1: C(G) = -log 4 + 2 JSD, least where "
    "p_g = p_data. Section 3: -log D(G(z)) gives G much stronger gradients early on. Table 1: 225 +- 2 nats on MNIST by "
    "a Parzen window."
)
EFFECT = Effect("JSD_of_best_Gaussian - JSD_after_the_game", "nats of Jensen-Shannon divergence that the game takes off")
EDGES = torch.linspace(-7, 7, 141, dtype=torch.float64)
Loss = Callable[[Tensor], Tensor]


def two_bumps(n: int, rng: torch.Generator) -> Float[Tensor, "N 1"]:
    """Draw from p_data: an even mixture of two Gaussians at -2 and 2 with standard deviation 0.5."""
    return torch.where(torch.rand(n, 1, generator=rng) < 0.5, -2.0, 2.0) + torch.randn(n, 1, generator=rng) / 2


def masses(*bumps: tuple[float, float]) -> Float[Tensor, " bins"]:
    """Give each bin between EDGES its mass under an even mixture of Gaussians; the outer two take the tails."""
    inner = sum(torch.distributions.Normal(m, s).cdf(EDGES[1:-1]) for m, s in bumps) / len(bumps)
    return torch.cat([inner.new_zeros(1), inner, inner.new_ones(1)]).diff()


def jsd(p: Float[Tensor, " bins"], q: Float[Tensor, " bins"]) -> float:
    """Compute the Jensen-Shannon divergence in nats, as the theorem has it."""
    return (criterion(p, q).item() + math.log(4)) / 2


def sampled(G: Generator, n: int = 100_000) -> Float[Tensor, " bins"]:
    """Count samples of G in the bins."""
    with torch.no_grad():
        x = G(torch.randn(n, 2, generator=torch.Generator().manual_seed(n)).to(next(G.parameters()).device))
    return torch.histc(x.cpu().clamp(-6.99, 6.99).double(), len(EDGES) - 1, -7, 7) / n


def play(
    G: nn.Module,
    D: nn.Module,
    batches: Iterator[tuple[Tensor, Tensor, Tensor]],
    loss: Loss,
    *,
    steps: int,
    lr: float,
    beta_1: float = 0.0,
) -> Iterator[int]:
    """Play Algorithm 1 with k = 1 on batches of data, noise for D and noise for G; yield the number of each round."""
    adam = partial(torch.optim.Adam, betas=(beta_1, 0.99))
    up, down = adam(D.parameters(), maximize=True), adam(G.parameters())
    for step in range(steps):
        x, z, z_again = next(batches)
        for player, goal in (
            (up, lambda: value(D(x), D(G(z).detach()))),
            (down, lambda: loss(D(G(z_again)))),
        ):
            player.param_groups[0]["lr"] = lr * (1 - step / steps)
            player.zero_grad()
            goal().backward()
            player.step()
        yield step + 1


def batches(draw: Callable[[], Tensor], d_noise: int, rng: torch.Generator, device: str) -> Iterator[tuple[Tensor, ...]]:
    """Draw data, and as many vectors of Gaussian noise twice, for ever."""
    while True:
        x = draw()
        yield tuple(t.to(device) for t in (x, *torch.randn(2, len(x), d_noise, generator=rng)))


def parzen(
    samples: Float[Tensor, "N D"], valid: Float[Tensor, "M D"], test: Float[Tensor, "K D"]
) -> float:
    """Log-likelihood of test images in nats, of Gaussians around the samples, as wide as suits the validation images."""
    def told(x: Tensor, width: float) -> float:
        each = -(torch.cdist(x, samples) / width).square() / 2  # (M, N)
        constant = math.log(len(samples)) + x.shape[1] * math.log(width * math.sqrt(2 * math.pi))
        return each.logsumexp(dim=1).mean().item() - constant

    return told(test, max(torch.logspace(-1, 0, 10).tolist(), key=partial(told, valid)))


def centroids(x: Float[Tensor, "N D"], n: int, rounds: int = 10) -> Float[Tensor, "K D"]:
    """Find n means of images by k-means, from the first n images."""
    found = x[:n].clone()
    for _ in range(rounds):
        nearest = torch.cdist(x, found).argmin(dim=1)  # (N,)
        count = torch.bincount(nearest, minlength=n)  # (n,)
        total = torch.zeros_like(found).index_add_(0, nearest, x)
        found = torch.where(count[:, None] > 0, total / count[:, None].clamp(min=1), found)
    return found
