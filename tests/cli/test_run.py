"""`paperimpl where`, `run` and `draw` in a small repository with a copy of the package."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
import types

import pytest

from paperimpl.cli.run import is_stale
from paperimpl.lab import Result, engine
from paperimpl.lab import run as lab_run
from paperimpl.lab.device import unusable
from paperimpl.lab.engine import Measured
from paperimpl.vault.check import check
from paperimpl.vault.digest import digest
from paperimpl.vault.paper import Paper, Survey
from paperimpl.vault.result import Recorded, Run

CLAIM = '''
"""Does it count?"""
from paperimpl.lab import Result
SAYS = "Table 1: it counts."


def claim(seed: int = 0) -> Result:
    """Count to the seed. Holds if the count is below 1."""
    return Result(measured={"count": seed, "share": seed / 10}, holds=seed < 1)
'''
SLOW = '''
import os, pathlib, time
from paperimpl.lab import Result
SAYS = "It takes its time."


def claim(seed: int = 0) -> Result:
    """Take a minute for seed 0 and no time for the others. Holds always."""
    pathlib.Path(__file__).with_name(f"started.{os.getpid()}").touch()
    time.sleep(0 if seed else 60)
    return Result({"seed": seed}, holds=True)
'''
CRASH = '''
from paperimpl.lab import Result
SAYS = "It crashes."


def claim(seed: int = 0) -> Result:
    """Holds never."""
    raise ZeroDivisionError("two\\nlines")
'''


def write_claim(repository, slug, text):
    repository.paper(slug)
    place = Paper(slug, "04-sequences", repository.root).places["claim"]
    place.write_text(text.lstrip(), encoding="utf-8")
    return place


def recorded(repository, slug, **changes):
    """Record a result of the claim as it stands."""
    paper = Paper(slug, "04-sequences", repository.root)
    code = digest(paper.places["claim"], repository.root / "src")
    runs = [Run(seed, {"count": seed}, True, 0.1, {}, {}) for seed in range(5)]
    result = Recorded(
        **{"says": "", "threshold": "", "digest": code, "units": {}, "runs": runs, "made_with": {}} | changes
    )
    paper.places["result"].write_text(result.dump(), encoding="utf-8")
    return paper


def run(repository, *arguments):
    """Run the command in a process of its own, with the repository's copy of the package."""
    return subprocess.run(
        [sys.executable, "-c", "from paperimpl.cli import main; main()", *arguments],
        env=repository.package(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_where_lists_papers_and_the_files_of_one(repository):
    repository.paper("lstm")
    repository.paper("adam", "02-optimization")
    code, out, _ = repository("where")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["adam", "lstm"]
    code, out, _ = repository("where", "lstm")
    assert code == 0
    assert "note      vault/04-sequences/lstm/lstm.md\n" in out
    assert "claim     src/paperimpl/claims/lstm.py  (not there)\n" in out


@pytest.mark.parametrize("command", ["where", "run", "draw", "pdf"])
def test_a_wrong_slug_suggests_the_near_one(repository, command):
    repository.paper("lstm")
    code, out, err = repository(command, "lsmt")
    assert (code, out) == (1, "")
    assert err == "lsmt: no paper has this slug (did you mean 'lstm'?)\n"


def test_a_missing_claim_is_named_before_anything_runs(repository):
    repository.paper("lstm")
    before = repository.files()
    code, _, err = repository("run", "lstm")
    assert code == 1
    assert err.startswith("src/paperimpl/claims/lstm.py: there is no claim to run")
    assert repository.files() == before


def test_run_wants_to_know_what(repository):
    code, _, err = repository("run")
    assert code == 2
    assert "--stale" in err


def test_drawing_without_a_result_says_how_to_get_one(repository):
    repository.paper("lstm")
    code, _, err = repository("draw", "lstm")
    assert code == 1
    assert "paperimpl run lstm" in err
    assert repository("draw")[0] == 0  # all that can be drawn: none


def test_drawing_a_broken_result_names_it_and_draws_the_others(repository):
    write_claim(repository, "good", CLAIM)
    paper = recorded(repository, "good")
    (repository.paper("bad") / "bad.claim.json").write_text("<<<<<<< ours", encoding="utf-8")
    code, out, err = repository("draw")
    assert code == 1
    assert err.startswith("vault/04-sequences/bad/bad.claim.json: not a result file")
    assert "paperimpl run bad" in err
    assert "drew vault/04-sequences/good/good.claim.svg" in out
    assert paper.places["figure"].is_file()
    assert "drew" not in repository("draw", "good")[1]  # it is as it was


def test_a_result_is_stale_when_its_code_has_changed(repository):
    place = write_claim(repository, "lstm", CLAIM)
    paper = recorded(repository, "lstm")
    assert not is_stale(paper)
    place.write_text(CLAIM.replace('"""Does it count?"""', "# does it count?"), encoding="utf-8")
    assert not is_stale(paper)
    place.write_text(CLAIM.replace("seed < 1", "seed < 2"), encoding="utf-8")
    assert is_stale(paper)


def test_a_claim_without_a_sound_result_is_stale(repository):
    place = write_claim(repository, "lstm", CLAIM)
    paper = Paper("lstm", "04-sequences", repository.root)
    assert is_stale(paper)
    paper.places["result"].write_text("{", encoding="utf-8")
    assert is_stale(paper)
    recorded(repository, "lstm")
    place.write_text("def claim(:", encoding="utf-8")
    assert is_stale(paper)
    place.unlink()
    assert not is_stale(paper)


def test_stale_alone_means_all_and_with_slugs_those(repository):
    for slug in ("lstm", "gru"):
        write_claim(repository, slug, CLAIM)
    recorded(repository, "gru")
    code, out, _ = repository("run", "gru", "--stale")
    assert code == 0
    assert "every result is from the code as it is" in out


@pytest.mark.slow
def test_a_run_records_every_seed_and_draws_and_tells_what_failed(repository):
    write_claim(repository, "count", CLAIM)
    write_claim(repository, "crash", CRASH)
    write_claim(repository, "wrong", "def claim(:")
    write_claim(repository, "uneven", CLAIM.replace('"share"', 'f"share{seed}"'))
    ran = run(repository, "run", "--all", "--jobs", "1")
    assert ran.returncode == 1
    assert ran.stdout.count("drew") == 1
    result = Recorded.load(repository.root / "vault/04-sequences/count/count.claim.json")
    assert [run.seed for run in result.runs] == [0, 1, 2, 3, 4]
    assert [run.holds for run in result.runs] == [True, False, False, False, False]
    assert result.values("count") == [0, 1, 2, 3, 4]
    assert result.says == "Table 1: it counts."
    assert result.threshold == "Count to the seed. Holds if the count is below 1."
    assert result.digest == digest(repository.root / "src/paperimpl/claims/count.py", repository.root / "src")
    crash, uneven, wrong, finding = sorted(ran.stderr.splitlines())
    assert finding.startswith("vault/04-sequences/count/count.claim.json: the claim did not hold for seed 1, 2, 3, 4")
    assert crash.startswith("src/paperimpl/claims/crash.py:7: seed ")
    assert "ZeroDivisionError: two lines" in crash
    assert uneven.startswith("src/paperimpl/claims/uneven.py: ")
    assert wrong.startswith("src/paperimpl/claims/wrong.py:1: not Python")


@pytest.mark.slow
def test_a_chapters_survey_is_run_drawn_and_quoted_like_a_paper(repository):
    survey = Survey("sequences", "04-sequences", repository.root)
    survey.places["note"].parent.mkdir(exist_ok=True)
    survey.places["note"].write_text("{{ sequences.count max }} and {{ sequences.wrong }}\n", encoding="utf-8")
    survey.places["claim"].write_text(CLAIM.lstrip(), encoding="utf-8")
    ran = run(repository, "run", "sequences", "--jobs", "1")
    assert ran.returncode == 0
    assert "drew vault/04-sequences/sequences.claim.svg" in ran.stdout
    assert Recorded.load(survey.places["result"]).values("count") == [0, 1, 2, 3, 4]
    assert "sequences" in survey.places["figure"].read_text(encoding="utf-8")
    assert not is_stale(survey)
    (problem,) = check(repository.root)
    assert str(problem).startswith("vault/04-sequences/04-sequences.md:1: '{{ sequences.wrong }}': no such number")
    survey.places["claim"].write_text(CLAIM.replace("seed < 1", "seed < 2").lstrip(), encoding="utf-8")
    told = [str(problem) for problem in check(repository.root)]
    assert any(line.startswith("vault/04-sequences/sequences.claim.json:1: result of code that has") for line in told)
    survey.places["result"].write_text("{}", encoding="utf-8")
    told = [str(problem) for problem in check(repository.root)]
    assert [line for line in told if "sequences.claim.json:1: not a result file" in line]
    assert not [line for line in told if "no paper" in line]


@pytest.mark.slow
def test_fewer_than_five_seeds_are_shown_and_change_no_record(repository):
    place = write_claim(repository, "count", CLAIM)
    ran = run(repository, "run", "count", "--seeds", "1", "--jobs", "1")
    assert ran.returncode == 0
    assert "not recorded, a result takes 5 seeds" in ran.stdout
    assert not (repository.root / "vault/04-sequences/count/count.claim.json").exists(), place


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to a process")
@pytest.mark.parametrize("whom", ["the command alone", "all, as a terminal does"])
def test_ctrl_c_ends_the_workers_and_writes_nothing(repository, whom):
    place = write_claim(repository, "slow", SLOW)
    process = subprocess.Popen(
        [sys.executable, "-c", "from paperimpl.cli import main; main()", "run", "slow", "--jobs", "2", "--seeds", "2"],
        env=repository.package(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        while len(started := list(place.parent.glob("started.*"))) < 2:
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)  # one worker is busy now, the other one idle
        if whom == "all, as a terminal does":
            for path in started:  # the workers leave it to the command
                os.kill(int(path.suffix[1:]), signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    for path in started:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.suffix[1:]), 0)
    assert sorted(p.name for p in (repository.root / "vault/04-sequences/slow").iterdir()) == ["slow.md"]


def test_a_missing_package_is_one_line(repository, monkeypatch):
    write_claim(repository, "lstm", CLAIM)
    recorded(repository, "lstm")
    monkeypatch.delitem(sys.modules, "paperimpl.lab.figure", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = repository("draw", "lstm")
    assert code == 1
    assert err.startswith("matplotlib: is not installed")
    assert json.loads((repository.root / "vault/04-sequences/lstm/lstm.claim.json").read_text(encoding="utf-8"))


WEIGHED = CLAIM.replace("import Result", "import Effect, Result").replace(
    "\n\ndef claim", '\nEFFECT = Effect("1 + count - share", "more than none")\n\n\ndef claim'
)


def test_a_result_holds_the_effect_its_interval_the_verdict_and_the_cost(repository):
    write_claim(repository, "count", WEIGHED)
    ran = run(repository, "run", "count", "--jobs", "1")
    assert "count: partly, effect 2.8, 95% interval" in " ".join(ran.stdout.split())
    result = Recorded.load(Paper("count", "04-sequences", repository.root).places["result"])
    assert result.effects == pytest.approx([1, 1.9, 2.8, 3.7, 4.6])
    assert result.verdict == "partly"
    assert result.seal
    assert list(result.tuned_on) == list(range(100, 108))
    assert {"cpu", "cores", "python", "torch", "device", "threads"} <= result.made_with.keys()
    assert platform.node() not in result.made_with.values()
    assert all(run.memory > 50 for run in result.runs)


@pytest.mark.parametrize("of", ["1 + counts", "count **", "1 / (share - share)"])
def test_an_effect_that_cannot_be_worked_out_is_told_and_nothing_is_recorded(repository, of):
    write_claim(repository, "count", WEIGHED.replace("1 + count - share", of))
    before = repository.files()
    ran = run(repository, "run", "count", "--jobs", "1")
    assert ran.returncode == 1
    assert f"ValueError: effect {of!r}" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert [path for path in repository.files() if path.endswith(".claim.json")] == []
    assert before.keys() <= repository.files().keys()


def test_seeds_that_chose_the_settings_are_refused_before_anything_runs(repository):
    write_claim(repository, "count", CLAIM)
    before = repository.files()
    code, _, err = repository("run", "count", "--seeds", "103")
    assert code == 2
    told = " ".join(err.replace("│", " ").split())
    assert "seeds 100 to 102 chose the settings and cannot be reported; say --seeds 100 or fewer" in told
    assert repository.files() == before


def test_a_claim_is_given_the_device_that_was_asked_for(monkeypatch):
    asked = []

    def claim(seed, **options):
        asked.append(options)
        return Result({"count": seed}, holds=True)

    module = types.SimpleNamespace(SAYS="It counts.", claim=claim, __name__="paperimpl.claims.counting")
    monkeypatch.setitem(sys.modules, "paperimpl.claims.counting", module)
    lab_run.run("counting", 0)
    lab_run.run("counting", 0, device="mps")
    assert asked == [{}, {"device": "mps"}]
    assert lab_run.made_with("mps")["device"] == "mps"


def test_a_device_that_is_not_there_is_one_message_before_anything_runs(repository):
    write_claim(repository, "count", CLAIM)
    before = repository.files()
    for device, told in {
        "gpu": "--device gpu: is no device (say cpu, cuda, cuda:1 for a second card, or mps)\n",
        "meta": "--device meta: is no device (say cpu, cuda, cuda:1 for a second card, or mps)\n",
        "cuda:x": "--device cuda:x: is no device (say cpu, cuda, cuda:1 for a second card, or mps)\n",
        "cuda:99": "--device cuda:99: th",
    }.items():
        code, out, err = repository("run", "count", "--device", device)
        assert (code, out) == (1, "")
        assert err.startswith(told)
        assert len(err.splitlines()) == 1
    assert repository.files() == before


@pytest.fixture
def measuring(repository, monkeypatch):
    """Let a claim of five seeds measure at once, on a machine with an `mps`; what was asked of the engine is listed."""
    paper = Paper("count", "04-sequences", repository.root)
    write_claim(repository, "count", CLAIM)
    asked = []

    def outcomes(tasks, jobs, cluster):
        asked.extend(tasks)
        for task in tasks:
            run = Run(task.seed, {"count": task.seed}, task.seed < holding.below, 0.1, {}, {})
            yield task, Measured(run, {}, {"device": task.device, "cpu": f"processor {task.seed % 2}"})

    holding = types.SimpleNamespace(below=5, asked=asked, paper=paper)
    claim = types.SimpleNamespace(SAYS="It counts.", claim=outcomes)
    monkeypatch.setitem(sys.modules, "paperimpl.claims.count", claim)
    monkeypatch.setattr("paperimpl.lab.engine.outcomes", outcomes)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    return holding


def test_the_device_is_asked_for_recorded_and_a_change_of_it_told(repository, measuring):
    assert repository("run", "count")[2] == ""
    assert [dict(task.settings) for task in measuring.asked] == [{}] * 5
    first = Recorded.load(measuring.paper.places["result"])
    assert first.device == "cpu"
    measuring.asked.clear()
    code, _, err = repository("run", "count", "--device", "mps")
    assert code == 0
    assert [task.device for task in measuring.asked] == ["mps"] * 5
    assert "measured on mps, the result that this one replaces on cpu" in err
    second = Recorded.load(measuring.paper.places["result"])
    assert second.device == "mps"
    assert second.digest == first.digest
    assert not is_stale(measuring.paper)


def test_machines_that_differ_are_all_in_the_record(repository, measuring):
    repository("run", "count")
    assert Recorded.load(measuring.paper.places["result"]).made_with["cpu"] == "processor 0; processor 1"


def test_a_claim_that_does_not_hold_is_a_finding_and_no_failure(repository, measuring):
    measuring.below = 1
    code, out, err = repository("run", "count")
    assert code == 0
    assert "held in 1 of 5 seeds" in out
    assert "the claim did not hold for seed 1, 2, 3, 4 (a finding, recorded and published like any other" in err
    assert not Recorded.load(measuring.paper.places["result"]).holds
    code, _, err = repository("run", "count", "--seeds", "3")
    assert code == 0
    assert "seed 1, 2 (nothing recorded)" in err


def test_the_package_runs_as_a_module(repository):
    repository.paper("lstm")
    told = subprocess.run(
        [sys.executable, "-m", "paperimpl", "where"], env=repository.package(), capture_output=True, text=True
    )
    assert told.stdout.split() == ["lstm", "vault/04-sequences/lstm/lstm.md"]
    again = subprocess.run(
        [sys.executable, "-c", "import paperimpl.__main__"], env=repository.package(), capture_output=True, text=True
    )
    assert (again.returncode, again.stdout) == (0, "")  # so does a worker process, and runs nothing


def test_a_worker_records_the_device_that_it_used(monkeypatch):
    made = Run(0, {"count": 0}, True, 0.1, {}, {})
    monkeypatch.setattr(engine, "run", lambda slug, seed, **settings: (made, {}))
    monkeypatch.setattr(engine, "digest", lambda claim, source: "")
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    [(_, measured)] = engine.outcomes([engine.Task("count", 0, "", {"device": "mps"})], jobs=1)
    assert measured.made_with["device"] == "mps"


def test_a_cluster_may_have_a_device_that_this_machine_has_not():
    assert unusable("cuda:99") is not None
    assert unusable("cuda:99", here=False) is None
    assert unusable("gpu", here=False) is not None


def test_a_result_keeps_six_digits():
    assert lab_run._rounded(0.123456789) == 0.123457


@pytest.mark.parametrize(
    ("cards", "device", "told"),
    [(0, "cuda", "there is none"), (2, "cuda", None), (2, "cuda:1", None), (2, "cuda:2", "this machine has 2")],
)
def test_a_device_is_there_where_so_many_are(monkeypatch, cards, device, told):
    monkeypatch.setattr("torch.cuda.device_count", lambda: cards)
    wrong = unusable(device)
    assert (wrong is None) == (told is None)
    assert wrong is None or wrong.message.startswith(told)
