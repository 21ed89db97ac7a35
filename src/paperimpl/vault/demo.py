"""Demos in the reader's browser: which there are, what each loads, and whose weights are of code that has changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from paperimpl.vault.digest import digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, relative

__all__ = ["CALL", "LARGEST", "SCRIPTS", "Demo", "demos"]

SCRIPTS = "site_config/theme/assets/demos"  # one ES module a demo, and what they share
LARGEST = 256_000  # bytes of weights and manifest
CALL = re.compile(r"^[ \t>]*>[ \t]*\[!demo\|(?P<name>[^\[\]|\n]*)\]", re.I | re.M)  # > [!demo|lenet] Draw a digit

_SHARED = {"start", "frame", "nn", "parts"}
_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*?["']\./([\w-]+\.js)["']""", re.M)


@dataclass(frozen=True)
class Demo:
    """One demo.

    Attributes:
        name: the paper's slug, or a name of its own where no weights are loaded.
        paper: whose model it runs; None where it runs none.
        repository: the folder that holds `vault/` and `site_config/`.
    """

    name: str
    paper: Paper | None
    repository: Path

    @cached_property
    def files(self) -> tuple[str, ...]:
        """What a page loads of the vault, as paths in it: the manifest and the weights."""
        if self.paper is None:
            return ()
        return tuple(relative(self.paper.places[kind], self.repository / "vault") for kind in ("demo.json", "demo.bin"))

    @cached_property
    def size(self) -> int:
        """How many bytes are loaded when it is started, as they lie on the disk: weights, manifest, scripts, style."""
        folder, found, waiting = self.repository / SCRIPTS, set(), [f"{self.name}.js", "frame.js"]
        while waiting:
            name = waiting.pop()
            if name not in found and (folder / name).is_file():
                found.add(name)
                waiting += _IMPORT.findall((folder / name).read_text(encoding="utf-8"))
        vault = self.repository / "vault"
        paths = [folder / "demos.css", *(folder / name for name in found), *(vault / name for name in self.files)]
        return sum(path.stat().st_size for path in paths if path.is_file())

    def problems(self) -> Iterator[Problem]:
        """Say whether its weights are missing, too many, edited, or of code that has changed."""
        if self.paper is None:
            return
        paper, run = self.paper, f"run: paperimpl demo export {self.name}"
        for kind in ("demo.json", "demo.bin"):
            if not paper.places[kind].is_file():
                yield Problem(paper.place(kind), 0, "a demo without it", run)
                return
        weights = paper.places["demo.bin"].read_bytes()
        try:
            manifest = json.loads(paper.places["demo.json"].read_text(encoding="utf-8"))
            code, kept = manifest["digest"], manifest["weights"]["sha256"]
        except (ValueError, KeyError, TypeError) as broken:
            yield Problem(paper.place("demo.json"), 1, f"not a manifest: {type(broken).__name__}: {broken}", run)
            return
        if kept != hashlib.sha256(weights).hexdigest():
            yield Problem(paper.place("demo.bin"), 0, "weights that the manifest beside them is not about", run)
        try:
            if code != digest(paper.places["demo"], self.repository / "src"):
                yield Problem(paper.place("demo.json"), 1, "weights of code that has changed since", run)
        except SyntaxError as broken:
            where = relative(Path(broken.filename or ""), self.repository)
            yield Problem(where, broken.lineno or 0, f"not Python: {broken.msg}", "mend it")
        size = len(weights) + paper.places["demo.json"].stat().st_size
        if size > LARGEST:
            told = f"weights and manifest have {size:,} bytes, more than {LARGEST:,}"
            yield Problem(paper.place("demo.bin"), 0, told, "train a smaller net")


def demos(repository: Path, papers: Iterable[Paper]) -> dict[str, Demo]:
    """Find all demos by name: papers with a module in `demos/`, and scripts that need no weights."""
    found = {paper.slug: Demo(paper.slug, paper, repository) for paper in papers if paper.places["demo"].is_file()}
    for script in sorted((repository / SCRIPTS).glob("*.js")):
        if script.stem not in _SHARED and script.stem not in found:
            found[script.stem] = Demo(script.stem, None, repository)
    return found
