"""Is Adam as fast as tuned SGD, blind to the scale of gradients, and safe where its averages are long?"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from paperimpl.lab import Effect, Panel, Result
from paperimpl.lab.data.mnist import mnist
from paperimpl.papers.adam import Adam

SAYS = (
    "Figure 1: on MNIST logistic regression Adam converges like Nesterov SGD, both faster than AdaGrad. Section 2.1: "
    "the scale of gradients cancels. Figure 4: without bias correction, beta 2 near 1 makes a VAE's training unstable."
)
EFFECT = Effect("AdaGrad - Adam", "nats that AdaGrad ends above Adam, logistic regression, both annealed")
BETA_1, SIZE, CAP = 0.9, 128, 10_000.0
NESTEROV = partial(torch.optim.SGD, momentum=0.9, nesterov=True)
LOGISTIC = {  # optimizer, step sizes to choose from, options
    "Adam": (Adam, (0.1, 0.3, 1.0), {}),
    "Nesterov": (NESTEROV, (0.3, 1.0, 3.0), {}),
    "AdaGrad": (torch.optim.Adagrad, (0.1, 0.3, 1.0), {}),
    "AdaGrad_annealed_once": (torch.optim.Adagrad, (0.1, 0.3, 1.0), {"annealed": False}),
    "Adam_rescaled": (Adam, (0.1, 0.3, 1.0), {"rescaled": True}),
    "Nesterov_rescaled": (NESTEROV, (0.03, 0.1, 0.3), {"rescaled": True}),
}
VAE_ALPHAS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


class Watched(Adam):
    """Adam that notes its longest step in units of the step size."""

    def __init__(self, params, lengths: list[float], **options):
        super().__init__(params, **options)
        self.lengths = lengths

    def delta(self, g, state, group):
        """Return the step, as Adam does."""
        step = super().delta(g, state, group)
        self.lengths.append((step.abs().max() / group["lr"]).item())
        return step


class VAE(nn.Module):
    """A variational auto-encoder with a softplus layer on either side, as in section 6.4."""

    def __init__(self, d_hidden: int = 100, d_code: int = 10):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(784, d_hidden), nn.Softplus(), nn.Linear(d_hidden, 2 * d_code))
        self.decode = nn.Sequential(nn.Linear(d_code, d_hidden), nn.Softplus(), nn.Linear(d_hidden, 784))

    def forward(self, x: Float[Tensor, "B 784"]) -> Float[Tensor, ""]:
        """Return the negative evidence lower bound in nats an image."""
        mean, log_var = self.encode(x).chunk(2, dim=1)  # (B, d_code)
        logits = self.decode(mean + (log_var / 2).exp() * torch.randn_like(mean))  # (B, 784)
        kl = (mean**2 + log_var.exp() - log_var - 1).sum() / 2
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / len(x)


def train(
    model: nn.Module,
    batches: Iterator[Float[Tensor, ""]],
    optimizer: Callable[..., torch.optim.Optimizer],
    alpha: float,
    factor: Callable[[int], float] = lambda t: 1.0,
) -> list[float]:
    """Step down the loss of each batch, step t with step size `alpha * factor(t)`; return those losses, at most CAP."""
    steps, losses = optimizer(model.parameters(), lr=alpha), []
    for t, loss in enumerate(batches, start=1):
        for group in steps.param_groups:
            group["lr"] = alpha * factor(t)
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.item() if loss.item() < CAP else CAP)  # nor is NaN below the cap
    return losses


def regress(
    optimizer: Callable[..., torch.optim.Optimizer],
    alpha: float,
    seed: int,
    *,
    rescaled: bool = False,
    annealed: bool = True,
    epochs: int = 10,
    device: str = "cpu",
) -> list[float]:
    """Train logistic regression on MNIST; rescaled: each weight's gradient times its own 10^u, -2 < u < 2."""
    x, y, *_ = (t.to(device) for t in mnist(32 * SIZE, 0, seed))
    rng = torch.Generator().manual_seed(seed)
    net = nn.Linear(784, 10).to(device)
    for p in net.parameters():
        nn.init.zeros_(p)
    gain = 10 ** (4 * torch.rand(10, 784, generator=rng) - 2)
    if rescaled:
        net.weight.register_hook(gain.to(device).mul)
    rows = (i for _ in range(epochs) for i in torch.randperm(len(x), generator=rng).split(SIZE))
    batches = (F.cross_entropy(net(x[i].flatten(1)), y[i]) for i in rows)
    return train(net, batches, optimizer, alpha, (lambda t: t**-0.5) if annealed else (lambda t: 1.0))


def encode(
    beta_2: float, alpha: float, seed: int, *, corrected: bool, epochs: int = 8, device: str = "cpu"
) -> list[float]:
    """Train a VAE on MNIST; not corrected: the step size undoes both corrections (section 2, last lines)."""
    x = mnist(16 * SIZE, 0, seed)[0].to(device)
    torch.manual_seed(seed)
    net = VAE().to(device)
    batches = (net(x[i].flatten(1)) for _ in range(epochs) for i in torch.randperm(len(x)).split(SIZE))
    undo = (lambda t: 1.0) if corrected else (lambda t: (1 - BETA_1**t) / (1 - beta_2**t) ** 0.5)
    return train(net, batches, partial(Adam, betas=(BETA_1, beta_2)), alpha, undo)


def smooth(losses: list[float], width: int) -> list[float]:
    """Average neighbours."""
    return torch.tensor(losses).unflatten(0, (-1, width)).mean(dim=1).tolist()


def claim(seed: int = 0, *, device: str = "cpu") -> Result:
    """Compare final losses at the best step size of each optimizer.

    Holds if on logistic regression Adam ends no higher than Nesterov and both below 0.85 of AdaGrad, all annealed;
    if rescaled gradients move Adam by less than 1% and put Nesterov up by more than 25%; and if a VAE at beta 2 =
    0.9999 ends at least 3 nats lower with bias correction, and without it, at 0.01, peaks more than 10 times higher
    (a loss above 10,000 nats, or none at all, counts as 10,000).
    """
    curves = {  # the best of the three
        name: min((regress(opt, alpha, seed, device=device, **options) for alpha in alphas), key=lambda c: sum(c[-32:]))
        for name, (opt, alphas, options) in LOGISTIC.items()
    }
    regress(partial(Watched, lengths=(lengths := [])), 0.3, seed, device=device)
    vae = {
        (beta_2, corrected): {
            alpha: encode(beta_2, alpha, seed, corrected=corrected, device=device) for alpha in VAE_ALPHAS
        }
        for beta_2, corrected in ((0.9999, True), (0.99, False), (0.9999, False))
    }
    ends = {key: [smooth(curve, 16)[-1] for curve in runs.values()] for key, runs in vae.items()}
    words = {True: "corrected", False: "uncorrected"}
    final = {name: smooth(curve, 32)[-1] for name, curve in curves.items()}
    best = {f"{word}_best": min(ends[0.9999, key]) for key, word in words.items()}
    smallest = {f"{word}_at_smallest_step": ends[0.9999, key][0] for key, word in words.items()}
    peaks = {f"{word}_peak": max(vae[0.9999, key][0.01]) for key, word in words.items()}
    return Result(
        measured=final | best | smallest | peaks | {"longest_step": max(lengths)},
        holds=final["Adam"] <= final["Nesterov"]
        and max(final["Adam"], final["Nesterov"]) < 0.85 * final["AdaGrad"]
        and abs(final["Adam_rescaled"] / final["Adam"] - 1) < 0.01
        and final["Nesterov_rescaled"] > 1.25 * final["Nesterov"]
        and best["corrected_best"] + 3 < best["uncorrected_best"]
        and peaks["uncorrected_peak"] > 10 * peaks["corrected_peak"],
        units=dict.fromkeys(final, "logistic regression: loss in the last epoch, nats")
        | dict.fromkeys(best | smallest, "VAE, β2 = 0.9999: loss in the last epoch, nats an image")
        | dict.fromkeys(peaks, "VAE, β2 = 0.9999, α = 0.01: highest loss of a batch, nats an image")
        | {"longest_step": "Adam's longest step on logistic regression, in units of α"},
        curves={
            "Logistic regression, each at its best step size": Panel(
                range(8, 321, 8),
                {name.replace("_", " "): smooth(curve, 8) for name, curve in curves.items()},
                "steps",
                "nats",
                log_y=True,
            ),
            "VAE, β2 = 0.9999, α = 0.01: training": Panel(
                range(2, 129, 2),
                {word: smooth(vae[0.9999, key][0.01], 2) for key, word in words.items()},
                "steps",
                "nats an image",
                log_y=True,
            ),
            "VAE: loss in the eighth epoch against the step size": Panel(
                VAE_ALPHAS,
                {f"{words[key]}, β2 = {b}": [min(end, 300.0) for end in ends[b, key]] for b, key in ends},
                "step size α",
                "nats an image",
                log_x=True,
            ),
        },
    )
