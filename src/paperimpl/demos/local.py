"""The demos on one's own machine, of gradio's parts: what `paperimpl demo SLUG` serves.

Apart from the modules that train, so that what is written here makes no weights stale.
"""

from __future__ import annotations

import os
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported; nothing is told to anybody

import gradio
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from paperimpl.demos import ddpm as walks
from paperimpl.demos import gpt2 as text_of
from paperimpl.demos import lenet as digits
from paperimpl.demos import transformer as strings

__all__ = ["PAGES", "serve"]


def lenet(net: nn.Module, data: dict[str, Tensor], facts: dict[str, Any]) -> Any:
    """Build the same demo of gradio's parts."""

    def read(drawn: dict[str, Any] | None) -> dict[str, float]:
        if drawn is None or drawn.get("composite") is None:
            return {}
        canvas = Image.fromarray(drawn["composite"]).convert("RGBA")
        paper = Image.new("RGBA", canvas.size, "white")
        ink = 255 - np.asarray(Image.alpha_composite(paper, canvas).convert("L"), dtype=np.float32)
        rows, columns = np.nonzero(ink > 32)
        if not len(rows):
            return {}
        crop = Image.fromarray(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
        scale = 20 / max(crop.size)
        size = [max(1, round(side * scale)) for side in crop.size]
        small = torch.tensor(np.asarray(crop.resize((size[0], size[1]), Image.Resampling.BOX)) / 255)
        image = torch.zeros(28, 28)
        mass = small / small.sum()
        top = round(14 - (mass.sum(dim=1) * torch.arange(size[1])).sum().item())
        left = round(14 - (mass.sum(dim=0) * torch.arange(size[0])).sum().item())
        top, left = max(0, min(28 - size[1], top)), max(0, min(28 - size[0], left))
        image[top : top + size[1], left : left + size[0]] = small
        with torch.no_grad():
            found = digits.confidence(net(digits.framed(image[None, None])))[0]
        return {name: p.item() for name, p in zip([*map(str, range(10)), "none of them"], found, strict=True)}

    spoilt = digits.changed(digits.images(data))
    gallery = []
    for row in facts["failures"]:
        image = ((spoilt[row["kind"]][row["index"], 0] + 0.1) / 1.275).clamp(0, 1)
        words = f"{row['kind']} {row['label']}: {row['answer']}, {row['confidence']:.0%}"
        shown = Image.fromarray((255 * (1 - image)).round().to(torch.uint8).numpy())
        gallery.append((shown.resize((128, 128), Image.Resampling.NEAREST), words))
    with gradio.Blocks(title="LeNet-5 reads a digit") as page:
        with gradio.Row():
            brush = gradio.Brush(default_size=20, colors=["#000000"], default_color="#000000", color_mode="fixed")
            pad = gradio.Sketchpad(
                label="Draw a digit", canvas_size=(280, 280), fixed_canvas=True, type="numpy", brush=brush, layers=False
            )
            label = gradio.Label(label="LeNet-5 reads", num_top_classes=4)
        pad.change(read, pad, label)
        gradio.Gallery(gallery, label="Failure cases: what is shown, what is read, how sure", columns=4)
    return page


def ddpm(net: nn.Module, data: dict[str, Tensor], facts: dict[str, Any]) -> Any:
    """Build the same demo of gradio's parts."""
    unet, judge = net["unet"], net["judge"]  # type: ignore[index]

    def show(seed: float, steps: float, fresh: str) -> tuple[Image.Image, dict[str, float]]:
        seen: list[Tensor] = []

        def note(_: nn.Module, asked: tuple[Tensor, Tensor], noise: Tensor) -> None:
            x, t = asked
            left = (1 - walks.rates()).cumprod(dim=0)[t].float()
            seen.append(torch.cat([x, ((x - (1 - left).sqrt() * noise) / left.sqrt()).clamp(-1, 1)]))

        with unet.register_forward_hook(note):
            end = walks.walk(unet, [int(seed)], int(steps), fresh)
        seen.append(torch.cat([end, end.clamp(-1, 1)]))
        kept = [seen[round(i * (len(seen) - 1) / 9)] for i in range(10)]  # (2, 1, SIZE, SIZE) each
        film = nn.functional.pad(torch.stack(kept, dim=1)[:, :, 0].clamp(-1, 1), [1] * 4, value=0.0)
        rows = film.transpose(1, 2).flatten(2).flatten(0, 1)  # (2 * 14, 10 * 14)
        shown = Image.fromarray((127.5 * (1 - rows)).round().to(torch.uint8).numpy())
        chances = walks.judged(judge, end)[0]
        return shown.resize((6 * shown.width, 6 * shown.height), Image.Resampling.NEAREST), {
            str(digit): p.item() for digit, p in enumerate(chances)
        }

    gallery = []
    for row, pixels in zip(facts["failures"], facts["pictures"], strict=True):
        small = 255 - np.array(pixels, dtype=np.uint8).reshape(walks.SIZE, walks.SIZE)
        picture = Image.fromarray(small).resize((144, 144), Image.Resampling.NEAREST)
        gallery.append((picture, f"seed {row['seed']}: {row['answer']}, {row['confidence']:.0%}"))
    with gradio.Blocks(title="A small U-Net walks from noise to a digit") as page:
        with gradio.Row():
            seed = gradio.Number(0, label="Seed of the noise", precision=0, minimum=0)
            steps = gradio.Radio([100, 50, 25, 10, 5], value=100, label="Steps")
            fresh = gradio.Radio(list(walks.FRESH), value="beta", label="Variance of the fresh noise")
        film = gradio.Image(label="Above the image, below the guess of its end", type="pil", interactive=False)
        label = gradio.Label(label="A small classifier reads", num_top_classes=3)
        gradio.on([page.load, seed.change, steps.change, fresh.change], show, [seed, steps, fresh], [film, label])
        gradio.Gallery(gallery, label="Failure cases: what is read, how sure", columns=4, height=260)
    return page


def gpt2(net: nn.Module, data: dict[str, Tensor], facts: dict[str, Any]) -> Any:
    """Build the same demo of gradio's parts."""
    rng = torch.Generator()
    return gradio.Interface(
        lambda text, heat, top_p: text + text_of.go_on(net, text, 200, rng, heat, top_p),
        [
            gradio.Textbox("The function returns", lines=4, label="Text"),
            gradio.Slider(0.1, 2, 0.8, label="Temperature"),
            gradio.Slider(0.05, 1, 0.95, label="top-p"),
        ],
        gradio.Textbox(label="Continued", lines=10),
        title="A small GPT-2 goes on writing",
        examples=[[row["input"], 0.1, 0.05] for row in facts["failures"]],
        flagging_mode="never",
    )


def transformer(net: nn.Module, data: dict[str, Tensor], facts: dict[str, Any]) -> Any:
    """Build the same demo of gradio's parts."""

    def show(task: str, digits: str) -> tuple[str, Figure]:
        digits = "".join(c for c in digits if c in "0123456789")[:14] or "0"
        out, sure, _ = strings.answer(net, task, digits)
        looks = strings.gaze(net, task, digits)
        figure = Figure(figsize=(10, 5), layout="constrained")
        for axes, n in zip(
            figure.subplots(strings.LAYERS, strings.HEADS).flat, range(strings.LAYERS * strings.HEADS), strict=True
        ):
            axes.imshow(looks[n // strings.HEADS, n % strings.HEADS].numpy(), vmin=0, vmax=1)
            axes.set_title(f"layer {n // strings.HEADS + 1}, head {n % strings.HEADS + 1}")
            axes.set_xticks(range(len(digits) + 1), [task[0], *digits])
            axes.set_yticks(range(len(out)), list(out))
        return f"{out} ({sure:.1%} sure)", figure

    return gradio.Interface(
        show,
        [gradio.Radio(list(strings.TASKS), value="reverse", label="Task"), gradio.Textbox("314159", label="Digits")],
        [gradio.Textbox(label="Written"), gradio.Plot(label="Where the decoder looks in the source")],
        title="Where the heads of a Transformer look",
        examples=[[row["task"], row["input"]] for row in facts["failures"]],
        flagging_mode="never",
    )


PAGES = {"ddpm": ddpm, "gpt2": gpt2, "lenet": lenet, "transformer": transformer}


def serve(page: Any, port: int, **settings: Any) -> Any:
    """Serve a page on this machine alone: no share, no fonts or anything else of another host; extra settings go on."""
    return page.launch(
        server_name="127.0.0.1",
        server_port=port,
        share=False,
        ssr_mode=False,
        quiet=True,
        theme=gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        footer_links=[],
        **settings,
    )
