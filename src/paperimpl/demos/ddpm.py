"""From noise to a digit: a small U-Net, taught by L_simple to see the noise in digits of 12 by 12 pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperimpl.lab.data.mnist import mnist
from paperimpl.lab.fit import fit
from paperimpl.papers.ddpm import DDPM, UNet

TOLERANCE = 0.02  # of the noise, whose deviation is 1
T, SIZE = 100, 12  # steps, with rates ten times the paper's, as the claim has them; pixels a side
SIZES = {"multiples": (1, 1, 1), "channels": 16, "n_blocks": 1, "attend_at": 6, "n_groups": 4}
STEPS, BATCH, RATE = 2000, 64, 3e-3
TRIED, WORST = 20, 4  # samples that are looked through; those that are shown, because no digit came of them
JUDGED, SURE = 50, 0.9  # samples of each way of walking; how sure of a digit the classifier must be
FRESH = ("beta", "small", "none")  # the variance of the steps back: beta_t, that of eq. 7, or nothing
# The noise seen in pure noise, as if it were at step t; or where a walk from it ends.
CHECKS: list[dict[str, Any]] = [
    {"seed": 1, "t": 100},
    {"seed": 2, "t": 37},
    {"seed": 3, "t": 1},
    {"seed": 4, "steps": 100, "fresh": "beta"},
    {"seed": 5, "steps": 100, "fresh": "none"},
    {"seed": 6, "steps": 25, "fresh": "beta"},
    {"seed": 7, "steps": 10, "fresh": "small"},
]


def build() -> nn.Module:
    """Make the U-Net and, to say what its samples are, a small classifier, both untrained."""
    judge = nn.Sequential(nn.Linear(SIZE**2, 48), nn.ReLU(), nn.Linear(48, 10))
    return nn.ModuleDict({"unet": UNet(size=SIZE, c_image=1, p_drop=0.0, **SIZES), "judge": judge})


def rates() -> Tensor:
    """Return beta_1 to beta_T."""
    return torch.linspace(0.1 / T, 20 / T, T, dtype=torch.float64)


def small(x: Tensor) -> Tensor:
    """Cut the middle 24 by 24 pixels out of images in [0, 1], halve them, and let them be from -1 for paper to 1."""
    return 2 * F.avg_pool2d(x[:, :, 2:26, 2:26], 2) - 1


def train() -> nn.Module:
    """Follow Algorithm 1 on 4,500 digits, the rate rising for 50 steps and then falling to 0; then train the judge."""
    nets, rng = build(), torch.Generator().manual_seed(0)
    x, y, _, _ = mnist(4500, 500, 0)
    x = small(x)
    ddpm = DDPM(nets["unet"], rates())  # type: ignore[index]
    adam = torch.optim.Adam(ddpm.parameters())
    for step in range(STEPS):
        adam.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 50) * (1 - step / STEPS)
        pick, t = torch.randint(len(x), (BATCH,), generator=rng), torch.randint(1, T + 1, (BATCH,), generator=rng)
        loss = ddpm.loss(x[pick], t, torch.randn(BATCH, 1, SIZE, SIZE, generator=rng)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    x = x.flatten(1)
    picks = (torch.randint(len(x), (BATCH,), generator=rng) for _ in range(STEPS))
    batches = ((x[pick] + 0.2 * torch.randn(BATCH, x.shape[1], generator=rng), y[pick]) for pick in picks)
    fit(nets["judge"], batches, F.cross_entropy, lr=2e-3)  # type: ignore[index]
    return nets


def data() -> dict[str, Tensor]:
    """Return nothing: a page needs the weights alone."""
    return {}


def scattered(i: Tensor) -> Tensor:
    """Hash numbers to 32 bits that look random, as a browser does, too."""
    a = (i * 0x9E3779B1) & 0xFFFFFFFF
    a = ((a ^ a >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    a = ((a ^ a >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return a ^ a >> 16


def noise(seeds: list[int]) -> Tensor:
    """Draw what whole walks need by Box and Muller's rule from hashes, (T + 1, seeds, 1, SIZE, SIZE)."""
    place = torch.arange((T + 1) * SIZE**2)  # of step t: SIZE**2 * t and on
    starts = scattered(2 * torch.tensor(seeds).unsqueeze(1) + torch.arange(2))  # (seeds, 2)
    dice = scattered(starts.unsqueeze(2) + place & 0xFFFFFFFF).double()  # (seeds, 2, places)
    a, b = ((dice + 0.5) / 2**32).unbind(dim=1)
    drawn = (-2 * a.log()).sqrt() * (2 * torch.pi * b).cos()
    return drawn.float().view(len(seeds), T + 1, 1, SIZE, SIZE).transpose(0, 1)


class Respaced(nn.Module):
    """A net that is asked about some of its steps alone: step t of the short way is `times[t]` of the long one."""

    def __init__(self, net: nn.Module, times: Tensor):
        super().__init__()
        self.net, self.times = net, times

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Predict the noise at steps that count from 0."""
        return torch.as_tensor(self.net(x, self.times[t + 1] - 1))


@torch.no_grad()
def walk(unet: nn.Module, seeds: list[int], steps: int = T, fresh: str = "beta") -> Tensor:
    """Walk from noise to images in T steps or fewer, (seeds, 1, SIZE, SIZE); the noise is the same for any number."""
    times = torch.tensor([round(T * i / steps) for i in range(steps + 1)])
    left = F.pad(1 - rates(), (1, 0), value=1.0).cumprod(dim=0)[times]
    ddpm = DDPM(Respaced(unet, times), rates() if steps == T else 1 - left[1:] / left[:-1], small=fresh == "small")
    drawn = noise(seeds)[times]
    if fresh == "none":
        drawn[:-1] = 0.0
    return ddpm.sample(drawn)


@torch.no_grad()
def judged(judge: nn.Module, images: Tensor) -> Tensor:
    """Return what the classifier makes of images, (images, 10)."""
    return torch.as_tensor(judge(images.clamp(-1, 1).flatten(1)).softmax(dim=1))


def outputs(net: nn.Module, data: dict[str, Tensor]) -> Tensor:
    """Compute the noise that is seen in pure noise, at eleven steps from the first to the last."""
    t = torch.arange(0, T, T // 10)
    return torch.as_tensor(net["unet"](noise(list(range(len(t))))[-1], t))  # type: ignore[index]


def answer(unet: nn.Module, seed: int, t: int = 0, steps: int = T, fresh: str = "beta") -> list[float]:
    """Return what one of the checks comes to."""
    if t:
        return unet(noise([seed])[-1], torch.tensor([t - 1])).flatten().tolist()
    return walk(unet, [seed], steps, fresh).flatten().tolist()


def failures(net: nn.Module) -> list[dict[str, Any]]:
    """List those of the first samples that the classifier is least sure of, the worst first."""
    sure, answers = judged(net["judge"], walk(net["unet"], list(range(TRIED)))).max(dim=1)  # type: ignore[index]
    return [
        {"kind": "no digit", "seed": seed, "answer": answers[seed].item(), "confidence": sure[seed].item()}
        for seed in sure.argsort()[:WORST].tolist()
    ]


def sure(net: nn.Module) -> dict[str, float]:
    """Return in what share of samples the classifier is sure of a digit, by the number of steps and the fresh noise."""
    unet, judge, seeds = net["unet"], net["judge"], list(range(TRIED, TRIED + JUDGED))  # type: ignore[index]
    ways = [(T, "beta"), (T, "small"), (T, "none"), (25, "beta"), (10, "beta"), (5, "beta")]
    images = {f"{steps} {fresh}": walk(unet, seeds, steps, fresh) for steps, fresh in ways}
    images["digits"] = small(mnist(4500, 500, 0)[2][:JUDGED])
    return {way: (judged(judge, x).amax(dim=1) >= SURE).float().mean().item() for way, x in images.items()}


def facts(net: nn.Module, data: dict[str, Tensor]) -> dict[str, Any]:
    """Return the checks, the failures with their pictures, how sure the classifier is, and how often it is right."""
    _, _, x, y = mnist(4500, 500, 0)
    right = (judged(net["judge"], small(x)).argmax(dim=1) == y).float().mean().item()  # type: ignore[index]
    rows = failures(net)
    worst = walk(net["unet"], [row["seed"] for row in rows]).clamp(-1, 1)  # type: ignore[index]
    return {
        "checks": [{"input": check, "output": answer(net["unet"], **check)} for check in CHECKS],  # type: ignore[index]
        "failures": rows,
        "pictures": (127.5 * (worst + 1)).round().int().flatten(1).tolist(),
        "tried": TRIED,
        "right": right,
        "judged": JUDGED,
        "sure": sure(net),
        "sizes": {
            "T": T,
            "size": SIZE,
            "channels": SIZES["channels"],
            "groups": SIZES["n_groups"],
            "levels": 3,
            "blocks": SIZES["n_blocks"],
            "attend": SIZES["attend_at"],
        },
    }
