"""The training loop that most claims need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["fit"]

Model = TypeVar("Model", bound=nn.Module)


def fit(
    model: Model,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    lr: float,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    losses: list[float] | None = None,
) -> Model:
    """Take one optimizer step a batch and return the model, trained in place and left in evaluation mode.

    Args:
        batches: pairs of input and target, each used once, on any device; they are moved to the model's.
        loss: a function of the model's output and the target, to a scalar.
        lr: the optimizer's learning rate.
        losses: where given, the loss of each batch, before its step, is appended to it.
    """
    steps = optimizer(model.parameters(), lr=lr)
    model.train()
    device = next(model.parameters()).device
    for x, target in batches:
        steps.zero_grad()
        value = loss(model(x.to(device)), target.to(device))
        value.backward()  # type: ignore[no-untyped-call]
        steps.step()
        if losses is not None:
            losses.append(value.item())
    return model.eval()
