"""Load a checkpoint of the field's own library into ours, through a name map that is plain data.

from paperimpl.lab.names import MARIAN
from paperimpl.lab.weights import load

net = load(Transformer(58_101, n_layers=6, bias=True, pad=58_100), "model.safetensors", MARIAN)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

__all__ = ["NameMap", "Need", "Take", "load", "read", "translate"]

Model = TypeVar("Model", bound=nn.Module)
Checkpoint = Mapping[str, Tensor]


@dataclass(frozen=True, init=False)
class Take:
    """Where one of our tensors comes from.

    Attributes:
        names: the checkpoint's tensors; `*` stands for the number of the layer.
        make: ours from those, in that order.
    """

    names: tuple[str, ...]
    make: Callable[..., Tensor]

    def __init__(self, *names: str, make: Callable[..., Tensor] = torch.clone):
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "make", make)


@dataclass(frozen=True)
class Need:
    """What must hold of tensors that ours has no place for, or not the whole place, so that nothing is lost.

    Attributes:
        names: the checkpoint's tensors; a checkpoint without one of them has nothing to lose.
        holds: the condition on them.
        words: the condition in words, as the end of "must be such that".
    """

    names: tuple[str, ...]
    holds: Callable[..., bool]
    words: str


@dataclass(frozen=True)
class NameMap:
    """How the names of one architecture's checkpoint become ours.

    Attributes:
        takes: our tensor's name to its source; `*` stands for the number of a layer, the same on both sides.
        needs: what the checkpoint must be like beyond that.
    """

    takes: Mapping[str, Take]
    needs: Sequence[Need] = ()

    def of(self, name: str) -> Take | None:
        """Find the source of one of our tensors."""
        number = re.search(r"(?<=\.)\d+(?=\.)", name)
        take = self.takes.get(re.sub(r"(?<=\.)\d+(?=\.)", "*", name, count=1))
        if take is None or number is None:
            return take
        return Take(*(source.replace("*", number[0]) for source in take.names), make=take.make)


def read(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file, or the `model.safetensors` of a folder.

    Raises:
        ValueError: there is none, or it is cut short or no such file; the message names it.
    """
    path = Path(path)
    path = path / "model.safetensors" if path.is_dir() else path
    remedy = "name a .safetensors file, or a folder with model.safetensors in it"
    try:
        return load_file(path)
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such checkpoint; {remedy}") from None
    except (SafetensorError, OSError) as broken:
        raise ValueError(f"{path}: not a whole safetensors file ({broken}); fetch it again, or {remedy}") from broken


def translate(expected: Mapping[str, Sequence[int]], checkpoint: Checkpoint, names: NameMap) -> dict[str, Tensor]:
    """Turn a checkpoint into tensors of our names and shapes.

    Args:
        expected: our tensors' names and shapes.

    Raises:
        ValueError: tensors are missing, left over, of a wrong shape or of a value that ours cannot hold; the message
            names them all.
    """
    made: dict[str, Tensor] = {}
    used = {name for need in names.needs for name in need.names}
    wrong: list[str] = []
    for name, shape in expected.items():
        take = names.of(name)
        if take is None:
            wrong.append(f"missing: nothing in the name map for our {name}")
            continue
        used.update(take.names)
        if absent := [source for source in take.names if source not in checkpoint]:
            wrong += [f"missing: {source}, for our {name}" for source in absent]
            continue
        sources = [checkpoint[source] for source in take.names]
        try:
            tensor = take.make(*sources)
        except (RuntimeError, IndexError):  # pieces that do not fit together
            tensor = None
        if tensor is None or tuple(tensor.shape) != tuple(shape):
            told = " and ".join(f"{n} is {tuple(t.shape)}" for n, t in zip(take.names, sources, strict=True))
            wrong.append(f"wrong shape: {told}, which makes no {tuple(shape)} for our {name}")
            continue
        made[name] = tensor
    wrong += [f"extra: {name} {tuple(checkpoint[name].shape)}" for name in sorted(set(checkpoint) - used)]
    for need in names.needs:
        if all(name in checkpoint for name in need.names):
            try:
                holds = need.holds(*(checkpoint[name] for name in need.names))
            except RuntimeError:  # of another shape, which is told above or is no value to lose
                holds = False
            if not holds:
                wrong.append(f"wrong value: {', '.join(need.names)} must be such that {need.words}")
    if wrong:
        raise ValueError(
            f"{len(wrong)} tensors do not fit, so nothing was loaded:\n  " + "\n  ".join(sorted(set(wrong)))
        )
    return made


@torch.no_grad()
def load(model: Model, checkpoint: str | Path | Checkpoint, names: NameMap) -> Model:
    """Give a model the weights of a checkpoint: all of them, or none.

    Args:
        model: ours, of the checkpoint's sizes; its dtype and device stay.
        checkpoint: a safetensors file, a folder with `model.safetensors`, or tensors by name.

    Raises:
        ValueError: the checkpoint cannot be read or does not fit; the model is as it was.
    """
    tensors = checkpoint if isinstance(checkpoint, Mapping) else read(checkpoint)
    ours = model.state_dict()
    for name, tensor in translate({name: tensor.shape for name, tensor in ours.items()}, tensors, names).items():
        ours[name].copy_(tensor)
    return model
