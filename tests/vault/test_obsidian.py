"""The settings that the vault is opened with: valid, minimal, and of one mind with the code."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from paperimpl.vault.frontmatter import split
from paperimpl.vault.paper import CHAPTERS
from paperimpl.vault.record import Record, parse

ROOT = Path(__file__).parents[2]
VAULT = ROOT / "vault"
SETTINGS = ["app.json", "core-plugins.json", "graph.json", "templates.json", "types.json"]


def settings(name):
    return json.loads((VAULT / ".obsidian" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_shared_settings_are_json_and_git_keeps_them(name):
    assert settings(name)
    assert f"!vault/.obsidian/{name}" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_persons_own_settings_are_not_committed():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "vault/.obsidian/*" in ignored
    assert [line for line in ignored if line.startswith("!vault/.obsidian")] == [
        f"!vault/.obsidian/{s}" for s in SETTINGS
    ]


def test_links_are_short_and_attachments_stand_beside_the_note():
    app = settings("app.json")
    assert app["newLinkFormat"] == "shortest"
    assert app["useMarkdownLinks"] is False
    assert app["attachmentFolderPath"] == "./"


def test_what_the_vault_uses_is_switched_on():
    on = settings("core-plugins.json")
    for plugin in ("templates", "bases", "backlink", "outgoing-link", "graph", "canvas", "properties", "page-preview"):
        assert on[plugin] is True


def test_every_field_of_a_record_has_a_type_and_lists_are_lists():
    types = settings("types.json")["types"]
    for field in fields(Record):
        if field.name == "lines":
            continue
        if str(field.type).startswith("tuple"):
            assert types[field.name] in ("multitext", "tags", "aliases"), field.name
        else:
            assert types[field.name] == {"int": "number", "str": "text"}[str(field.type)], field.name


def test_every_chapter_has_a_colour_of_its_own():
    groups = settings("graph.json")["colorGroups"]
    assert [group["query"] for group in groups] == [f"path:{chapter}" for chapter in CHAPTERS]
    colours = [group["color"]["rgb"] for group in groups]
    assert len(set(colours)) == len(colours)
    assert all(0 <= colour < 1 << 24 for colour in colours)


def test_the_base_lists_the_papers_of_every_chapter():
    base = yaml.safe_load((VAULT / "papers.base").read_text(encoding="utf-8"))
    *conditions, chapters = base["filters"]["and"]
    assert 'file.hasProperty("venue")' in conditions
    assert chapters["or"] == [f'file.inFolder("{chapter}")' for chapter in CHAPTERS]
    assert [view["type"] for view in base["views"]] == ["table", "cards"]
    known = {f"note.{field.name}" for field in fields(Record)} | {f"formula.{name}" for name in base["formulas"]}
    named = set(base["properties"])
    for view in base["views"]:
        named |= {*view["order"], view["groupBy"]["property"], *(sort["property"] for sort in view["sort"])}
        assert {sort["direction"] for sort in [view["groupBy"], *view["sort"]]} <= {"ASC", "DESC"}
    assert named <= known
    assert {"formula.paper", "note.year", "note.authors", "note.venue", "note.status"} <= set(base["views"][0]["order"])


@pytest.mark.parametrize("name", ["paper", "lesson", "essay"])
def test_a_template_is_sound_front_matter_and_names_only_what_obsidian_fills(name):
    folder = VAULT / settings("templates.json")["folder"]
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    front = split(text, name)
    assert front.problem is None
    assert {"title", "description", "tags"} <= set(front.values)
    assert set(re.findall(r"\{\{(\w+)\}\}", text)) == {"title", "date"}
    assert "TODO" in front.body


def test_the_papers_template_has_the_sections_of_a_note_and_every_field_of_its_record():
    text = (VAULT / "templates/paper.md").read_text(encoding="utf-8")
    front = split(text, "paper.md")
    assert list(front.values) == [name for name in front.values if name in {field.name for field in fields(Record)}]
    record, problems = parse(front, "paper.md")
    assert record is None
    assert {problem.message.split()[0] for problem in problems} >= {"title", "description", "authors:", "year", "venue"}
    assert re.findall(r"^##+ (.*)", front.body, re.M) == [
        *("The problem", "The idea", "The mathematics", "The code", "The claim, reproduced", "What came of it"),
        *("Questions", "Think first", "Exercises", "Cards", "Open questions"),
    ]
