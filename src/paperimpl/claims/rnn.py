"""Does RTRL give the exact gradient, and can a net learn with it while it runs?"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from paperimpl.lab import Effect, Panel, Result
from paperimpl.papers.rnn import RNN, RTRL

SAYS = (
    "Abstract: the exact gradient of a fully recurrent net, followed while the net runs, with no defined "
    "training interval. Simulation Experiments: the first task learned is pipelined XOR."
)
EFFECT = Effect(
    "RTRL - last_3_steps", "more of the new steps that RTRL gets right than a gradient cut off one short, a share"
)


def delayed_xor(n: int, delay: int, rng: torch.Generator) -> tuple[Float[Tensor, "T 2"], Float[Tensor, " T"]]:
    """Random bits, and at each step what the output after it should be: XOR of the bits `delay` earlier."""
    bits = torch.randint(2, (n + delay - 1, 2), generator=rng).float()  # the step itself is one of the delay
    return bits[delay - 1 :], (bits[:n, 0] != bits[:n, 1]).float()


@torch.no_grad()
def learn(
    rnn: RNN, x: Float[Tensor, "T 2"], d: Float[Tensor, " T"], *, lr: float, window: int | None = None
) -> Bool[Tensor, " T"]:
    """Change the weights after every step; say at which steps unit 0 was right.

    With a window, the gradient is cut off that many steps back: stream k starts at each step from the
    sensitivities of stream k - 1, stream 0 from none, and only the last one, `window` steps old, is used.
    """
    streams = RTRL(rnn, window or 1)
    e = rnn.w.new_zeros(window or 1, rnn.d_hidden)  # (B, H) no unit but 0, of the last stream, has a target
    right = torch.zeros_like(d, dtype=torch.bool)
    for t in range(len(x)):
        if window:
            streams.p = torch.cat([torch.zeros_like(streams.p[:1]), streams.p[:-1]])
        y = streams.step(x[t].expand(window or 1, 2))  # (B, H)
        e[-1, 0] = d[t] - y[-1, 0]
        rnn.w += lr * streams.change(e)
        right[t] = (y[-1, 0] > 0.5) == (d[t] > 0.5)
    return right


def difference_from_bptt(rnn: RNN, T: int, rng: torch.Generator) -> float:
    """Largest entry of the gradient by RTRL minus the one by BPTT, over T steps, in float64."""
    rnn = rnn.double()
    x = torch.randn(1, T, 2, generator=rng, dtype=torch.float64).to(rnn.w.device)
    d = torch.rand(1, T, rnn.d_hidden, generator=rng, dtype=torch.float64).to(rnn.w.device)
    (0.5 * (d - rnn(x)) ** 2).sum().backward()
    net, change = RTRL(rnn), torch.zeros_like(rnn.w)
    for t in range(T):
        change += net.change(d[:, t] - net.step(x[:, t]))
    return (change + rnn.w.grad).abs().max().item()


def claim(
    seed: int = 0, *, delay: int = 4, d_hidden: int = 6, steps: int = 20_000, lr: float = 2.0, device: str = "cpu"
) -> Result:
    """Run a stream of bits past three learners that start from the same weights.

    Holds if RTRL's gradient is within 1e-10 of BPTT's, and if on 2,000 new steps RTRL is right at 95% or more
    while a gradient cut off one step short of the delay leaves at most 60%.
    """
    torch.manual_seed(seed)
    exact = difference_from_bptt(RNN(2, d_hidden).to(device), 100, torch.Generator().manual_seed(seed))
    measured = {"difference_from_BPTT": exact}
    right = {}
    for name, window in {"RTRL": None, f"last_{delay}_steps": delay, f"last_{delay - 1}_steps": delay - 1}.items():
        torch.manual_seed(seed)
        rnn, rng = RNN(2, d_hidden).to(device), torch.Generator().manual_seed(seed)
        seen = learn(rnn, *(t.to(device) for t in delayed_xor(steps, delay, rng)), lr=lr, window=window)
        right[name.replace("_", " ")] = seen.float().view(-1, steps // 50).mean(dim=1).tolist()
        x, d = (t.to(device) for t in delayed_xor(2000 + delay, delay, rng))
        with torch.no_grad():
            y = rnn(x[None])[0, delay:, 0]  # (2000,)
        measured[name] = ((y > 0.5) == (d[delay:] > 0.5)).float().mean().item()
    middles = [(i + 0.5) * (steps // 50) for i in range(50)]
    return Result(
        measured=measured,
        holds=measured["difference_from_BPTT"] < 1e-10
        and measured["RTRL"] >= 0.95
        and measured[f"last_{delay - 1}_steps"] <= 0.6,
        units={"difference_from_BPTT": "largest entry of RTRL's gradient minus BPTT's, 100 steps"}
        | dict.fromkeys(list(measured)[1:], "share right on 2,000 new steps, weights at rest"),
        curves={"While it runs": Panel(middles, right, "step of the stream", f"share right, {steps // 50} steps each")},
    )
