import pytest
import torch
from torch import nn

from paperimpl.claims.transformer import PUBLISHED
from paperimpl.lab.size import FullSize, Training, count
from paperimpl.vault.evidence import Size


def test_a_matrix_product_costs_a_product_and_a_sum_each_forward_and_back():
    def build():
        return nn.Linear(3, 5, bias=False)

    training = Training(1.0, 11, lambda: [torch.ones(7, 3)], 0.1, "Table 2")
    parameters, flops = count(FullSize("small", build, 15, 0.0, "Table 3", training))
    assert (parameters["ours"], parameters["paper"], parameters["where"]) == (15, 15, "Table 3")
    # Forward and the weight's gradient; the input needs none.
    assert flops["ours"] == 11 * 2 * (2 * 7 * 3 * 5)


def test_no_memory_is_taken():
    vast = FullSize("vast", lambda: nn.Linear(10**7, 10**7, bias=False), 1e14, 0.0, "")
    assert count(vast)[0]["ours"] == 1e14


@pytest.mark.parametrize("full", PUBLISHED, ids=lambda full: full.name)
def test_every_published_transformer_is_within_what_was_stated(full):
    rows = [Size(**row) for row in count(full)]
    assert [row.quantity for row in rows] == ["parameters", "training FLOPs"]
    assert all(row.agrees for row in rows), rows
