"""Does an LSTM add two numbers it saw long ago, where a plain recurrent net cannot?"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from paperimpl.lab import Effect, Panel, Result, fit
from paperimpl.papers.lstm import LSTM
from paperimpl.papers.rnn import RNN

SAYS = "Section 5.4, Table 7: at T = 100, 1 of 2560 test sums is off by more than 0.04."
EFFECT = Effect("RNN - LSTM", "more of the sums that the plain net gets wrong, a share")


def adding_problem(n: int, T: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sequences (n, T, 2) of value and marker, and their targets (n,), as in section 5.4.1."""
    rows = torch.arange(n)
    first = torch.randint(10, (n,), generator=rng)  # (n,)
    second = torch.randint(T // 2 - 1, (n,), generator=rng)  # (n,)
    second = second + (second >= first)  # (n,) one of the T/2 - 1 that are still unmarked
    x = torch.zeros(n, T, 2)  # (n, T, 2)
    x[..., 0] = 2 * torch.rand(n, T, generator=rng) - 1
    x[:, [0, -1], 1] = -1.0
    x[rows, first, 1] = x[rows, second, 1] = 1.0
    x[:, 0, 0] *= x[:, 0, 1] < 0  # a marked first pair counts as 0
    return x, 0.5 + (x[rows, first, 0] + x[rows, second, 0]) / 4


def error_flow(core: nn.Module, x: Float[Tensor, "N T 2"]) -> Float[Tensor, " T"]:
    """Send an error of 1 back from the last outputs and measure it at the input of every step."""
    x = x.double().requires_grad_()  # in float32 the plain net's would round to 0
    error = torch.autograd.grad(core.double()(x)[:, -1].sum(), x)[0]  # (N, T, 2)
    core.float()
    return error.abs().mean(dim=(0, 2))


class Adder(nn.Module):
    """Read the sum off the last output of a recurrent core."""

    def __init__(self, core: nn.Module, d_core: int):
        super().__init__()
        self.core, self.out = core, nn.Linear(d_core, 1)

    def forward(self, x: Float[Tensor, "N T 2"]) -> Float[Tensor, " N"]:
        """Map sequences to sums."""
        return self.out(self.core(x)[:, -1]).squeeze(dim=1)


def claim(seed: int = 0, *, T: int = 100, steps: int = 540, device: str = "cpu") -> Result:
    """Measure the share of wrong sums, and of an error left T - 3 steps back in the untrained nets.

    Holds if the LSTM gets fewer than 2% wrong and the RNN, with as many weights, more than 50%; and
    if more than a tenth of the error is left in the LSTM, and in the RNN less than a billionth.
    """
    x, target = (t.to(device) for t in adding_problem(2560, T, torch.Generator().manual_seed(seed + 1)))
    measured, learning, flow = {}, {}, {}
    for name, d_core in {"LSTM": 8, "RNN": 15}.items():  # 273 and 286 weights
        torch.manual_seed(seed)
        core = LSTM(2, d_core) if name == "LSTM" else RNN(2, d_core, squash=torch.tanh)
        net, losses = Adder(core, d_core).to(device), []
        flow[name] = error_flow(core, x[:256])  # (T,)
        rng = torch.Generator().manual_seed(seed)
        for lr, n in {2e-2: steps - steps // 6, 4e-3: steps // 6}.items():
            batches = (adding_problem(64, T, rng) for _ in range(n))
            fit(net, batches, nn.functional.mse_loss, lr=lr, losses=losses)
        with torch.no_grad():
            measured[name] = ((net(x) - target).abs() > 0.04).float().mean().item()
        measured[f"{name}_error_left"] = (flow[name][1] / flow[name][-2]).item()  # neither is an end
        learning[name] = torch.tensor(losses).unflatten(0, (-1, 10)).mean(dim=1)  # (steps / 10,)
    wrong, left = f"share of sums off by more than 0.04, T = {T}", f"share of an error left {T - 3} steps back"
    return Result(
        measured=measured,
        holds=measured["LSTM"] < 0.02
        and measured["RNN"] > 0.5
        and measured["LSTM_error_left"] > 0.1
        and measured["RNN_error_left"] < 1e-9,
        units={key: left if key.endswith("left") else wrong for key in measured},
        curves={
            "Learning to add": Panel(
                list(range(10, steps + 1, 10)), learning, "batches of 64 sequences", "mean squared error", log_y=True
            ),
            "An error on its way back, before training": Panel(
                list(range(T - 1, -1, -1)), flow, "steps back", "mean size of the error", log_y=True
            ),
        },
    )
