"""Adam: A Method for Stochastic Optimization. Kingma & Ba, ICLR 2015, arXiv:1412.6980.

New here: a step that is a ratio of two running moments of the gradient, m / √v, so that the
gradient's scale cancels in every coordinate; and a correction for starting both at zero.

Shapes: *S is the shape of one parameter, any; all operations are element-wise. `eq.` numbers
are the paper's.
Differs from the paper: AdaMax adds ε to |g|, as torch does, since Algorithm 2 divides 0 by 0
where a gradient has always been 0; t is counted for each parameter, from its first gradient.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.optimizer import ParamsT

__all__ = ["AdaMax", "Adam"]


class Adam(torch.optim.Optimizer):
    """Adaptive moment estimation, Algorithm 1."""

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must lie in [0, 1), not {betas}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient, and return the closure's loss."""
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for theta in group["params"]:
                if theta.grad is not None:
                    theta -= self.delta(theta.grad, self.state[theta], group)
        return loss

    def delta(self, g: Float[Tensor, "*S"], state: dict[str, Any], group: dict[str, Any]) -> Float[Tensor, "*S"]:
        """Take one gradient into the moments, and return the step to be subtracted."""
        alpha, (beta_1, beta_2) = group["lr"], group["betas"]
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
        v = state["v"] = beta_2 * state.get("v", 0) + (1 - beta_2) * g**2  # eq. 1, as a recursion
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)  # takes out the factor of eq. 4
        return alpha * m_hat / (v_hat.sqrt() + group["eps"])


class AdaMax(Adam):
    """Adam with the largest recent |gradient| in place of √v, Algorithm 2."""

    def __init__(
        self,
        params: ParamsT,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        super().__init__(params, lr, betas, eps)

    def delta(self, g: Float[Tensor, "*S"], state: dict[str, Any], group: dict[str, Any]) -> Float[Tensor, "*S"]:
        """Take one gradient into the moment and the norm, and return the step to be subtracted."""
        alpha, (beta_1, beta_2) = group["lr"], group["betas"]
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
        u = state["u"] = torch.maximum(beta_2 * state.get("u", 0 * g), g.abs() + group["eps"])  # eq. 12
        return alpha / (1 - beta_1**t) * m / u
