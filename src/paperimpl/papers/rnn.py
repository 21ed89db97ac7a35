"""Real-time recurrent learning. Williams & Zipser, Neural Computation 1(2), 1989.

New here: the exact gradient of a recurrent net, carried forward in time beside the outputs,
so that weights can change at every step of a stream that has no beginning and no end.

Shapes: B streams, T steps, D inputs, H units, Z = D + 1 + H lines into every unit.
Differs from the paper: several streams may run at once; tanh may replace the logistic
function; initial weights are uniform within 1/sqrt(H).
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

__all__ = ["RNN", "RTRL"]

SLOPE = {torch.sigmoid: lambda y: y * (1 - y), torch.tanh: lambda y: 1 - y**2}  # f'(s) from y = f(s)


class RNN(nn.Module):
    """Units that each see every input, a constant 1 and the last output of every unit."""

    def __init__(self, d_in: int, d_hidden: int, *, squash: Callable[[Tensor], Tensor] = torch.sigmoid):
        super().__init__()
        self.d_hidden, self.squash = d_hidden, squash
        self.w = nn.Parameter(torch.empty(d_hidden, d_in + 1 + d_hidden))  # (H, Z)
        nn.init.uniform_(self.w, -(d_hidden**-0.5), d_hidden**-0.5)

    def lines(self, x: Float[Tensor, "B D"], y: Float[Tensor, "B H"]) -> Float[Tensor, "B Z"]:
        """Put together all that enters a unit: the inputs, the bias line, the last outputs."""
        return torch.cat([x, x.new_ones(len(x), 1), y], dim=1)

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T H"]:
        """Map inputs to the outputs of all units at steps 1 to T, from y = 0."""
        y = x.new_zeros(len(x), self.d_hidden)  # (B, H)
        outputs = []
        for x_t in x.unbind(dim=1):  # (B, D)
            y = self.squash(self.lines(x_t, y) @ self.w.T)
            outputs.append(y)
        return torch.stack(outputs, dim=1)


class RTRL:
    """A net on endless streams, with p[b, k, i, j], the derivative of output y_k by weight w_ij."""

    def __init__(self, rnn: RNN, n_streams: int = 1):
        self.rnn = rnn
        self.y = rnn.w.new_zeros(n_streams, rnn.d_hidden)  # (B, H)
        self.p = rnn.w.new_zeros(n_streams, rnn.d_hidden, *rnn.w.shape)  # (B, H, H, Z)

    @torch.no_grad()
    def step(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B H"]:
        """Take an input, advance the outputs and their sensitivities, return the outputs."""
        z = self.rnn.lines(x, self.y)  # (B, Z)
        self.y = self.rnn.squash(z @ self.rnn.w.T)
        w_rec = self.rnn.w[:, -self.rnn.d_hidden :]  # (H, H)
        p = torch.einsum("kl,blij->bkij", w_rec, self.p)  # through all units: H^3 Z products
        p.diagonal(dim1=1, dim2=2).add_(z[:, :, None])  # directly: only where k = i
        self.p = SLOPE[self.rnn.squash](self.y)[:, :, None, None] * p
        return self.y

    def change(self, e: Float[Tensor, "B H"]) -> Float[Tensor, "H Z"]:
        """Return minus the gradient of this step's squared error, from e = target - y (0: no target)."""
        return torch.einsum("bk,bkij->ij", e, self.p)

    def force(self, d: Float[Tensor, "B H"], taught: Bool[Tensor, "B H"]) -> None:
        """Let the targets d of taught units go on in place of their outputs (teacher forcing)."""
        self.y = torch.where(taught, d, self.y)
        self.p = self.p * ~taught[:, :, None, None]  # a target depends on no weight
