"""Does attention alone carry a sequence across, where recurrent nets of equal size cannot in the same updates?"""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from paperimpl.lab import Effect, Panel, Result
from paperimpl.lab.size import FullSize, Training
from paperimpl.papers.transformer import BASE, BIG, Transformer, label_smoothed_loss, learning_rate

SAYS = (
    "Section 6.1, Table 2: 28.4 BLEU on WMT 2014 English-German, over 2.0 above the best ensembles before it, "
    "for 2.3e19 training FLOPs. Section 4, Table 1: any two positions are O(1) steps apart, O(n) in a recurrent net."
)
EFFECT = Effect("Transformer - GRU", "more of the strings that the Transformer reverses without a mistake, a share")
TABLE_3 = 'Table 3; the paper says "about 37000 tokens", which leaves 3%'
TABLE_2 = "Table 2; the paper multiplies hours by a GPU's sustained rate, where we count the arithmetic of its batches"


def sentences() -> tuple[Int[Tensor, "B S"], Int[Tensor, "B T"]]:
    """A batch of section 5.1: about 25,000 source and 25,000 target tokens, here 1,000 sentences of 25."""
    return torch.ones(1000, 25, dtype=torch.long), torch.ones(1000, 25, dtype=torch.long)


PUBLISHED = [
    FullSize(name, partial(Transformer, 37_000, **sizes), millions * 1e6, 0.031, TABLE_3, training)
    for name, sizes, millions, training in (
        ("base", BASE, 65, Training(3.3e18, 100_000, sentences, 0.75, TABLE_2)),
        ("big", BIG, 213, Training(2.3e19, 300_000, sentences, 0.75, TABLE_2)),
    )
]
START, FIRST_DIGIT, V = 1, 2, 12  # 0 is the padding


def reversals(n: int, T: int, rng: torch.Generator) -> tuple[Int[Tensor, "n T"], Int[Tensor, "n T"]]:
    """Draw n strings of T random digits, and the same strings backwards."""
    source = torch.randint(FIRST_DIGIT, V, (n, T), generator=rng)  # (n, T)
    return source, source.flip(dims=[1])


class GRUs(nn.Module):
    """Two GRU layers read the source into their last states, two more write the target from there."""

    def __init__(self, n_tokens: int, d_model: int):
        super().__init__()
        self.embedding, self.out = nn.Embedding(n_tokens, d_model), nn.Linear(d_model, n_tokens)
        self.encoder, self.decoder = (nn.GRU(d_model, d_model, 2, batch_first=True) for _ in range(2))

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Score every next token of the target."""
        _, state = self.encoder(self.embedding(source))  # (2, B, H)
        return self.out(self.decoder(self.embedding(target), state)[0])

    @torch.no_grad()
    def greedy(self, source: Int[Tensor, "B S"], start: int, n_tokens: int) -> Int[Tensor, "B T"]:
        """Write n_tokens after the start token, each the most likely one."""
        _, state = self.encoder(self.embedding(source))  # (2, B, H)
        target = [source.new_full((len(source), 1), start)]  # of (B, 1)
        for _ in range(n_tokens):
            y, state = self.decoder(self.embedding(target[-1]), state)
            target.append(self.out(y).argmax(dim=-1))
        return torch.cat(target[1:], dim=1)


def after_start(target: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
    """Shift a target right by one, so that every token is predicted from those before it."""
    return torch.cat([torch.full_like(target[:, :1], START), target[:, :-1]], dim=1)


def train(net: nn.Module, d_model: int, T: int, steps: int, rng: torch.Generator) -> tuple[nn.Module, list[float]]:
    """Train by sections 5.3 and 5.4; return the mean of the last 5 checkpoints, as 6.1 does, and the losses."""
    adam = torch.optim.Adam(net.parameters(), betas=(0.9, 0.98), eps=1e-9)
    mean, losses, device = AveragedModel(net), [], next(net.parameters()).device
    for step in range(1, steps + 1):
        adam.param_groups[0]["lr"] = learning_rate(step, d_model, warmup_steps=200)
        source, target = (t.to(device) for t in reversals(32, T, rng))
        loss = label_smoothed_loss(net(source, after_start(target)), target)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
        if step in range(steps, steps - 100, -20):
            mean.update_parameters(net)
    net.eval()
    return mean.module.eval(), losses


def gaze(net: Transformer, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> Float[Tensor, "layers B h T S"]:
    """Record the decoder's cross-attention while it is fed the target."""
    seen = []
    for layer in net.decoder:
        layer.cross.register_forward_hook(lambda cross, args, _: seen.append(cross.weights(*args)))
    with torch.no_grad():
        net(source, after_start(target))
    return torch.stack(seen)


def claim(seed: int = 0, *, T: int = 10, steps: int = 500, device: str = "cpu") -> Result:
    """Measure the share of unseen strings reversed exactly, digit after digit, after 500 updates each.

    Holds if the Transformer reverses more than 95%, the GRUs, with as many weights, less than 75%.
    """
    source, target = (t.to(device) for t in reversals(500, T, torch.Generator().manual_seed(seed + 1)))
    measured, learning, by_position = {}, {}, {}
    for name, d_model in {"Transformer": 64, "GRU": 82}.items():  # 166,656 and 165,324 weights
        torch.manual_seed(seed)
        net = Transformer(V, d_model, 4, 2 * d_model, 2, p_drop=0.0) if name == "Transformer" else GRUs(V, d_model)
        mean, losses = train(net.to(device), d_model, T, steps, torch.Generator().manual_seed(seed))
        for key, trained in {f"{name}_unaveraged": net, name: mean}.items():
            right = trained.greedy(source, START, T) == target  # (500, T)
            measured[key] = right.all(dim=1).float().mean().item()
        by_position[name] = right.float().mean(dim=0)  # (T,)
        learning[name] = torch.tensor(losses).unflatten(0, (-1, 10)).mean(dim=1)  # (steps / 10,)
        if name == "Transformer":
            looks = gaze(mean, source, target)  # (2, 500, 4, T, T)
    mirrored = looks.flip(dims=[-1]).diagonal(dim1=-2, dim2=-1).mean(dim=(1, 3))  # (2, 4)
    measured["mirrored"] = mirrored.max().item()
    images = {f"layer {n // 4 + 1}, head {n % 4 + 1}": m for n, m in enumerate(looks[:, 0].flatten(0, 1))}
    exact, gazed = f"share of strings of {T} digits reversed without a mistake", "share of the best head's attention"
    return Result(
        measured=measured,
        holds=measured["Transformer"] > 0.95 and measured["GRU"] < 0.75,
        units={key: gazed if key == "mirrored" else exact for key in measured},
        curves={
            "Learning to reverse": Panel(
                range(10, steps + 1, 10), learning, "batches of 32 strings", "smoothed loss, nats a digit"
            ),
            "How far back a digit lies": Panel(
                range(1, 2 * T, 2), by_position, "recurrent steps from a digit's input to its output", "share right"
            ),
        },
        images=images,
    )
