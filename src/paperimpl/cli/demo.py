"""`paperimpl demo`: a paper's model to play with, here or, exported, in a reader's browser."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable

from rich.console import Console

from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, VaultError

__all__ = ["export_demos", "serve_demo"]


def export_demos(papers: Iterable[Paper], console: Console) -> list[Problem]:
    """Train and write demos, one after another.

    Returns:
        One problem for every paper that has no demo.
    """
    from paperimpl.demos.frame import export

    problems: list[Problem] = []
    for paper in papers:
        start = time.process_time()
        try:
            weights = export(paper)["weights"]
        except VaultError as wrong:
            problems += wrong.problems
            continue
        seconds = time.process_time() - start
        size = weights["bytes"] + paper.places["demo.json"].stat().st_size
        console.print(
            f"{paper.slug}: {weights['parameters']:,} weights as {weights['type']}, {size / 1000:.0f} KB with the"
            f" manifest, {seconds:.0f} CPU seconds",
            soft_wrap=True,
        )
    return problems


def serve_demo(paper: Paper, port: int, console: Console) -> list[Problem]:
    """Serve a demo on this machine, until it is interrupted; say what is missing where gradio is not installed."""
    if importlib.util.find_spec("gradio") is None:
        return [Problem("gradio", 0, "is not installed, and this command needs it", "pip install -e '.[demo]'")]
    import torch

    from paperimpl.demos.frame import load
    from paperimpl.demos.local import PAGES, serve

    torch.set_num_threads(1)
    _, net, data, manifest = load(paper)
    console.print(f"serving {paper.slug} at http://127.0.0.1:{port}/; Ctrl+C ends it", soft_wrap=True)
    serve(PAGES[paper.slug](net, data, manifest), port)
    return []
