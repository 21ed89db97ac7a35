"""What the benchmarks compare does the same, and what they write is what the site reads."""

import importlib.util
import json

import pytest
import torch

from paperimpl.vault.paper import root
from paperimpl.vault.speed import ALLOWED, Speed

BENCHMARKS = root() / "benchmarks"


@pytest.fixture(scope="module")
def models():
    """The benchmark, as a module."""
    spec = importlib.util.spec_from_file_location("benchmark_models", BENCHMARKS / "models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copied(theirs):
    """Torch's layer's weights under our names, its norms shared with neither bias nor gain changed."""
    w, b = theirs.self_attn.in_proj_weight.chunk(3), theirs.self_attn.in_proj_bias.chunk(3)
    found = {
        f"attend.to_{name}.{kind}": part[n]
        for n, name in enumerate("qkv")
        for kind, part in {"weight": w, "bias": b}.items()
    }
    found |= {f"attend.out.{kind}": tensor for kind, tensor in theirs.self_attn.out_proj.named_parameters()}
    for ours, other in {"ffn.inner": theirs.linear1, "ffn.outer": theirs.linear2}.items():
        found |= {f"{ours}.{kind}": tensor for kind, tensor in other.named_parameters()}
    return found


@pytest.mark.parametrize("kind", ["eager", "usual"])
def test_both_gpts_are_the_same_mathematics(models, kind):
    torch.manual_seed(0)
    sizes = {"d_model": models.H, "nhead": 4, "dim_feedforward": 7, "dropout": 0.0, "batch_first": True}
    layer = models.EagerEncoderLayer if kind == "eager" else models.nn.TransformerEncoderLayer
    theirs = models.GPT([layer(**sizes) for _ in range(2)])
    ours = models.GPT([models.EncoderLayer(models.H, 4, 7, 0.0, bias=True) for _ in range(2)])
    ours.embedding.load_state_dict(theirs.embedding.state_dict())
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        mine.load_state_dict(mine.state_dict() | copied(other))
    tokens = torch.randint(models.V, (2, 5))
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=0, atol=1e-4)
    changed = tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % models.V
    torch.testing.assert_close(ours(changed)[:, :-1], ours(tokens)[:, :-1])  # the future is masked


def test_every_model_that_is_slow_says_why_and_an_excuse_is_of_one_that_is():
    speed = Speed.load(BENCHMARKS / "models.json")
    assert {row.slug for row in speed.comparisons if row.slow} == {row.slug for row in speed.comparisons if row.why}
    assert any("GPT training step" in row.what for row in speed.of("transformer"))
    assert all(row.kind in ("eager", "usual") for row in speed.comparisons)


def test_what_is_written_is_what_is_read(tmp_path):
    speed = Speed.load(BENCHMARKS / "models.json")
    (tmp_path / "models.json").write_text(speed.dump(), encoding="utf-8")
    assert Speed.load(tmp_path / "models.json") == speed
    assert json.loads(speed.dump())["allowed"] == ALLOWED
