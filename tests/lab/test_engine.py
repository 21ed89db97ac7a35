"""Runs in several processes: of this machine, and of a real cluster."""

import gc
import os
import signal
import time

import pytest

from paperimpl.lab import engine
from paperimpl.lab.engine import Crash, Measured, Task, outcomes
from paperimpl.vault.digest import digest
from paperimpl.vault.paper import root
from paperimpl.vault.problem import VaultError

SOURCE = root() / "src"
CLAIM = SOURCE / "paperimpl/claims/rnn.py"
CHEAP = {"steps": 50}  # a fifth of a second
SEEDS = range(6)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def tasks(*seeds, **settings):
    return [Task("rnn", seed, digest(CLAIM, SOURCE), {**CHEAP, **settings}) for seed in seeds]


def measured(done):
    """What each seed measured, its costs aside."""
    return {task.seed: (dict(out.run.measured), out.run.holds, out.run.curves) for task, out in done}


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers of two threads each, in processes of their own."""
    pytest.importorskip("distributed")
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1") as made:
        yield made


@pytest.fixture(scope="module")
def here():
    """What six seeds measure one after the other in this process, which is all that one job takes."""
    return measured(outcomes(tasks(*SEEDS), jobs=1))


# Processes cost seconds, for each imports torch: every test below that starts some compares them with `here`, so that
# it shows, too, that a fresh process measures the same.


def test_a_cluster_measures_the_same_as_this_process_thread_by_thread(cluster, here):
    assert len({str(measure) for measure in here.values()}) == len(SEEDS)  # or else equal numbers would say nothing
    assert measured(outcomes(tasks(*SEEDS), 1, cluster.scheduler_address)) == here


def test_a_worker_of_the_cluster_that_is_killed_loses_nothing(cluster, here):
    done = []
    for pair in outcomes(tasks(*SEEDS), 1, cluster.scheduler_address):
        if not done:
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        done.append(pair)
    assert sorted(task.seed for task, _ in done) == list(SEEDS)  # none twice
    assert measured(done) == here


def test_a_worker_of_this_machine_that_is_killed_loses_nothing(here):
    psutil = pytest.importorskip("psutil")
    done, workers = [], []
    for pair in outcomes(tasks(*SEEDS), jobs=2):
        if not done:
            workers = [p for p in psutil.Process().children(recursive=True) if "LokyProcess" in " ".join(p.cmdline())]
            os.kill(workers[0].pid, signal.SIGKILL)
        done.append(pair)
    assert len(workers) == 2
    assert sorted(task.seed for task, _ in done) == list(SEEDS)
    assert measured(done) == here


def test_one_job_leaves_ctrl_c_to_this_process():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
    try:
        list(outcomes(tasks(0), jobs=1))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_crash_is_one_line_and_the_others_go_on():
    done = {task.seed: out for task, out in outcomes([*tasks(0), *tasks(1, steps="two")], jobs=1)}
    assert isinstance(done[0], Measured)
    assert isinstance(done[1], Crash)
    assert done[1].what.startswith("TypeError: ")
    assert done[1].line > 1


def test_a_worker_with_other_code_refuses():
    [(_, refused)] = outcomes([Task("rnn", 0, "sha256:other", CHEAP)], jobs=1)
    assert isinstance(refused, Crash)
    assert "is not this repository's" in refused.what


def test_a_worker_without_the_device_says_so():
    [(_, refused)] = outcomes(tasks(0, device="cuda:99"), jobs=1)
    assert isinstance(refused, Crash)
    assert refused.what.startswith("cuda:99: th")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_cluster_that_does_not_answer_is_told_once_patience_ends(address, monkeypatch):
    pytest.importorskip("distributed")
    assert engine._PATIENCE == "5s"
    monkeypatch.setattr(engine, "_PATIENCE", "1s")
    complaints = []
    monkeypatch.setattr("sys.unraisablehook", complaints.append)
    start = time.monotonic()
    with pytest.raises(VaultError, match="no Dask scheduler answers") as told:
        list(outcomes(tasks(0), 1, address))
    gc.collect()
    assert not complaints  # of a client that is collected: a traceback
    assert time.monotonic() - start < 10
    assert len(told.value.problems) == 1
    assert "\n" not in str(told.value)
