import math
import re

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from paperimpl.papers.transformer import (
    BASE,
    BIG,
    AddAndNorm,
    DecoderLayer,
    EncoderLayer,
    MultiHeadAttention,
    Transformer,
    attention,
    label_smoothed_loss,
    learning_rate,
    positional_encoding,
)

B, S, T, V, d_ff = 3, 11, 7, 17, 13  # all different, so that no mixed-up axis passes
h, d_k = 2, 5
D = h * d_k
PAD = 0
EXACT = {"rtol": 0, "atol": 1e-12}


def real(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def tokens(*shape):
    return torch.randint(1, V, shape)  # none of them padding


def padded_source():
    source = tokens(B, S)
    source[1, 6:] = source[2, 9:] = PAD
    return source


def transformer():
    return Transformer(V, D, h, d_ff, n_layers=2, pad=PAD).double().eval()


def copy_attention(ours, theirs):
    for bias in (theirs.in_proj_bias, theirs.out_proj.bias):
        nn.init.zeros_(bias)  # the paper has none
    for linear, weight in zip((ours.to_q, ours.to_k, ours.to_v), theirs.in_proj_weight.chunk(3), strict=True):
        linear.weight.copy_(weight)
    ours.out.weight.copy_(theirs.out_proj.weight)


@torch.no_grad()
def copy_layer(ours, theirs):
    for weight in theirs.parameters():
        nn.init.normal_(weight)  # gains and biases too, or a mixed-up norm would pass
    copy_attention(ours.attend, theirs.self_attn)
    norms = [ours.add_attended.norm, ours.add_ffn.norm]
    if isinstance(ours, DecoderLayer):
        copy_attention(ours.cross, theirs.multihead_attn)
        norms.insert(1, ours.add_crossed.norm)
    for n, norm in enumerate(norms, start=1):
        norm.gain.copy_(getattr(theirs, f"norm{n}").weight)
        norm.bias.copy_(getattr(theirs, f"norm{n}").bias)
    ours.ffn.inner.load_state_dict(theirs.linear1.state_dict())
    ours.ffn.outer.load_state_dict(theirs.linear2.state_dict())


@pytest.mark.oracle
def test_it_is_torchs_scaled_dot_product_attention():
    q, k, v, mask = real(B, h, T, 5), real(B, h, S, 5), real(B, h, S, 19), torch.rand(B, 1, T, S) < 0.7
    mask[..., 0] = True  # a query that sees nothing has no answer
    torchs = nn.functional.scaled_dot_product_attention
    assert_close(attention(q, k, v, mask), torchs(q, k, v, attn_mask=mask), **EXACT)
    assert_close(attention(q, k, v), torchs(q, k, v), **EXACT)


@pytest.mark.oracle
def test_many_heads_are_torchs_and_so_is_where_they_look():
    ours, theirs = MultiHeadAttention(D, h).double(), nn.MultiheadAttention(D, h, batch_first=True).double()
    with torch.no_grad():
        copy_attention(ours, theirs)
    x, memory, mask = real(B, T, D), real(B, S, D), padded_source().ne(PAD).unsqueeze(1)
    found, weights = theirs(x, memory, memory, key_padding_mask=~mask.squeeze(1), average_attn_weights=False)
    assert_close(ours(x, memory, mask), found, **EXACT)
    assert_close(ours.weights(x, memory, mask), weights, **EXACT)


def test_each_query_looks_only_where_its_own_mask_lets_it():
    ours, x = MultiHeadAttention(D, h).double(), real(B, T, D)
    looks = ours.weights(x, x, torch.ones(1, T, T, dtype=torch.bool).tril())  # (B, h, T, T)
    assert_close(looks.triu(1), torch.zeros_like(looks), rtol=0, atol=0)
    assert (looks.tril().sum(dim=-1) - 1).abs().max() < 1e-12


@pytest.mark.oracle
def test_the_whole_stack_is_torchs_without_its_final_norms():
    ours = transformer()
    theirs = nn.Transformer(D, h, 2, 2, d_ff, dropout=0.0, batch_first=True, dtype=torch.float64)
    theirs.encoder.norm = theirs.decoder.norm = None
    for mine, torchs in zip(
        [*ours.encoder, *ours.decoder], [*theirs.encoder.layers, *theirs.decoder.layers], strict=True
    ):
        copy_layer(mine, torchs)
    source, target = padded_source(), tokens(B, T)
    unseen = {"src_key_padding_mask": source == PAD, "memory_key_padding_mask": source == PAD}
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    y = theirs(ours.embed(source), ours.embed(target), tgt_mask=future, **unseen)
    assert_close(ours(source, target), y @ ours.embedding.weight.T, rtol=0, atol=1e-10)


def test_a_token_enters_as_its_scaled_embedding_plus_its_position():
    net, row = transformer(), tokens(B, T)
    for b, t, d in [(0, 0, 0), (1, 3, 4), (2, 6, 9), (1, 5, 2), (0, 6, 1)]:
        angle = t / 10_000 ** ((d - d % 2) / D)
        position = math.cos(angle) if d % 2 else math.sin(angle)
        expected = math.sqrt(D) * net.embedding.weight[row[b, t], d] + position
        assert_close(net.embed(row)[b, t, d], expected, **EXACT)


def test_a_shift_of_k_positions_is_one_linear_map_whatever_the_position():
    n, k = 101, 23
    pe = positional_encoding(n + k, D)
    angle = k * 10_000 ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)  # (D / 2,)
    turns = [torch.tensor([[a.cos(), a.sin()], [-a.sin(), a.cos()]], dtype=torch.float64) for a in angle]
    assert_close(pe[k:], pe[:n] @ torch.block_diag(*turns).T, **EXACT)


def test_without_positions_a_permuted_source_is_encoded_to_the_same_vectors_permuted():
    layer, x = EncoderLayer(D, h, d_ff, 0.1).double().eval(), real(B, S, D)
    mask, order = torch.ones(1, S, S, dtype=torch.bool), torch.randperm(S)
    assert_close(layer(x[:, order], mask), layer(x, mask)[:, order], **EXACT)


def test_with_positions_it_is_not():
    net, source, order = transformer(), tokens(B, S), torch.randperm(S)
    assert not torch.allclose(net.encode(source[:, order])[0], net.encode(source)[0][:, order], atol=0.1)


@pytest.mark.parametrize("t", range(T))
def test_no_gradient_reaches_the_future(t):
    layer, mask = DecoderLayer(D, h, d_ff, 0.1).double().eval(), torch.ones(B, 1, S, dtype=torch.bool)
    x = real(B, T, D).requires_grad_()
    grad = torch.autograd.grad((layer(x, real(B, S, D), mask)[:, t] * real(B, D)).sum(), x)[0]
    assert_close(grad[:, t + 1 :], torch.zeros(B, T - t - 1, D, dtype=torch.float64), rtol=0, atol=0)
    assert (grad[:, : t + 1].abs().amax(dim=-1) > 1e-6).all()


def test_padding_changes_nothing():
    net, source, target = transformer(), tokens(B, S), tokens(B, T)
    longer = nn.functional.pad(source, (0, 4), value=PAD)
    assert_close(net(longer, target), net(source, target), **EXACT)
    marked = net.encode(nn.functional.pad(source, (0, 4), value=1))[0][:, :S]
    assert not torch.allclose(marked, net.encode(source)[0], atol=1e-3)


def test_what_greedy_writes_is_the_likeliest_token_after_all_that_it_wrote():
    net, source, start = transformer(), padded_source(), 5
    nn.init.normal_(net.embedding.weight)
    written = net.greedy(source, start, T)
    read = torch.cat([torch.full((B, 1), start), written[:, :-1]], dim=1)
    assert written.shape == (B, T)
    assert len(written.unique()) > 3
    assert_close(net(source, read).argmax(dim=-1), written)


def test_writing_keeps_no_graph():
    net, kept = transformer(), []
    net.embedding.register_forward_hook(lambda *_: kept.append(torch.is_grad_enabled()))
    net.greedy(tokens(B, S), 5, T)
    assert len(kept) == 1 + T
    assert not any(kept)


def test_it_runs_where_its_input_is():
    net = Transformer(V, D, h, d_ff, n_layers=2).to("meta")
    assert net(tokens(B, S).to("meta"), tokens(B, T).to("meta")).device.type == "meta"


@pytest.mark.parametrize("layer", [EncoderLayer, DecoderLayer])
def test_what_is_dropped_is_what_a_sub_layer_found_and_never_its_input(layer):
    dropped, x = layer(D, h, d_ff, p_drop=1.0).double(), real(B, T, D)
    seen = torch.ones(B, 1, T, dtype=torch.bool)
    y = dropped(x, seen) if layer is EncoderLayer else dropped(x, x, seen)
    assert_close(y, nn.functional.layer_norm(x, (D,)), rtol=0, atol=1e-4)  # normalised two or three times over


def test_a_sub_layer_that_is_dropped_leaves_its_normalised_input():
    block, x = AddAndNorm(D, p_drop=1.0).double(), real(B, T, D)
    assert_close(block(x, real(B, T, D)), block.norm(x), **EXACT)
    net = Transformer(V, D, h, d_ff, p_drop=1.0)
    assert_close(net.embed(tokens(B, T)), torch.zeros(B, T, D), **EXACT)


def test_embeddings_enter_with_variance_1_and_so_do_the_logits_of_normalised_states():
    weight = Transformer(1009, 512, n_layers=1).embedding.weight
    assert_close((weight * math.sqrt(512)).var(), torch.tensor(1.0), rtol=0, atol=0.02)
    logits = nn.functional.layer_norm(torch.randn(53, 512), (512,)) @ weight.T
    assert_close(logits.var(), torch.tensor(1.0), rtol=0, atol=0.05)


@pytest.mark.oracle
@pytest.mark.parametrize("eps", [0.0, 0.1, 0.7])
def test_the_loss_is_torchs_smoothed_cross_entropy(eps):
    logits, target = real(B, T, V), tokens(B, T)
    target[1, 4:] = PAD
    ours = label_smoothed_loss(logits, target, eps, PAD)
    torchs = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD, label_smoothing=eps)
    assert_close(ours, torchs, **EXACT)


def test_smoothing_padding_and_warm_up_are_the_papers_unless_told():  # sections 5.3 and 5.4
    logits, target = real(B, T, V), tokens(B, T)
    target[1, 4:] = 0
    assert_close(label_smoothed_loss(logits, target), label_smoothed_loss(logits, target, 0.1, 0), rtol=0, atol=0)
    for step in (1000, 4000, 9000):
        assert learning_rate(step, 512) == learning_rate(step, 512, 4000)
    with torch.device("meta"):
        base = Transformer(V)
    assert (base.encoder[0].attend.n_heads, base.dropout.p, base.pad) == (8, 0.1, 0)  # Table 3, first line


@pytest.mark.parametrize(("d_model", "warmup_steps"), [(512, 4000), (64, 200)])
def test_the_learning_rate_peaks_at_the_end_of_the_warm_up_and_halves_in_four_times_the_steps(d_model, warmup_steps):
    rates = [learning_rate(step, d_model, warmup_steps) for step in range(1, 3 * warmup_steps)]
    peak = max(rates)
    assert rates.index(peak) == warmup_steps - 1
    assert peak == pytest.approx((d_model * warmup_steps) ** -0.5)
    assert rates[0] == pytest.approx(peak / warmup_steps)
    assert rates[warmup_steps // 2 - 1] == pytest.approx(peak / 2)
    assert learning_rate(4 * warmup_steps, d_model, warmup_steps) == pytest.approx(peak / 2)


def millions(n_tokens, **sizes):
    with torch.device("meta"):
        return sum(p.numel() for p in Transformer(n_tokens, **sizes).parameters()) / 1e6


@pytest.mark.full_size
def test_the_base_model_of_37000_tokens_falls_3_percent_short_of_table_3():
    assert millions(37_000) == pytest.approx(63.045632)
    assert millions(37_000) == pytest.approx(65, rel=0.031)


@pytest.mark.full_size
@pytest.mark.parametrize(("table_3", "sizes", "n_heads", "p_drop"), [(65, BASE, 8, 0.1), (213, BIG, 16, 0.3)])
def test_the_published_configurations_have_table_3s_weights_heads_and_dropout(table_3, sizes, n_heads, p_drop):
    assert millions(37_000, **sizes) == pytest.approx(table_3, rel=0.031)  # "about 37000 tokens" leaves 3%
    assert (sizes["n_heads"], sizes["p_drop"]) == (n_heads, p_drop)


def test_attention_has_biases_only_where_they_are_asked_for():
    for layer in (EncoderLayer(D, h, d_ff, 0.1), DecoderLayer(D, h, d_ff, 0.1), MultiHeadAttention(D, h)):
        assert not [name for name, _ in layer.named_parameters() if re.search(r"(to_.|out)\.bias", name)]
    with_biases = dict(Transformer(V, D, h, d_ff, n_layers=2, bias=True).named_parameters())
    assert sum(bool(re.search(r"(to_.|out)\.bias", name)) for name in with_biases) == 2 * 4 * 3


@pytest.mark.full_size
@pytest.mark.parametrize(
    ("table_3", "sizes"),
    [
        (65, {}),
        (36, {"n_layers": 2}),
        (50, {"n_layers": 4}),
        (80, {"n_layers": 8}),
        (28, {"d_model": 256}),
        (168, {"d_model": 1024}),
        (53, {"d_ff": 1024}),
        (90, {"d_ff": 4096}),
    ],
)
def test_with_the_40960_tokens_of_the_authors_code_every_small_model_is_that_of_table_3(table_3, sizes):
    assert millions(40_960, **sizes) == pytest.approx(table_3, abs=0.53)  # the table's rounding
