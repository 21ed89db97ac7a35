import pytest
import torch
from torch.testing import assert_close

from paperimpl.lab.names import MARIAN
from paperimpl.lab.weights import load, translate
from paperimpl.papers.transformer import Transformer

B, S, T, V, d_ff, n_layers = 3, 11, 7, 17, 13, 2  # all different, so that no mixed-up axis passes
D, h, PAD = 10, 2, 0


@pytest.fixture
def marian():
    """A small Marian with random weights everywhere, gains and biases included."""
    from transformers import MarianConfig, MarianMTModel

    stack = {"layers": n_layers, "attention_heads": h, "ffn_dim": d_ff}
    config = MarianConfig(
        vocab_size=V,
        d_model=D,
        activation_function="relu",
        scale_embedding=True,
        pad_token_id=PAD,
        eos_token_id=1,
        decoder_start_token_id=PAD,
        forced_eos_token_id=None,
        max_position_embeddings=23,
        **{f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in stack.items()},
    )
    theirs = MarianMTModel(config).eval()
    for name, parameter in theirs.named_parameters():
        if "positions" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return theirs


def ours():
    return Transformer(V, D, h, d_ff, n_layers, pad=PAD, bias=True).eval()


def logits(net, theirs):
    source, target = torch.randint(1, V, (B, S)), torch.randint(1, V, (B, T))
    source[1, 6:] = PAD
    found = theirs(input_ids=source, attention_mask=(source != PAD).long(), decoder_input_ids=target)
    return net(source, target), found.logits


@pytest.mark.weights
def test_a_checkpoint_file_of_marian_gives_its_logits_and_every_gradient(marian, tmp_path):
    marian.save_pretrained(tmp_path)
    net = load(ours(), tmp_path, MARIAN)  # a folder, as `save_pretrained` and a download leave it
    y, y_theirs = logits(net, marian)
    assert_close(y, y_theirs, rtol=0, atol=1e-5)
    by = torch.randn(B, T, V)
    for out in (y, y_theirs):
        (out * by).sum().backward()
    theirs = {name: p.grad for name, p in marian.named_parameters() if p.grad is not None}
    expected = {name: p.shape for name, p in net.named_parameters()}
    gradients = translate(expected, theirs, MARIAN)  # the map only permutes, so it maps gradients, too
    assert_close({name: p.grad for name, p in net.named_parameters()}, gradients, rtol=1e-4, atol=1e-5)


@pytest.mark.weights
def test_marians_whole_state_loads_with_its_copies_and_tables_of_positions(marian):
    y, y_theirs = logits(load(ours(), marian.state_dict(), MARIAN), marian)
    assert_close(y, y_theirs, rtol=0, atol=1e-5)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("final_logits_bias", "all of it is 0"),
        ("lm_head.weight", "shares one matrix"),
        ("model.encoder.embed_positions.weight", "sines, then cosines"),
    ],
)
def test_what_the_paper_has_no_place_for_is_refused_by_name(marian, name, told):
    state = {key: tensor.clone() for key, tensor in marian.state_dict().items()}
    state[name][0, 1] += 1
    with pytest.raises(ValueError, match=f"wrong value: {name}.*{told}"):
        load(ours(), state, MARIAN)
