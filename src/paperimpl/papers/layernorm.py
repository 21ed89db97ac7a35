"""Layer Normalization. Ba, Kiros & Hinton, arXiv:1607.06450, 2016.

New here: batch normalisation transposed. The mean and deviation are taken over the units of
a layer for one example, not over the examples of a batch for one unit, so an example is
computed alone, the same in training and in use, and a recurrent net can normalise every step.

Shapes: ... any leading axes, B sequences, T steps, D inputs, H units of the layer.
Differs from the paper: eps under the root, as in the authors' released code, where the
printed equations have none (eps=0 is the printed form); the recurrent f is tanh.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["LayerNorm", "LayerNormRNN"]


class LayerNorm(nn.Module):
    """Normalise the last axis of each example, then scale and shift each unit.

    Note:
        Implementations disagree on eps (torch 1e-5, Flax 1e-6, Keras 1e-3), on its place
        (under the root here and in torch; beside the deviation in the Annotated Transformer,
        which also divides by H - 1) and on whether there is a bias.
    """

    def __init__(self, d: int, eps: float = 1e-5):
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(d)), nn.Parameter(torch.zeros(d))
        self.eps = eps

    def forward(self, a: Float[Tensor, "*batch H"]) -> Float[Tensor, "*batch H"]:
        """Map summed inputs a to what the non-linearity takes."""
        centred = a - a.mean(dim=-1, keepdim=True)  # eq. 3
        variance = centred.square().mean(dim=-1, keepdim=True)  # (..., 1) eq. 3, over H, not H - 1
        return self.gain * centred / torch.sqrt(variance + self.eps) + self.bias


class LayerNormRNN(nn.Module):
    """A plain recurrent layer whose summed inputs are normalised at every step (section 3.1)."""

    def __init__(self, d_in: int, d_hidden: int, eps: float = 1e-5):
        super().__init__()
        self.w_xh = nn.Linear(d_in, d_hidden, bias=False)  # the norm brings the bias
        self.w_hh = nn.Linear(d_hidden, d_hidden, bias=False)
        self.norm, self.d_hidden = LayerNorm(d_hidden, eps), d_hidden

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T H"]:
        """Map inputs to the hidden states at every step, from h = 0."""
        h = x.new_zeros(len(x), self.d_hidden)  # (B, H)
        states = []
        for x_t in x.unbind(dim=1):  # (B, D)
            a = self.w_hh(h) + self.w_xh(x_t)  # (B, H)
            h = torch.tanh(self.norm(a))  # eq. 4
            states.append(h)
        return torch.stack(states, dim=1)
