"""Long Short-Term Memory. Hochreiter & Schmidhuber, Neural Computation 9(8), 1997.

New here: a cell state s that feeds back to itself with weight exactly 1 (the constant
error carousel), behind learned gates that choose what enters it and what leaves it.

Shapes: B sequences, T steps, D inputs, H cells. `eq.` numbers are the paper's.
Differs from the paper: one cell per block; gates see inputs and cell outputs, not other
gates; every input gate starts at the same bias, other weights as nn.Linear draws them. The
forget gate came later: see forget_gate.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["LSTM", "LSTMCell"]


def h(s: Float[Tensor, "B H"]) -> Float[Tensor, "B H"]:
    """Squash a cell state into (-1, 1), eq. A.2."""
    return 2 * torch.sigmoid(s) - 1


def g(net_c: Float[Tensor, "B H"]) -> Float[Tensor, "B H"]:
    """Squash a cell input into (-2, 2), eq. A.3."""
    return 4 * torch.sigmoid(net_c) - 2


class LSTMCell(nn.Module):
    """One time step of H memory cells, each with an input and an output gate (section 4.1).

    With `truncate`, an error that leaves a cell changes the weights it meets and goes no
    further back (4.5, A.1.2); without, autograd follows every path.
    """

    def __init__(self, d_in: int, d_cell: int, *, truncate: bool = True):
        super().__init__()
        self.truncate = truncate
        self.net = nn.Linear(d_in + d_cell, 3 * d_cell)
        nn.init.constant_(self.net.bias[:d_cell], -3.0)  # input gates start shut (4.8, 5.4.3)

    def forward(
        self, x: Float[Tensor, "B D"], y: Float[Tensor, "B H"], s: Float[Tensor, "B H"]
    ) -> tuple[Float[Tensor, "B H"], Float[Tensor, "B H"]]:
        """Take an input, the last output and the state to the next output and state."""
        if self.truncate:
            y = y.detach()
        net = self.net(torch.cat([x, y], dim=1))  # (B, 3H)
        net_in, net_out, net_c = net.chunk(3, dim=1)  # (B, H) eq. A.5, eq. A.6, eq. A.7
        s = s + torch.sigmoid(net_in) * g(net_c)  # (B, H) the carousel: s comes back unscaled
        y = torch.sigmoid(net_out) * h(s)  # (B, H) the gates are logistic, eq. A.1
        return y, s


class LSTM(nn.Module):
    """A layer of memory cells run along a sequence, from y = s = 0."""

    def __init__(self, d_in: int, d_cell: int, *, truncate: bool = True):
        super().__init__()
        self.cell, self.d_cell = LSTMCell(d_in, d_cell, truncate=truncate), d_cell

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T H"]:
        """Map inputs to the cell outputs at every step."""
        y = s = x.new_zeros(len(x), self.d_cell)  # (B, H)
        outputs = []
        for x_t in x.unbind(dim=1):  # (B, D)
            y, s = self.cell(x_t, y, s)
            outputs.append(y)
        return torch.stack(outputs, dim=1)
