"""Callouts, block ids, headings, cards, comments, lists and fences as a page shows them."""

import pytest


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        ("note", "admonition note callout"),
        ("TIP", "admonition tip callout"),
        ("hint", "admonition tip callout"),
        ("important", "admonition tip callout"),
        ("summary", "admonition abstract callout"),
        ("tldr", "admonition abstract callout"),
        ("check", "admonition success callout"),
        ("done", "admonition success callout"),
        ("help", "admonition question callout"),
        ("faq", "admonition question callout"),
        ("caution", "admonition warning callout"),
        ("attention", "admonition warning callout"),
        ("fail", "admonition failure callout"),
        ("missing", "admonition failure callout"),
        ("error", "admonition danger callout"),
        ("cite", "admonition quote callout"),
        ("think", "admonition think callout"),
        ("my own", "admonition my-own callout"),
        ("note|wide", "admonition note callout"),
    ],
)
def test_a_callouts_type_or_its_other_name_is_its_class(render, written, classes):
    callout = render(f"> [!{written}] Title\n> Body.").one("div")
    assert " ".join(callout["class"]) == classes
    assert [p.text for p in callout("p")] == ["Title", "Body."]


@pytest.mark.parametrize(
    ("mark", "name", "is_open"), [("", "div", False), ("-", "details", False), ("+", "details", True)]
)
def test_a_callout_folds_as_its_mark_says(render, mark, name, is_open):
    callout = render(f"> [!think]{mark} Why?\n> Because.").one(".callout")
    assert callout.name == name
    assert callout.has_attr("open") == is_open
    assert callout["class"] == (["think", "callout"] if mark else ["admonition", "think", "callout"])
    assert next(iter(callout("summary" if mark else "p"))).text == "Why?"


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("> [!note] Title", "div[p]"),
        ("> [!note]- Title", "details[summary]"),
        ("> [!note]", "div[p]"),
        ("> [!note] T\n> one\n> two", "div[p p]"),
        ("> [!note] T\n> one\n>\n> two", "div[p p p]"),
        ("> [!note] T\n>\n> one", "div[p p]"),
        ("> [!note] T\n> - a\n> - b", "div[p ul[li li]]"),
        ("> [!note] T\n>\n> - a", "div[p ul[li]]"),
        ("> [!note] T\n> 1. a\n> 2. b", "div[p ol[li li]]"),
        ("> [!note] T\n> ```\n> x\n>\n> y\n> ```", "div[p code]"),
        ("> [!note] T\n> text\n> ```\n> x\n> ```\n> text", "div[p p code p]"),
        ("> [!note] T\n> | a |\n> |---|\n> | b |", "div[p table[thead[tr[th]] tbody[tr[td]]]]"),
        ("> [!note] T\n> > [!tip]- inner\n> > x\n>\n> after", "div[p details[summary p] p]"),
        ("> [!a] 1\n> > [!b] 2\n> > > [!c] 3\n> > > x", "div[p div[p div[p p]]]"),
        ("> [!note]- A\n> a\n\n> [!note]- B\n> b", "details[summary p] details[summary p]"),
        ("> [!note] A\n> a\n\n> plain", "div[p p] blockquote[p]"),
        ("> [!note] A\n> ```\n> x\n> ```\n\n> [!note] B\n> b", "div[p code] div[p p]"),
        ("> plain\n\n> [!note] A\n> a", "blockquote[p] div[p p]"),
        ("> one\n\n> two", "blockquote[p] blockquote[p]"),
        ("> one\n>\n> two", "blockquote[p p]"),
        ("> one\nlazily on", "blockquote[p]"),
        ("> text\n> [!note] no title", "blockquote[p]"),
        ("before\n> [!note] A\n> a\n\nafter", "p div[p p] p"),
        ("- item\n\n    > [!tip] A\n    > a\n\n- item", "ul[li[p div[p p]] li[p]]"),
        ("- item\n    > quote\n- item", "ul[li[blockquote[p]] li]"),
    ],
)
def test_quotes_and_callouts_hold_what_is_written_in_them(render, text, outline):
    assert render(text).outline == outline


def test_a_title_is_markdown_and_one_that_is_missing_is_the_type(render):
    shown = render("> [!think]- Is *this* `x` or $y$?\n> z\n\n> [!my-own]\n> z")
    assert shown("summary em")
    assert shown("summary code")
    assert shown("summary .arithmatex")
    assert shown.one(".admonition-title").text == "My own"


@pytest.mark.parametrize(
    ("text", "selector", "shown"),
    [
        ("A paragraph. ^one", "p", "A paragraph."),
        ("A *marked* paragraph ^one", "p", "A marked paragraph"),
        ("Two lines\nof one ^one", "p", "Two lines of one"),
        ("A paragraph. ^One", "p", "A paragraph."),
        ("A paragraph\n^one", "p", "A paragraph"),
        ("A paragraph.\n\n^one", "p", "A paragraph."),
        ("- item ^one\n- other", "li", "item"),
        ("- item ^one\n    - nested", "li", "item nested"),
        ("- item\n    - nested ^one", "li li", "nested"),
        ("- item\n\n    second ^one", "li p", "second"),
        ("- [ ] task ^one", "li", "task"),
        ("1. item ^one", "ol li", "item"),
        ("- item\n- other\n\n^one", "ul", "item other"),
        ("> quote\n\n^one", "blockquote", "quote"),
        ("> quote ^one", "blockquote p", "quote"),
        ("> [!note] T\n> text\n\n^one", "div.callout", "T text"),
        ("> [!note]- T\n> text ^one", "details p", "text"),
        ("| a |\n|---|\n| b |\n\n^one", "table", "a b"),
        ("```\ncode\n```\n\n^one", "div", "code"),
        ("$$\nx\n$$\n\n^one", ".arithmatex", r"\[ x \]"),
        ("What?::That. ^one", "details.card", "What? That."),
    ],
)
def test_a_block_id_is_an_anchor_and_is_never_shown(render, text, selector, shown):
    page = render(f"{text}\n\n[[#^One|go]]")
    assert page.one("a.wikilink")["href"] == "#^one"
    block = page.one("[id='^one']")
    assert block in page(selector)
    assert " ".join(block.text.split()) == shown
    assert "^one" not in page.text.lower()
    assert not page("p div, p pre, p table")


@pytest.mark.parametrize("text", ["x ^2 y", "2^10", "`code ^five`", "$x ^a$", "a ^"])
def test_a_caret_elsewhere_is_a_caret(render, text):
    page = render(text)
    assert "^" in page.text
    assert not page("[id]")


HEADINGS = """# Title

## Same

## Same

### `Code` and *mark* and $x_1$

## [[Other|A link]] here

## Ünï ＣＯＤＥ 注意力

## Same ##

## 1.5 Dots & others, (even) these!

## ???

## ???

> [!note] T
> ## Inside

> ## Quoted

## Inside

## Quoted

```
## Not one
```

## Last
"""


def test_headings_carry_the_ids_that_the_index_gives_to_links(render):
    page = render(HEADINGS, {"Other.md": ""})
    outside = [h["id"] for h in page("h1, h2, h3") if h.find_parent(["blockquote", "div"]) is None]
    assert outside == [heading.id for heading in page.context.note.headings]
    every = [element["id"] for element in page("[id]")]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("text", ["#tag at the start", "#tag", "#", "####### seven", "\\# escaped"])
def test_without_a_space_or_with_seven_a_hash_makes_no_heading(render, text):
    page = render(f"before\n\n{text}\n\nafter")
    assert not page("h1, h2, h3, h4, h5, h6")


def test_a_heading_may_follow_a_paragraph_and_be_followed_by_one(render):
    assert render("before\n## Heading\nafter").outline == "p h2 p"


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("Why?::Because.", "Why?", "Because."),
        ("Why is *this*?:: Because `x`.", "Why is this?", "Because x."),
        ("What is `a?::b`?::Code.", "What is a?::b?", "Code."),
        ("What is $x$?::A letter.", r"What is \(x\)?", "A letter."),
    ],
)
def test_a_question_with_its_answer_is_a_card_that_folds(render, text, question, answer):
    card = render(text).one("details.card")
    assert card.find("summary").text == question
    assert card.find("p").text == answer
    assert not card.has_attr("open")


@pytest.mark.parametrize(
    "text", ["std::vector is a class", "`Why?::Because`", "Why?\n::Because", "::", "No question::no"]
)
def test_two_colons_elsewhere_make_no_card(render, text):
    assert not render(text)("details")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a %%secret%% b", "a b"),
        ("a\n\n%%\nsecret\n\nsecret\n%%\n\nb", "a b"),
        ("a\n\n%%\n```\nsecret\n```\n%%\n\nb", "a b"),
        ("> a %%secret%% b", "a b"),
        ("- a\n- %%secret%%b", "a b"),
        ("a %% secret that never closes\n\nand goes on", "a"),
        ("a <!-- secret --> b", "a b"),
        ("100%% of it", "100"),
        ("100 % and 50 % of it", "100 % and 50 % of it"),
    ],
)
def test_comments_are_not_on_the_page(render, text, left):
    page = render(text)
    assert page.text == left
    assert "secret" not in page.html.replace("<!-- secret -->", "")


@pytest.mark.parametrize("text", ["`%%kept%%`", "```\n%%kept%%\n```", "> ```\n> %%kept%%\n> ```", "$x %%kept%%$"])
def test_percent_signs_in_code_and_formulas_are_no_comments(render, text):
    assert "%%kept%%" in render(text).text


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("text\n- a\n- b", "p ul[li li]"),
        ("text\n* a", "p ul[li]"),
        ("text\n1. a\n2. b", "p ol[li li]"),
        ("text\n2. is no list", "p"),
        ("text\n- [ ] a\n- [x] b", "p ul[li li]"),
        ("> text\n> - a", "blockquote[p ul[li]]"),
        ("> quote\n- a", "blockquote[p] ul[li]"),
        ("## Heading\n- a", "h2 ul[li]"),
        ("- a\n    - b\n- c", "ul[li[ul[li]] li]"),
        ("- a\n\t- b", "ul[li[ul[li]]]"),
        ("- a\n- b\n\n1. c", "ul[li li] ol[li]"),
        ("text\n```\nx\n```\ntext", "p code p"),
        ("text\n~~~\nx\n~~~\ntext", "p code p"),
        ("> text\n> ```\n> x\n> ```\n> text", "blockquote[p code p]"),
        ("```\nx\n```\n- a", "code ul[li]"),
        ("```\n- x\ntext\n- y\n```", "code"),
        ("a ```b``` c\n- d", "p ul[li]"),
        ("```b```\n- c\n- d", "p ul[li li]"),
        ("text - a\n- b", "p ul[li]"),
        ("text\n-a", "p"),
    ],
)
def test_lists_and_fences_may_stand_right_beside_a_paragraph(render, text, outline):
    page = render(text)
    assert page.outline == outline
    assert not page("p div, p pre")


def test_a_task_is_a_box_and_done_or_not(render):
    boxes = render("- [ ] open\n- [x] done")("input[type=checkbox]")
    assert [box.has_attr("checked") for box in boxes] == [False, True]


@pytest.mark.parametrize(
    "text",
    ["", "\n", "> ", "> [!", "> [!]", "> [!note", "[[", "]]", "|", "```", "$$", "%%", "^", "#", "- ", "{{", "![["],
)
def test_half_written_syntax_is_shown_and_stops_nothing(render, text):
    assert "end" in render(f"{text}\n\nend").html or text in ("```", "%%")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```make\nall:\n\techo $x\n```", "all:\n\techo $x"),
        ("- item\n\n\t```\n\ta\tb\n\t```", "a\tb"),
        ("\ta\tb", "a\tb"),
    ],
)
def test_tabs_in_code_stay_tabs(render, text, code):
    assert render(text).one("pre").text.strip("\n") == code


@pytest.mark.parametrize("text", [" <div>x</div>", "  <div>\nx\n  </div>", "- a\n\n   <div>x</div>"])
def test_html_that_is_indented_is_in_no_paragraph(render, text):
    page = render(text)
    assert page.one("div").text.strip() == "x"
    assert not page("p div")


@pytest.mark.parametrize(("text", "code"), [("`` ` ``", "`"), ("` a  b `", "a  b"), ("`a\nb`", "a b")])
def test_code_in_a_line_loses_one_space_at_its_edges_and_no_more(render, text, code):
    assert render(text).one("code").text == code


def test_any_punctuation_after_a_backslash_is_itself(render):
    marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    page = render("".join(f"\\{mark}" for mark in marks) + r" \<b>x\</b> \&amp; \a")
    assert page.text.strip() == marks + r" <b>x</b> &amp; \a"
    assert not page("b")


def test_fences_in_an_unclosed_block_keep_their_length(render):
    assert render("```\n> ``````").one("pre").text.strip() == "> ``````"
