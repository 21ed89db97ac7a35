"""Plant the listed bugs in a model, one at a time, and see its tests fail: `python tests/papers/plant.py lstm`.

The list is `tests/papers/bugs/<slug>.toml`, a table a bug:

    [[bug]]
    what = "the gates are swapped"
    old = "net_in, net_out, net_c = net.chunk(3, dim=1)"
    new = "net_out, net_in, net_c = net.chunk(3, dim=1)"
    caught_by = "test_it_is_the_modern_lstm_with_every_forget_gate_stuck_open"

`old` stands exactly once in the model. `caught_by` is one of the tests that fail, or "claim" where only the claim
notices; such a bug is documentation and is not planted here. `paperimpl mutate lstm` plants them too, makes mutants
besides, and records the score.
"""

from __future__ import annotations

import sys
from pathlib import Path

from paperimpl.cli.mutate import plant
from paperimpl.mutation.trials import Trials
from paperimpl.vault.mutants import Bugs
from paperimpl.vault.paper import Paper

ROOT = Path(__file__).parents[2]


def main(slugs: list[str]) -> bool:
    """Plant the bugs of some papers; say whether all were caught."""
    missed = 0
    with Trials(ROOT) as trials:
        for paper in (Paper.find(slug, ROOT) for slug in slugs):
            bugs = Bugs.read(paper)
            for bug in bugs.documented:
                print(f"claim   {paper.slug}: {bug['what']}", flush=True)
            for bug in bugs.planted:
                verdict = plant(trials, paper, bug)
                missed += not verdict.killed
                print(f"{'caught' if verdict.killed else 'MISSED'}  {paper.slug}: {bug['what']}", flush=True)
                if not verdict.killed:
                    print(verdict.told)
    return not missed


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
