"""Dropout: A Simple Way to Prevent Neural Networks from Overfitting. Srivastava et al., JMLR 15, 2014.

New here: for every training case each unit is kept with probability p, so that one of 2^n
thinned nets, sharing all weights, is trained on it; in use one whole net, its outgoing weights
multiplied by p, stands for their average. With it, a cap on the length of each unit's weights.

Shapes: *S is the shape of a layer's outputs, any; H units, D lines into each. p is the share
kept, as in the paper; torch's p is the share dropped.
Differs from the paper: W_test = p W is applied as W (p y), so the weights stay as they were
trained; first weights are torch's; section 8, the Boltzmann machine, is left out.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Dropout", "DropoutNet", "GaussianDropout", "max_norm_"]


class Dropout(nn.Module):
    """Keep each number with probability p while training, multiply all by p in use (section 4).

    Note:
        Torch's layer takes the share dropped, divides by p while training and does nothing in use.
        To do the same, ours needs the weights that follow over p, and their SGD a rate over p^2.
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 < p <= 1:
            raise ValueError(f"p, the share of units that are kept, must lie in (0, 1], not {p}")
        self.p = p

    def forward(self, y: Float[Tensor, "*S"], r: Float[Tensor, "*S"] | None = None) -> Float[Tensor, "*S"]:
        """Thin the outputs y of a layer by a mask r of zeros and ones; none given, draw one or, in use, scale."""
        if r is None:
            if not self.training:
                return self.p * y
            r = torch.empty_like(y).bernoulli_(self.p)  # one for each unit of each case
        return r * y


class GaussianDropout(nn.Module):
    """Multiply by noise of mean 1 and the variance of dropout's mask over p, (1 - p) / p (section 10)."""

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 < p <= 1:
            raise ValueError(f"p, the share of units that are kept, must lie in (0, 1], not {p}")
        self.sigma = ((1 - p) / p) ** 0.5

    def forward(self, y: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
        """Add to each output a random multiple of itself; in use, nothing."""
        return y + y * self.sigma * torch.randn_like(y) if self.training else y


@torch.no_grad()
def max_norm_(w: Float[Tensor, "H D"], c: float) -> Float[Tensor, "H D"]:
    """Project each unit's incoming weights onto the ball of radius c, in place (section 5.1)."""
    length = w.norm(dim=1, keepdim=True)  # (H, 1)
    return w.mul_((c / length).clamp(max=1.0))


class DropoutNet(nn.Sequential):
    """Rectified layers of the given sizes with noise on the inputs and on all hidden units, up to the logits."""

    def __init__(
        self,
        sizes: Sequence[int],
        p_input: float = 0.8,
        p_hidden: float = 0.5,
        noise: Callable[[float], nn.Module] = Dropout,
    ):
        layers = [noise(p_input)]
        for d_in, d_out in pairwise(sizes):
            layers += [nn.Linear(d_in, d_out), nn.ReLU(), noise(p_hidden)]
        super().__init__(*layers[:-2])

    def constrain(self, c: float) -> None:
        """Cap the length of every unit's incoming weights, in all layers (appendix B.1), biases left out."""
        for layer in self:
            if isinstance(layer, nn.Linear):
                max_norm_(layer.weight, c)
