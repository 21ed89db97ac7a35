"""The vault, read once: its notes, its attachments, what links to what, and where a link leads (DESIGN 8)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal

from paperimpl.vault import frontmatter, scan
from paperimpl.vault.problem import Problem, nearest

__all__ = [
    "Index",
    "Mention",
    "Note",
    "Resolved",
    "anchor",
    "hidden",
    "is_view",
    "loose_name",
    "markdown_cells",
    "plain",
]

# Folders of which nothing is ever published, wherever they stand.
_HIDDEN = re.compile(r"(?:^|/)(?:\.[^/]*|node_modules|_?templates(?=/))(?:/|$)", re.I)
_PROPERTY_LINK = re.compile(r"\[\[([^\[\]\n]+)\]\]")


def hidden(path: str) -> bool:
    """Say whether a path is in a folder of which nothing is ever published."""
    return bool(_HIDDEN.search(path))


def is_view(path: str) -> bool:
    """Say whether a file is a base or a canvas."""
    return path.lower().endswith((".base", ".canvas"))


@dataclass(frozen=True)
class Heading:
    """A heading of a note: level 1 to 6, text without markup, the id of its anchor, and its line."""

    level: int
    text: str
    id: str
    line: int


@dataclass
class Note:
    """A Markdown file of the vault.

    Attributes:
        path: in the vault, with `/` and `.md`.
        text: the whole file.
        opt_in: whether it is published only if it says `publish: true`.
        withheld: whether it is kept back whatever it says.
    """

    path: str
    text: str
    opt_in: bool = False
    withheld: bool = False

    @property
    def name(self) -> str:
        """What a wiki-link calls it."""
        return PurePosixPath(self.path).stem

    @property
    def folder(self) -> str:
        """The folder it is in; empty for the vault's root."""
        return _folder(self.path)

    @cached_property
    def front(self) -> frontmatter.FrontMatter:
        """Its properties."""
        return frontmatter.split(self.text, f"vault/{self.path}")

    @cached_property
    def masked(self) -> str:
        """Its body with code, math and comments blanked out."""
        return scan.mask(self.front.body)

    @cached_property
    def links(self) -> list[tuple[scan.Link, int]]:
        """Its links and embeds, properties included, each with its line."""
        found = []
        for key, value in self.front.values.items():
            for item in value if isinstance(value, list) else [value]:
                for match in _PROPERTY_LINK.finditer(item) if isinstance(item, str) else ():
                    target, fragment, label = scan.split_target(match[1])
                    link = scan.Link(target, fragment, label, False, True, -1, -1)
                    found.append((link, self.front.lines.get(key, 1)))
        first = self.front.body_line
        lines = _Lines(self.masked, first)
        return [*found, *((link, lines[link.start]) for link in scan.links(self.masked))]

    @cached_property
    def headings(self) -> list[Heading]:
        """Its headings in order, with unique anchors."""
        used: set[str] = set()
        lines = _Lines(self.masked, self.front.body_line)
        return [
            Heading(heading.level, text, unique(anchor(text), used), lines[heading.start])
            for heading in scan.headings(self.masked, self.front.body)
            for text in [plain(heading.text)]
        ]

    @cached_property
    def blocks(self) -> dict[str, int]:
        """Its block ids and their lines."""
        lines = _Lines(self.masked, self.front.body_line)
        return {name: lines[offset] for name, offset in scan.block_ids(self.masked).items()}

    @cached_property
    def title(self) -> str:
        """Its `title` property, else the file's name as it is.

        An `index.md`, a README and a notebook are called by their first top heading, else by their folder.
        """
        title = self.front.values.get("title")
        if title is not None and not isinstance(title, bool | list | dict) and str(title).strip():
            return " ".join(str(title).split())
        opens = self.opens_folder
        if opens or self.path.endswith(".ipynb"):
            top = next((heading.text for heading in self.headings if heading.level == 1), "")
            return top or ((PurePosixPath(self.folder).name or "Home") if opens else self.name)
        return self.name

    @property
    def opens_folder(self) -> bool:
        """Whether it is its folder's page by its name: `index.md` or a README."""
        return PurePosixPath(self.path).name in ("index.md", "README.md")

    @property
    def aliases(self) -> list[str]:
        """Other names, for search and hints; never targets of links."""
        value = self.front.values.get("aliases")
        return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]

    @cached_property
    def tags(self) -> list[str]:
        """Its tags without their hashes, those of the front matter first, each once whatever its case."""
        value = self.front.values.get("tags", self.front.values.get("tag"))
        words = re.split(r"[,\s]+", value) if isinstance(value, str) else value if isinstance(value, list) else []
        named = [str(word).strip().removeprefix("#") for word in words if isinstance(word, str | int)]
        written = [name for name, _ in scan.tags(self.masked)]
        found: dict[str, str] = {}
        for name in [*filter(scan.is_tag, named), *written]:
            found.setdefault(name.lower(), name)
        return list(found.values())

    @cached_property
    def published(self) -> bool:
        """Whether the public may know of it. In doubt it may not: `publish: no` is a word to YAML, not false."""
        if self.withheld or hidden(self.path):
            return False
        if self.front.problem:
            return not self.opt_in and not re.search(r"^publish[ \t]*:(?![ \t]*true\b)", self.text, re.M | re.I)
        said = [value for key, value in self.front.values.items() if key.lower() == "publish"]
        return all(value is True for value in said) and (bool(said) or not self.opt_in)


@dataclass(frozen=True)
class Resolved:
    """Where a link leads.

    Attributes:
        kind: `note` or `file` (an attachment), `wanted` for a bare name that no note has yet, `private` for a note
            that is not published, `broken` for what looks like a mistake.
        path: in the vault; empty unless `note` or `file`.
        anchor: the id in that note's page; empty for its top.
        problem: message and remedy where something is wrong, else None.
    """

    kind: Literal["note", "file", "wanted", "private", "broken"]
    path: str = ""
    anchor: str = ""
    problem: tuple[str, str] | None = None


@dataclass(frozen=True)
class Stat:
    """A file's size in bytes, and when it was changed and made, in seconds since 1970."""

    size: int
    mtime: float
    ctime: float

    @classmethod
    def of(cls, file: Path) -> Stat:
        """Ask the disk."""
        found = file.stat()
        made = getattr(found, "st_birthtime", min(found.st_mtime, found.st_ctime))
        return cls(found.st_size, found.st_mtime, made)


@dataclass(frozen=True)
class Mention:
    """A link as seen from its target: the note that holds it and the line."""

    note: Note
    line: int


@dataclass
class Index:
    """All files of a vault. Build it with `read`; it looks at the disk only there.

    Attributes:
        notes: by path, in order.
        files: paths of everything else that may be linked.
        notebooks: those of `files` that are notebooks, by path; their text is that of their Markdown cells.
        unreadable: what is wrong with files that could not be read, or not whole.
        withheld: those of `files` that are not to be published; links to them lead nowhere.
        outside: paths that lead out of the vault or nowhere, by a symbolic link; not read, and nothing finds them.
        strict_line_breaks: whether a newline in a paragraph is only a space, as `.obsidian/app.json` may say.
        views: the text of those of `files` that are bases or canvases and not withheld, by path.
        stats: size and times of every file, by path.
        opt_in: whether only what asks for it is published.
    """

    notes: dict[str, Note]
    files: set[str] = field(default_factory=set)
    notebooks: dict[str, Note] = field(default_factory=dict)
    unreadable: list[Problem] = field(default_factory=list)
    withheld: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    strict_line_breaks: bool = False
    views: dict[str, str] = field(default_factory=dict)
    stats: dict[str, Stat] = field(default_factory=dict)
    opt_in: bool = False

    @classmethod
    def read(
        cls, vault: Path, paths: Iterable[str] | None = None, *, opt_in: bool = False, withheld: Container[str] = ()
    ) -> Index:
        """Read a vault; a note that is not UTF-8 is reported in `unreadable` and read as well as can be.

        Args:
            vault: its folder.
            paths: the files that count; all of them where None.
            opt_in: whether only what says `publish: true` is published.
            withheld: paths of notes that are not published whatever they say.
        """
        if paths is None:
            paths = (p.relative_to(vault).as_posix() for p in vault.rglob("*") if p.is_file())
        templates = _template_folders(vault)
        notes, notebooks, files, unreadable = {}, {}, set(), []
        views, stats = {}, {}
        root, outside = vault.resolve(), set()
        for path in sorted(paths):
            if hidden(path) or path.lower().startswith(templates):
                continue
            if why := _unreachable(vault / path, root):
                outside.add(path)
                unreadable.append(Problem(f"vault/{path}", 0, *why))
                continue
            stats[path] = Stat.of(vault / path)
            if not path.endswith(".md"):
                files.add(path)
                if is_view(path) and path not in withheld:
                    views[path] = (vault / path).read_bytes().decode("utf-8-sig", errors="replace")
                if path.endswith(".ipynb"):
                    try:
                        cells = markdown_cells((vault / path).read_bytes())
                        notebooks[path] = Note(path, "\n\n".join(cells), opt_in, path in withheld)
                    except ValueError as wrong:
                        unreadable.append(Problem(f"vault/{path}", 1, f"not a notebook: {wrong}", "save it again"))
                continue
            data = (vault / path).read_bytes()
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError as wrong:
                line = data.count(b"\n", 0, wrong.start) + 1
                unreadable.append(Problem(f"vault/{path}", line, "not UTF-8", "save it with UTF-8 encoding"))
                text = data.decode("utf-8-sig", errors="replace")
            text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
            notes[path] = Note(path, text, opt_in, path in withheld)
        return cls(
            notes,
            files,
            notebooks,
            unreadable,
            outside=outside,
            strict_line_breaks=_strict_line_breaks(vault),
            views=views,
            stats=stats,
            opt_in=opt_in,
        )

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        names = defaultdict(list)
        for path in [*self.notes, *self.files]:
            names[_key(PurePosixPath(path).name)].append(path)
        return names

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        paths = defaultdict(list)
        for path in [*self.notes, *self.files]:
            paths[_key(path)].append(path)
        return paths

    @cached_property
    def _aliases(self) -> dict[str, Note]:
        return {_key(alias): note for note in reversed(self.notes.values()) for alias in note.aliases}

    def at(self, path: str) -> Note:
        """Return the note, notebook, base or canvas at a path."""
        return self.notes.get(path) or self.notebooks.get(path) or self.boards[path]

    @cached_property
    def boards(self) -> dict[str, Note]:
        """Bases and canvases that are published, as notes: a base has no text, a canvas that of its cards.

        Neither says itself whether it is published. It is not where only private notes link to it; and where notes
        must ask to be published, a published one must link to it.
        """
        from paperimpl.vault import views

        public: set[str] = set()
        private: set[str] = set()
        for note in (self.notes | self.notebooks).values() if self.views else ():
            for link, _ in note.links:
                if is_view(link.target) and (found := self.find(link.target, note.path)):
                    (public if note.published else private).add(found)
        shown = [path for path in self.views if path in public or not (self.opt_in or path in private)]
        return {path: Note(path, views.text(path, self.views[path])) for path in shown if not hidden(path)}

    def find(self, target: str, source: str) -> str | None:
        """Find the file that a link's target names, seen from a note; None where there is none.

        Exact name first, then with `.md` (rule 2). Relative and rooted paths are exact; a path is looked up from the
        root, then as a suffix; a bare name at the root, then under the linking note's folder, then anywhere,
        shortest path first (rules 3 and 4).
        """
        for name in (target, f"{target}.md"):
            if found := self._find(name, source):
                return found
        return None

    def _find(self, name: str, source: str) -> str | None:
        if name.startswith(("./", "../")):
            joined = _normal(f"{_folder(source)}/{name}")
            return self._exact(joined, source) if joined is not None else None
        if name.startswith("/"):
            return self._exact(name.lstrip("/"), source)
        if exact := self._exact(name, source):
            return exact
        key = _key(name)
        candidates = [
            path for path in self._by_name.get(key.rsplit("/", 1)[-1], ()) if f"/{_key(path)}".endswith(f"/{key}")
        ]
        return min(candidates, key=lambda path: self._rank(path, source, name), default=None)

    def _exact(self, path: str, source: str) -> str | None:
        same = self._by_path.get(_key(path), [])
        return path if path in same else min(same, key=lambda p: self._rank(p, source), default=None)

    def _rank(self, path: str, source: str, name: str = "") -> tuple[bool, int, bool, str]:
        folder = _folder(source)  # case decides only between names that differ in nothing else
        return (bool(folder) and not path.startswith(f"{folder}/"), len(path), not path.endswith(name), path)

    def resolve(self, link: scan.Link, source: str) -> Resolved:
        """Say where a link leads and what is wrong with it. Never raises; asks the disk nothing."""
        path = source if not link.target else self.find(link.target, source)
        if path is not None:
            return self._arrived(link, source, path)
        loose = self._loosely(link)
        if len(loose) != 1:
            return self._unresolved(link, loose)
        found = self._arrived(link, source, loose[0])
        if found.kind == "private" or found.problem:
            return found
        return replace(
            found,
            problem=(f"{link.target!r} is only like the name of {loose[0]}", self._remedy(link, source, loose[0])),
        )

    def _arrived(self, link: scan.Link, source: str, path: str) -> Resolved:
        if path in self.withheld or (path in self.views and path not in self.boards):
            return Resolved("private")
        if path in self.boards:
            return Resolved("note", path, link.fragment)
        if path in self.files and path not in self.notebooks:
            return Resolved("file", path, link.fragment)
        note = self.notes.get(path) or self.notebooks[path]
        if not note.published and path != source:
            return Resolved("private")
        if not link.fragment:
            return Resolved("note", path)
        written = f"{link.target}#{link.fragment}"
        if link.fragment.startswith("^"):
            block = link.fragment[1:].lower()
            if block in note.blocks:
                return Resolved("note", path, block_anchor(block))
            return Resolved(
                "broken", path, "", (f"{written!r}: no block ^{block} in {path}", _one_of(note.blocks, "^"))
            )
        if (heading := heading_of(note, link.fragment)) is not None:
            return Resolved("note", path, heading.id)
        texts = [heading.text for heading in note.headings]
        hint = nearest(link.fragment.split("#")[-1], texts) or _one_of(texts)
        return Resolved("broken", path, "", (f"{written!r}: no such heading in {path}", hint))

    @cached_property
    def _by_loose_name(self) -> dict[str, list[str]]:
        names = defaultdict(list)
        for path in [*self.notes, *self.files]:
            names[loose_name(PurePosixPath(path).name)].append(path)
        return names

    def _loosely(self, link: scan.Link) -> list[str]:
        """Find the files whose name is a wiki-link's but for case, dashes, underscores and spaces, as roamlinks did.

        A name that is another note's alias means that note, and is left for `_unresolved` to tell.
        """
        if not link.wiki or "/" in link.target or not (key := loose_name(link.target)):
            return []
        found = self._by_loose_name.get(key, [])
        found = [path for path in found if path not in self.notes or self.notes[path].published] or found
        alias = self._aliases.get(_key(link.target))
        return [] if alias is not None and alias.published and found != [alias.path] else found

    def _remedy(self, link: scan.Link, source: str, path: str) -> str:
        """Write the link that should stand there: the shortest exact name, what it shows left as it is."""
        name = PurePosixPath(path).name.removesuffix(".md")
        exact = name if self.find(name, source) == path else path.removesuffix(".md")
        label = link.label if link.label is not None else "" if link.embed else link.target.removesuffix(".md")
        fragment = f"#{link.fragment}" if link.fragment else ""
        return f"write {'!' * link.embed}[[{exact}{fragment}{'|' * bool(label)}{label}]]"

    def _unresolved(self, link: scan.Link, loose: Sequence[str] = ()) -> Resolved:
        target = link.target
        if (note := self._aliases.get(_key(target))) is not None and note.published:
            return Resolved("broken", problem=(f"{target!r} is only an alias", f"write [[{note.name}|{target}]]"))
        if len(loose) > 1:
            choice = " or ".join(f"[[{path.removesuffix('.md')}]]" for path in loose[:3])
            return Resolved("broken", problem=(f"{target!r} could be any of {len(loose)} files", f"write {choice}"))
        names = [note.name for note in self.notes.values() if note.published]
        path_like = "/" in target or bool(re.search(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", target))
        if not link.wiki or path_like or link.fragment or link.embed:
            every = [*names, *(PurePosixPath(path).name for path in self.files)]
            hint = nearest(PurePosixPath(target).name.removesuffix(".md"), every) or "create it, or mend the link"
            return Resolved("broken", problem=(f"{target!r} does not exist", hint))
        for name in names:
            if _is_slip(_key(target), _key(name)):
                return Resolved("broken", problem=(f"{target!r} does not exist", f"did you mean {name!r}?"))
        return Resolved("wanted")

    @cached_property
    def resolved(self) -> dict[str, list[tuple[scan.Link, int, Resolved]]]:
        """Every published note's links, and every canvas's, with their lines and where they lead."""
        return {
            path: [(link, line, self.resolve(link, path)) for link, line in note.links]
            for path, note in (self.notes | self.notebooks | self.boards).items()
            if note.published
        }

    @cached_property
    def backlinks(self) -> dict[str, list[Mention]]:
        """Path to the notes that link to it, each once, by title."""
        found: dict[str, dict[str, Mention]] = defaultdict(dict)
        for path, entries in self.resolved.items():
            for _, line, resolved in entries:
                if resolved.kind == "note" and resolved.path != path:
                    found[resolved.path].setdefault(path, Mention(self.at(path), line))
        return {to: sorted(by.values(), key=lambda m: m.note.title.lower()) for to, by in found.items()}

    @cached_property
    def wanted(self) -> dict[str, list[Mention]]:
        """Names that notes ask for and no note has, with the notes that ask, each once."""
        found: dict[str, dict[str, Mention]] = defaultdict(dict)
        names: dict[str, str] = {}
        for path, entries in self.resolved.items():
            for link, line, resolved in entries:
                if resolved.kind == "wanted":
                    name = names.setdefault(_key(link.target), link.target)
                    found[name].setdefault(path, Mention(self.at(path), line))
        return {name: list(found[name].values()) for name in sorted(found, key=str.lower)}

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the vault's links and front matter, with file and line."""
        yield from self.unreadable
        for note in self.notes.values():
            if note.front.problem and not hidden(note.path):
                yield note.front.problem
        for path, entries in self.resolved.items():
            for _, line, resolved in entries:
                if resolved.problem and path not in self.boards:  # their own check knows the lines of their files
                    yield Problem(f"vault/{path}", line, f"link to {resolved.problem[0]}", resolved.problem[1])
        from paperimpl.vault import views

        yield from views.problems(self)


def _unreachable(file: Path, root: Path) -> tuple[str, str] | None:
    """Say why a file cannot be read, and what to do; None where it can."""
    try:
        if not file.is_file():
            return "a symbolic link that leads nowhere", "mend the link, or remove it"
        if not file.resolve().is_relative_to(root):
            return (
                "a symbolic link that leads out of the vault",
                "put the file itself into the vault, or remove the link",
            )
        file.open("rb").close()
    except (OSError, RuntimeError) as refused:  # RuntimeError: a link to itself, before Python 3.13
        return f"cannot be read: {getattr(refused, 'strerror', '') or refused}", "give yourself the right, or remove it"
    return None


def _strict_line_breaks(vault: Path) -> bool:
    try:
        app = json.loads((vault / ".obsidian/app.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(app, dict) and app.get("strictLineBreaks") is True


def _template_folders(vault: Path) -> tuple[str, ...]:
    """Where Obsidian and Templater keep templates, by their own settings; in lower case, with a slash at the end."""
    found = []
    for place, key in (
        (".obsidian/templates.json", "folder"),
        (".obsidian/plugins/templater-obsidian/data.json", "templates_folder"),
    ):
        try:
            folder = json.loads((vault / place).read_bytes())[key].strip("/").lower()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if folder:
            found.append(f"{folder}/")
    return tuple(found)


def markdown_cells(data: bytes) -> list[str]:
    """Read the Markdown cells of a notebook.

    Raises:
        ValueError: it is not one.
    """
    try:
        cells = json.loads(data)["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"no {wrong} in it") from wrong


class _Lines:
    """Offsets to line numbers in one pass for rising offsets."""

    def __init__(self, text: str, first: int):
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._first = first

    def __getitem__(self, offset: int) -> int:
        from bisect import bisect_left

        return bisect_left(self._ends, offset) + self._first


def loose_name(name: str) -> str:
    """Simplify a name as mkdocs-roamlinks-plugin 0.3.2 does; a test holds this to its `simplify`."""
    return re.sub(r"[\-_ ]", "", name.lower()).replace(".md", "")


def plain(text: str) -> str:
    """Take the markup out of a heading: links show their text, code and emphasis lose their marks."""
    text = scan.WIKI.sub(lambda m: _shown(m["inside"]), text)
    text = re.sub(r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    text = re.sub(r"<[^<>]+>", "", text)
    text = re.sub(r"[ \t]\^[A-Za-z0-9-]+$", "", text)
    text = re.sub(r"(?<!\w)_+|_+(?!\w)|[*`=~]{1,3}|\\(?=[^\w\s])", "", text)
    return re.sub(r"\s*\n\s*", " ", text).strip()


def _shown(inside: str) -> str:
    target, fragment, label = scan.split_target(inside)
    return label or " > ".join(filter(None, [target, *fragment.split("#")]))


def anchor(text: str) -> str:
    """Make a heading's id: letters and digits of any script in lower case, the rest as single dashes."""
    return re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", text).lower()).strip("-") or "section"


def block_anchor(name: str) -> str:
    """Make a block's id in a page; the caret keeps it apart from headings."""
    return f"^{name}"


def unique(name: str, used: set[str]) -> str:
    """Add `_1`, `_2` … until a name is new, and remember it."""
    candidate, number = name, 1
    while candidate in used:
        candidate, number = f"{name}_{number}", number + 1
    used.add(candidate)
    return candidate


def heading_of(note: Note, fragment: str) -> Heading | None:
    """Find `A#B`: heading B under heading A, first match in document order; case, punctuation and markup aside."""
    parts = [_letters(plain(part)) for part in fragment.split("#") if part.strip()]
    depth, level_of = 0, [0]
    for heading in note.headings:
        while depth and heading.level <= level_of[-1]:
            depth -= 1
            level_of.pop()
        if _letters(heading.text) == parts[depth]:
            if depth == len(parts) - 1:
                return heading
            depth += 1
            level_of.append(heading.level)
    return None


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text).lower()).strip()


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower()


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _normal(path: str) -> str | None:
    """Resolve `.` and `..`; None where they lead out of the vault."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _one_of(names: Iterable[str], prefix: str = "") -> str:
    listed = [f"{prefix}{name}" for name in names]
    if not listed:
        return "it has none"
    return f"it has {', '.join(listed[:6])}" + (", …" if len(listed) > 6 else "")


def _is_slip(word: str, name: str) -> bool:
    """Tell a slip of the pen from another name: one letter of five or more, two of nine or more.

    A name that only goes on where the other ends (`adam`, `adamw`) is another name, as is one that differs in a digit
    (`gpt2`, `gpt3`).
    """
    if word[:1] != name[:1] or min(len(word), len(name)) < 5:  # the first letter is rarely the wrong one
        return False
    if word.startswith(name) or name.startswith(word):
        return False
    if re.sub(r"\d", "#", word) == re.sub(r"\d", "#", name):
        return False
    allowed = 2 if min(len(word), len(name)) >= 9 else 1
    return abs(len(word) - len(name)) <= allowed and _distance(word, name) <= allowed


def _distance(a: str, b: str) -> int:
    """Count the letters to change, drop, add or swap with their neighbour."""
    two: list[int] = []
    one = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(one[j] + 1, row[j - 1] + 1, one[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], two[j - 2] + 1)
        two, one = one, row
    return one[-1]
