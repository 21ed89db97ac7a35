"""The evidence page and the evidence on a paper's page, from papers with and without effects, checks and scores."""

import json

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from paperimpl.markdown.extension import Context
from paperimpl.publish.pages import Publication
from paperimpl.vault.check import Health
from paperimpl.vault.evidence import RULE
from paperimpl.vault.result import seal

ONE = "vault/04-sequences/one/one.md"
RESULT = "vault/04-sequences/one/one.claim.json"
EFFECT = {"of": "accuracy - 0.5", "means": "share above <chance>"}


def with_evidence(small, **changes):
    """Give paper one checks, tests, a finding, an effect, sizes and a mutation score."""
    small.edit(
        ONE,
        "status: done",
        'status: done\nreports: "0.97 (Table 1)"\noracle: "torch.nn.One | gradients"\n'
        'weights: "does not apply: no library has it"\nfull_size: "Table 3"\nfindings: ["Not on <Tuesdays>."]',
    )
    small.write(
        "tests/papers/test_one.py",
        "import pytest\n\n\n@pytest.mark.oracle\ndef test_it_is_torchs_one():\n    assert True\n\n\n"
        "@pytest.mark.slow\n@pytest.mark.full_size\ndef test_it_is_as_large():\n    assert True\n",
    )
    data = json.loads((small.root / RESULT).read_text(encoding="utf-8"))
    for run in data["runs"]:
        run["measured"]["accuracy"] = 0.9 + run["seed"] / 100
        run["memory"] = 300 + run["seed"]
    size = {"configuration": "base", "quantity": "parameters", "paper": 65e6, "ours": 63e6, "within": 0.05}
    data |= {
        "effect": EFFECT,
        "tuned_on": [100, 101],
        "sizes": [size | {"where": "Table 3"}],
        "made_with": {"cpu": "A processor", "cores": "2", "python": "3.11", "torch": "2.13"},
    } | changes
    data["seal"] = seal(data)
    small.write(RESULT, json.dumps(data))
    score = {"digest": "", "planted": 3, "total": 10, "killed": 9, "survived": [{}], "equivalent": 0}
    small.write("vault/04-sequences/one/one.mutants.json", json.dumps(score))
    return small


def publication(small):
    health = Health(small.root)
    address = "https://code.example.org/{path}#L{first}-L{last}"
    return Publication(Context(health.index, health, repository=small.root, code_url=address), small.root, "", False)


def evidence(published):
    page = published.generated[published.evidence_page]
    return BeautifulSoup(published.generated_html(page, lambda path: f"to:{path}"), "html.parser")


def cells(page, path):
    row = page.select_one(f'a[href="to:{path}"]').find_parent("tr")
    return {cell["data-label"]: " ".join(cell.get_text(" ").split()) for cell in row.select("td")}


def test_every_paper_is_a_row_with_its_claim_both_numbers_checks_score_and_cost(small):
    page = evidence(publication(with_evidence(small)))
    assert cells(page, "04-sequences/one/one.md") == {
        "Year": "1997",
        "The paper says": "one works (Table 1).",
        "It reports": "0.97 (Table 1)",
        "Our effect": "0.42 [0.402, 0.438] share above <chance>",
        "Verdict": "reproduced 5 of 5 seeds",
        "Checks": "Oracle Weight-exact : does not apply Full size Claim",
        "Mutants killed": "9 of 10",
        "CPU s a seed": "1",
    }
    assert RULE in page.get_text()


def test_what_is_not_there_is_said(small):
    page = evidence(publication(with_evidence(small)))
    lacking = cells(page, "05-transformers/two/two.md")
    assert lacking["Our effect"] == "not run"
    assert lacking["Verdict"].startswith("not run")
    assert lacking["Mutants killed"] == "not measured"
    assert lacking["Checks"] == "Oracle : not made Weight-exact : not made Full size : not made Claim : not made"


def test_what_could_not_be_reproduced_is_a_section_with_its_papers(small):
    page = evidence(publication(with_evidence(small)))
    found = page.select_one("#not-reproduced").find_next_sibling("h3")
    assert found.get_text() == "The paper one"
    assert found.find_next_sibling("ul").get_text(strip=True) == "Not on <Tuesdays>."
    assert page.select("h3") == [found]


@pytest.mark.parametrize(
    ("effect", "held", "verdict"),
    [
        ("accuracy - 0.5", True, "reproduced"),
        ("accuracy - 0.5", False, "partly"),
        ("accuracy - 0.91", True, "not reproduced at this scale"),
    ],
)
def test_a_verdict_is_published_whatever_it_is(small, effect, held, verdict):
    runs = [
        {"seed": n, "measured": {"accuracy": 0.9 + n / 100}, "holds": held or n > 0, "seconds": 1.0} for n in range(5)
    ]
    published = publication(with_evidence(small, effect=EFFECT | {"of": effect}, runs=runs))
    assert cells(evidence(published), "04-sequences/one/one.md")["Verdict"].startswith(verdict)
    note = published.index.notes["04-sequences/one/one.md"]
    header = BeautifulSoup(published.header(note, lambda path: path), "html.parser").select_one(".paper-claim")
    assert f"{verdict.capitalize()}: held in {5 if held else 4} of 5 seeds" in header.get_text()
    assert "The paper reports 0.97 (Table 1)" in header.get_text()


def test_a_papers_page_ends_with_its_checks_their_tests_its_size_and_its_cost(small):
    published = publication(with_evidence(small))
    tail = published.tail(published.index.notes["04-sequences/one/one.md"])
    html = Markdown(extensions=["tables"]).convert(tail.split("### The code, whole")[0])
    page = BeautifulSoup(html, "html.parser")
    text = " ".join(page.get_text(" ").split())
    assert "Oracle : torch.nn.One | gradients: it is torchs one" in text
    assert "Weight-exact : does not apply: no library has it" in text
    assert page.find("a", string="it is as large")["href"] == (
        "https://code.example.org/tests/papers/test_one.py#L9-L12"
    )
    assert [cell.get_text() for cell in page.find("td", string="base, parameters").find_parent("tr").select("td")] == [
        "base, parameters",
        "65.0 million",
        "63.0 million",
        "-3.1%",
        "within 5%",
    ]
    assert page.find("li", string="parameters: Table 3.")
    assert "9 of 10 small changes" in text
    assert (
        "Cost: 5 CPU seconds in all, at most 304 MB of memory, torch included; A processor (2 cores, one used)" in text
    )
    assert "Settings were chosen on seeds 100 to 101." in text
    assert "Not on <Tuesdays>." in text


def test_the_evidence_stands_beside_the_list_of_papers_in_navigation(small):
    published = publication(small)
    pages = [*published.index.notes, *published.pages(), *published.generated]
    papers = next(item["Papers"] for item in published.nav(pages) if "Papers" in item)
    assert papers[:2] == ["papers.md", "evidence.md"]


def test_a_vault_with_a_note_of_that_name_keeps_it(small):
    small.write("vault/evidence.md", "# My evidence\n")
    published = publication(small)
    assert published.evidence_page == "all-evidence.md"
    assert published.evidence_page in published.generated


def test_a_private_paper_is_not_on_the_page(small):
    with_evidence(small).edit(ONE, "status: done", "status: done\npublish: false")
    page = evidence(publication(small))
    assert [heading.get_text() for heading in page.select("tbody th")] == ["The paper two"]
    assert "Tuesdays" not in page.get_text()


def test_a_corrupt_mutation_score_is_told_with_its_remedy(small):
    with_evidence(small).write("vault/04-sequences/one/one.mutants.json", '{"killed": 3}')
    told = [str(problem) for problem in Health(small.root).problems() if "mutants" in problem.path]
    assert told == [
        "vault/04-sequences/one/one.mutants.json:1: not a mutation record: KeyError: 'digest' "
        "(run: paperimpl mutate one)"
    ]


SLOWER = {
    "slug": "one", "what": "a step", "kind": "eager", "against": "torch.nn.One", "ours_ms": 13.0, "theirs_ms": 10.0,
    "ratio": 1.3, "why": "it can be read",
}  # fmt: skip
TIMED = {"made_with": {"cpu": "A processor", "torch": "2.13"}, "comparisons": [SLOWER]}


def tail_text(small, slug):
    published = publication(small)
    html = Markdown(extensions=["tables"]).convert(
        published.tail(published.index.notes[slug]).split("### The code, whole")[0]
    )
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())


def test_a_page_states_by_what_factor_its_model_is_slower_and_why(small):
    small.write("benchmarks/models.json", json.dumps(TIMED))
    text = tail_text(small, "04-sequences/one/one.md")
    assert "a step torch.nn.One (eager) 1.30" in text
    assert "Slower on purpose , 1.30 times torch.nn.One: it can be read." in text
    assert "one thread, A processor, torch 2.13" in text
    assert "How fast it is" not in tail_text(small, "05-transformers/two/two.md")


@pytest.mark.parametrize("change", [{"ratio": 1.2, "ours_ms": 12.0}, {"kind": "usual"}])
def test_a_model_that_is_fast_enough_makes_no_excuse(small, change):
    small.write("benchmarks/models.json", json.dumps(TIMED | {"comparisons": [SLOWER | change]}))
    text = tail_text(small, "04-sequences/one/one.md")
    assert "How fast it is" in text
    assert "Slower on purpose" not in text


@pytest.mark.parametrize(
    "text", ["{", "{}", json.dumps(TIMED | {"comparisons": [SLOWER | {"ratio": 1.1}]}), json.dumps({"comparisons": []})]
)
def test_a_benchmark_that_is_broken_or_edited_is_told_with_its_remedy(small, text):
    small.write("benchmarks/models.json", text)
    [told] = [str(problem) for problem in Health(small.root).problems() if "benchmarks" in problem.path]
    assert told.startswith("benchmarks/models.json:1: not a benchmark's record: ")
    assert told.endswith("(run: python benchmarks/models.py)")


def test_a_result_of_another_device_says_so_on_its_page_and_in_the_table(small):
    with_evidence(small, made_with={"cpu": "A processor", "cores": "2", "device": "cuda, A card"})
    assert "(2 cores, one used), tensors on cuda, A card, Python" in tail_text(small, ONE.removeprefix("vault/"))
    assert cells(evidence(publication(small)), "04-sequences/one/one.md")["CPU s a seed"] == (
        "1 tensors on cuda, A card"
    )


@pytest.mark.parametrize("text", ["{", "edited"])
def test_a_result_that_cannot_be_read_is_told_once_and_not_for_every_number_quoted(small, text):
    sound = (small.root / RESULT).read_text(encoding="utf-8")
    before = len(Health(small.root).problems())
    assert "{{ one." in (small.root / ONE).read_text(encoding="utf-8")
    small.write(RESULT, sound.replace('"accuracy": 0', '"accuracy": "0') if text == "edited" else text)
    told = [str(problem) for problem in Health(small.root).problems()]
    assert len(told) == before + 1, told
    assert any(line.startswith(f"{RESULT}:1: not a result file: ") for line in told)
