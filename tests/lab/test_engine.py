"""Runs in several processes: here, and on a real cluster of two worker processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from paperimpl.lab.engine import Crash, Measured, Task, outcomes
from paperimpl.vault.digest import digest
from paperimpl.vault.paper import root
from paperimpl.vault.problem import VaultError

SOURCE = root() / "src"
CLAIM = SOURCE / "paperimpl/claims/backprop.py"
CHEAP = {"starts": 1, "sweeps": 20}  # half a second

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def tasks(*seeds, **settings):
    return [Task("backprop", seed, digest(CLAIM, SOURCE), {**CHEAP, **settings}) for seed in seeds]


def measured(done):
    """What each seed measured, its costs aside."""
    return {task.seed: (dict(out.run.measured), out.run.holds, out.run.curves) for task, out in done}


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers of two threads each, in processes of their own; the scheduler's address."""
    pytest.importorskip("distributed")
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1") as made:
        yield made


@pytest.fixture(scope="module")
def here():
    """What four seeds measure in processes of this machine."""
    return measured(outcomes(tasks(0, 1, 2, 3), jobs=2))


def test_a_cluster_measures_the_same_as_this_machine_thread_by_thread(cluster, here):
    assert measured(outcomes(tasks(0, 1, 2, 3), 1, cluster.scheduler_address)) == here


def test_a_worker_of_the_cluster_that_is_killed_loses_nothing(cluster, here):
    done = []
    for pair in outcomes(tasks(0, 1, 2, 3), 1, cluster.scheduler_address):
        if not done:
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        done.append(pair)
    assert sorted(task.seed for task, _ in done) == [0, 1, 2, 3]  # none twice
    assert measured(done) == here


def test_a_worker_of_this_machine_that_is_killed_loses_nothing(here):
    psutil = pytest.importorskip("psutil")
    done, killed = [], []
    for pair in outcomes(tasks(0, 1, 2, 3), jobs=2):
        if not killed:
            workers = [p for p in psutil.Process().children(recursive=True) if "LokyProcess" in " ".join(p.cmdline())]
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)
        done.append(pair)
    assert sorted(task.seed for task, _ in done) == [0, 1, 2, 3]
    assert measured(done) == here


def test_the_same_seed_measures_the_same_in_fresh_processes(here):
    program = (
        "import json\nfrom paperimpl.lab.run import run\n"
        f"made, _ = run('backprop', 2, **{CHEAP})\n"
        "print(json.dumps([dict(made.measured), made.holds, made.curves], sort_keys=True))"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    told = [subprocess.check_output([sys.executable, "-c", program], env=environment, text=True) for _ in range(2)]
    assert told[0] == told[1]


def test_a_crash_is_one_line_and_the_others_go_on():
    done = {task.seed: out for task, out in outcomes([*tasks(0), *tasks(1, starts="two")], jobs=1)}
    assert isinstance(done[0], Measured)
    assert isinstance(done[1], Crash)
    assert done[1].what.startswith("TypeError: ")
    assert done[1].line > 1


def test_a_worker_with_other_code_refuses():
    [(_, refused)] = outcomes([Task("backprop", 0, "sha256:other", CHEAP)], jobs=1)
    assert isinstance(refused, Crash)
    assert "is not this repository's" in refused.what


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_cluster_that_does_not_answer_is_told_within_seconds(address):
    pytest.importorskip("distributed")
    start = time.monotonic()
    with pytest.raises(VaultError, match="no Dask scheduler answers") as told:
        list(outcomes(tasks(0), 1, address))
    assert time.monotonic() - start < 15
    assert len(told.value.problems) == 1
    assert "\n" not in str(told.value)
