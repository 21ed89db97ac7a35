"""Structure is a test: a paper that lacks something is one failing test naming the missing file (DESIGN 3).

Every rule is a function from a repository to what breaks it; the tests hold this repository to all of them, and
`test_each_rule_fails_when_it_is_broken` breaks a copy once for each and sees that rule, and no other, complain.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from paperimpl.course.reading import Course
from paperimpl.publish.cache import OURS
from paperimpl.vault.check import Health, cycles
from paperimpl.vault.digest import modules
from paperimpl.vault.evidence import REPRODUCED
from paperimpl.vault.frontmatter import split
from paperimpl.vault.gloss import Glossary
from paperimpl.vault.index import Index
from paperimpl.vault.marked import marked
from paperimpl.vault.paper import OPTIONAL, Paper, papers, surveys
from paperimpl.vault.record import NO_CHECK
from paperimpl.vault.result import seal

ROOT = Path(__file__).parents[1]
SECTIONS = [
    "The problem",
    "The idea",
    "The mathematics",
    "The code",
    "The claim, reproduced",
    "What came of it",
    "Questions",
]
# What each folder of the package may import of the others; `cli` may import all.
ALLOWED = {
    "papers": {"papers"},
    "claims": {"claims", "lab", "papers"},
    "demos": {"demos", "lab", "papers", "vault"},
    "lab": {"lab", "vault"},
    "vault": {"vault"},
    "course": {"course", "vault"},
    "mutation": {"mutation"},
    "markdown": {"markdown", "course", "vault"},
    "publish": {"publish", "markdown", "course", "vault"},
    "book": {"book", "publish", "markdown", "course", "vault"},
}
FOREIGN = {
    "vault": {"mkdocs", "torch", "markdown", "material"},
    "course": {"mkdocs", "torch"},
    "markdown": {"mkdocs", "torch"},
    "lab": {"mkdocs"},
    "demos": {"mkdocs"},
}
MKDOCS = re.compile(r"mkdocs(?:_\w+)?")


def complete(repository: Path) -> Iterator[str]:
    """Every place of every paper and survey exists; no model, claim or test is without its note."""
    known = [*papers(repository), *surveys(repository)]
    for paper in known:
        for kind, place in paper.places.items():
            if kind not in OPTIONAL and not place.is_file():
                yield f"{paper.slug}: no {kind} at {paper.place(kind)}"
    slugs = {paper.slug for paper in known}
    folders = {
        "src/paperimpl/papers": "",
        "src/paperimpl/claims": "",
        "tests/papers": "test_",
        "tests/weights": "test_",
    }
    for folder, prefix in folders.items():
        for path in sorted((repository / folder).glob(f"{prefix}*.py")):
            slug = path.stem.removeprefix(prefix)
            if path.stem not in ("__init__", "conftest", "plant", "test_bugs") and slug not in slugs:
                yield f"{path.relative_to(repository)}: no note for it in the vault"


def contract(repository: Path) -> Iterator[str]:
    """Models, claims, tests and notes have the parts that the contract names."""
    for survey in surveys(repository):
        yield from _contract_of_a_claim(survey)
        if f"![[{survey.slug}.claim.svg]]" not in survey.places["note"].read_text(encoding="utf-8"):
            yield f"{survey.place('note')}: does not show its figure"
    for paper in papers(repository):
        places = paper.places
        if places["model"].is_file():
            tree = ast.parse(places["model"].read_text(encoding="utf-8"))
            told = ast.get_docstring(tree) or ""
            for part in ("New here:", "Shapes:", "Differs from the paper:"):
                if part not in told:
                    yield f"{paper.place('model')}: its docstring has no {part!r}"
            if not any(isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__" for n in tree.body):
                yield f"{paper.place('model')}: no __all__"
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "open", "torch.manual_seed"):
                    yield f"{paper.place('model')}:{node.lineno}: a model does no I/O and sets no seed"
        if places["claim"].is_file():
            yield from _contract_of_a_claim(paper)
        if places["note"].is_file():
            body = split(places["note"].read_text(encoding="utf-8"), "").body
            titles = re.findall(r"^## (.+)$", body, re.M)
            if titles != SECTIONS:
                yield f"{paper.place('note')}: sections are {titles}, not {SECTIONS}"
            if not re.search(r"^> \[!think\]-", body, re.M):
                yield f"{paper.place('note')}: no '> [!think]-' question"
            if len(re.findall(r"^> \[!solution\]-", body, re.M)) != 2:
                yield f"{paper.place('note')}: not two exercises with '> [!solution]-'"
            if len(re.findall(r"^\S.*\?::\s*\S", body, re.M)) != 3:
                yield f"{paper.place('note')}: not three cards 'Question?::Answer'"
            if not re.search(r"^- \[ \] ", body, re.M):
                yield f"{paper.place('note')}: no open questions '- [ ] …'"
            if f"![[{paper.slug}.claim.svg]]" not in body:
                yield f"{paper.place('note')}: does not show its figure"


def _contract_of_a_claim(paper: Paper) -> Iterator[str]:
    tree = ast.parse(paper.places["claim"].read_text(encoding="utf-8"))
    found = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    says = any(isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "SAYS" for n in tree.body)
    if not says or "claim" not in found:
        yield f"{paper.place('claim')}: needs SAYS and claim(seed)"
    elif "device" not in [argument.arg for argument in found["claim"].args.kwonlyargs]:
        yield f"{paper.place('claim')}:{found['claim'].lineno}: claim takes no device"
    elif not re.search(r"\d", ast.get_docstring(found["claim"]) or ""):
        yield f"{paper.place('claim')}: the docstring of claim states no threshold in numbers"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (
            "open",
            "savefig",
            "write_text",
        ):
            yield f"{paper.place('claim')}:{node.lineno}: a claim draws and writes nothing"


def past(repository: Path) -> Iterator[str]:
    """A paper builds only on its past: what its model imports is not later than itself."""
    known = {paper.slug: paper for paper in papers(repository)}
    records = Health(repository).records
    for slug, paper in known.items():
        if not paper.places["model"].is_file() or slug not in records:
            continue
        for path in modules(paper.places["model"], repository / "src"):
            other = path.stem
            year = records[slug].year
            if path.parent.name == "papers" and other in records and records[other].year > year:
                yield f"{paper.place('model')}: imports {other} ({records[other].year}), later than {year}"


def equations(repository: Path) -> Iterator[str]:
    r"""Equation numbers that the model cites are `\tag`ged in the note."""
    for paper in papers(repository):
        if not (paper.places["model"].is_file() and paper.places["note"].is_file()):
            continue
        code = paper.places["model"].read_text(encoding="utf-8")
        note = paper.places["note"].read_text(encoding="utf-8")
        cited: set[str] = set()
        for match in re.finditer(r"\beqs?\.\s+((?:[A-Z]\.)?\d+(?:\s*(?:,|and|-|to)\s*(?:[A-Z]\.)?\d+)*)", code):
            for first, last in re.findall(r"((?:[A-Z]\.)?\d+)(?:\s*(?:-|to)\s*(\d+))?", match[1]):
                cited |= {first} if not last else {str(n) for n in range(int(first), int(last) + 1)}
        for number in sorted(cited - set(re.findall(r"\\tag\{([^}]*)\}", note))):
            yield f"{paper.place('note')}: eq. {number} is cited in the code and has no \\tag{{{number}}}"


def checks(repository: Path) -> Iterator[str]:
    """Every paper makes the four checks, by marked tests and its claim, or its record says why one does not apply."""
    health = Health(repository)
    for slug, record in health.records.items():
        paper = health.papers[slug]
        tests = [paper.places[kind] for kind in ("test", "weights") if paper.places[kind].is_file()]
        for kind, told in record.checks.items():
            made = [name for test in tests for name in marked(test)[kind]]
            where = f"{paper.place('note')}:{record.lines.get(kind, 1)}"
            if not told:
                yield f"{where}: no {kind}: say what ours is compared with, or '{NO_CHECK}' and why"
            elif told.startswith(NO_CHECK) and made:
                yield f"{where}: {kind} does not apply, and yet {made[0]} is marked"
            elif not told.startswith(NO_CHECK) and not made:
                yield f"{where}: {kind} is promised, and no test is marked @pytest.mark.{kind}"
        if not record.reports:
            yield f"{paper.place('note')}: no reports: the paper's own number for the claim"
        result = health.results.get(slug)
        if result is None:
            continue
        if not result.verdict:
            yield f"{paper.place('claim')}: no EFFECT, so its claim has no verdict"
        elif result.verdict != REPRODUCED and not record.findings:
            yield f"{paper.place('note')}: {result.verdict}, and findings do not say why"
        for size in result.sizes:
            if not size.agrees:
                yield f"{paper.place('result')}: {size.configuration} {size.quantity} is {size.apart:+.1%} off"
        if record.full_size.startswith(NO_CHECK) == bool(result.sizes):
            yield f"{paper.place('claim')}: PUBLISHED and the record's full_size contradict each other"


def results(repository: Path) -> Iterator[str]:
    """The result is from this code, over at least five seeds, none of which chose settings, and untouched by hand."""
    health = Health(repository)
    for problem in health.problems():
        if problem.path.endswith(".claim.json"):
            yield str(problem)
    for slug, recorded in health.results.items():
        if not recorded.seal:
            where = (health.papers | health.surveys)[slug].place("result")
            yield f"{where}: has no seal; `paperimpl run {slug}` writes one"


def one_way(repository: Path) -> Iterator[str]:
    """Imports between folders point one way; only `publish` imports mkdocs, and `vault` neither it nor torch."""
    source = repository / "src/paperimpl"
    for path in sorted(source.rglob("*.py")):
        folder = path.relative_to(source).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for name in names:
                parts = name.split(".")
                where = f"{path.relative_to(repository)}:{node.lineno}"
                if parts[0] == "paperimpl" and len(parts) > 1 and folder in ALLOWED and parts[1] not in ALLOWED[folder]:
                    yield f"{where}: {folder} may not import {parts[1]}"
                if parts[0] in FOREIGN.get(folder, ()) or (MKDOCS.fullmatch(parts[0]) and folder != "publish"):
                    yield f"{where}: {folder} may not import {parts[0]}"


def acyclic(repository: Path) -> Iterator[str]:
    """`requires` has no circles, no path puts a paper before what it requires, and cards are paragraphs."""
    health = Health(repository)
    requires = {slug: record.requires for slug, record in health.records.items()}
    for circle in cycles(requires):
        yield f"requires goes in a circle: {' → '.join([*circle, circle[0]])}"
    yield from (str(problem) for problem in Course.of(health).problems())


def healthy(repository: Path) -> Iterator[str]:
    """`paperimpl check` finds nothing."""
    yield from (str(problem) for problem in Health(repository).problems() if problem.error)


def glossed(repository: Path) -> Iterator[str]:
    """In a paper's note and in a lesson, a glossary term's first use is a link."""
    notes = Index.read(repository / "vault").notes
    glossary = Glossary(notes["glossary.md"])
    known = {f"{paper.chapter}/{paper.slug}/{paper.slug}.md" for paper in papers(repository)}
    for path, note in notes.items():
        if path in known or re.fullmatch(r"lessons/(?!lessons\b)\w+\.md", path):
            for use in glossary.unlinked(note):
                yield f"vault/{path}:{use.line}: {use.written!r} is used here first: write {use.link}"


RULES: list[Callable[[Path], Iterator[str]]] = [
    complete,
    contract,
    past,
    equations,
    checks,
    results,
    one_way,
    acyclic,
    glossed,
    healthy,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_this_repository_keeps_the_rule(rule):
    assert not list(rule(ROOT))


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    """Make a change to a copy of the repository: one replacement in one file, which must apply."""

    def change(copy: Path) -> None:
        text = (copy / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        (copy / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def resealed(slug: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Change a result as `paperimpl run` might have written it: with a seal that fits, unless that is taken away."""

    def apply(copy: Path) -> None:
        path = copy / paper_file(slug, "result")
        data = json.loads(path.read_text(encoding="utf-8"))
        change(data)
        if "seal" in data:
            data["seal"] = seal(data)
        path.write_text(json.dumps(data), encoding="utf-8")

    return apply


def together(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make several changes."""
    return lambda copy: [change(copy) for change in changes] and None


def remove(path: str) -> Callable[[Path], None]:
    return lambda copy: (copy / path).unlink()


def paper_file(slug: str, kind: str) -> str:
    return Paper.find(slug, ROOT).place(kind)


LSTM = "vault/04-sequences/lstm/lstm.md"
BREAKS = {
    "a paper without a test": (complete, remove("tests/papers/test_lstm.py"), "no test at tests/papers/test_lstm.py"),
    "a paper without a figure": (complete, remove(LSTM.replace(".md", ".claim.svg")), "no figure"),
    "a survey without a result": (
        complete,
        lambda c: (c / "src/paperimpl/claims/vision.py").touch(),
        "vision: no result at vault/03-vision/vision.claim.json",
    ),
    "a survey that its chapter does not show": (
        contract,
        lambda c: (c / "src/paperimpl/claims/vision.py").touch(),
        "03-vision.md: does not show its figure",
    ),
    "a survey of no device": (
        contract,
        lambda c: (c / "src/paperimpl/claims/vision.py").write_text("SAYS = ''\ndef claim(seed): ...\n"),
        "claims/vision.py:2: claim takes no device",
    ),
    "code without a note": (complete, lambda c: (c / "src/paperimpl/papers/gru.py").touch(), "gru.py: no note"),
    "a model without its differences": (
        contract,
        edit("src/paperimpl/papers/lstm.py", "Differs from the paper:", "Otherwise:"),
        "Differs from the paper",
    ),
    "a claim that runs on one device only": (
        contract,
        edit("src/paperimpl/claims/lstm.py", ', device: str = "cpu")', ")"),
        "claim takes no device",
    ),
    "a note without a section": (contract, edit(LSTM, "## What came of it", "## Afterwards"), "sections are"),
    "a note without a card": (contract, edit(LSTM, "?::", "? "), "three cards"),
    "an import from the future": (
        past,
        edit(
            "src/paperimpl/papers/lstm.py", "import torch\n", "import torch\nfrom paperimpl.papers.adam import Adam\n"
        ),
        "imports adam (2014)",
    ),
    "an equation without a tag": (
        equations,
        edit("src/paperimpl/papers/lstm.py", '"""A layer', '"""See eq. 99. A layer'),
        "eq. 99",
    ),
    "a result of other code": (
        results,
        edit("src/paperimpl/papers/lstm.py", "-3.0", "-2.0"),
        "code that has changed since",
    ),
    "a result edited by hand": (
        results,
        edit(LSTM.replace(".md", ".claim.json"), '"holds": true', '"holds": false'),
        "edited by hand since it was recorded",
    ),
    "a result that is cut short": (
        results,
        edit(LSTM.replace(".md", ".claim.json"), '"runs"', '"rums"'),
        "not a result file: KeyError: 'runs'",
    ),
    "a result without a seal": (results, resealed("lstm", lambda data: data.pop("seal")), "has no seal"),
    "a result of four seeds": (
        results,
        resealed("lstm", lambda data: data["runs"][4].update(seed=3)),
        "4 seeds, fewer than 5",
    ),
    "a result of seeds that chose the settings": (
        results,
        resealed("lstm", lambda data: data["runs"][4].update(seed=104)),
        "seed 104 chose the settings and cannot be reported",
    ),
    "a claim that fails without a finding": (
        checks,
        together(
            resealed("adam", lambda data: data["runs"][0].update(holds=False)),
            edit("vault/02-optimization/adam/adam.md", "findings:\n", "findings: []\n#"),
        ),
        "partly, and findings do not say why",
    ),
    "a claim without an effect": (
        checks,
        resealed("lstm", lambda data: data.update(effect=None)),
        "no EFFECT, so its claim has no verdict",
    ),
    "a full size off the paper's": (
        checks,
        resealed("transformer", lambda data: data["sizes"][0].update(ours=60e6)),
        "base parameters is -7.7% off",
    ),
    "a record without a check": (checks, edit(LSTM, "\noracle:", "\n# oracle:"), "lstm.md:1: no oracle"),
    "a check that no test makes": (
        checks,
        edit(LSTM, 'full_size: "does not apply: ', 'full_size: "'),
        "full_size is promised, and no test is marked",
    ),
    "a check that a test makes after all": (
        checks,
        edit(LSTM, 'oracle: "', 'oracle: "does not apply: '),
        "oracle does not apply, and yet test_it_is_the_modern_lstm",
    ),
    "a test that lost its mark": (
        checks,
        edit("tests/weights/test_layernorm.py", "@pytest.mark.weights\n", ""),
        "weights is promised, and no test is marked",
    ),
    "the vault importing mkdocs": (
        one_way,
        edit("src/paperimpl/vault/index.py", "import json\n", "import json\nimport mkdocs\n"),
        "vault may not import mkdocs",
    ),
    "a model importing the lab": (
        one_way,
        edit("src/paperimpl/papers/lstm.py", "import torch\n", "import torch\nfrom paperimpl.lab import fit\n"),
        "papers may not import lab",
    ),
    "a circle": (
        acyclic,
        edit("vault/04-sequences/rnn/rnn.md", 'requires: ["[[backprop]]"]', 'requires: ["[[lstm]]"]'),
        "lstm → rnn → lstm",
    ),
    "a path in the wrong order": (
        acyclic,
        edit("vault/paths/gpt_in_ten_steps.md", "[[lstm", "[[transformer]] [[lstm"),
        "transformer stands before bahdanau, which it requires (move it below line ",
    ),
    "a path that forgets what is required by way of others": (
        acyclic,
        edit("vault/paths/history.md", "1. [[perceptron|Perceptron]]", "1. [[densenet|DenseNet]]"),
        "densenet stands before relu, which it requires",
    ),
    "cards without a line between them": (
        acyclic,
        edit(LSTM, "?::", "?::None.\nAnd this?::"),
        "is not a paragraph of its own",
    ),
    "a term that leads nowhere": (
        glossed,
        edit(LSTM, "## The problem\n", "## The problem\n\nA Jacobian.\n"),
        "'Jacobian' is used here first: write [[glossary#Jacobian|Jacobian]]",
    ),
    "a dead link": (
        healthy,
        edit(LSTM, "## The idea\n", "## The idea\n\nSee [[rnn#No such heading]].\n"),
        "no such heading",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what the rules read."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("src", "tests", "vault"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pdf"))
    shutil.copy(ROOT / "mkdocs.yml", folder)
    return folder


@pytest.mark.parametrize("name", BREAKS)
def test_each_rule_fails_when_it_is_broken(name, copy, tmp_path):
    rule, change, told = BREAKS[name]
    broken = tmp_path / "repository"
    shutil.copytree(copy, broken)
    change(broken)
    assert any(told in line for line in rule(broken)), list(rule(broken))


def test_what_builds_remember_depends_on_all_code_that_publishes():
    assert set(OURS) == ALLOWED["publish"]


def test_every_rule_is_broken_once():
    assert {rule for rule, _, _ in BREAKS.values()} == set(RULES)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built strictly in a process that cannot import torch or anything of the lab's."""
    folder = tmp_path_factory.mktemp("site")
    forbidden = ["torch", "matplotlib", "sklearn", "mlxtend", "jaxtyping", "paperimpl.lab", "paperimpl.papers"]
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({forbidden!r}))\n"
        "from mkdocs.__main__ import cli\n"
        f"cli(['build', '--strict', '--site-dir', {str(folder)!r}])\n"
    )
    built = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    assert "WARNING" not in built.stderr
    return folder


@pytest.mark.parametrize("slug", [paper.slug for paper in papers(ROOT)])
def test_a_papers_page_shows_its_code_figure_result_and_questions(slug, site):
    paper = Paper.find(slug, ROOT)
    page = (site / paper.chapter / slug / "index.html").read_text(encoding="utf-8")
    assert f'<img class="claim-figure" loading="lazy" decoding="async" src="{slug}.claim.svg"' in page
    assert "<svg class" not in page.partition('class="claim-figure-box"')[2].partition("</p>")[0]
    drawing = site / paper.chapter / slug / f"{slug}.claim.svg"
    assert drawing.read_bytes() == paper.places["figure"].read_bytes()
    assert "Result, seed by seed" in page
    assert 'id="questions"' in page
    code = (site / paper.chapter / slug / "code/index.html").read_text(encoding="utf-8")
    for kind in ("model", "claim", "test"):
        assert f'<a href="code/#the-{kind}">' in page, kind
        assert f'<h2 id="the-{kind}">' in code, kind
        for name in re.findall(r"^(?:class|def) (\w+)", paper.places[kind].read_text(encoding="utf-8"), re.M):
            assert name in code, f"{name} of the {kind} is not on the page of the code"


def test_the_site_has_no_page_with_a_raw_wiki_link_or_key(site):
    code = r"<(code|pre|script|style|annotation|td class=\"code\")\b.*?</\1>"
    copied = r"<div class=\"clipboard-copy-txt\".*?</div>"  # a notebook's code once more, for its copy button
    for path in site.rglob("*.html"):
        lists = r"data-track=\"[^\"]*\""  # JSON: what the reader's part counts
        text = re.sub(rf"{code}|{copied}|{lists}", "", path.read_text("utf-8"), flags=re.S)
        assert "[[" not in text, path
        assert "{{" not in text, path
