"""Does layer normalisation keep working where batch normalisation runs out of batch?"""

import torch
from torch import nn

from paperimpl.lab import Effect, Panel, Result, fit
from paperimpl.lab.data.mnist import mnist
from paperimpl.papers.layernorm import LayerNorm

SAYS = (
    "Section 6.6, Figure 6: on MNIST layer norm is robust to the batch size (128, 4) and trains faster than batch norm."
)
EFFECT = Effect("layernorm_batch_2 - batchnorm_batch_2", "test accuracy over batch norm's at batch size 2, a share")
NORMS = {"none": nn.Identity, "batchnorm": nn.BatchNorm1d, "layernorm": LayerNorm}
SIZES = (2, 4, 16, 64)


def network(norm: type[nn.Module], width: int = 100) -> nn.Sequential:
    """Build two hidden layers, normalised before the non-linearity; the logits are not (section 6.6)."""
    return nn.Sequential(
        *(nn.Flatten(), nn.Linear(28 * 28, width), norm(width), nn.ReLU()),
        *(nn.Linear(width, width), norm(width), nn.ReLU()),
        nn.Linear(width, 10),
    )


def claim(seed: int = 0, *, steps: int = 800, window: int = 25, device: str = "cpu") -> Result:
    """Measure test accuracy after equally many updates at each batch size.

    Holds if at batch size 2 layer normalisation is at least 0.10 above batch normalisation,
    and at 64 the two are within 0.03 of each other and both above 0.90.
    """
    x, y, x_test, y_test = (t.to(device) for t in mnist(4000, 1000, seed))
    accuracy, losses = {name: [] for name in NORMS}, {}
    for name, norm in NORMS.items():
        for size in SIZES:
            torch.manual_seed(seed)
            rng = torch.Generator().manual_seed(seed)
            picks = (torch.randint(len(x), (size,), generator=rng) for _ in range(steps))
            log: list[float] = []
            batches = ((x[pick], y[pick]) for pick in picks)
            net = fit(network(norm).to(device), batches, nn.functional.cross_entropy, lr=1e-3, losses=log)
            with torch.no_grad():
                accuracy[name].append((net(x_test).argmax(dim=1) == y_test).float().mean().item())
                if (name, size) == ("batchnorm", 2):  # as it was trained, with each pair's own statistics
                    guess = torch.cat([net.train()(pair) for pair in x_test.split(2)]).argmax(dim=1)
                    paired = (guess == y_test).float().mean().item()
            losses[name, size] = torch.tensor(log).reshape(-1, window).mean(dim=1).tolist()
    measured = {f"{name}_batch_{SIZES[i]}": accuracy[name][i] for i in (0, -1) for name in NORMS}
    ahead = measured["layernorm_batch_2"] - measured["batchnorm_batch_2"]
    apart = abs(measured["layernorm_batch_64"] - measured["batchnorm_batch_64"])
    least = min(measured["layernorm_batch_64"], measured["batchnorm_batch_64"])
    measured["batchnorm_tested_in_pairs"] = paired
    updates = list(range(window, steps + 1, window))
    curves = {f"Test accuracy after {steps:,} updates": Panel(SIZES, accuracy, "batch size", "share right", log_x=True)}
    for size in (SIZES[0], SIZES[-1]):
        series = {name: losses[name, size] for name in NORMS}
        curves[f"Training loss at batch size {size}"] = Panel(updates, series, "updates", f"nats, mean of {window}")
    return Result(
        measured=measured,
        holds=ahead >= 0.1 and apart < 0.03 and least > 0.9,
        units=dict.fromkeys(measured, "share of test digits right"),
        curves=curves,
    )
