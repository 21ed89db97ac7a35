"""`.canvas` files: what is read of them, where everything goes, and what is told of what is wrong."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperimpl.vault import scan, views
from paperimpl.vault.canvas import layout, read
from paperimpl.vault.index import Index, Note


def node(name, kind="text", x=0, y=0, width=100, height=50, **more):
    own = {"text": {"text": name}, "file": {"file": f"{name}.md"}, "link": {"url": "https://a.example"}}.get(kind, {})
    return {"id": name, "type": kind, "x": x, "y": y, "width": width, "height": height, **own, **more}


def edge(start, end, **more):
    return {"id": f"{start}-{end}", "fromNode": start, "toNode": end, **more}


def board(*nodes, edges=()):
    """A canvas as Obsidian writes it: a line for each node and edge."""
    rows = [",\n\t\t".join(json.dumps(each) for each in part) for part in (nodes, edges)]
    return '{\n\t"nodes":[\n\t\t' + rows[0] + '\n\t],\n\t"edges":[\n\t\t' + rows[1] + "\n\t]\n}"


def good(*nodes, edges=()):
    canvas = read(board(*nodes, edges=edges), "x.canvas")
    assert not canvas.problems, canvas.problems
    return canvas


def test_the_specifications_own_sample():
    canvas = read(
        '{"nodes":[{"id":"a","type":"file","file":"readme.md","subpath":"#Top","x":-280,"y":-200,"width":570,'
        '"height":560,"color":"6"},'
        '{"id":"b","type":"text","text":"Learn more:\\n\\n- [Apps](/docs/apps.md)","x":40,"y":-440,"width":250,'
        '"height":160}],"edges":[{"id":"e","fromNode":"a","fromSide":"right","toNode":"b","toSide":"left"}]}',
        "sample.canvas",
    )
    assert not canvas.problems
    first, second = canvas.nodes
    assert (first.kind, first.file, first.subpath, first.colour, first.x) == ("file", "readme.md", "Top", "6", -280)
    assert second.text.startswith("Learn more:\n\n- ")
    (line,) = canvas.edges
    assert (line.start_side, line.end_side, line.start_arrow, line.end_arrow) == ("right", "left", False, True)


@pytest.mark.parametrize("text", ["", "  \n", "{}", '{"nodes":[]}', '{"nodes":[],"edges":[]}'])
def test_an_empty_canvas_is_one(text):
    canvas = read(text, "x.canvas")
    assert (canvas.nodes, canvas.problems, canvas.broken) == ((), (), "")
    assert layout(canvas).boxes == ()


ONE = node("a")
BROKEN = {
    "{": (1, "not JSON: Expecting property name"),
    '{"nodes":[\n\n  {"id": }\n]}': (3, "not JSON: Expecting value, column 10"),
    "[]": (1, "not a canvas"),
    '"text"': (1, "not a canvas"),
    "[" * 100_000: (1, "not JSON"),
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20])
def test_what_is_no_canvas_is_told_with_its_line(text):
    canvas = read(text, "a/x.canvas", "vault/a/x.canvas")
    line, why = BROKEN[text]
    (problem,) = canvas.problems
    assert (problem.line, canvas.nodes) == (line, ())
    assert why in str(problem)
    assert canvas.broken
    assert str(problem).startswith(f"vault/a/x.canvas:{line}: ")


WRONG = {
    "no id": (board({**ONE, "id": ""}), 3, "a node without an id"),
    "two alike": (board(ONE, ONE), 4, "two nodes have the id 'a'"),
    "kind": (board(ONE, node("b", "txet")), 4, "the type 'txet' is not supported (did you mean 'text'?)"),
    "no width": (board({**ONE, "width": None}), 3, "width is None"),
    "no size": (board({**ONE, "height": 0}), 3, "height is 0"),
    "text for a number": (board({**ONE, "x": "12"}), 3, "x is '12'"),
    "far away": (board({**ONE, "y": 10**9}), 3, "y is 1000000000"),
    "beyond numbers": (board({**ONE, "y": 10**400}), 3, "y is 1000"),
    "not a number": (board(ONE).replace('"x": 0', '"x": NaN'), 3, "x is nan"),
    "no text": (board({k: v for k, v in ONE.items() if k != "text"}), 3, "it has no 'text'"),
    "no file": (board({**node("b", "file"), "file": 3}), 3, "it has no 'file'"),
    "colour": (board({**ONE, "color": "red"}), 3, "color is 'red'"),
    "colour number": (board({**ONE, "color": "7"}), 3, "color is '7'"),
    "style": (board(node("g", "group", backgroundStyle="tile")), 3, "backgroundStyle is 'tile'"),
    "label": (board(node("g", "group", label=7)), 3, "label is 7, not a text"),
    "edge to nowhere": (board(ONE, edges=[edge("a", "z")]), 6, "toNode is 'z', and no node has that id"),
    "edge from nowhere": (board(ONE, edges=[{"id": "e", "toNode": "a"}]), 6, "fromNode is None"),
    "side": (
        board(ONE, edges=[edge("a", "a", toSide="up")]),
        6,
        "toSide is 'up' (write one of top, right, bottom, left)",
    ),
    "end": (board(ONE, edges=[edge("a", "a", toEnd="dot")]), 6, "toEnd is 'dot'"),
    "nodes": ('{"nodes": {}}', 1, "'nodes' is not a list"),
    "a node that is none": ('{"nodes": [3]}', 1, "one of the nodes is not an object"),
    "too many": (board(*(node(str(n)) for n in range(2001))), 1, "more than 2,000 nodes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_line_and_the_rest_is_kept(name):
    text, line, told = WRONG[name]
    canvas = read(text, "x.canvas")
    assert [problem.line for problem in canvas.problems] == [line], canvas.problems
    assert told in str(canvas.problems[0])
    assert not canvas.broken
    layout(canvas)


def test_boxes_keep_their_distances_and_begin_at_a_margin():
    laid = layout(good(node("a", x=-500, y=-300), node("b", x=100, y=200, width=30, height=40)))
    places = {box.node.id: (box.x, box.y) for box in laid.all()}
    assert places == {"a": (40, 40), "b": (640, 540)}
    assert (laid.width, laid.height) == (710, 620)


def test_reading_goes_by_groups_rows_and_columns():
    laid = layout(
        good(
            node("late", x=0, y=900),
            node("outer", "group", x=0, y=0, width=800, height=700),
            node("inner", "group", x=20, y=300, width=300, height=300),
            node("deep", x=40, y=320),
            node("right", x=500, y=20),
            node("left", x=20, y=35),
            node("alone", x=900, y=-100),
        )
    )
    assert [box.node.id for box in laid.all()] == ["alone", "outer", "left", "right", "inner", "deep", "late"]
    outer = next(box for box in laid.boxes if box.node.id == "outer")
    assert [box.node.id for box in outer.inside] == ["left", "right", "inner"]


def test_groups_on_each_other_hold_each_other_in_no_circle():
    laid = layout(good(*(node(str(n), "group", width=100, height=100) for n in range(5)), node("t")))
    assert sorted(box.node.id for box in laid.all()) == ["0", "1", "2", "3", "4", "t"]


SIDES = {  # where the other node is: the sides that face
    (300, 0): ("M140,65 ", "240,65"),
    (-300, 0): ("M340,65 ", "240,65"),
    (0, 300): ("M90,90 ", "90,240"),
    (0, -300): ("M90,340 ", "90,190"),
}


@pytest.mark.parametrize("place", [(300, 0), (-300, 0), (0, 300), (0, -300)])
def test_an_edge_without_sides_joins_those_that_face(place):
    laid = layout(good(node("a"), node("b", x=place[0], y=place[1]), edges=[edge("a", "b", toEnd="none")]))
    (curve,) = laid.curves
    a, b = ((box.x, box.y) for box in sorted(laid.all(), key=lambda box: box.node.id))
    if place[0]:
        start, end = (a[0] + 100 * (place[0] > 0), a[1] + 25), (b[0] + 100 * (place[0] < 0), b[1] + 25)
    else:
        start, end = (a[0] + 50, a[1] + 50 * (place[1] > 0)), (b[0] + 50, b[1] + 50 * (place[1] < 0))
    assert curve.path.startswith(f"M{start[0]},{start[1]} C")
    assert curve.path.endswith(f" {end[0]},{end[1]}")


def test_stated_sides_and_arrows():
    laid = layout(
        good(node("a"), node("b", x=400), edges=[edge("a", "b", fromSide="top", toSide="bottom", fromEnd="arrow")])
    )
    (curve,) = laid.curves
    assert len(curve.heads) == 2
    a, b = ((box.x, box.y) for box in sorted(laid.all(), key=lambda box: box.node.id))
    assert curve.heads[0].split(" ")[0] == f"{a[0] + 50},{a[1]}"  # the tips touch the nodes
    assert curve.heads[1].split(" ")[0] == f"{b[0] + 50},{b[1] + 50}"


def test_no_curve_leaves_the_board():
    laid = layout(good(node("a"), node("b", x=900), edges=[edge("a", "b", fromSide="top", toSide="top")]))
    (curve,) = laid.curves
    assert 0 <= curve.y < min(box.y for box in laid.all())
    for pair in curve.path.replace("M", "").replace("C", "").split():
        assert all(float(number) >= -300 for number in pair.split(","))


def test_what_may_not_be_seen_leaves_no_trace():
    canvas = good(
        node("a"), node("secret", x=9000), node("b", x=300), edges=[edge("a", "secret", label="hush"), edge("a", "b")]
    )
    laid = layout(canvas, lambda each: each.id != "secret")
    assert [box.node.id for box in laid.all()] == ["a", "b"]
    assert [curve.edge.end for curve in laid.curves] == ["b"]
    assert laid.width < 600


NUMBERS = st.one_of(st.integers(-500, 500), st.floats(), st.none(), st.text(max_size=2), st.booleans())
WORDS = ["a", "b", "text", "file", "link", "group", "top", "arrow", "1", "#ff0000"]
TEXTS = st.one_of(st.text(max_size=4), st.sampled_from(WORDS), st.none(), st.integers())
NODES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "file", "link", "group", "x"]),
        **dict.fromkeys(("x", "y", "width", "height"), NUMBERS),
        **dict.fromkeys(("id", "text", "file", "url", "label", "color", "background"), TEXTS),
    },
)
EDGES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "fromNode", "toNode", "fromSide", "toEnd", "color", "label"), TEXTS)
)
DATA = {"nodes": st.one_of(st.lists(NODES, max_size=6), TEXTS), "edges": st.one_of(st.lists(EDGES, max_size=4), TEXTS)}


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional=DATA))
def test_any_object_is_read_and_laid_out(data):
    laid = layout(read(json.dumps(data), "x.canvas"))
    assert laid.width > 0
    assert laid.height > 0


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:nodesidx0123 \n\\tu"', max_size=60))
@example('{"nodes": [{"id": "a", "type": "text", "text": "x", "x": 0, "y": 0, "width": 9, "height": 9}]}')
def test_any_text_is_read(text):
    canvas = read(text, "x.canvas")
    assert canvas.problems or not canvas.broken  # what cannot be shown says why
    assert len(list(layout(canvas).all())) == len(canvas.nodes)


# What the vault makes of canvases and bases


def vault(notes, **texts):
    texts = {path.replace("__", "."): text for path, text in texts.items()}
    return Index({p: Note(p, body) for p, body in sorted(notes.items())}, {*texts, "pic.png"}, views=texts)


def test_missing_files_and_dead_links_are_told_with_the_line_of_their_node():
    text = board(
        node("a", "file", file="Nothing.md"),
        node("b", "file", file="Note.md", subpath="#No such heading"),
        node("c", text="See [[Note#None]] and [[Note]] and `[[code#x]]`."),
        node("d", "group", background="gone.png"),
        node("e", "file", file="pic.png"),
    )
    found = list(views.problems(vault({"Note.md": "# Here"}, x__canvas=text)))
    assert [(problem.line, problem.message) for problem in found] == [
        (3, "node 'a': 'Nothing.md' does not exist"),
        (4, "node 'b': '/Note.md#No such heading': no such heading in Note.md"),
        (5, "link to 'Note#None': no such heading in Note.md"),
        (6, "node 'd': 'gone.png' does not exist"),
    ]


def test_hints_name_nothing_private():
    text = board(node("a", "file", file="Secrets.md"))
    (problem,) = views.problems(vault({"Secret.md": "---\npublish: false\n---\n"}, x__canvas=text))
    assert "Secret.md" not in str(problem)


def test_what_only_unpublished_notes_link_to_has_no_page():
    private = "---\npublish: false\n---\n[[only.base]] [[both.canvas]]"
    index = vault({"P.md": private, "N.md": "![[both.canvas]]"}, only__base="", both__canvas="", free__base="")
    assert list(index.boards) == ["both.canvas", "free.base"]


def test_where_notes_must_ask_a_published_one_must_link_to_it():
    notes = {path: Note(path, text, opt_in=True) for path, text in {
        "P.md": "[[only.base]] [[both.canvas]]",
        "N.md": "---\npublish: true\n---\n![[both.canvas]]",
    }.items()}  # fmt: skip
    texts = {"only.base": "", "both.canvas": "", "free.base": ""}
    index = Index(notes, set(texts), views=texts, opt_in=True)
    assert list(index.boards) == ["both.canvas"]
    assert index.resolve(scan.Link("free.base", "", None, False, True, 0, 0), "N.md").kind == "private"


def test_links_on_a_canvas_are_links_of_the_vault():
    text = board(node("a", text="See [[Note]] and [[Later]]."), node("b", "file", file="Other.md", subpath="#Here"))
    index = vault({"Note.md": "[[x.canvas]]", "Other.md": "# Here"}, x__canvas=text)
    assert [mention.note.path for mention in index.backlinks["Note.md"]] == ["x.canvas"]
    assert [mention.note.path for mention in index.backlinks["Other.md"]] == ["x.canvas"]
    assert [mention.note.path for mention in index.backlinks["x.canvas"]] == ["Note.md"]
    assert list(index.wanted) == ["Later"]
    assert [found.anchor for _, _, found in index.resolved["x.canvas"]] == ["", "", "here"]


def test_what_is_wrong_on_a_canvas_is_told_once():
    index = vault({"Note.md": ""}, x__canvas=board(node("a", text="[[Note#None]]")))
    assert [str(problem) for problem in index.problems()] == [
        "vault/x.canvas:3: link to 'Note#None': no such heading in Note.md (it has none)"
    ]
