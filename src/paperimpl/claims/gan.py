"""Does D learn p_data / (p_data + p_g), and does the game then take p_g to p_data?"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

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
    "p_g = p_data. Section 3: -log D(G(z)) gives G much stronger gradients early on. Table 1: 225 +- 2 nats on MNIST "
    "by a Parzen window."
)
EFFECT = Effect(
    "JSD_likeliest_Gaussian - JSD_after_the_game", "nats of Jensen-Shannon divergence that the game is closer to p_data"
)
BUMPS, WIDE = ((-2.0, 0.5), (2.0, 0.5)), math.sqrt(4.25)  # p_data: means and deviations; the deviation of both
EDGES = torch.linspace(-7, 7, 141, dtype=torch.float64)
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
SHOWN = slice(29, 111)  # the bins from -4.1 to 4.1, for the figure
Loss = Callable[[Tensor], Tensor]
POINTS = 40  # of a game, in the figure
UNITS = {
    "mean_error": "mean distance of D(x) from p_data / (p_data + p_g)",
    "V_of": "nats, the value of the game",
    "C_of": "nats, the value of the game",
    "JSD": "nats of Jensen-Shannon divergence between p_data and p_g",
    "rarer": "share of samples on the side of the rarer bump; half is right",
    "gradient": "times as long, the gradient of -log D(G(z)) beside that of log(1 - D(G(z)))",
    "Parzen": "nats, test digits under a Parzen window",
}


def two_bumps(n: int, rng: torch.Generator) -> Float[Tensor, "N 1"]:
    """Draw from p_data, an even mixture of two Gaussians."""
    (left, scale), (right, _) = BUMPS
    return torch.where(torch.rand(n, 1, generator=rng) < 0.5, left, right) + scale * torch.randn(n, 1, generator=rng)


def masses(*bumps: tuple[float, float]) -> Float[Tensor, " bins"]:
    """Give each bin between EDGES its mass under an even mixture of Gaussians; the outer two take the tails."""
    inner = sum(torch.distributions.Normal(m, s).cdf(EDGES[1:-1]) for m, s in bumps) / len(bumps)
    return torch.cat([inner.new_zeros(1), inner, inner.new_ones(1)]).diff()


def sampled(G: Generator, n: int) -> Float[Tensor, " bins"]:
    """Share out samples of G among the bins."""
    z = torch.randn(n, 2, generator=torch.Generator().manual_seed(n)).to(next(G.parameters()).device)
    with torch.no_grad():
        x = G(z).cpu().double().clamp(-6.99, 6.99)
    return torch.histc(x, len(CENTRES), -7, 7) / n


def jsd(p: Float[Tensor, " bins"], q: Float[Tensor, " bins"]) -> float:
    """Compute the Jensen-Shannon divergence in nats, from what theorem 1 says of the criterion."""
    return (criterion(p, q).item() + math.log(4)) / 2


def play(
    G: nn.Module,
    D: nn.Module,
    rng: torch.Generator,
    *,
    rounds: int,
    loss: Loss = non_saturating_loss,
    g_steps: int = 1,
    batch: int = 128,
) -> Iterator[int]:
    """Play Algorithm 1, one step of D and then some (or none) of G a round, and yield the number of each round."""
    adam = partial(torch.optim.Adam, betas=(0.0, 0.99))
    up, down = adam(D.parameters(), maximize=True), adam(G.parameters())
    device = next(D.parameters()).device

    def noise() -> Tensor:
        return torch.randn(batch, 2, generator=rng).to(device)

    for done in range(rounds):
        for player in (up, down):
            player.param_groups[0]["lr"] = 3e-3 * (1 - done / rounds)
        up.zero_grad()
        value(D(two_bumps(batch, rng).to(device)), D(G(noise()).detach())).backward()
        up.step()
        for _ in range(g_steps):
            down.zero_grad()
            loss(D(G(noise()))).backward()
            down.step()
        yield done + 1


def players(seed: int, device: str) -> tuple[Generator, Discriminator]:
    """Make untrained nets for numbers: no sigmoid in G, no dropout in D."""
    torch.manual_seed(seed)
    return Generator(2, 32, 1, squash=nn.Identity()).to(device), Discriminator(1, 32, 3, (0.0, 0.0)).to(device)


def parzen(samples: Float[Tensor, "N D"], valid: Float[Tensor, "M D"], test: Float[Tensor, "K D"]) -> float:
    """Measure the log-likelihood of images under Gaussians around samples, as wide as suits the validation images."""

    def told(x: Tensor, width: float) -> float:
        near = (-(torch.cdist(x, samples) / width).square() / 2).logsumexp(dim=1) - math.log(len(samples))
        return near.mean().item() - x.shape[1] * math.log(width * math.sqrt(2 * math.pi))

    return told(test, max(torch.logspace(-1, 0, 10).tolist(), key=partial(told, valid)))


def centroids(x: Float[Tensor, "N D"], n: int, rounds: int = 10) -> Float[Tensor, "K D"]:
    """Find n means of images by k-means, from the first n images."""
    found = x[:n].clone()
    for _ in range(rounds):
        nearest = torch.cdist(x, found).argmin(dim=1)  # (N,)
        count = torch.bincount(nearest, minlength=n)[:, None]  # (K, 1)
        total = torch.zeros_like(found).index_add_(0, nearest, x)
        found = torch.where(count > 0, total / count.clamp(min=1), found)
    return found


def against_a_fixed_generator(seed: int, rounds: int, device: str) -> tuple[dict[str, float], Panel]:
    """Train D to tell the data from the likeliest Gaussian; compare its answers and its value with the best."""
    p_data, p_g = masses(*BUMPS), masses((0.0, WIDE))
    rng, (_, D) = torch.Generator().manual_seed(seed), players(seed, device)
    G = nn.Linear(2, 1, bias=False).to(device)
    nn.init.constant_(G.weight, WIDE / math.sqrt(2))  # so that G(z) has the mean and the deviation of the data
    for _ in play(G, D, rng, rounds=rounds, g_steps=0, batch=256):
        pass
    with torch.no_grad():
        log_odds = D(CENTRES[:, None].float().to(device)).cpu().double()  # (bins,)
    best = optimal_discriminator(p_data, p_g)
    measured = {
        "mean_error_of_D": ((p_data + p_g) / 2 * (log_odds.sigmoid() - best).abs()).sum().item(),
        "V_of_trained_D": (p_data * logsigmoid(log_odds) + p_g * logsigmoid(-log_odds)).sum().item(),
        "C_of_G": criterion(p_data, p_g).item(),
    }
    drawn = {"D, trained": log_odds.sigmoid()[SHOWN], "p_data / (p_data + p_g)": best[SHOWN]}
    return measured, Panel(CENTRES[SHOWN], drawn, "x", "D(x)")


def gradient_gain(seed: int, lead: int, device: str) -> float:
    """Let D learn alone, then say how much longer G's gradient by -log D(G(z)) is than by log(1 - D(G(z)))."""
    rng, (G, D) = torch.Generator().manual_seed(seed), players(seed, device)
    for _ in play(G, D, rng, rounds=lead, g_steps=0):
        pass
    z = torch.randn(1000, 2, generator=rng).to(device)
    steep, flat = (
        torch.cat([g.flatten() for g in torch.autograd.grad(loss(D(G(z))), [*G.parameters()])]).norm().item()
        for loss in (non_saturating_loss, minimax_loss)
    )
    return steep / flat


def game(seed: int, rounds: int, device: str, loss: Loss, g_steps: int = 1) -> tuple[list[float], Tensor]:
    """Play a whole game; measure the divergence from p_data along it, and the masses of p_g at its end."""
    rng, (G, D) = torch.Generator().manual_seed(seed), players(seed, device)
    along = [
        jsd(masses(*BUMPS), sampled(G, 20_000))
        for n in play(G, D, rng, rounds=rounds, loss=loss, g_steps=g_steps)
        if n % (rounds // POINTS) == 0
    ]
    return along, sampled(G, 100_000)


def yardstick(seed: int, device: str) -> dict[str, float]:
    """Lay Table 1's measure to images that no model made."""
    train, _, rest, _ = mnist(4000, 1000, seed)
    digits = train.flatten(1).to(device)
    made = {"digits_4000": digits, "digits_1000": digits[:1000], "centroids_1000": centroids(digits, 1000)}
    return {f"Parzen_{name}": parzen(x, *rest.flatten(1).to(device).split(500)) for name, x in made.items()}


def claim(seed: int = 0, *, rounds: int = 1000, device: str = "cpu") -> Result:  # rounds: a multiple of 200
    """Train D against a fixed generator, play three games, and lay the paper's yardstick to digits that nobody made.

    Holds if D is within 0.03 of p_data / (p_data + p_g) on average, and its value within 0.02 nats of C(G); if the
    game ends at less than half the Jensen-Shannon divergence of the likeliest Gaussian; and if the gradient of
    -log D(G(z)) is more than 10 times as long as that of log(1 - D(G(z))) once D is ahead.
    """
    p_data, gaussian = masses(*BUMPS), masses((0.0, WIDE))
    measured, answers = against_a_fixed_generator(seed, rounds // 2, device)
    games = {
        "the_game": game(seed, rounds, device, non_saturating_loss),
        "minimax": game(seed, rounds, device, minimax_loss),
        "a_hasty_G": game(seed, rounds // 5, device, non_saturating_loss, g_steps=10),
    }
    measured |= {f"JSD_after_{name}": jsd(p_data, p_g) for name, (_, p_g) in games.items()}
    measured["JSD_likeliest_Gaussian"] = jsd(p_data, gaussian)
    for name, (_, p_g) in games.items():
        measured[f"rarer_bump_after_{name}"] = min(p_g[side].sum().item() for side in (CENTRES < 0, CENTRES > 0))
    measured["gradient_gain"] = gradient_gain(seed, rounds // 10, device)
    measured |= yardstick(seed, device)
    densities = {"p_data": p_data, "p_g after the game": games["the_game"][1], "likeliest Gaussian": gaussian}
    return Result(
        measured=measured,
        holds=measured["mean_error_of_D"] < 0.03
        and measured["C_of_G"] - measured["V_of_trained_D"] < 0.02
        and measured["JSD_after_the_game"] < measured["JSD_likeliest_Gaussian"] / 2
        and measured["gradient_gain"] > 10,
        units={key: unit for key in measured for start, unit in UNITS.items() if key.startswith(start)},
        curves={
            "D against a fixed G": answers,
            "Where the game ends": Panel(
                CENTRES[SHOWN], {name: p[SHOWN] / 0.1 for name, p in densities.items()}, "x", "density"
            ),
            "The divergence along the games": Panel(
                [n / POINTS for n in range(1, POINTS + 1)],
                {name.replace("_", " "): along for name, (along, _) in games.items()},
                "share of the game",
                "nats between p_data and p_g",
                log_y=True,
            ),
        },
    )
