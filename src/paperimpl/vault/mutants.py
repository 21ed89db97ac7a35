"""The record of what a paper's tests notice: planted bugs, and mutants that `paperimpl mutate` made."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paperimpl.vault.digest import code, digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, VaultError

__all__ = ["LEAST_KILLED", "Bugs", "Score", "evidence_digest"]

LEAST_KILLED = 0.9
_OPERATORS = 1  # one more when `mutation.operators` makes other mutants: every score is then of the past


@dataclass(frozen=True)
class Bugs:
    """A paper's `tests/papers/bugs/<slug>.toml`.

    Attributes:
        planted: tables of `what`, `old`, `new`, `caught_by`, but for those that only the claim catches.
        documented: those.
        equivalent: tables of `in`, `old`, `new`, `why`: mutants that change nothing that can be observed.
    """

    planted: Sequence[Mapping[str, str]]
    documented: Sequence[Mapping[str, str]]
    equivalent: Sequence[Mapping[str, str]]

    @classmethod
    def read(cls, paper: Paper) -> Bugs:
        """Read it.

        Raises:
            VaultError: it is not there, is not TOML, or a table lacks something.
        """
        path = paper.places["bugs"]
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise VaultError(Problem(paper.place("bugs"), 0, "is not there", "list the bugs to plant")) from None
        except tomllib.TOMLDecodeError as broken:
            raise VaultError(Problem(paper.place("bugs"), 0, f"not TOML: {broken}", "mend it")) from broken
        wanted = {"bug": ("what", "old", "new", "caught_by"), "equivalent": ("in", "old", "new", "why")}
        problems = [
            Problem(paper.place("bugs"), 0, f"[[{kind}]] number {n}: {key!r} is not a text", "write it")
            for kind, keys in wanted.items()
            for n, table in enumerate(tables.get(kind, []), start=1)
            for key in keys
            if not isinstance(table.get(key), str)
        ]
        if stray := set(tables) - set(wanted):
            told = ", ".join(sorted(stray))
            problems.append(
                Problem(paper.place("bugs"), 0, f"unknown tables: {told}", "[[bug]] and [[equivalent]] are")
            )
        if problems:
            raise VaultError(*problems)
        bugs = tables.get("bug", [])
        return cls(
            [bug for bug in bugs if bug["caught_by"] != "claim"],
            [bug for bug in bugs if bug["caught_by"] == "claim"],
            tables.get("equivalent", []),
        )


@dataclass(frozen=True)
class Score:
    """How many changes of a model its tests notice.

    Attributes:
        digest: of the model, its tests and its bug list, see `evidence_digest`.
        planted: how many listed bugs there are, each caught by the test that the list names.
        total: how many mutants there are that could be noticed.
        killed: how many of them the tests noticed.
        survived: the others: `in`, `what`, `old`, `new`.
        equivalent: how many more change nothing that can be observed, each with its reason in the bug list.
    """

    digest: str
    planted: int
    total: int
    killed: int
    survived: Sequence[Mapping[str, str]]
    equivalent: int

    @property
    def share(self) -> float:
        """The share killed."""
        return self.killed / self.total if self.total else 1.0

    @classmethod
    def load(cls, path: Path) -> Score:
        """Read a record.

        Raises:
            ValueError: it is not one; the message says why.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            score = cls(*(data[key] for key in ("digest", "planted", "total", "killed", "survived", "equivalent")))
            if score.killed + len(score.survived) != score.total:
                raise ValueError("killed and survived do not add up to the total")
            return score
        except (ValueError, KeyError, TypeError) as broken:
            raise ValueError(f"not a mutation record: {type(broken).__name__}: {broken}") from broken

    def dump(self) -> str:
        """Write it down."""
        data = {
            "digest": self.digest,
            "planted": self.planted,
            "total": self.total,
            "killed": self.killed,
            "survived": [dict(mutant) for mutant in self.survived],
            "equivalent": self.equivalent,
        }
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def evidence_digest(paper: Paper) -> str:
    """Hash what decides whether a change is noticed: the model and what it imports, its tests, its bug list.

    Comments, docstrings, layout and reasons do not count.

    Raises:
        VaultError: the bug list cannot be read.
        SyntaxError: a file does not parse.
    """
    bugs = Bugs.read(paper)
    total = hashlib.sha256(str(_OPERATORS).encode())
    total.update(digest(paper.places["model"], paper.repository / "src").encode())
    total.update(code(paper.places["test"]).encode())
    conftest = paper.places["test"].with_name("conftest.py")
    if conftest.is_file():
        total.update(code(conftest).encode())
    planted = [[bug["old"], bug["new"], bug["caught_by"]] for bug in bugs.planted]
    equivalent = [[mutant["in"], mutant["old"], mutant["new"]] for mutant in bugs.equivalent]
    total.update(json.dumps([planted, equivalent]).encode())
    return f"sha256:{total.hexdigest()[:32]}"
