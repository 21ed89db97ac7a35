"""The evidence page: every paper a row of what speaks for it, and what could not be reproduced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from paperimpl.publish.generated import Generated
from paperimpl.vault.check import Health
from paperimpl.vault.evidence import RULE
from paperimpl.vault.marked import marked
from paperimpl.vault.mutants import Score
from paperimpl.vault.paper import Paper
from paperimpl.vault.record import CHECKS, NO_CHECK, Record
from paperimpl.vault.result import Recorded

__all__ = ["Check", "Row", "checks", "page", "rows"]


class Card(Protocol):
    """A paper as lists show it."""

    @property
    def slug(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def record(self) -> Record: ...
    @property
    def result(self) -> Recorded | None: ...


@dataclass(frozen=True)
class Check:
    """One of the four checks of one paper.

    Attributes:
        name: as readers know it.
        told: what the record says of it, or what the result does.
        state: `made`, `none` (it does not apply) or `missing`.
        tests: the tests that make it: their file, below the repository, and their name.
    """

    name: str
    told: str
    state: str
    tests: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """A paper on the evidence page."""

    path: str
    record: Record
    result: Recorded | None
    checks: tuple[Check, ...]
    mutants: Score | None

    @property
    def verdict(self) -> str:
        """By the one rule; `not run` without a result that has an effect."""
        return (self.result.verdict if self.result else "") or "not run"

    @property
    def seconds(self) -> float | None:
        """CPU seconds a seed."""
        return fmean(run.seconds for run in self.result.runs) if self.result else None


def checks(paper: Paper, health: Health) -> tuple[Check, ...]:
    """List the four checks of a paper, the claim last."""
    record, result = health.records.get(paper.slug), health.results.get(paper.slug)
    made: dict[str, list[tuple[str, str]]] = {kind: [] for kind in CHECKS}
    for place in ("test", "weights"):
        if paper.places[place].is_file():
            try:
                found = marked(paper.places[place])
            except SyntaxError:  # told where the page quotes the file
                continue
            for kind, names in found.items():
                made[kind] += [(paper.place(place), name) for name in names]
    listed = []
    for kind, name in CHECKS.items():
        told = record.checks[kind] if record else ""
        if told.startswith(NO_CHECK):
            listed.append(Check(name, told.removeprefix(NO_CHECK), "none"))
        else:
            listed.append(Check(name, told, "made" if told and made[kind] else "missing", tuple(made[kind])))
    verdict = result.verdict if result else ""
    told = f"{verdict}: {result.condition}" if result and verdict else ""
    return (*listed, Check("Claim", told, "made" if verdict else "missing"))


def rows(cards: Iterable[Card], health: Health, papers: Mapping[str, Paper]) -> list[Row]:
    """One row a published paper, in the order of the cards."""
    return [
        Row(card.path, card.record, card.result, checks(papers[card.path], health), health.mutants.get(card.slug))
        for card in cards
    ]


def page(found: list[Row]) -> Generated:
    """The page, to be rendered with its template."""
    verdicts = sorted({row.verdict for row in found})
    return Generated(
        "Evidence",
        "Every paper with its claim, the paper's number and ours, and the checks that its code has passed.",
        "evidence.html",
        {"rows": found, "rule": RULE, "verdicts": verdicts},
        hide=("toc", "navigation"),
    )
