"""What other processes do ahead is what the build would have done, and nothing depends on them."""

import os
import signal
from pathlib import Path

import pytest
from tests.publish.test_cache import LINES, Vault, differing

from paperimpl.markdown.katex import Katex, node
from paperimpl.publish import crew
from paperimpl.publish.crew import Crew
from paperimpl.publish.render import Renderer

FORMULAS = "Here $x_1^2$, there\n\n$$\n\\frac{a}{b}\n$$\n\nand there."
ALL = ("Alpha", "Beta", "sub/Alpha", "sub/Gamma", "sub/Delta", "Epsilon")


@pytest.fixture
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    vault = Vault(tmp_path / "vault")
    for number, name in enumerate(ALL):
        vault.write(name, "\n\n".join([*LINES[number:], FORMULAS.replace("x_1", f"x_{number}")]))
    return vault


def with_crew(monkeypatch, processes):
    monkeypatch.setattr(crew, "_FEW", 1)
    monkeypatch.setattr(crew, "size", lambda: processes)


def here(monkeypatch):
    """List the pages that this process renders itself."""
    rendered, fresh = [], Renderer._fresh
    monkeypatch.setattr(Renderer, "_fresh", lambda self, page: rendered.append(page.file.src_uri) or fresh(self, page))
    return rendered


@pytest.mark.parametrize("processes", [1, 3])
def test_a_build_with_a_crew_is_a_build_without_one_byte_for_byte(vault, monkeypatch, processes):
    monkeypatch.setattr(crew, "size", lambda: 0)
    alone = vault.cold()
    with_crew(monkeypatch, processes)
    rendered = here(monkeypatch)
    assert differing(vault.cold(), alone) == []
    assert not {f"{name}.md" for name in ALL} & set(rendered)


def test_what_a_crew_renders_is_remembered_for_the_next_build(vault, monkeypatch):
    with_crew(monkeypatch, 2)
    first = vault.built(fresh=True)
    monkeypatch.setattr(crew, "size", lambda: 0)
    rendered = here(monkeypatch)
    assert differing(vault.built(fresh=True), first) == []
    assert rendered == []


def test_what_goes_wrong_on_a_page_that_a_crew_renders_is_told_once(vault, monkeypatch, caplog):
    monkeypatch.setattr(crew, "size", lambda: 0)
    vault.cold()
    alone = sorted(record.getMessage() for record in caplog.records if "Beta.md" in record.getMessage())
    caplog.clear()
    with_crew(monkeypatch, 2)
    vault.cold()
    assert sorted(record.getMessage() for record in caplog.records if "Beta.md" in record.getMessage()) == alone != []


PACKAGES = Path(__file__).parents[2] / "site_config"


@pytest.mark.skipif(not (PACKAGES / "node_modules/katex").is_dir() or node() is None, reason="no KaTeX: make site")
def test_formulas_that_a_crew_has_rendered_are_remembered(vault, monkeypatch):
    with (vault.folder / "mkdocs.yml").open("a") as config:
        config.write(f"plugins: [search, {{vault: {{packages: {PACKAGES}}}}}]\n")
    monkeypatch.setattr(crew, "size", lambda: 0)
    alone = vault.cold()
    assert any(b'class="katex"' in page for page in alone.values())
    with_crew(monkeypatch, 2)
    assert differing(vault.built(fresh=True), alone) == []
    monkeypatch.setattr(Katex, "_start", lambda self: pytest.fail("a formula is rendered again"))
    for kept in (vault.folder / ".cache/paperimpl").glob("[!k]*"):  # the pages, but not the formulas
        kept.unlink()
    assert differing(vault.built(fresh=True), alone) == []


def test_a_crew_that_dies_is_not_missed(vault, monkeypatch):
    alone = vault.cold()
    with_crew(monkeypatch, 2)
    fresh, parent = Renderer._fresh, os.getpid()

    def dying(self, page):
        if os.getpid() != parent and page.file.src_uri == "Beta.md":
            os.kill(os.getpid(), signal.SIGKILL)
        return fresh(self, page)

    monkeypatch.setattr(Renderer, "_fresh", dying)
    assert differing(vault.cold(), alone) == []


def test_jobs_come_back_whatever_their_order_and_those_that_fail_as_nothing():
    def work(job):
        return {"by": os.getpid(), "of": 1 / (int(job) - 3)}

    with Crew([str(n) for n in range(6)], work, lambda share: None, processes=2) as made:
        found = {job: made.take(job) for job in "543210"}
        assert made.take("1") is None  # taken already
        assert made.take("6") is None  # none of its jobs
    assert found["3"] is None
    assert found["5"]["of"] == 0.5
    assert len({answer["by"] for answer in found.values() if answer} - {os.getpid()}) == 2


def test_for_a_few_jobs_nobody_is_employed():
    made = Crew(["a", "b"], lambda job: job, lambda share: None)
    assert made.take("a") is None
    made.close()


def test_a_crew_that_is_sent_home_leaves_no_process(tmp_path):
    def work(job):
        (tmp_path / f"{os.getpid()}").touch()
        signal.pause()

    made = Crew(["a"], work, lambda share: None, processes=1)
    while not list(tmp_path.iterdir()):
        pass
    made.close()
    process = int(next(tmp_path.iterdir()).name)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
