"""Generative Adversarial Nets. Goodfellow et al., NeurIPS 2014, arXiv:1406.2661.

New here: a generator with no likelihood, taught by an opponent. D learns to tell data from
samples; its gradient, sent back through the sample, tells G how to be taken for data.

Shapes: N examples or samples, M samples, Z numbers of noise, D numbers in an example, H hidden
units; `states` of a finite world. `eq.` numbers are the paper's.
Differs from the paper: D returns its log-odds log D(x) / (1 - D(x)), so that no logarithm meets
a rounded 0. Layers, pieces and dropout rates, which the paper does not print, are those of the
authors' code for MNIST; weights start as nn.Linear draws them.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

__all__ = [
    "Discriminator",
    "Generator",
    "Maxout",
    "criterion",
    "minimax_loss",
    "non_saturating_loss",
    "optimal_discriminator",
    "value",
]


class Generator(nn.Module):
    """G: noise through two rectified layers to an example, whose numbers `squash` brings into range."""

    def __init__(self, d_noise: int, d_hidden: int, d_data: int, squash: Callable[[Tensor], Tensor] = torch.sigmoid):
        super().__init__()
        self.hidden = nn.Sequential(
            *(nn.Linear(d_noise, d_hidden), nn.ReLU()),
            *(nn.Linear(d_hidden, d_hidden), nn.ReLU()),
        )
        self.out, self.squash = nn.Linear(d_hidden, d_data), squash

    def forward(self, z: Float[Tensor, "N Z"]) -> Float[Tensor, "N D"]:
        """Turn noise into samples of p_g."""
        return self.squash(self.out(self.hidden(z)))


class Maxout(nn.Module):
    """Units that are the largest of several affine functions, their pieces (Goodfellow et al. 2013)."""

    def __init__(self, d_in: int, d_out: int, n_pieces: int):
        super().__init__()
        self.pieces, self.n_pieces = nn.Linear(d_in, d_out * n_pieces), n_pieces

    def forward(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N H"]:
        """Take the largest piece of each unit."""
        return self.pieces(x).unflatten(1, (-1, self.n_pieces)).amax(dim=2)


class Discriminator(nn.Module):
    """D: two maxout layers, with dropout before every layer, to the log-odds of being data (section 5)."""

    def __init__(self, d_data: int, d_hidden: int, n_pieces: int = 5, p_drop: tuple[float, float] = (0.2, 0.5)):
        super().__init__()
        p_input, p_hidden = p_drop
        self.net = nn.Sequential(
            *(nn.Dropout(p_input), Maxout(d_data, d_hidden, n_pieces)),
            *(nn.Dropout(p_hidden), Maxout(d_hidden, d_hidden, n_pieces)),
            *(nn.Dropout(p_hidden), nn.Linear(d_hidden, 1)),
        )

    def forward(self, x: Float[Tensor, "N D"]) -> Float[Tensor, " N"]:
        """Return log D(x) / (1 - D(x)); D(x) itself is its sigmoid."""
        return self.net(x).squeeze(dim=1)


def value(real: Float[Tensor, " N"], fake: Float[Tensor, " M"]) -> Float[Tensor, ""]:
    """Estimate V(D, G) in nats from D's log-odds on data and on samples, eq. 1. D climbs it."""
    return logsigmoid(real).mean() + logsigmoid(-fake).mean()  # 1 - sigmoid(a) = sigmoid(-a)


def minimax_loss(fake: Float[Tensor, " M"]) -> Float[Tensor, ""]:
    """Estimate E log(1 - D(G(z))), all that G can change of eq. 1. G descends it in Algorithm 1."""
    return logsigmoid(-fake).mean()


def non_saturating_loss(fake: Float[Tensor, " M"]) -> Float[Tensor, ""]:
    """Estimate -E log D(G(z)), which G may descend instead: steep where D is sure of a fake (section 3)."""
    return -logsigmoid(fake).mean()


def optimal_discriminator(p_data: Float[Tensor, "*states"], p_g: Float[Tensor, "*states"]) -> Float[Tensor, "*states"]:
    """Return D* = p_data / (p_data + p_g) from masses or densities, eq. 2; where both are 0 it may be anything."""
    both = p_data + p_g
    return torch.where(both > 0, p_data / both, 0.5)


def criterion(p_data: Float[Tensor, "*states"], p_g: Float[Tensor, "*states"]) -> Float[Tensor, ""]:
    """Compute C(G), the largest V(D, G) that any D reaches, in nats, from two lists of masses, eq. 4."""
    of_data, of_g = optimal_discriminator(p_data, p_g), optimal_discriminator(p_g, p_data)  # their sum is 1
    return (torch.xlogy(p_data, of_data) + torch.xlogy(p_g, of_g)).sum()
