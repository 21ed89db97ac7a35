"""Weight-exact tests: a library's randomly initialised weights, written to a checkpoint file, loaded into ours.

They stand apart from tests/papers because some import a library that takes seconds to import. Shapes are enforced.
"""

import pytest
import torch
from jaxtyping import install_import_hook
from safetensors.torch import save_file

torch.set_num_threads(1)
install_import_hook("paperimpl.papers", "beartype.beartype")


@pytest.fixture(autouse=True)
def seed():
    """Start every test from the same random numbers."""
    torch.manual_seed(0)


@pytest.fixture
def saved(tmp_path):
    """Write a module's state_dict to a safetensors file, and say where."""

    def save(module):
        path = tmp_path / "model.safetensors"
        save_file({name: tensor.clone() for name, tensor in module.state_dict().items()}, path)
        return path

    return save
