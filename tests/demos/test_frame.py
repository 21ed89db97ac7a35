"""Weights go out and come back; what is stale, damaged or missing is told with its remedy."""

import json
import shutil
from pathlib import Path

import markdown
import pytest
import torch
from rich.console import Console

from paperimpl.cli.demo import export_demos, serve_demo
from paperimpl.demos import frame
from paperimpl.markdown.extension import Context, VaultExtension
from paperimpl.vault.check import Health
from paperimpl.vault.demo import LARGEST, Demo, demos
from paperimpl.vault.index import Index
from paperimpl.vault.paper import Paper, papers
from paperimpl.vault.problem import VaultError

ROOT = Path(__file__).parents[2]
SLUGS = [paper.slug for paper in papers(ROOT) if paper.places["demo"].is_file()]
every_demo = pytest.mark.parametrize("slug", SLUGS)


def copied(slug, tmp_path):
    """A paper alone, with its demo, in a repository of its own."""
    paper = Paper.find(slug, ROOT)
    for kind in ("note", "demo.json", "demo.bin"):
        place = tmp_path / paper.place(kind)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paper.places[kind], place)
    for name in ("src/paperimpl", "site_config/theme/assets/demos"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Paper(slug, paper.chapter, tmp_path)


def told(paper):
    return [str(problem) for problem in Demo(paper.slug, paper, paper.repository).problems()]


def test_tensors_come_back_as_they_were_written():
    tensors = {
        "a": torch.randn(3, 5),
        "bytes": torch.arange(7, dtype=torch.uint8),
        "b": torch.tensor([[1.5, -2e-5], [6e-8, 300.0]]),
    }
    data, rows = frame.pack(tensors, torch.float32)
    back = frame.unpack(data, rows)
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())
    assert [row["offset"] % 4 for row in rows] == [0, 0, 0]
    data, rows = frame.pack(tensors, torch.float16)
    assert torch.equal(frame.unpack(data, rows)["b"], tensors["b"].half().float())
    assert rows[0]["type"] == "f2"


@every_demo
def test_torch_computes_with_the_committed_weights_what_the_manifest_says(slug):
    torch.set_num_threads(1)
    demo, net, data, manifest = frame.load(Paper.find(slug, ROOT))
    with torch.no_grad():
        now = demo.facts(net, data)
    assert [check["input"] for check in now["checks"]] == [check["input"] for check in manifest["checks"]]
    for check, committed in zip(now["checks"], manifest["checks"], strict=True):
        assert check["output"] == pytest.approx(committed["output"], abs=1e-4)
    for row, committed in zip(now["failures"], manifest["failures"], strict=True):
        assert row.pop("confidence", 0) == pytest.approx(committed.pop("confidence", 0), abs=1e-4)
        assert row == committed


@every_demo
def test_a_demo_is_small_and_of_the_code_as_it_is(slug):
    assert told(Paper.find(slug, ROOT)) == []


def test_what_is_wrong_with_a_demo_is_told_with_its_remedy(tmp_path):
    paper = copied("transformer", tmp_path)
    assert told(paper) == []
    model = paper.places["model"]
    model.write_text(model.read_text(encoding="utf-8") + "\n# a comment changes nothing\n", encoding="utf-8")
    assert told(paper) == []
    model.write_text(model.read_text(encoding="utf-8").replace("10_000", "20_000"), encoding="utf-8")
    (stale,) = told(paper)
    assert "transformer.demo.json:1: weights of code that has changed since (run: paperimpl demo export" in stale
    weights = paper.places["demo.bin"]
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert any("the manifest beside them is not about" in problem for problem in told(paper))
    with pytest.raises(VaultError, match="is not what the manifest beside it is about"):
        frame.load(paper)
    weights.write_bytes(bytes(LARGEST))
    assert any("train a smaller net" in problem for problem in told(paper))
    paper.places["demo.json"].write_text("{}", encoding="utf-8")
    assert told(paper) == [
        f"{paper.place('demo.json')}:1: not a manifest: KeyError: 'digest' (run: paperimpl demo export transformer)"
    ]
    weights.unlink()
    (missing,) = told(paper)
    assert "transformer.demo.bin: a demo without it" in missing


def test_a_paper_without_a_demo_names_those_that_have_one():
    (problem,) = export_demos([Paper.find("lstm", ROOT)], Console())
    assert "lstm has no demo (these have: ddpm, gpt2, lenet, transformer" in str(problem)


def test_without_gradio_a_demo_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (problem,) = serve_demo(Paper.find("lenet", ROOT), 7860, Console())
    assert str(problem) == "gradio: is not installed, and this command needs it (pip install -e '.[demo]')"


def test_an_export_writes_what_a_page_reads_and_keeps_float32_where_rounding_would_tell(tmp_path, monkeypatch):
    paper = copied("transformer", tmp_path)
    demo = frame.module("transformer")
    monkeypatch.setattr(demo, "STEPS", 2)
    manifest = frame.export(paper)
    assert manifest["weights"]["type"] == "float16"
    _, net, data, read = frame.load(paper)
    assert data == {}
    assert read["weights"]["bytes"] == paper.places["demo.bin"].stat().st_size
    assert json.loads(paper.places["demo.json"].read_text(encoding="utf-8"))["digest"] == manifest["digest"]
    monkeypatch.setattr(demo, "TOLERANCE", 0.0)
    again = frame.export(paper)
    assert again["weights"]["type"] == "float32"
    assert again["weights"]["bytes"] == 2 * manifest["weights"]["bytes"]
    _, exact, _, _ = frame.load(paper)
    rounded = {name: tensor.half().float() for name, tensor in exact.state_dict().items()}
    assert all(torch.equal(rounded[name], tensor) for name, tensor in net.state_dict().items())  # trained alike


NOTE = "> [!demo|{name}] Play\n> Words of *ours*.\n"


def rendered(tmp_path, name):
    paper = copied("transformer", tmp_path)
    (tmp_path / "mkdocs.yml").touch()
    path = f"{paper.chapter}/transformer/transformer.md"
    paper.places["note"].write_text(NOTE.format(name=name), encoding="utf-8")
    health = Health(tmp_path)
    context = Context(health.index, health=health, repository=tmp_path, source=path)
    html = markdown.Markdown(extensions=[VaultExtension(context)]).convert(NOTE.format(name=name))
    return html, [str(problem) for problem in health.problems() if "no demo" in str(problem)]


def test_a_callout_becomes_the_place_of_a_demo_which_says_what_it_loads(tmp_path):
    html, problems = rendered(tmp_path, "transformer")
    assert problems == []
    assert '<div class="demo" data-demo="transformer">' in html
    assert '<p class="demo-title">Play</p>' in html
    assert "Words of <em>ours</em>." in html
    size = demos(tmp_path, papers(tmp_path))["transformer"].size
    assert f"It takes {round(size / 1000)} KB from this site" in html
    assert 'href="transformer.demo.bin"' in html
    assert '<p class="demo-without">Scripts are off here' in html


def test_a_demo_that_is_not_there_is_told_with_its_line_and_stays_a_callout(tmp_path):
    html, problems = rendered(tmp_path, "transfromer")
    assert "data-demo" not in html
    assert 'data-callout="demo"' in html
    (problem,) = problems
    assert problem.endswith("transformer.md:1: no demo 'transfromer' (did you mean 'transformer'?)")


def test_a_script_without_a_paper_is_a_demo_without_weights():
    found = demos(ROOT, papers(ROOT))["optimisers"]
    assert found.paper is None
    assert found.files == ()
    assert list(found.problems()) == []
    scripts = ROOT / "site_config/theme/assets/demos"
    names = ("optimisers.js", "frame.js", "parts.js", "demos.css")
    assert found.size == sum((scripts / name).stat().st_size for name in names)


def test_no_context_needs_demos():
    html = markdown.Markdown(extensions=[VaultExtension(Context(Index({})))]).convert(NOTE.format(name="lenet"))
    assert 'class="admonition demo callout"' in html
