"""Style sheets and fonts, cut to what pages use: what goes, and above all what stays."""

import io
from pathlib import Path

import pytest

from paperimpl.publish.lean import Cut, Words, cut, sheet, trim

TTFont = pytest.importorskip("fontTools.ttLib").TTFont
PACKAGES = Path(__file__).parents[2] / "site_config/node_modules"
INTER = PACKAGES / "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
NEWSREADER = PACKAGES / "@fontsource-variable/newsreader/files/newsreader-latin-wght-normal.woff2"

PAGE = '<p class="used other" id="here" data-kind="seen">Text</p><h2 style="color: var(--asked)">A</h2>'
WORDS = Words([PAGE], ["element.className = `grade-${rating}`; list.add('scripted')"])


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (".used { a: b }", ".used{a:b}"),
        (".unused { a: b }", ""),
        (".unused, .used > .other { a: b }", ".used>.other{a:b}"),
        (".used .unused { a: b }", ""),
        (".used:not(.unused) { a: b }", ".used:not(.unused){a:b}"),
        (":is(.unused, .used) p { a: b }", ":is(.unused, .used) p{a:b}"),
        (":is(.unused) p { a: b }", ""),
        ("#here { a: b } #there { a: b }", "#here{a:b}"),
        ("p::before { content: 'a,  b' } dialog { a: b }", 'p::before{content:"a,  b"}'),
        ('[data-kind="seen"] { a: b } [data-kind="unseen"] { a: b }', '[data-kind="seen"]{a:b}'),
        (".scripted { a: b }", ".scripted{a:b}"),
        (".grade-3 { a: b } .grad-3 { a: b }", ".grade-3{a:b}"),
        ("@media print { .used { a: b } .unused { a: b } }", "@media print{.used{a:b}}"),
        ("@media print { .unused { a: b } }", ""),
        ("@keyframes turn { from { a: b } to { a: c } }", "@keyframes turn{from{a:b}to{a:c}}"),
        ('@font-face { font-family: "A"; src: url(a.woff2) }', '@font-face{font-family:"A";src:url(a.woff2)}'),
        ("@charset 'utf-8'; p { a: b !important }", '@charset "utf-8";p{a:b!important}'),
        ("/* said */ p { width: calc(1px + 2px); --own: 1 }", "p{width:calc(1px + 2px);--own:1}"),
        ("} p { a: b }", ""),
        ("p { a: b; & .used { c: d } }", "p{a:b;& .used { c: d }}"),
    ],
)
def test_a_rule_stays_where_pages_or_scripts_speak_of_all_that_it_needs(rule, kept):
    assert sheet(rule, WORDS) == kept


@pytest.fixture
def site(tmp_path):
    """A site of one page, a style sheet and a font."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "a.css").write_text(
        ":root { --asked: red; --step: 1px; --icon: url('data:x;y'); --deaf: 2 } .used { width: var(--step) }", "utf-8"
    )
    (folder / "inter.woff2").write_bytes(INTER.read_bytes())
    return folder


def test_variables_that_nothing_asks_for_go_and_those_of_pages_stay(site, tmp_path):
    trim(site, tmp_path / "cache", {}, pytest.fail)
    assert (site / "a.css").read_text("utf-8") == ":root{--asked:red;--step:1px}.used{width:var(--step)}"


def test_a_font_is_cut_only_where_it_is_asked_and_the_second_time_from_the_cache(site, tmp_path, monkeypatch):
    trim(site, tmp_path / "cache", {}, pytest.fail)
    assert (site / "inter.woff2").read_bytes() == INTER.read_bytes()
    trim(site, tmp_path / "cache", {"inter.woff2": "wght 400-600; tnum"}, pytest.fail)
    once = (site / "inter.woff2").read_bytes()
    assert len(once) < INTER.stat().st_size / 2
    monkeypatch.setattr("paperimpl.publish.lean.cut", lambda *_: pytest.fail("it was cut again"))
    (site / "inter.woff2").write_bytes(INTER.read_bytes())
    trim(site, tmp_path / "cache", {"inter.woff2": "wght 400-600; tnum"}, pytest.fail)
    assert (site / "inter.woff2").read_bytes() == once


def test_without_the_packages_the_site_stays_whole_and_says_so(site, tmp_path, monkeypatch):
    monkeypatch.setattr("paperimpl.publish.lean.importlib.util.find_spec", lambda name: None)
    before, said = (site / "a.css").read_text("utf-8"), []
    trim(site, tmp_path / "cache", {"inter.woff2": "wght 400"}, said.append)
    assert (site / "a.css").read_text("utf-8") == before
    assert (site / "inter.woff2").read_bytes() == INTER.read_bytes()
    assert [line.split("; ")[0] for line in said] == ["style sheets are served whole", "fonts are served whole"]


def opened(data):
    return TTFont(io.BytesIO(data))


def test_a_cut_font_has_its_letters_its_weights_and_nothing_else():
    made = cut(NEWSREADER.read_bytes(), "aé–", Cut((("wght", 400, 600),), ("onum",)))
    font = opened(made)
    assert set(font.getBestCmap()) == {ord(letter) for letter in "aé–"}
    assert [(axis.axisTag, axis.minValue, axis.maxValue) for axis in font["fvar"].axes] == [("wght", 400, 600)]
    assert made == cut(NEWSREADER.read_bytes(), "–éa", Cut((("wght", 400, 600),), ("onum",)))
    whole = opened(NEWSREADER.read_bytes())
    assert (font["hhea"].ascent, font["hhea"].descent) == (whole["hhea"].ascent, whole["hhea"].descent)
    assert font["hmtx"]["a"][0] == pytest.approx(whole["hmtx"]["a"][0], abs=12)  # 400 is not the font's own default


def test_kerning_of_one_weight_serves_all_and_the_weights_stay():
    letters = "AVATo"
    whole = TTFont(io.BytesIO(cut(NEWSREADER.read_bytes(), letters, Cut.read("wght 400-600; kern", ""))))
    plain = TTFont(io.BytesIO(cut(NEWSREADER.read_bytes(), letters, Cut.read("wght 400; kern", ""))))
    font = TTFont(io.BytesIO(cut(NEWSREADER.read_bytes(), letters, Cut.read("wght 400-600; kern@400", ""))))
    assert font.getTableData("GPOS") == plain.getTableData("GPOS") != whole.getTableData("GPOS")
    assert [(axis.minValue, axis.maxValue) for axis in font["fvar"].axes] == [(400, 600)]
    assert font["gvar"].variations["A"]
    assert font.getGlyphOrder() == plain.getGlyphOrder()


def test_what_scripts_know_and_the_site_has_no_use_for_goes_unless_a_page_has_it():
    scripts = ["find('.tabs-next'); add(`tabs-${n}`); find('.other-tabs')"]
    rules = ".tabs-next { a: b } .tabs-3 { a: b } .other-tabs { a: b }"
    assert sheet(rules, Words([""], scripts)) == ".tabs-next{a:b}.tabs-3{a:b}.other-tabs{a:b}"
    assert sheet(rules, Words([""], scripts, ["tabs-"])) == ".other-tabs{a:b}"
    assert sheet(rules, Words(['<p class="tabs-3">'], scripts, ["tabs-"])) == ".tabs-3{a:b}.other-tabs{a:b}"


def test_a_font_of_one_weight_has_no_axis():
    assert "fvar" not in opened(cut(INTER.read_bytes(), "ab", Cut((("wght", 400, 400),))))


@pytest.mark.parametrize("text", ["wght 600-400", "weight 400", "wght", "wght 400; kerning", "wght 400; kern@bold"])
def test_what_is_asked_of_a_font_in_other_words_is_told_with_its_place(text):
    with pytest.raises(ValueError, match=r"^mkdocs.yml: lean: a.woff2: '.*write: wght 400-600; kern liga"):
        Cut.read(text, "mkdocs.yml: lean: a.woff2")


def test_pages_ask_for_one_sheet_in_place_of_those_that_all_share_and_addresses_in_it_stay_right(site, tmp_path):
    def page(up, *names):
        return "".join(f'<link rel="stylesheet" href="{up}{name}">' for name in names)

    for name, text in {"deep/b.css": "p { src: url(f/x.woff2) }", "c.css": "p { a: url('data:x') }"}.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text, "utf-8")
    (site / "one").mkdir()
    (site / "assets").mkdir()
    (site / "index.html").write_text(page("", "a.css", "deep/b.css") + "<p>", "utf-8")
    (site / "one/index.html").write_text(page("../", "a.css", "c.css", "deep/b.css") + "<p>", "utf-8")
    (site / "404.html").write_text(page("/root/", "a.css", "deep/b.css"), "utf-8")
    trim(site, tmp_path / "cache", {}, pytest.fail)
    assert (site / "index.html").read_text("utf-8") == page("", "assets/joined.css") + "<p>"
    assert (site / "one/index.html").read_text("utf-8") == page("../", "assets/joined.css", "c.css") + "<p>"
    assert (site / "404.html").read_text("utf-8") == page("/root/", "a.css", "deep/b.css")
    assert (site / "assets/joined.css").read_text("utf-8").endswith("p{src:url(../deep/f/x.woff2)}")


def test_a_formulas_letters_are_counted_for_the_fonts_that_draw_them():
    formula = (
        '<span class="katex-html" aria-hidden="true"><span class="base"><span class="mord mathnormal">x</span>'
        '<span class="mrel">=</span><span class="mord text textbf"><span class="mord">b</span></span>'
        '<span class="mop op-symbol large-op">∑</span></span></span><span class="k">after</span>'
    )
    found = Words([formula], []).formulas
    assert found == {"Math-Italic": {"x"}, "Main-Regular": {"="}, "Main-Bold": {"b"}, "Size2-Regular": {"∑"}}
