"""Papers' tests run with shapes enforced: `Float[Tensor, "B T D"]` is a promise that beartype keeps."""

import pytest
import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)
install_import_hook("paperimpl.papers", "beartype.beartype")


@pytest.fixture(autouse=True)
def seed():
    """Start every test from the same random numbers."""
    torch.manual_seed(0)
