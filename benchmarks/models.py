"""Compare our layers with torch's own, forward and backward: `python benchmarks/models.py`, a minute.

Each of ours has two counterparts. *Eager*: the same mathematics in torch's eager code, a step or an operation at a
time; ours may take at most 1.2 times as long. *Usual*: what the field uses, most often one fused kernel; the factor is
stated, for a loop that can be read costs something. Ours and the two take turns, on one thread; medians are compared,
so a busy machine slows all of them alike. Results go to `benchmarks/models.json`; exit code 1 where ours takes more
than 1.2 times as long as eager code and `SLOW_ON_PURPOSE` does not say why.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from paperimpl.lab.run import made_with
from paperimpl.papers.adam import Adam
from paperimpl.papers.layernorm import LayerNorm
from paperimpl.papers.lstm import LSTM
from paperimpl.papers.rnn import RNN
from paperimpl.papers.transformer import EncoderLayer

B, T, D, H = 32, 50, 64, 128
TURNS = 25
ALLOWED = 1.2
SLOW_ON_PURPOSE = {
    "adam": "every moment is a new tensor, as Algorithm 1 is printed; torch updates its moments in place",
}

Step = Callable[[], None]


@dataclass(frozen=True)
class Comparison:
    """Milliseconds of ours and of a counterpart; `ratio` above 1: ours is slower, `why` where that is on purpose."""

    slug: str
    what: str
    kind: str
    against: str
    ours_ms: float
    theirs_ms: float
    ratio: float
    why: str = ""


def training_step(layer: nn.Module, *inputs: Tensor) -> Step:
    """Forward and backward through a layer that returns a tensor, or one first."""

    def step() -> None:
        y = layer(*inputs)
        (y if isinstance(y, Tensor) else y[0]).sum().backward()

    return step


class Unrolled(nn.Module):
    """One of torch's recurrent cells, a step at a time."""

    def __init__(self, cell: nn.Module):
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, D) to the outputs at every step, (B, T, H)."""
        state, outputs = None, []
        for x_t in x.unbind(dim=1):
            state = self.cell(x_t, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outputs, dim=1)


class EagerNorm(nn.LayerNorm):
    """Torch's layer, an operation at a time."""

    def forward(self, a: Tensor) -> Tensor:
        """Normalise the last axis."""
        variance, mean = torch.var_mean(a, dim=-1, correction=0, keepdim=True)
        return (a - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias


class EagerEncoderLayer(nn.TransformerEncoderLayer):
    """Torch's layer with attention weights that can be looked at, which rules its fused attention out."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Attend and map, each added and normalised."""
        x = self.norm1(x + self.dropout1(self.self_attn(x, x, x, need_weights=True)[0]))
        return self.norm2(x + self._ff_block(x))


def optimizer_step(make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> Step:
    """One step over the parameters of a small net, gradients given."""
    parameters = [torch.randn(H, H, requires_grad=True) for _ in range(20)]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    return make(parameters).step  # type: ignore[return-value]


def cases() -> dict[tuple[str, str], tuple[Step, dict[tuple[str, str], Step]]]:
    """Ours, and what it is compared with: kind and name to a step."""
    x, wide = torch.randn(B, T, D), torch.randn(B, T, H)
    seen = torch.ones(1, T, T, dtype=torch.bool)
    encoder = {"d_model": H, "nhead": 4, "dim_feedforward": 4 * H, "dropout": 0.1, "batch_first": True}
    return {
        ("lstm", f"LSTM layer, B={B}, T={T}, D={D}, H={H}"): (
            training_step(LSTM(D, H, truncate=False), x),
            {
                ("eager", "torch.nn.LSTMCell, step by step"): training_step(Unrolled(nn.LSTMCell(D, H)), x),
                ("usual", "torch.nn.LSTM"): training_step(nn.LSTM(D, H, batch_first=True), x),
            },
        ),
        ("rnn", f"recurrent layer, B={B}, T={T}, D={D}, H={H}"): (
            training_step(RNN(D, H, squash=torch.tanh), x),
            {
                ("eager", "torch.nn.RNNCell, step by step"): training_step(Unrolled(nn.RNNCell(D, H)), x),
                ("usual", "torch.nn.RNN"): training_step(nn.RNN(D, H, batch_first=True), x),
            },
        ),
        ("layernorm", f"layer normalisation, B={B}, T={T}, D={H}"): (
            training_step(LayerNorm(H), wide.clone().requires_grad_()),
            {
                ("eager", "torch.var_mean and arithmetic"): training_step(EagerNorm(H), wide.clone().requires_grad_()),
                ("usual", "torch.nn.LayerNorm"): training_step(nn.LayerNorm(H), wide.clone().requires_grad_()),
            },
        ),
        ("transformer", f"encoder layer, B={B}, T={T}, D={H}, 4 heads"): (
            training_step(EncoderLayer(H, 4, 4 * H, 0.1), wide, seen),
            {
                ("eager", "torch.nn.TransformerEncoderLayer, attention weights returned"): training_step(
                    EagerEncoderLayer(**encoder), wide
                ),
                ("usual", "torch.nn.TransformerEncoderLayer"): training_step(
                    nn.TransformerEncoderLayer(**encoder), wide
                ),
            },
        ),
        ("adam", f"Adam step, 20 matrices of {H} x {H}"): (
            optimizer_step(Adam),
            {
                ("eager", "torch.optim.Adam, foreach=False"): optimizer_step(
                    lambda parameters: torch.optim.Adam(parameters, foreach=False)
                ),
                ("usual", "torch.optim.Adam, fused=True"): optimizer_step(
                    lambda parameters: torch.optim.Adam(parameters, fused=True)
                ),
            },
        ),
    }


def medians(steps: list[Step], turns: int = TURNS) -> list[float]:
    """Let steps take turns; return the median milliseconds of each."""
    seconds: list[list[float]] = [[] for _ in steps]
    for turn in range(turns + 3):
        for step, times in zip(steps, seconds, strict=True):
            start = time.process_time()
            step()
            if turn >= 3:  # the first turns allocate
                times.append(time.process_time() - start)
    return [1e3 * statistics.median(times) for times in seconds]


def compare() -> list[Comparison]:
    """Run all cases."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    gc.disable()
    found = []
    for (slug, what), (ours, others) in cases().items():
        ours_ms, *theirs = medians([ours, *others.values()])
        for (kind, against), theirs_ms in zip(others, theirs, strict=True):
            ratio = round(ours_ms / theirs_ms, 2)
            why = SLOW_ON_PURPOSE.get(slug, "") if kind == "eager" and ratio > ALLOWED else ""
            found.append(Comparison(slug, what, kind, against, round(ours_ms, 3), round(theirs_ms, 3), ratio, why))
    return found


def main() -> int:
    """Print and write the comparisons; 1 where ours takes too long beside eager code."""
    found = compare()
    for row in found:
        ours = f"{row.ratio:5.2f} x  {row.kind:5}  {row.slug:11} {row.ours_ms:8.2f} ms"
        print(f"{ours}  {row.against} {row.theirs_ms:.2f} ms")
    place = Path(__file__).with_suffix(".json")
    data = {"allowed": ALLOWED, "made_with": made_with(), "comparisons": [asdict(row) for row in found]}
    place.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return int(any(row.kind == "eager" and row.ratio > ALLOWED and not row.why for row in found))


if __name__ == "__main__":
    sys.exit(main())
