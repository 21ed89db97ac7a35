"""A grid over a claim's keyword arguments: what it holds, what was run of it, and how it compares."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import itertools
import json
import statistics
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paperimpl.lab.engine import Measured, Task
from paperimpl.lab.figure import compare
from paperimpl.vault.problem import Problem, VaultError, nearest
from paperimpl.vault.result import Run, number
from paperimpl.vault.write import write

__all__ = ["Runs", "grid", "page", "parameters", "track"]

_TRUTH = {"true": True, "false": False}


def parameters(slug: str) -> dict[str, tuple[Any, Any]]:
    """Read what a claim may be told beside its seed: name to annotated type and default."""
    claim = importlib.import_module(f"paperimpl.claims.{slug}").claim
    hints = typing.get_type_hints(claim)
    return {
        name: (hints.get(name, type(parameter.default)), parameter.default)
        for name, parameter in inspect.signature(claim).parameters.items()
        if name != "seed"
    }


def grid(slug: str, settings: Sequence[str]) -> list[dict[str, Any]]:
    """Make every combination of settings such as `T=50,100`, each value of the type that the claim states.

    Raises:
        VaultError: with every setting that is wrong, naming the parameters that there are.
    """
    known = parameters(slug)
    told = ", ".join(f"{name}: {_named(kind)} = {default!r}" for name, (kind, default) in known.items())
    remedy = f"the claim takes {told}" if known else "the claim takes nothing but a seed"
    axes: dict[str, list[Any]] = {}
    problems = []
    for setting in settings:
        name, equals, values = setting.partition("=")
        if not equals or not values:
            problems.append(Problem(f"--set {setting}", 0, "is not name=value,value", remedy))
        elif name not in known:
            near = nearest(name, list(known))
            problems.append(Problem(f"--set {setting}", 0, f"{slug} has no parameter {name!r}", near or remedy))
        elif name in axes:
            problems.append(Problem(f"--set {setting}", 0, f"{name!r} is set twice", "put all its values in one"))
        else:
            try:
                axes[name] = list(dict.fromkeys(_typed(known[name][0], value) for value in values.split(",")))
            except ValueError as wrong:
                problems.append(Problem(f"--set {setting}", 0, str(wrong), remedy))
    if problems:
        raise VaultError(*problems)
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _named(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind)) if not typing.get_origin(kind) else str(kind)


def _typed(kind: Any, text: str) -> Any:
    """Read a value. Raises ValueError, its argument the message, where it is not of the type."""
    if typing.get_origin(kind) is typing.Literal:
        for choice in typing.get_args(kind):
            if str(choice) == text:
                return choice
        raise ValueError(f"{text!r} is none of {', '.join(map(str, typing.get_args(kind)))}")
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        if text == "none" and type(None) in typing.get_args(kind):
            return None
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if kind is bool:
        if text.lower() not in _TRUTH:
            raise ValueError(f"{text!r} is neither true nor false")
        return _TRUTH[text.lower()]
    if kind not in (int, float, str):
        raise ValueError(f"a {_named(kind)} cannot be written on the command line")
    try:
        return kind(text.replace("_", "") if kind is int else text)
    except ValueError:
        raise ValueError(f"{text!r} is not {'an int' if kind is int else 'a float'}") from None


@dataclass(frozen=True)
class Runs:
    """The runs of a sweep on disk, a JSON file each, named by what decides what it measures.

    So a run that is there is not run again, one of other code is another one, and two sweeps that share
    configurations share their runs.
    """

    folder: Path

    def place(self, task: Task) -> Path:
        """Say where a task's run belongs."""
        what = json.dumps([task.slug, sorted(task.settings.items()), task.seed, task.digest])
        return self.folder / f"{hashlib.sha256(what.encode()).hexdigest()[:20]}.json"

    def read(self, task: Task) -> Measured | None:
        """Read a task's run, if it is there.

        Raises:
            VaultError: the file is not what was written.
        """
        path = self.place(task)
        if not path.is_file():
            return None
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["seed"] != task.seed or data["configuration"] != dict(task.settings):
                raise ValueError("it is of another configuration")
            run = Run(data["seed"], data["measured"], data["holds"], data["seconds"], data["curves"], data["images"])
            return Measured(run, data["units"], data["made_with"])
        except (ValueError, KeyError, TypeError) as broken:
            message = f"not a run: {type(broken).__name__}: {broken}"
            raise VaultError(
                Problem(str(path), 0, message, "delete it, and the same command runs it again")
            ) from broken

    def write(self, task: Task, measured: Measured) -> None:
        """Write a task's run, whole or not at all."""
        data = {
            "slug": task.slug,
            "configuration": dict(task.settings),
            "digest": task.digest,
            "units": dict(measured.units),
            "made_with": dict(measured.made_with),
            **asdict(measured.run),
        }
        write(self.place(task), json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def label(settings: Mapping[str, Any]) -> str:
    """Name a configuration."""
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "defaults"


def page(slug: str, done: Iterable[tuple[Task, Measured]]) -> tuple[str, str]:
    """Draw a comparison: a note, and the figure that it shows, `<slug>.sweep.svg`, with every seed.

    The note says `publish: false`: a sweep chooses settings, and is nobody's evidence.
    """
    pairs = sorted(done, key=lambda pair: pair[0].seed)
    by_label: dict[str, list[tuple[Task, Measured]]] = {}
    for configuration in sorted({label(task.settings): task for task, _ in pairs}.items(), key=_order):
        by_label[configuration[0]] = [pair for pair in pairs if label(pair[0].settings) == configuration[0]]
    keys = list(dict.fromkeys(key for _, measured in pairs for key in measured.run.measured))
    values = {
        key: {
            name: [measured.run.measured[key] for _, measured in rows if key in measured.run.measured]
            for name, rows in by_label.items()
            if any(key in measured.run.measured for _, measured in rows)
        }
        for key in keys
    }
    seeds = ", ".join(map(str, dict.fromkeys(task.seed for task, _ in pairs)))
    head = [*keys, "held", "seconds"]
    lines = [f"| configuration | {' | '.join(head)} |", f"|---|{'--:|' * len(head)}"]
    for name, rows in by_label.items():
        cells = []
        for key in keys:
            row = values[key].get(name, [])
            each = ", ".join(map(number, row))
            cells.append(f"**{number(statistics.median(row))}** ({each})" if row else "")
        held = sum(measured.run.holds for _, measured in rows)
        seconds = statistics.median(measured.run.seconds for _, measured in rows)
        lines.append(f"| {name} | {' | '.join(cells)} | {held} of {len(rows)} | {number(seconds)} |")
    versions = ", ".join(f"{name} {version}" for name, version in pairs[0][1].made_with.items())
    note = f"""---
title: "{slug}: a sweep"
publish: false
---

Seeds {seeds}. Each cell: the median over the seeds, and every one. Made with {versions}.

![[{slug}.sweep.svg]]

{chr(10).join(lines)}
"""
    units = {key: {measured.units.get(key, "") for _, measured in pairs} for key in keys}
    shared = {key: found.pop() for key, found in units.items() if len(found) == 1}  # a unit may name a setting
    return note, compare(f"{slug}-sweep", values, shared)


def _order(named: tuple[str, Task]) -> list[tuple[bool, Any]]:
    """Sort numbers as numbers, the rest as text."""
    values = named[1].settings.values()
    return [(isinstance(v, str), v) if isinstance(v, int | float | str) else (True, str(v)) for v in values]


def track(task: Task, measured: Measured) -> None:
    """Send a run to trackio, as its own script would have: configuration, every point of its curves, results."""
    import trackio

    trackio.init(
        project=f"paperimpl-{task.slug}",
        name=f"{label(task.settings)}, seed {task.seed}",
        config={
            **task.settings,
            "seed": task.seed,
            "digest": task.digest,
            **measured.made_with,
        },
    )
    for title, panel in measured.run.curves.items():
        for step, at in enumerate(panel["x"]):
            points = {f"{title}/{name}": series[step] for name, series in panel["series"].items()}
            trackio.log({**points, f"{title}/{panel['x_label']}": at}, step=step)
    trackio.log({**measured.run.measured, "holds": measured.run.holds, "seconds": measured.run.seconds})
    trackio.finish()
