"""Auto-Encoding Variational Bayes. Kingma & Welling, ICLR 2014, arXiv:1312.6114.

New here: a latent z ~ q(z|x) is written as g(eps, x), a smooth function of noise that has no
parameters, so that a sampled lower bound of log p(x) can be differentiated through the sample;
and q is a net, trained with the model, that infers the latents of any x in one pass.

Shapes: B examples of D numbers, J latents, H hidden units, L draws of the noise an example; I
and O are the inputs and outputs of an MLP. `eq.` numbers are the paper's.
Differs from the paper: noise is an argument, not drawn inside; weights start as nn.Linear draws
them (the claim starts them as the paper does); nothing of appendices D to F, so no Markov
chains, and no distribution over the weights.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["VAE", "BernoulliMLP", "GaussianMLP", "g", "kl_to_prior", "log_normal", "of_data_set"]


def log_normal(
    x: Float[Tensor, "*#B O"], mu: Float[Tensor, "*#B O"], log_var: Float[Tensor, "*#B O"]
) -> Float[Tensor, "*#B"]:
    """Return log N(x; mu, sigma^2 I) with a variance for each coordinate, as in eq. 9."""
    return -(math.log(2 * math.pi) + log_var + (x - mu) ** 2 / log_var.exp()).sum(dim=-1) / 2


def kl_to_prior(mu: Float[Tensor, "*B J"], log_var: Float[Tensor, "*B J"]) -> Float[Tensor, "*B J"]:
    """Return what each latent adds to KL(N(mu, sigma^2 I) || N(0, I)), in nats (appendix B)."""
    return -(1 + log_var - mu**2 - log_var.exp()) / 2


def g(eps: Float[Tensor, "*L B J"], mu: Float[Tensor, "B J"], log_var: Float[Tensor, "B J"]) -> Float[Tensor, "*L B J"]:
    """Turn standard normal noise into samples of N(mu, sigma^2 I), eq. 4 in the Gaussian case."""
    return mu + (log_var / 2).exp() * eps


def of_data_set(bounds: Float[Tensor, " B"], n_examples: int) -> Float[Tensor, ""]:
    """Estimate the bound of a whole data set from those of a minibatch, eq. 8."""
    return n_examples / len(bounds) * bounds.sum()


class GaussianMLP(nn.Module):
    """A Gaussian whose mean and log variance one hidden layer computes, eq. 12.

    `squash` acts on the mean: torch.sigmoid for the Frey faces, whose pixels lie in [0, 1] (section 5).
    """

    def __init__(self, d_in: int, d_hidden: int, d_out: int, squash: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(d_in, d_hidden), nn.Tanh())
        self.mu, self.log_var = nn.Linear(d_hidden, d_out), nn.Linear(d_hidden, d_out)
        self.squash = squash

    def forward(self, given: Float[Tensor, "*B I"]) -> tuple[Float[Tensor, "*B O"], Float[Tensor, "*B O"]]:
        """Return the mean and the logarithm of the variance, given what they depend on."""
        h = self.hidden(given)  # (*B, H)
        return self.squash(self.mu(h)) if self.squash else self.mu(h), self.log_var(h)

    def log_prob(self, x: Float[Tensor, "B O"], given: Float[Tensor, "*L B I"]) -> Float[Tensor, "*L B"]:
        """Return the log density of x."""
        return log_normal(x, *self(given))


class BernoulliMLP(nn.Module):
    """Independent coins, one a pixel, whose log odds one hidden layer computes (appendix C.1)."""

    def __init__(self, d_in: int, d_hidden: int, d_out: int):
        super().__init__()
        self.log_odds = nn.Sequential(nn.Linear(d_in, d_hidden), nn.Tanh(), nn.Linear(d_hidden, d_out))

    def forward(self, given: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        """Return each pixel's probability of being 1, the y of eq. 11."""
        return torch.sigmoid(self.log_odds(given))

    def log_prob(self, x: Float[Tensor, "B O"], given: Float[Tensor, "*L B I"]) -> Float[Tensor, "*L B"]:
        """Return the log probability of x, eq. 11; for log odds a, x log y + (1 - x) log(1 - y) = x a - softplus(a)."""
        a = self.log_odds(given)  # (*L, B, O)
        return (x * a - F.softplus(a)).sum(dim=-1)


class VAE(nn.Module):
    """The variational auto-encoder of section 3: prior N(0, I), encoder q(z|x), decoder p(x|z)."""

    def __init__(
        self, d_data: int, n_latents: int, d_hidden: int, decoder: Callable[[int, int, int], nn.Module] = BernoulliMLP
    ):
        super().__init__()
        self.encoder = GaussianMLP(d_data, d_hidden, n_latents)
        self.decoder = decoder(n_latents, d_hidden, d_data)

    def generic_bound(self, x: Float[Tensor, "B D"], eps: Float[Tensor, "L B J"]) -> Float[Tensor, " B"]:
        """Estimate the bound with all of it sampled, in nats an example: the first SGVB estimator, eq. 6."""
        mu, log_var = self.encoder(x)
        z = g(eps, mu, log_var)  # (L, B, J)
        log_prior = log_normal(z, torch.zeros_like(z), torch.zeros_like(z))  # (L, B)
        return (self.decoder.log_prob(x, z) + log_prior - log_normal(z, mu, log_var)).mean(dim=0)

    def forward(self, x: Float[Tensor, "B D"], eps: Float[Tensor, "L B J"]) -> Float[Tensor, " B"]:
        """Estimate the bound with its KL term worked out: the second estimator, eq. 7, here as eq. 10."""
        mu, log_var = self.encoder(x)
        reconstruction = self.decoder.log_prob(x, g(eps, mu, log_var))  # (L, B)
        return reconstruction.mean(dim=0) - kl_to_prior(mu, log_var).sum(dim=-1)
