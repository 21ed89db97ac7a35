"""`paperimpl sweep` on this repository's own claims, with runs that cost nothing."""

import errno
import json
import os
import sys
import types
from typing import Literal

import pytest

import paperimpl.cli.sweep as command
from paperimpl.cli import main
from paperimpl.lab.engine import Crash, Measured
from paperimpl.lab.sweep import grid, parameters
from paperimpl.vault.problem import VaultError
from paperimpl.vault.result import Run

CURVE = {"Learning": {"x": [10, 20], "series": {"net": [0.5, 0.25]}, "x_label": "steps"}}


@pytest.fixture
def ran(monkeypatch):
    """Replace the processes: a run measures its settings. What ran is listed; `crash` and `stop` are seeds."""
    tasks = []

    def outcomes(waiting, jobs, cluster=""):
        for task in waiting:
            if task.seed == ran.stop:
                raise KeyboardInterrupt
            tasks.append((task.settings["T"], task.seed))
            run = Run(task.seed, {"wrong": task.settings["T"] / 100, "tried": 3}, True, 0.1, CURVE, {})
            yield (
                task,
                Crash("ZeroDivisionError: two", 7)
                if task.seed == ran.crash
                else Measured(run, {"wrong": "share", "tried": f"of {task.settings['T']}"}, {"torch": "2"}),
            )

    ran = types.SimpleNamespace(tasks=tasks, crash=None, stop=None)
    monkeypatch.setattr(command, "outcomes", outcomes)
    monkeypatch.setitem(sys.modules, "trackio", None)
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    return ran


@pytest.fixture
def sweep(tmp_path, monkeypatch, capsys):
    """Run the command; return exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["paperimpl", "sweep", "lstm", "--into", str(tmp_path / "into"), *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err

    return run


def test_every_combination_is_run_over_tuning_seeds_and_drawn_with_every_seed(sweep, ran, tmp_path):
    code, out, err = sweep("--set", "T=50,9", "--set", "steps=3", "--seeds", "2")
    assert (code, err) == (0, "")
    assert "4 runs compared" in out
    assert sorted(ran.tasks) == [(9, 100), (9, 101), (50, 100), (50, 101)]
    note = (tmp_path / "into/lstm.sweep.md").read_text(encoding="utf-8")
    assert "publish: false" in note
    assert note.index("| T=9, steps=3 | **0.09** (0.09, 0.09) | **3** (3, 3) |") < note.index(
        "| T=50, steps=3 | **0.5** (0.5, 0.5) | **3** (3, 3) |"
    )
    figure = (tmp_path / "into/lstm.sweep.svg").read_text(encoding="utf-8")
    assert "T=50, steps=3" in figure
    assert ">share<" in figure
    assert ">of 9<" not in figure  # of T=9 only
    assert "wrong, T=9, steps=3: 0.09, 0.09" in figure
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "into/runs").iterdir()]
    assert {"configuration": {"T": 9, "steps": 3}, "seed": 100}.items() <= min(
        records, key=lambda record: (record["configuration"]["T"], record["seed"])
    ).items()
    assert all(record["made_with"] == {"torch": "2"} and record["seconds"] == 0.1 for record in records)


def test_after_ctrl_c_the_same_command_runs_what_is_missing(sweep, ran, tmp_path):
    ran.stop = 102
    code, _, err = sweep("--set", "T=9", "--seeds", "4")
    assert code == 130
    assert "finished runs are kept" in err
    assert len(list((tmp_path / "into/runs").iterdir())) == 2
    ran.stop = None
    code, out, _ = sweep("--set", "T=9", "--seeds", "4")
    assert code == 0
    assert "2 of 4 runs are there already" in out
    assert ran.tasks == [(9, 100), (9, 101), (9, 102), (9, 103)]
    sweep("--set", "T=9,11", "--seeds", "1")  # what two sweeps share runs once
    assert ran.tasks[4:] == [(11, 100)]


def test_a_crash_is_told_and_the_other_runs_are_compared(sweep, ran, tmp_path):
    ran.crash = 100
    code, out, err = sweep("--set", "T=9", "--seeds", "2")
    assert code == 1
    assert err.startswith("src/paperimpl/claims/lstm.py:7: T=9, seed 100: ZeroDivisionError: two")
    assert "1 runs compared" in out


def test_a_full_disk_is_one_message_and_no_half_run(sweep, ran, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    replaced = os.replace

    def replace(source, target):
        if len(list((tmp_path / "into/runs").glob("*.json"))) == 1:
            raise full
        replaced(source, target)

    monkeypatch.setattr(os, "replace", replace)
    code, _, err = sweep("--set", "T=9", "--seeds", "3")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "into/runs/" in err
    assert "No space left on device" in err
    assert [path.suffix for path in (tmp_path / "into/runs").iterdir()] == [".json"]


def test_a_broken_run_is_named_before_anything_runs(sweep, ran, tmp_path):
    sweep("--set", "T=9", "--seeds", "1")
    [path] = (tmp_path / "into/runs").iterdir()
    path.write_text(path.read_text(encoding="utf-8")[:40], encoding="utf-8")
    code, _, err = sweep("--set", "T=9", "--seeds", "2")
    assert code == 1
    assert err.startswith(f"{path}: not a run: ")
    assert "delete it" in err
    assert len(ran.tasks) == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["t=9"], "--set t=9: lstm has no parameter 't' (the claim takes T: int = 100, steps: int = 540"),
        (["step=9"], "--set step=9: lstm has no parameter 'step' (did you mean 'steps'?)"),
        (["T=long"], "--set T=long: 'long' is not an int (the claim takes T: int = 100"),
        (["T=9.5"], "'9.5' is not an int"),
        (["T="], "--set T=: is not name=value,value"),
        (["T"], "--set T: is not name=value,value"),
        (["T=9", "T=11"], "'T' is set twice"),
        (["seed=3"], "lstm has no parameter 'seed'"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_the_parameters(sweep, ran, settings, told):
    code, _, err = sweep(*(word for setting in settings for word in ("--set", setting)))
    assert code == 1
    assert told in err
    assert len(err.splitlines()) == 1
    assert not ran.tasks


def test_values_have_the_type_that_the_claim_states(monkeypatch):
    def claim(
        seed: int = 0, *, n: int = 1, p: float = 0.5, deep: bool = False, name: str = "a",
        how: Literal["sum", "mean"] = "sum", cap: int | None = None, net: list[int] = (),
    ):  # fmt: skip
        """Nothing."""

    monkeypatch.setitem(sys.modules, "paperimpl.claims.typed", types.SimpleNamespace(claim=claim))
    assert list(parameters("typed")) == ["n", "p", "deep", "name", "how", "cap", "net"]
    settings = ["n=1_000", "p=1,1e-3", "deep=true", "name=1", "how=mean", "cap=none,3"]
    first, *_, last = grid("typed", settings)
    assert first == {"n": 1000, "p": 1.0, "deep": True, "name": "1", "how": "mean", "cap": None}
    assert last == first | {"p": 0.001, "cap": 3}
    assert isinstance(first["p"], float)
    for wrong in ("deep=yes", "how=max", "net=1", "cap=x"):
        with pytest.raises(VaultError):
            grid("typed", [wrong])


def test_trackio_hears_of_every_run_where_it_is_installed(sweep, ran, monkeypatch):
    heard = []
    fake = types.SimpleNamespace(
        init=lambda **named: heard.append(("init", named["project"], named["config"]["T"], named["config"]["seed"])),
        log=lambda metrics, step=None: heard.append(("log", metrics, step)),
        finish=lambda: heard.append(("finish",)),
    )
    monkeypatch.setitem(sys.modules, "trackio", fake)
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: name)
    sweep("--set", "T=9", "--seeds", "1")
    assert heard == [
        ("init", "paperimpl-lstm", 9, 100),
        ("log", {"Learning/net": 0.5, "Learning/steps": 10}, 0),
        ("log", {"Learning/net": 0.25, "Learning/steps": 20}, 1),
        ("log", {"wrong": 0.09, "tried": 3, "holds": True, "seconds": 0.1}, None),
        ("finish",),
    ]
