"""Published configurations at full size: counted on torch's `meta` device, which has shapes and no memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["FullSize", "Training", "count"]


@dataclass(frozen=True)
class Training:
    """What a paper says of the arithmetic of its training.

    Attributes:
        flops: the paper's number, all steps.
        steps: how many.
        batch: one step's inputs of the model, with the sizes of the paper's.
        within, where: as in `FullSize`.
    """

    flops: float
    steps: int
    batch: Callable[[], Sequence[Tensor]]
    within: float
    where: str


@dataclass(frozen=True)
class FullSize:
    """A configuration that a paper published.

    Attributes:
        name: such as `base`.
        build: makes the model.
        parameters: the paper's number.
        within: how far ours may be from it, as a share of it.
        where: the table that states it, and what the tolerance is for.
        training: its training, where the paper counts that.
    """

    name: str
    build: Callable[[], nn.Module]
    parameters: float
    within: float
    where: str
    training: Training | None = None


def count(full: FullSize) -> list[dict[str, Any]]:
    """Count a configuration's parameters and, in a training, the products and sums of forward and backward pass.

    Returns:
        What `vault.evidence.Size` holds, one row a number. Not that class: a change of how evidence is weighed
        must not change the digest of the claims that import this.
    """
    with torch.device("meta"):
        model = full.build()
        parameters = sum(parameter.numel() for parameter in model.parameters())
        rows = [_row(full.name, "parameters", full.parameters, parameters, full)]
        if training := full.training:
            with FlopCounterMode(display=False) as counter:
                model(*training.batch()).sum().backward()
            flops = counter.get_total_flops() * training.steps
            rows.append(_row(full.name, "training FLOPs", training.flops, flops, training))
    return rows


def _row(name: str, quantity: str, paper: float, ours: float, stated: FullSize | Training) -> dict[str, Any]:
    return {
        "configuration": name,
        "quantity": quantity,
        "paper": float(paper),
        "ours": float(ours),
        "within": stated.within,
        "where": stated.where,
    }
