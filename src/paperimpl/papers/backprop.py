"""Learning Internal Representations by Error Propagation. Rumelhart, Hinton & Williams, PDP vol. 1, ch. 8, 1986.

New here: an error signal for units that have no target. A hidden unit's delta is the deltas of
the units it feeds, carried back over the weights that took its output forward, times its own slope.

Shapes: B patterns, D inputs, H hidden units, K outputs, `_` any of the last three. `eq.` numbers are the paper's.
Differs from the paper: layers only (there, any net without loops); the pattern changes of a sweep are
summed and made together (there, also after each pattern); start weights in (-0.5, 0.5) (there, "small").
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["GeneralizedDeltaRule", "Net"]


def and_one(o: Float[Tensor, "B D"]) -> Float[Tensor, "B D+1"]:
    """Add a unit that is always on: its weights are the thresholds theta of eq. 15."""
    return nn.functional.pad(o, (0, 1), value=1.0)


class Net:
    """Layers of semilinear units; every unit is logistic, and w[j, i] leads from unit i up to unit j."""

    def __init__(self, *widths: int):
        self.w = [torch.rand(d_out, d_in + 1) - 0.5 for d_in, d_out in pairwise(widths)]

    def forward(self, x: Float[Tensor, "B D"]) -> list[Float[Tensor, "B _"]]:
        """Map input patterns to the outputs o of every layer, the input's first."""
        o = [x]
        for w in self.w:
            net = and_one(o[-1]) @ w.T  # eq. 7
            o.append(torch.sigmoid(net))  # eq. 15
        return o

    def deltas(self, o: list[Float[Tensor, "B _"]], t: Float[Tensor, "B K"]) -> list[Float[Tensor, "B _"]]:
        """Compute delta = -dE/dnet of every unit above the input, from the targets back."""
        delta = [(t - o[-1]) * slope(o[-1])]  # (B, K) eq. 13
        for w, o_j in zip(self.w[:0:-1], o[-2:0:-1], strict=True):
            delta.insert(0, slope(o_j) * (delta[0] @ w[:, :-1]))  # (B, H) eq. 14
        return delta


def slope(o: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
    """Take a logistic unit's output to the derivative of its activation there."""
    return o * (1 - o)


class GeneralizedDeltaRule:
    """Gradient descent on E in a net's weights, with momentum: each change is remembered by the next."""

    def __init__(self, net: Net, eta: float, alpha: float = 0.9):
        self.net, self.eta, self.alpha = net, eta, alpha
        self.change = [torch.zeros_like(w) for w in net.w]

    def sweep(self, x: Float[Tensor, "B D"], t: Float[Tensor, "B K"]) -> Float[Tensor, " B"]:
        """Present every pattern, change the weights once and return each pattern's E from before, eq. 2."""
        o = self.net.forward(x)
        for n, delta in enumerate(self.net.deltas(o, t)):
            downhill = delta.T @ and_one(o[n])  # eq. 11, summed over patterns
            self.change[n] = self.eta * downhill + self.alpha * self.change[n]  # eq. 16
            self.net.w[n] = self.net.w[n] + self.change[n]
        return (t - o[-1]).square().sum(dim=1) / 2
