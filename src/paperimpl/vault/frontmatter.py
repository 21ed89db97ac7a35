"""Front matter with line numbers: YAML between two lines of three dashes."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from paperimpl.vault.problem import Problem

__all__ = ["FrontMatter", "split"]


@dataclass(frozen=True)
class FrontMatter:
    """Properties of a note, and the line that each key stands on.

    Attributes:
        values: what YAML made of them; empty where there is no front matter or it is broken.
        lines: key to 1-based line in the file.
        body: the text after it.
        body_line: the 1-based line on which the body starts.
        problem: why YAML refused, if it did.
    """

    values: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1
    problem: Problem | None = None


class _Words:
    """YAML 1.2's idea of true and false, as Obsidian has it: `on`, `yes` and `no` are words."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for _first in "tTfF":
        yaml_implicit_resolvers[_first] = [
            *yaml_implicit_resolvers.get(_first, ()),
            ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")),
        ]


class _Loader(_Words, yaml.SafeLoader):
    """The one that says well what is wrong."""


class _Quick(_Words, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The one in C, ten times as fast, where there is one. What nests deeply enough ends the process."""


_SHALLOW = 4000  # letters that nest to no harmful depth


def split(text: str, path: str) -> FrontMatter:
    """Take a note apart. Never raises: a broken block is reported in `problem` and the body is kept."""
    text = text.removeprefix("\ufeff")
    lines = io.StringIO(text).readlines()  # as an editor counts them; splitlines() also breaks at form feeds
    if not lines or lines[0].rstrip() != "---":
        return FrontMatter({}, body=text)
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        problem = Problem(path, 1, "front matter opens with '---' and never closes", "add a line '---' after it")
        return FrontMatter({}, body=text, problem=problem)
    block, body, body_line = "".join(lines[1:end]), "".join(lines[end + 1 :]), end + 2
    try:
        node, values = _read(block)
    except Exception as refused:  # besides YAMLError: ValueError for the date 2024-13-40, KeyError for `!!bool x`, ...
        line, why = _refusal(refused, block)
        problem = Problem(path, line, f"front matter is not YAML: {why}", "quote values that hold ': ', '#' or '[['")
        return FrontMatter({}, body=body, body_line=body_line, problem=problem)
    values = {} if values is None else values
    if not isinstance(values, dict):
        problem = Problem(path, 2, "front matter is not a list of properties", "write one 'key: value' a line")
        return FrontMatter({}, body=body, body_line=body_line, problem=problem)
    keys = node.value if isinstance(node, yaml.MappingNode) else []
    where: dict[str, int] = {}
    for key, _ in keys:
        if key.value in where:
            problem = Problem(
                path, key.start_mark.line + 2, f"{key.value!r} stands twice in the front matter", "keep one of them"
            )
            return FrontMatter({}, body=body, body_line=body_line, problem=problem)
        where[key.value] = key.start_mark.line + 2
    return FrontMatter({str(k): v for k, v in values.items()}, where, body, body_line)


def _read(block: str) -> tuple[Any, Any]:
    """Read YAML: its tree, and what it means."""
    if len(block) <= _SHALLOW:
        with contextlib.suppress(Exception):  # the other one says it better
            return _read_with(_Quick(block))
    return _read_with(_Loader(block))


def _read_with(loader: Any) -> tuple[Any, Any]:
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _refusal(refused: Exception, block: str) -> tuple[int, str]:
    """Say where in the file YAML stopped, and why, on one line."""
    if isinstance(refused, yaml.reader.ReaderError):
        return block.count("\n", 0, refused.position) + 2, f"{refused.reason} (#x{refused.character:04x})"
    mark = getattr(refused, "problem_mark", None)
    why = getattr(refused, "problem", None) or f"{type(refused).__name__}: {refused}"
    return (mark.line + 2 if mark else 1), " ".join(why.split())
