"""A small repository, built: what is sound is published whole, what is wrong is told once and stops nothing else."""

import json
import shutil
import subprocess
import sys

import pytest

from paperimpl.vault.check import check

ONE = "vault/04-sequences/one/one.md"
TWO = "vault/05-transformers/two/two.md"
HOW = "vault/lessons/how.md"
PAGES = [
    "",
    "04-sequences",
    "04-sequences/one",
    "05-transformers",
    "05-transformers/two",
    "lessons/how",
    "papers",
    "progress",
    "wanted",
]


def test_what_is_sound_is_built_strictly_without_a_word(sound):
    _, built = sound
    assert built.code == 0, built.log
    assert built.warnings == []
    assert [page for page in PAGES if not (built.site / page / "index.html").is_file()] == []


def test_a_papers_page_has_its_header_code_number_and_questions(sound):
    page = sound[1].page("05-transformers/two")
    assert page.select_one("header h1").text == "The paper two"
    assert "A. Author, B. C. Other" in page.select_one(".paper-authors").text
    assert "5 of 5 seeds" in page.select_one(".paper-claim").text
    names = [link.text for link in page.select(".paper-links a")]
    assert names == ["Source", "PDF", "Code", "Claim", "Test", "Result", "BibTeX", "Discuss"]
    assert [link["href"] for link in page.select(".paper-way a")] == ["../../04-sequences/one/"]
    assert page.select_one(".paper-way .wanted").text == "three"
    assert page.select_one(".measured").text == "90%"
    assert len(page.select("details.think")) == 2
    titles = [heading.contents[0] for heading in page.select("article h3")]
    assert titles == [
        "The four checks",
        "Result, seed by seed",
        "The code, whole",
    ]
    assert page.select_one('a[href^="https://code.example.org/repository/src/paperimpl/papers/two.py#L"]')


def test_a_papers_files_are_on_a_page_of_their_own(sound):
    built = sound[1]
    links = [link["href"] for link in built.page("05-transformers/two").select('a[href^="code/"]')]
    assert links == ["code/", "code/#the-model", "code/#the-claim", "code/#the-test"]
    page = built.page("05-transformers/two/code")
    assert page.select_one("title").text.startswith("The code of The paper two")
    assert [link["href"] for link in page.select("h1 a")] == ["../"]
    named = [name.text for name in page.select("h2 + .highlight .filename")]
    assert named == ["papers/two.py", "claims/two.py", "tests/papers/test_two.py"]
    assert [heading["id"] for heading in page.select("article h2")] == ["the-model", "the-claim", "the-test"]
    assert "05-transformers/two/code/" in (built.site / "sitemap.xml").read_text(encoding="utf-8")
    assert "two/code" not in (built.site / "search/search_index.json").read_text(encoding="utf-8")


def test_a_paper_leads_on_to_the_papers_that_require_it(sound):
    page = sound[1].page("04-sequences/one")
    assert [link["href"] for link in page.select(".onward-leads a")] == ["../../05-transformers/two/"]


def test_what_links_to_a_note_is_listed_below_it(sound):
    links = {link.text: link["href"] for link in sound[1].page("04-sequences/one").select(".backlinks a")}
    assert links == {"Home": "../../", "how": "../../lessons/how/", "The paper two": "../../05-transformers/two/"}


def test_what_notes_ask_for_is_listed_with_those_that_ask(sound):
    page = sound[1].page("wanted")
    asked = {item.find("strong").text: [link.text for link in item("a")] for item in page.select("article li")}
    assert asked == {"four": ["how"], "three": ["The paper two"]}


def test_papers_are_listed_by_year(sound):
    rows = sound[1].page("papers").select("tbody tr")
    assert [[cell.text for cell in row("td")][:2] for row in rows] == [
        ["1997", "The paper one"],
        ["2001", "The paper two"],
    ]


def test_search_finds_a_papers_text_and_not_what_is_around_it(sound):
    entries = json.loads((sound[1].site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    text = " ".join(entry["text"] for entry in entries)
    assert "It reached" in text
    assert "Notes that link here" not in text


def test_every_link_of_the_site_leads_somewhere_below_its_own_path(sound, dead):
    assert dead(sound[1].site) == []


def test_the_link_checker_sees_what_is_dead(sound, dead, tmp_path):
    site = tmp_path / "site"
    shutil.copytree(sound[1].site, site)
    page = site / "lessons/how/index.html"
    more = '<a href="/outside">1</a><a href="../nothing/">2</a><a href="#nowhere">3</a><img src="x.png">'
    page.write_text(page.read_text(encoding="utf-8") + more, encoding="utf-8")
    (site / "a.css").write_text("b { background: url(x.woff2) }", encoding="utf-8")
    assert sorted(link for _, link, _ in dead(site)) == ["#nowhere", "../nothing/", "/outside", "x.png", "x.woff2"]


def front(text):
    """Make the change: one note's front matter becomes this text."""

    def change(repository):
        old = (repository.root / TWO).read_text(encoding="utf-8").split("---\n", 2)[1]
        repository.edit(TWO, f"---\n{old}---\n", text)

    return change


def edit(path, old, new):
    return lambda repository: repository.edit(path, old, new)


def append(path, text):
    return lambda repository: repository.write(path, (repository.root / path).read_bytes() + text.encode())


def also(repository):
    repository.paper("one", chapter="05-transformers")


# What is wrong, where it must be told, what must be said, and with which remedy.
BAD = {
    "no front matter": (front(""), f"{TWO}:1", "a paper's note has no front matter", "paperimpl new"),
    "front matter that never closes": (front("---\ntitle: Two\n"), f"{TWO}:1", "never closes", "add a line '---'"),
    "front matter that is no YAML": (
        edit(TWO, "title: The paper two", "title: The: paper: two"),
        f"{TWO}:2",
        "front matter is not YAML",
        "quote values",
    ),
    "a field that is missing": (edit(TWO, "venue: A journal\n", ""), f"{TWO}:1", "venue is missing", "write 'venue:'"),
    "a field of the wrong kind": (edit(TWO, "year: 2001", "year: soon"), f"{TWO}:5", "year: 'soon' is not", "1997"),
    "an unknown field": (edit(TWO, "venue:", "venu: x\nvenue:"), f"{TWO}:6", "venu: unknown field", "'venue'"),
    "a circle of requirements": (
        edit(ONE, "requires: []", 'requires: ["[[two]]"]'),
        f"{ONE}:11",
        "requires goes in a circle: one → two → one",
        "take one of them out",
    ),
    "two papers with one slug": (
        also,
        "vault/05-transformers/one/one.md:1",
        "slug 'one' is taken by vault/04-sequences/one/one.md",
        "rename one of the two folders",
    ),
    "an unknown symbol": (
        edit(TWO, "papers/two.py:Two", "papers/two.py:Too"),
        f"{TWO}:23",
        "no 'Too' in papers/two.py",
        "did you mean 'Two'?",
    ),
    "unknown code": (
        edit(TWO, "papers/two.py:Two", "papers/tow.py:Two"),
        f"{TWO}:23",
        "no code at 'papers/tow.py'",
        "'two'",
    ),
    "code that does not parse": (
        append("src/paperimpl/papers/two.py", "def broken(:\n"),
        f"{TWO}:23",
        "does not parse",
        "mend that file",
    ),
    "an unknown key of a result": (
        edit(TWO, "two.accuracy", "two.acuracy"),
        f"{TWO}:28",
        "'{{ two.acuracy mean % }}': no such number",
        "did you mean 'accuracy'?",
    ),
    "a result of no paper": (
        edit(TWO, "two.accuracy", "too.accuracy"),
        f"{TWO}:28",
        "no paper 'too'",
        "did you mean 'two'?",
    ),
    "a result that is none": (
        edit("vault/05-transformers/two/two.claim.json", '"runs"', '"rums"'),
        "vault/05-transformers/two/two.claim.json:1",
        "not a result file",
        "paperimpl run two",
    ),
    "a result of other code": (
        append("src/paperimpl/claims/two.py", "CHANGED = 1\n"),
        "vault/05-transformers/two/two.claim.json:1",
        "code that has changed since",
        "paperimpl run two",
    ),
    "a dead link to a heading": (
        edit(HOW, "[[one#The code]]", "[[one#The cod]]"),
        f"{HOW}:3",
        "'one#The cod': no such heading",
        "did you mean 'The code'?",
    ),
    "a dead link to a block": (
        edit(HOW, "[[two#^block]]", "[[two#^blok]]"),
        f"{HOW}:3",
        "no block ^blok",
        "it has ^block",
    ),
    "a dead link with a path": (
        append(HOW, "\n[[lessons/nothing]]\n"),
        f"{HOW}:5",
        "'lessons/nothing' does not exist",
        "create it, or mend the link",
    ),
    "a dead Markdown link": (
        append(HOW, "\n[x](hows.md)\n"),
        f"{HOW}:5",
        "'hows.md' does not exist",
        "did you mean 'how'?",
    ),
    "a dead Markdown link to a heading": (
        append(HOW, "\n[x](#nothing)\n"),
        f"{HOW}:5",
        "no such heading",
        "it has How to",
    ),
    "an image that is not there": (
        append(HOW, "\n![[nothing.png]]\n"),
        f"{HOW}:5",
        "'nothing.png' does not exist",
        "create it",
    ),
    "a Markdown image that is not there": (
        append(HOW, "\n![x](nothing.png)\n"),
        f"{HOW}:5",
        "'nothing.png' does not exist",
        "create it",
    ),
    "an alias for a name": (
        lambda r: (r.edit(HOW, "# How to", "---\naliases: [Manual]\n---\n# How to"), append(ONE, "\n[[Manual]]\n")(r)),
        f"{ONE}:38",
        "'Manual' is only an alias",
        "write [[how|Manual]]",
    ),
    "a slip of the pen": (
        lambda r: (r.write("vault/lessons/attention.md", "# A"), append(HOW, "\n[[attenton]]\n")(r)),
        f"{HOW}:5",
        "'attenton' does not exist",
        "did you mean 'attention'?",
    ),
    "a placeholder": (append(HOW, "\nTODO: the rest\n"), f"{HOW}:5", "placeholder 'TODO'", "write it, or take it out"),
    "a note that is not UTF-8": (
        lambda r: r.write("vault/lessons/latin.md", "# L\n\ngr\u00fc\u00dfe".encode("latin-1")),
        "vault/lessons/latin.md:3",
        "not UTF-8",
        "save it with UTF-8 encoding",
    ),
    "a paper whose note has another name": (
        lambda r: (r.root / TWO).rename((r.root / TWO).with_name("tow.md")),
        "vault/05-transformers/two",
        "a paper without a note",
        "name it two.md",
    ),
}
# Where something is gone, those that lead there or quote it say so, too.
MORE = {"a paper whose note has another name", "two papers with one slug", "a result that is none"}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_once_with_its_place_and_remedy_and_stops_nothing_else(name, small):
    change, place, message, remedy = BAD[name]
    change(small)
    before = small.hashes()
    strict = small.build("--strict")
    told = [line for line in strict.warnings if line.startswith(f"{place}: ")]
    assert len(told) == 1, strict.log
    assert message in told[0]
    assert remedy in told[0]
    assert strict.code != 0
    assert "Traceback" not in strict.log
    if name not in MORE:
        assert strict.warnings == told
    gentle = small.build()
    assert gentle.code == 0, gentle.log
    assert gentle.warnings == strict.warnings
    for page in ("", "04-sequences/one", "lessons/how"):
        assert (gentle.site / page / "index.html").is_file()
    assert small.hashes() == before


@pytest.mark.parametrize("name", BAD)
def test_the_check_tells_the_same(name, small, dead):
    change, place, message, remedy = BAD[name]
    change(small)
    before = small.hashes()
    problems = [problem for problem in map(str, check(small.root)) if problem.startswith(f"{place}: ")]
    assert len(problems) == 1, problems
    assert message in problems[0]
    assert remedy in problems[0]
    assert small.hashes() == before


@pytest.mark.parametrize("name", ["an unknown field", "two papers with one slug", "a dead link to a heading"])
def test_the_command_check_says_so_and_fails(name, small):
    change, place, message, _ = BAD[name]
    change(small)
    before = small.hashes()
    program = "from paperimpl.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check"], cwd=small.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"{place}: " in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert small.hashes() == before


def test_the_command_check_finds_nothing_wrong_where_nothing_is(small):
    program = "from paperimpl.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check"], cwd=small.root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing wrong in 2 papers" in done.stdout


def test_broken_links_on_a_page_lead_nowhere_rather_than_astray(small, dead):
    small.write(
        HOW, "# How to\n\n[[one#nope]] [x](nope.md) ![y](nope.png) [[lessons/nope]] ![[nope2.png]] [z](#nope)\n"
    )
    built = small.build()
    assert len(built.warnings) == 6
    assert dead(built.site) == []
