"""Attention Is All You Need. Vaswani et al., NIPS 2017, arXiv:1706.03762.

New here: a sequence is read by attention alone. Every position looks at every other in one
step, in several heads at once; order, which attention cannot see, is added to the input.

Shapes: B sequence pairs, S source and T target tokens, D model width, V tokens in the shared
vocabulary, h heads of width d_k = D / h. `eq.` numbers are the paper's. A mask is True where
a query may look. Token `pad` fills short sequences up on the right.
Differs from the paper: decoding is greedy and stops at a given length, where the paper
searches with a beam of 4 and a length penalty; weights start as in the authors' tensor2tensor
(Glorot), for the paper does not say; d_v = d_k = D / h always. Training is the claim's.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from paperimpl.papers.layernorm import LayerNorm

__all__ = [
    "BASE",
    "BIG",
    "FeedForward",
    "MultiHeadAttention",
    "Transformer",
    "attention",
    "attention_weights",
    "label_smoothed_loss",
    "learning_rate",
    "positional_encoding",
]

BASE = {"d_model": 512, "n_heads": 8, "d_ff": 2048, "n_layers": 6, "p_drop": 0.1}  # Table 3, first line
BIG = {"d_model": 1024, "n_heads": 16, "d_ff": 4096, "n_layers": 6, "p_drop": 0.3}  # Table 3, last line


def attention_weights(
    q: Float[Tensor, "*N T d_k"], k: Float[Tensor, "*N S d_k"], mask: Bool[Tensor, "#*N #T S"] | None = None
) -> Float[Tensor, "*N T S"]:
    """Share out each query's attention over the keys, the softmax of eq. 1."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (*N, T, S) variance 1 where q's and k's is 1
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1)


def attention(
    q: Float[Tensor, "*N T d_k"],
    k: Float[Tensor, "*N S d_k"],
    v: Float[Tensor, "*N S d_v"],
    mask: Bool[Tensor, "#*N #T S"] | None = None,
) -> Float[Tensor, "*N T d_v"]:
    """Average the values by scaled dot-product attention, eq. 1."""
    return attention_weights(q, k, mask) @ v


class MultiHeadAttention(nn.Module):
    """Attention in h projected subspaces side by side (section 3.2.2)."""

    def __init__(self, d_model: int, n_heads: int, bias: bool = False):
        super().__init__()
        self.n_heads = n_heads
        # W_i^Q of all heads i are stacked in one matrix, and so on; the paper has no biases here, others have
        self.to_q, self.to_k, self.to_v, self.out = (nn.Linear(d_model, d_model, bias) for _ in range(4))

    def heads(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B h T d_k"]:
        """Cut the last axis into heads."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def weights(
        self, x: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"], mask: Bool[Tensor, "#B #T S"]
    ) -> Float[Tensor, "B h T S"]:
        """Tell where each position of x looks in the memory, head by head."""
        return attention_weights(self.heads(self.to_q(x)), self.heads(self.to_k(memory)), mask.unsqueeze(1))

    def forward(
        self, x: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"], mask: Bool[Tensor, "#B #T S"]
    ) -> Float[Tensor, "B T D"]:
        """Let each position of x gather what it wants from the memory."""
        q, k, v = self.heads(self.to_q(x)), self.heads(self.to_k(memory)), self.heads(self.to_v(memory))
        found = attention(q, k, v, mask.unsqueeze(1))  # (B, h, T, d_k)
        return self.out(found.transpose(1, 2).flatten(-2))


class FeedForward(nn.Module):
    """The same two-layer net at every position, eq. 2."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.inner, self.outer = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Map each position by itself."""
        return self.outer(self.inner(x).relu())


class AddAndNorm(nn.Module):
    """What surrounds every sub-layer: LayerNorm(x + Dropout(Sublayer(x))), sections 3.1 and 5.4."""

    def __init__(self, d_model: int, p_drop: float):
        super().__init__()
        self.norm, self.dropout = LayerNorm(d_model), nn.Dropout(p_drop)

    def forward(self, x: Float[Tensor, "B T D"], found: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Add what the sub-layer found to its input, and normalise the sum."""
        return self.norm(x + self.dropout(found))


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward net (Figure 1, left)."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, p_drop: float, bias: bool = False):
        super().__init__()
        self.attend, self.add_attended = MultiHeadAttention(d_model, n_heads, bias), AddAndNorm(d_model, p_drop)
        self.ffn, self.add_ffn = FeedForward(d_model, d_ff), AddAndNorm(d_model, p_drop)

    def forward(self, x: Float[Tensor, "B S D"], mask: Bool[Tensor, "#B #S S"]) -> Float[Tensor, "B S D"]:
        """Refine every source position by all that the mask lets it see."""
        x = self.add_attended(x, self.attend(x, x, mask))
        return self.add_ffn(x, self.ffn(x))


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the source, then the feed-forward net (Figure 1, right)."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, p_drop: float, bias: bool = False):
        super().__init__()
        self.attend, self.add_attended = MultiHeadAttention(d_model, n_heads, bias), AddAndNorm(d_model, p_drop)
        self.cross, self.add_crossed = MultiHeadAttention(d_model, n_heads, bias), AddAndNorm(d_model, p_drop)
        self.ffn, self.add_ffn = FeedForward(d_model, d_ff), AddAndNorm(d_model, p_drop)

    def forward(
        self, x: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"], source_mask: Bool[Tensor, "#B 1 S"]
    ) -> Float[Tensor, "B T D"]:
        """Refine every target position by its past and by the encoded source."""
        T = x.shape[1]
        causal = torch.ones(1, T, T, dtype=torch.bool, device=x.device).tril()  # query t sees keys up to t
        x = self.add_attended(x, self.attend(x, x, causal))
        x = self.add_crossed(x, self.cross(x, memory, source_mask))
        return self.add_ffn(x, self.ffn(x))


def positional_encoding(n_positions: int, d_model: int) -> Float[Tensor, "T D"]:
    """Tabulate sines (even columns) and cosines (odd) of d_model / 2 frequencies (section 3.5)."""
    position = torch.arange(n_positions, dtype=torch.float64)  # (T,)
    frequency = 10_000 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)  # (D / 2,)
    angle = torch.outer(position, frequency)  # (T, D / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


class Transformer(nn.Module):
    """An encoder and a decoder of n_layers each; the defaults are the paper's base model (Table 3).

    With `bias`, attention's projections have one, as in most libraries since.
    """

    def __init__(
        self,
        n_tokens: int,
        d_model: int = 512,
        n_heads: int = 8,
        d_ff: int = 2048,
        n_layers: int = 6,
        p_drop: float = 0.1,
        pad: int = 0,
        bias: bool = False,
    ):
        super().__init__()
        self.pad, self.d_model = pad, d_model
        sizes = (d_model, n_heads, d_ff, p_drop, bias)
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in range(n_layers))
        self.decoder = nn.ModuleList(DecoderLayer(*sizes) for _ in range(n_layers))
        self.embedding, self.dropout = nn.Embedding(n_tokens, d_model), nn.Dropout(p_drop)
        for matrix in (p for p in self.parameters() if p.dim() > 1):
            nn.init.xavier_uniform_(matrix)
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)  # so that both its uses have variance near 1

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Look tokens up, scale by sqrt(d_model) (section 3.4) and add their positions (3.5)."""
        x = self.embedding(tokens) * math.sqrt(self.d_model)  # (B, T, D)
        return self.dropout(x + positional_encoding(tokens.shape[1], self.d_model).to(x))

    def encode(self, source: Int[Tensor, "B S"]) -> tuple[Float[Tensor, "B S D"], Bool[Tensor, "B 1 S"]]:
        """Read the source into a memory, with the mask of what in it is no padding."""
        x, mask = self.embed(source), (source != self.pad).unsqueeze(1)
        for layer in self.encoder:
            x = layer(x, mask)
        return x, mask

    def decode(
        self, target: Int[Tensor, "B T"], memory: Float[Tensor, "B S D"], source_mask: Bool[Tensor, "B 1 S"]
    ) -> Float[Tensor, "B T V"]:
        """Give the logits of the token that follows each target position."""
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, memory, source_mask)
        return x @ self.embedding.weight.T  # one matrix for source, target and output (section 3.4)

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Score every next token of the target at once, each from the source and its own past."""
        return self.decode(target, *self.encode(source))

    @torch.no_grad()
    def greedy(self, source: Int[Tensor, "B S"], start: int, n_tokens: int) -> Int[Tensor, "B T"]:
        """Write n_tokens after the start token, each the most likely one. Call in evaluation mode."""
        memory, mask = self.encode(source)
        target = source.new_full((len(source), 1), start)  # (B, 1) and growing
        for _ in range(n_tokens):
            best = self.decode(target, memory, mask)[:, -1].argmax(dim=-1)  # (B,)
            target = torch.cat([target, best.unsqueeze(1)], dim=1)
        return target[:, 1:]


def label_smoothed_loss(
    logits: Float[Tensor, "B T V"], target: Int[Tensor, "B T"], eps: float = 0.1, pad: int = 0
) -> Float[Tensor, ""]:
    """Cross-entropy in nats a token to targets that give eps to all tokens alike (section 5.4)."""
    log_p = logits.log_softmax(dim=-1)  # (B, T, V)
    right = log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1)  # (B, T)
    loss = -(1 - eps) * right - eps * log_p.mean(dim=-1)  # (B, T)
    return loss[target != pad].mean()


def learning_rate(step: int, d_model: int, warmup_steps: int = 4000) -> float:
    """Rise linearly to the warm-up's end, then fall as 1 / sqrt(step), eq. 3. Steps count from 1."""
    return d_model**-0.5 * min(step**-0.5, step * warmup_steps**-1.5)
