"""The extension: what Obsidian writes, what Python-Markdown reads.

Order matters and is stated once, here. Python-Markdown's own steps are in brackets; higher numbers run first.

    preprocessors   [whitespace 30] · withheld 29, where there is no plugin ·
                    prepare 28: comments out, code by symbol in
    blocks          ours in place of Python-Markdown's (blocks.py); it also knows fences, tables, HTML and footnotes
    tree            [footnotes 50] · [code 30] · shape 29: callouts, block ids, heading ids, cards, tasks · pieces 28 ·
                    [inline 20] · bases and canvases 13 · links 12 · math 10 · [toc 5] · embeds 4 ·
                    [addresses of the engine 0] · media -1 · backgrounds -2 ·
                    apart -3, where `safe`
    inline          code 190 · display 189.95 · math 189.9 · comment 186 · wiki-link 185 · quote 184 · [escape 180] ·
                    [links 170-110] · [HTML 90] · block id 86 · address 85 · tag 84 · [emphasis 60] · newline 5
    afterwards      [HTML back 30] · clean -10 and our own HTML back -20, where `safe` · code links -30 ·
                    told -40, where there is no plugin
"""

from __future__ import annotations

import base64
import functools
import html
import re
import urllib.parse
import xml.etree.ElementTree as etree
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX, AtomicString

from paperimpl.course import questions
from paperimpl.markdown import inline
from paperimpl.markdown.bases import view_id
from paperimpl.markdown.blocks import Blocks
from paperimpl.markdown.embeds import MEDIA, Embeds, Media, slot
from paperimpl.markdown.fences import Highlight, Mermaid, MermaidError
from paperimpl.markdown.folder import Folder, Rendered, Told, Withheld
from paperimpl.markdown.katex import Katex, KatexError
from paperimpl.markdown.mathml import MathML
from paperimpl.markdown.safe import Clean, Kept, Pieces, Restore, guard
from paperimpl.markdown.views import Apart, Backgrounds, Places, Views, place
from paperimpl.vault import scan
from paperimpl.vault.check import QUOTE, Health
from paperimpl.vault.code import SNIPPET, Code, symbol
from paperimpl.vault.demo import Demo
from paperimpl.vault.index import Index, Note, block_anchor, is_view, plain
from paperimpl.vault.problem import Problem

__all__ = ["Context", "VaultExtension"]

IMAGES = frozenset({"avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "webp"})

# Obsidian's callouts: other names of each type.
_CALLOUTS = {
    "abstract": ("summary", "tldr"),
    "tip": ("hint", "important"),
    "success": ("check", "done"),
    "question": ("help", "faq"),
    "warning": ("caution", "attention"),
    "failure": ("fail", "missing"),
    "danger": ("error",),
    "quote": ("cite",),
}
_CALLOUT_OF = {alias: name for name, aliases in _CALLOUTS.items() for alias in aliases}
_CALLOUT = re.compile(
    r"\[!(?P<type>[^\[\]|\n]+)(?:\|(?P<about>[^\[\]\n]*))?\](?P<fold>[+-]?)[ \t]*(?P<title>[^\n]*)(?:\n|$)"
)
_BLOCK_ID = re.compile(r"(?:^|[ \t\n])\^([A-Za-z0-9-]+)[ \t]*$")
_BARE_FENCE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
_LEAD = re.compile(r"[ \t>]*")
_OPENS = re.compile(r"(?P<fence>`{3,}(?=[^`]*$)|~{3,})")


@dataclass
class Context:
    """What the page being rendered may ask of the vault.

    Attributes:
        index: the vault.
        health: records and results, where the vault has papers.
        repository: where code stands, for `--8<--`; None where there is none.
        code_url: the address of a file of the repository, with `{path}`, `{first}` and `{last}`; empty for no links.
        katex: the renderer of formulas; None leaves them as text.
        mermaid: what draws Mermaid's diagrams; None leaves them as code.
        tag_url: names the address of a tag's page, as a Markdown link has it, or the empty text for none.
        safe: whether HTML that notes hold is neutralised; for vaults of people one does not know.
        source: the note being rendered, its path in the vault; empty for text that is no note.
        page: the note whose page this is, where that is another one: `source` is then embedded in it.
        up: leads from the page's address to its file's folder, where the engine leaves that to us in a PDF's address.
        views: bases and canvases, as all pages share them.
        within: the canvases that what is being rendered lies within.
        inline_figures: whether claims' figures stand in the page itself, and not as images.
        problems: what was found wrong while rendering, beyond what `vault.check` finds.
    """

    index: Index
    health: Health | None = None
    repository: Path | None = None
    code_url: str = ""
    katex: Katex | MathML | None = None
    mermaid: Mermaid | None = None
    tag_url: Callable[[str], str] | None = None
    safe: bool = False
    source: str = ""
    page: str = ""
    up: str = ""
    views: Views = field(default_factory=Views)
    within: tuple[str, ...] = ()
    inline_figures: bool = True
    problems: list[Problem] = field(default_factory=list)

    @property
    def note(self) -> Note | None:
        """The note being rendered."""
        return self.index.notes.get(self.source) or self.index.notebooks.get(self.source)

    @property
    def host(self) -> str:
        """The note whose page this is."""
        return self.page or self.source

    def href(self, path: str, fragment: str = "") -> str:
        """Write the way from the page to a file of the vault, as a Markdown link has it: `../rnn/rnn.md#the-idea`."""
        if fragment and is_view(path):
            fragment = view_id(fragment)
        up = self.host.split("/")[:-1]
        to = path.split("/")
        shared = 0
        while shared < min(len(up), len(to) - 1) and up[shared] == to[shared]:
            shared += 1
        way = "/".join([".."] * (len(up) - shared) + to[shared:])
        return urllib.parse.quote(way, safe="/") + (f"#{_fragment(fragment)}" if fragment else "")

    def link_to_code(self, code: Code) -> str:
        """Write the address of lines of code in the repository; empty where there is none."""
        return self.code_url.format(path=code.path, first=code.first, last=code.last) if self.code_url else ""


def _fragment(text: str) -> str:
    """Encode what may not stand in a fragment; letters stay, for engines compare it with ids as they are."""
    return re.sub(r"[^\w^=&.~!$'()*+,;:@/?-]", lambda m: urllib.parse.quote(m[0]), text)


class VaultExtension(Extension):
    """Links, embeds, callouts, comments, tags, tasks, block ids, code by symbol, results by key, formulas.

    Args:
        context: the vault; under an engine that brings none it is read from its folder.
        docs_dir: that folder; where it is not given, the one that Zensical names, else `docs`.
        safe: whether HTML that notes hold is neutralised, where there is no context to say so.
    """

    def __init__(self, context: Context | None = None, docs_dir: str = "", safe: bool = False):
        super().__init__()
        self.context = context
        self.docs_dir, self.safe = docs_dir, safe

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the steps of the table above."""
        md.registerExtension(self)
        self.md = md
        context = self.context or self._from_folder(md)
        kept = Kept()

        def keep(text: str) -> str:
            """Put HTML of ours aside; the result stands for it in the tree."""
            return kept.keep(text) if context.safe else md.htmlStash.store(text)

        for name in ("|", "#", "=", "~", "^", "$", "%"):
            if name not in md.ESCAPED_CHARS:
                md.ESCAPED_CHARS.append(name)
        places = Places(md, context, _engine)
        Blocks(md, _Fence(md, context, keep, places)).install()
        md.preprocessors.deregister("html_block", strict=False)  # ours are blocks
        md.preprocessors.register(_Lines(md), "normalize_whitespace", 30)
        md.preprocessors.register(_Prepare(md, context), "vault-prepare", 28)
        md.treeprocessors.register(_Shape(md, context, keep), "vault-shape", 29)
        md.treeprocessors.register(Pieces(md), "vault-pieces", 28)
        md.treeprocessors.register(places, "vault-views", 13)
        md.treeprocessors.register(_MarkdownLinks(md, context), "vault-links", 12)
        md.treeprocessors.register(_Math(md, context, keep), "vault-math", 10)
        md.treeprocessors.register(Embeds(md, context, _engine), "vault-embeds", 4)
        md.treeprocessors.register(Media(md, context, keep), "vault-media", -1)
        md.treeprocessors.register(Backgrounds(md), "vault-backgrounds", -2)
        if context.safe:
            md.treeprocessors.register(Apart(md, keep), "vault-apart", -3)
            md.postprocessors.register(Clean(md), "vault-clean", -10)
            md.postprocessors.register(Restore(md, kept), "vault-restore", -20)
        md.postprocessors.register(_CodeLinks(md, context), "vault-code-links", -30)
        patterns = md.inlinePatterns
        patterns.register(inline.CodeSpan("`+", md), "backtick", 190)
        patterns.register(inline.Display(r"(?s)(?<!\\)\$\$(.+?)\$\$", md), "vault-display", 189.95)
        patterns.register(inline.Dollar(r"\$(?=\S)", md), "vault-dollar", 189.9)
        patterns.register(inline.Escape(inline.Escape.PATTERN, md), "escape", 180)
        patterns.register(_Comment(r"(?s)<!--.*?-->", md), "vault-comment", 186)
        patterns.register(_WikiLink(scan.WIKI.pattern, md, context, keep), "vault-link", 185)
        patterns.register(_Quote(QUOTE.pattern, md, context), "vault-quote", 184)
        patterns.register(_Named(r"[ \t]\^([A-Za-z0-9-]+)[ \t]*(?=\n|$)", md, context), "vault-named", 86)
        patterns.register(inline.Address(inline.Address.PATTERN, md), "vault-address", 85)
        patterns.register(inline.Tag(scan.TAG.pattern, md, context), "vault-tag", 84)
        newline = r"\\\n" if context.index.strict_line_breaks else r"\\?\n"
        patterns.register(inline.LineBreak(newline, md), "vault-newline", 5)
        guard(md)

    def reset(self) -> None:
        """Once all extensions are there: fences are blocks of ours, and engines bring an extension for them unasked."""
        self.md.preprocessors.deregister("fenced_code_block", strict=False)

    def _from_folder(self, md: Markdown) -> Context:
        """Read the vault, and bring the extensions that an engine without our plugin was not told of."""
        rendered = Rendered.of(md)
        docs_dir = rendered.docs_dir if rendered and not self.docs_dir else Path(self.docs_dir or "docs")
        folder = _folder(docs_dir, self.safe)
        if self.docs_dir or docs_dir.is_dir():
            folder.read()
        folder.context.source = rendered.source if rendered else ""
        folder.context.up = rendered.up if rendered else ""
        there = {type(extension) for extension in md.registeredExtensions}
        for name, values in settings().items():
            if type(needed := md.build_extension(name, values)) not in there:
                md.registerExtensions([needed], {})
        md.preprocessors.register(Withheld(md, folder), "vault-withheld", 29)
        md.postprocessors.register(Told(md, folder), "vault-told", -40)
        return folder.context


@functools.cache
def _folder(docs_dir: Path, safe: bool) -> Folder:
    context = Context(
        Index({}),
        katex=MathML() if MathML.installed() else None,
        mermaid=Mermaid(docs_dir.parent / ".cache/paperimpl") if Mermaid.installed() else None,
        safe=safe,
    )
    return Folder(docs_dir, context)


def _engine(context: Context) -> Markdown:
    """Make the engine that embeds are rendered by: the page's, but it has no table of contents."""
    engine = Markdown(extensions=[*settings(), VaultExtension(context)], extension_configs=settings())
    engine.treeprocessors.deregister("toc", strict=False)
    return engine


class _Fence:
    """A fenced block's HTML: a base, a diagram, else code with its colours."""

    def __init__(self, md: Markdown, context: Context, keep: Callable[[str], str], places: Places):
        self.highlight = Highlight(md)
        self.context = context
        self.keep = keep
        self.places = places

    def __call__(self, text: str, language: str, options: dict[str, str]) -> str:
        if language == "base":
            return self.places.leave(text)
        if language == "mermaid" and (drawn := self._diagram(text)):
            return self.keep(drawn)
        return self.keep(self.highlight(text, language, options))

    def _diagram(self, text: str) -> str:
        context = self.context
        try:
            if context.mermaid is None:
                raise MermaidError("left as code: the extra `mermaid` is not installed")
            svg = context.mermaid.draw(text)
        except MermaidError as wrong:
            at = context.note.text.find(text) if context.note else -1
            line = scan.line_of(context.note.text, at) if context.note and at >= 0 else 0
            error = context.mermaid is not None
            remedy = "mend the diagram" if error else "pip install 'paperimpl[mermaid]'"
            context.problems.append(Problem(f"vault/{context.source}", line, f"Mermaid: {wrong}", remedy, error))
            return ""
        if context.safe:  # no script of an image is run
            data = base64.b64encode(svg.encode()).decode()
            svg = f'<img alt="diagram" src="data:image/svg+xml;base64,{data}">'
        return f'<div class="mermaid-figure" tabindex="0" role="group" aria-label="diagram">{svg}</div>'


class _Lines(Preprocessor):
    """Python-Markdown's own first step, but tabs stay: in code they count."""

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines).replace(STX, "").replace(ETX, "").replace("\r\n", "\n").replace("\r", "\n")
        return text.split("\n")


class _Prepare(Preprocessor):
    """Before anything else: comments out, code by symbol in."""

    def __init__(self, md: Markdown, context: Context):
        super().__init__(md)
        self.context = context

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        if "%%" in text:
            lines = scan.without_comments(text).split("\n")
        return self._with_code(lines)

    def _with_code(self, lines: list[str]) -> list[str]:
        out: list[str] = []
        inside, fence, opened = "", "", 0  # the mark that ends the block in the note, and on the page; where it began
        for line in lines:
            lead = _LEAD.match(line)[0]  # type: ignore[index]
            opening = _OPENS.match(line, len(lead))
            if inside and _closes(line[len(lead) :], inside):
                line, inside = line if fence == inside else lead + fence, ""
            elif opening and not inside:
                inside = fence = opening["fence"]
                opened = len(out)
            snippet = SNIPPET.fullmatch(line) if self.context.repository else None
            if not snippet:
                out.append(line)
                continue
            prefix = snippet["prefix"]
            try:
                code = symbol(snippet["spec"], self.context.repository)  # type: ignore[arg-type]
                text, title = code.text, snippet["spec"]
            except (KeyError, SyntaxError) as missing:  # `vault.check` tells it, with its line
                text, title = f"# {missing.args[0]}", "not found"
            fence = _longer(fence if inside else "```", text)
            block = [f"{prefix}{row}".rstrip() if row else prefix.rstrip() for row in text.split("\n")]
            if not inside:
                around = prefix.rstrip()  # within a quote, a line without its mark would end it
                out += [around, f'{prefix}{fence}{{.python title="{title}"}}', *block, f"{prefix}{fence}", around]
                continue
            if opened == len(out) - 1 and _BARE_FENCE.fullmatch(out[opened]):
                out[opened] = f'{prefix}{fence}{{.python title="{title}"}}'
            else:
                out[opened] = re.sub(r"`{3,}|~{3,}", fence, out[opened], count=1)
            out += block
        return out


def _closes(line: str, fence: str) -> bool:
    return line.startswith(fence) and not line.strip(fence[0] + " \t")


def _longer(fence: str, text: str) -> str:
    """Make a fence longer than any that stands in the text it is to hold."""
    runs = re.findall(rf"^[ \t>]*({re.escape(fence[0])}{{3,}})", text, re.M)
    return fence[0] * max([len(fence), *(len(run) + 1 for run in runs)])


class _Shape(Treeprocessor):
    """While text is still raw: callouts from quotes, ids for blocks and headings, cards from `Question?::Answer`."""

    def __init__(self, md: Markdown, context: Context, keep: Callable[[str], str]):
        super().__init__(md)
        self.context = context
        self.keep = keep

    def run(self, root: etree.Element) -> None:
        self._headings(root)
        self._walk(root)
        for item in root.iter("li"):
            inline.task(item, self.keep)

    def _walk(self, parent: etree.Element) -> None:
        previous: etree.Element | None = None
        for child in list(parent):
            if child.tag == "blockquote":
                self._callout(child)
            self._walk(child)
            if child.tag in ("p", "li") and isinstance(child.text, str) and not isinstance(child.text, AtomicString):
                self._block_id(parent, child, previous)
                if child.tag == "p":
                    self._card(child)
            previous = child

    def _callout(self, quote: etree.Element) -> None:
        first = next(iter(quote), None)
        if first is None or first.tag != "p" or not (match := _CALLOUT.match(first.text or "")):
            return
        kind = match["type"].strip().lower()
        shown = match["title"].strip() or match["type"].strip().replace("-", " ").capitalize()
        folds = bool(match["fold"])
        quote.tag = "details" if folds else "div"
        name = re.sub(r"[^\w-]+", "-", _CALLOUT_OF.get(kind, kind))
        quote.set("class", f"{name} callout" if folds else f"admonition {name} callout")
        quote.set("data-callout", kind)
        if match["fold"] == "+":
            quote.set("open", "open")
        title = etree.Element("summary" if folds else "p", {} if folds else {"class": "admonition-title"})
        title.text = shown
        rest = (first.text or "")[match.end() :]
        if rest.strip() or len(first):
            first.text = rest
        else:
            quote.remove(first)
        quote.insert(0, title)
        health = self.context.health
        if kind == "demo" and health and (demo := health.demos.get((match["about"] or "").strip())):
            self._demo(quote, demo)

    def _demo(self, box: etree.Element, demo: Demo) -> None:
        """Make of a callout the place of a demo: what it says stays, a button and what is loaded come below.

        Without scripts the words are all there is, and where else the model runs.
        """
        box.tag = "div"
        box.attrib.clear()
        box.attrib.update({"class": "demo", "data-demo": demo.name})
        box[0].tag = "p"
        box[0].set("class", "demo-title")
        files = {name.rpartition(".")[2]: name for name in demo.files}
        start = etree.SubElement(box, "div", {"class": "demo-start"})
        told = etree.SubElement(start, "p", {"class": "demo-without"})  # the style sheet hides it where scripts run
        told.text = AtomicString("Scripts are off here, and this needs them.")
        if demo.paper:
            told.text = AtomicString(f"{told.text} With gradio, paperimpl demo {demo.name} runs it on your machine.")
        loads = etree.SubElement(start, "p", {"class": "demo-loads"})
        loads.text = AtomicString(f"Nothing is loaded yet. It takes {round(demo.size / 1000)} KB from this site")
        before: etree.Element | None = None
        for ending, words in (("bin", "weights"), ("json", "what torch computes with them")):
            if ending in files and files[ending] in self.context.index.files:
                glue = AtomicString(": " if before is None else ", ")
                if before is None:
                    loads.text = AtomicString(f"{loads.text}{glue}")
                else:
                    before.tail = glue
                before = etree.SubElement(loads, "a", {"href": self.context.href(files[ending]), "data-vault": ""})
                before.text = AtomicString(words)
        if before is None:
            loads.text = AtomicString(f"{loads.text}.")
        else:
            before.tail = AtomicString(".")

    def _block_id(self, parent: etree.Element, child: etree.Element, previous: etree.Element | None) -> None:
        text = child.text or ""
        if (len(child) and child.tag != "li") or not (match := _BLOCK_ID.search(text.rstrip())):
            return
        rest = text[: match.start()]
        if rest.strip():
            child.text = rest
            child.set("id", block_anchor(match[1].lower()))
        elif previous is not None:
            if previous.tag == "p" and "\x02" in (previous.text or ""):  # what is stashed, such as a fence, is a block
                previous.tag = "div"
            previous.set("id", block_anchor(match[1].lower()))
            parent.remove(child)

    def _card(self, child: etree.Element) -> None:
        sides = questions.split(child.text or "")
        if sides is None or len(child):
            return
        child.tag = "details"
        child.set("class", "card")
        child.text = None
        etree.SubElement(child, "summary").text, etree.SubElement(child, "p").text = sides

    def _headings(self, root: etree.Element) -> None:
        """Give headings the ids that links to them carry: the index's, matched in order by their text."""
        note = self.context.note
        known = list(note.headings) if note else []
        inside = {id(h) for block in root.iter() if block.tag in ("blockquote", "li") for h in block.iter()}
        for element in root.iter():
            if id(element) in inside:  # no link leads to a heading in a quote or a list
                continue
            if re.fullmatch(r"h[1-6]", str(element.tag)) and "id" not in element.attrib:
                text = plain(element.text or "")
                for at, heading in enumerate(known):
                    if heading.text == text:
                        element.set("id", heading.id)
                        del known[: at + 1]
                        break


class _CodeLinks(Postprocessor):
    """The name above code by symbol leads to its lines in the repository."""

    def __init__(self, md: Markdown, context: Context):
        super().__init__(md)
        self.context = context

    def run(self, text: str) -> str:
        if not (self.context.repository and self.context.code_url):
            return text
        return re.sub(r'<span class="filename">([\w/.:]+)</span>', self._linked, text)

    def _linked(self, match: re.Match[str]) -> str:
        try:
            code = symbol(match[1], self.context.repository)  # type: ignore[arg-type]
        except (KeyError, SyntaxError):
            return match[0]
        href = html.escape(self.context.link_to_code(code))
        return f'<span class="filename"><a href="{href}">{match[1]}</a></span>'


class _Comment(InlineProcessor):
    """An HTML comment in running text is for the author; nothing in it is a link, and nothing of it is published."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # type: ignore[override]
        return "", m.start(0), m.end(0)


class _Named(inline.Placed):
    """A block id that ends a heading, or a line within a paragraph: a place to lead to, and nothing to see."""

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element | None, int | None, int | None]:
        note = self.context.note
        if note is None or m[1].lower() not in note.blocks:
            return None, None, None
        return etree.Element("span", {"id": block_anchor(m[1].lower())}), m.start(0), m.end(0)


class _WikiLink(InlineProcessor):
    """`[[Note#Heading|label]]` and `![[image.png|320]]`."""

    def __init__(self, pattern: str, md: Markdown, context: Context, keep: Callable[[str], str]):
        super().__init__(pattern, md)
        self.context = context
        self.keep = keep

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element | str | None, int | None, int | None]:
        backslashes = len(data[: m.start(0)]) - len(data[: m.start(0)].rstrip("\\"))
        if backslashes % 2:
            return None, None, None
        target, fragment, label = scan.split_target(m["inside"].replace("\\|", "|"))
        if not target and not fragment:
            return None, None, None
        link = scan.Link(target, fragment, label, bool(m["embed"]), True, m.start(0), m.end(0))
        return self._element(link), m.start(0), m.end(0)

    def _element(self, link: scan.Link) -> etree.Element | str:
        context = self.context
        found = context.index.resolve(link, context.source)
        shown = link.label or " > ".join(filter(None, [link.target, *link.fragment.split("#")]))
        if found.kind == "file" and link.embed and found.path.rpartition(".")[2].lower() in IMAGES:
            return self._image(link, found.path)
        if found.kind in ("note", "file"):
            if link.embed and is_view(found.path):
                return place(found.path, link.fragment, shown, context.href(found.path, link.fragment))
            path = "" if found.path == context.host and not is_view(found.path) else found.path
            fragment = found.anchor
            element = etree.Element("a", {"href": context.href(path, fragment) if path else f"#{fragment}"})
            element.set("class", "wikilink")
            element.set("data-vault", "")
            if link.embed and found.kind == "note":
                slot(found.path, link.fragment, element)
            elif link.embed and (media := MEDIA.get(found.path.rpartition(".")[2].lower())):
                return self._media(element, link, media, found.path)
        elif found.kind == "private" and link.embed:
            return slot("", "", etree.Element("span"))
        elif found.kind == "private":
            element = etree.Element("span", {"class": "private"})
        else:
            why = "Not written yet" if found.kind == "wanted" else "This link leads nowhere"
            element = etree.Element("span", {"class": f"{found.kind} wikilink", "title": why})
        if link.label:
            element.text = shown  # markup in a label is markup
        else:
            element.text = AtomicString(shown)
        return element

    def _media(self, element: etree.Element, link: scan.Link, kind: str, path: str) -> etree.Element:
        words, width, height = size_of(link.label or "")
        element.set("data-media", kind)
        if width:
            element.set("data-width", width)
        asked = re.search(r"(?:^|&)height=(\d+)", link.fragment) if kind == "pdf" else None
        if height := height or (asked[1] if asked else ""):
            element.set("data-height", height)
        element.text = AtomicString(words or PurePosixPath(path).name)
        return element

    def _image(self, link: scan.Link, path: str) -> etree.Element | str:
        context = self.context
        caption, width, height = size_of(link.label or "")
        inline = context.inline_figures and context.repository and path.endswith(".claim.svg")
        if inline and (figure := self._figure(path)) is not None:
            return figure
        image = etree.Element("img", {"src": context.href(path), "alt": caption or PurePosixPath(path).name})
        image.set("data-vault", "")
        image.set("loading", "lazy")
        if width:
            image.set("width", width)
        if height:
            image.set("height", height)
        return image

    def _figure(self, path: str) -> etree.Element | None:
        """A figure of ours stands in the page itself, so that it takes the page's colours and fonts."""
        assert self.context.repository
        file = self.context.repository / "vault" / path
        text = file.read_text(encoding="utf-8")
        start = text.find("<svg")
        if start < 0:
            return None
        named = re.search(r"<title[^>]*>([^<]+)</title>", text)
        element = etree.Element("span", {"class": "claim-figure-box", "tabindex": "0", "role": "group"})
        element.set("aria-label", f"Figure: {html.unescape(named[1]) if named else 'what was measured'}")
        element.set("data-figure", PurePosixPath(path).name.removesuffix(".claim.svg"))
        if self.context.safe and re.search(r"<(?:script|foreignObject|iframe)\b|\son\w+\s*=|javascript:", text, re.I):
            return None
        element.text = AtomicString(self.keep(text[start:].strip()))
        return element


class _Quote(inline.Placed):
    """`{{ lstm.LSTM mean % }}`: a number of a recorded result."""

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element | None, int | None, int | None]:
        health = self.context.health
        if health is None:
            return None, None, None
        element = etree.Element("span", {"class": "measured"})
        try:
            element.text = AtomicString(health.quote(m))
            element.set(
                "title", f"measured: {m['slug']}, {m['key']}, {' '.join(['mean', m['words'].strip()][-1:])}".strip(", ")
            )
        except KeyError as missing:
            element.set("class", "broken")
            element.text = AtomicString(m[0])
            element.set("title", str(missing.args[0]))
        return element, m.start(0), m.end(0)


class _MarkdownLinks(Treeprocessor):
    """`[text](Some%20note.md)` and `![](image.png)` resolve by the same rules as wiki-links."""

    def __init__(self, md: Markdown, context: Context):
        super().__init__(md)
        self.context = context

    def run(self, root: etree.Element) -> None:
        if not self.context.source:
            return
        for element in root.iter():
            key = {"a": "href", "img": "src"}.get(str(element.tag))
            if key is None:
                continue
            if element.attrib.pop("data-vault", None) is not None:
                continue
            href = element.get(key, "")
            if element.tag == "img" and "|" in (alt := element.get("alt", "")):
                _, width, height = size_of(alt.partition("|")[2])
                if width:
                    element.attrib.update({"alt": alt.partition("|")[0], "width": width})
                    if height:
                        element.set("height", height)
            if (
                not href
                or _SCHEME.match(href)
                or href.startswith("\x02")
                or str(element.get("class")).startswith("footnote-")
            ):
                continue
            target, _, fragment = (urllib.parse.unquote(part) for part in href.partition("#"))
            link = scan.Link(target, fragment, None, element.tag == "img", False, 0, 0)
            found = self.context.index.resolve(link, self.context.source)
            if found.kind in ("note", "file"):
                here = found.path == self.context.host
                address = f"#{found.anchor}" if here and not target else self.context.href(found.path, found.anchor)
                element.set(key, address)
                if element.tag == "img" and found.path.rpartition(".")[2].lower() not in IMAGES:
                    self._embed(element, link, found.path, address)
                continue
            if element.tag == "img":
                element.text = AtomicString(element.get("alt", ""))
            element.tag = "span"
            element.attrib.clear()
            element.set("class", "private" if found.kind == "private" else "broken")

    def _embed(self, element: etree.Element, link: scan.Link, path: str, address: str) -> None:
        """Make of `![words](file)` what `![[file|words]]` is, where the file is no image."""
        words, size = element.get("alt", ""), [element.get(key, "") for key in ("width", "height")]
        element.tag = "a"
        element.attrib.clear()
        element.attrib.update({"class": "wikilink", "href": address})
        element.text = AtomicString(words or PurePosixPath(path).name)
        if media := MEDIA.get(path.rpartition(".")[2].lower()):
            element.set("data-media", media)
            element.attrib.update({f"data-{key}": n for key, n in zip(("width", "height"), size, strict=True) if n})
        elif path not in self.context.index.files or path in self.context.index.notebooks:
            slot(path, link.fragment, element)


class _Math(Treeprocessor):
    r"""`\(…\)` and `\[…\]`, as arithmatex leaves them, to KaTeX's HTML."""

    def __init__(self, md: Markdown, context: Context, keep: Callable[[str], str]):
        super().__init__(md)
        self.context = context
        self.keep = keep

    def run(self, root: etree.Element) -> None:
        if self.context.katex is None:
            return
        for element in root.iter():
            if element.get("class") != "arithmatex":
                continue
            text = (element.text or "").strip()
            display = text.startswith("\\[")
            tex = text[2:-2].strip()
            try:
                rendered = self.context.katex.render(tex, display)
            except KatexError as wrong:
                rendered = f'<code class="broken" title="{html.escape(str(wrong))}">{html.escape(tex)}</code>'
                self.context.problems.append(self._problem(tex, str(wrong)))
            element.set("class", "math display" if display else "math")
            if display:
                element.set("tabindex", "0")  # wide formulas scroll; keyboards must reach them
            element.text = AtomicString(self.keep(rendered))

    def _problem(self, tex: str, why: str) -> Problem:
        note = self.context.note
        first = tex.split("\n")[0]
        at = note.text.find(first) if note else -1
        line = scan.line_of(note.text, at) if note and at >= 0 else 0
        error = isinstance(self.context.katex, Katex)
        remedy = "mend the formula" if error else "mend the formula, or install KaTeX, which understands more"
        return Problem(f"vault/{self.context.source}", line, f"formula {first[:60]!r}: {why}", remedy, error)


def size_of(label: str) -> tuple[str, str, str]:
    """Take `caption|320x160` apart: words, width, height."""
    words = [word.strip() for word in label.split("|") if word.strip()]
    size = re.fullmatch(r"(\d+)(?:x(\d+))?", words[-1]) if words else None
    return " ".join(words[:-1] if size else words), size[1] if size else "", (size[2] or "") if size else ""


def extensions() -> Sequence[str]:
    """Name the Python-Markdown extensions that Obsidian's syntax needs beside ours."""
    return tuple(settings())


def settings() -> dict[str, dict[str, object]]:
    """Name those extensions with their settings, as `mkdocs.yml` would."""
    return {
        "footnotes": {"BACKLINK_TITLE": "Back to reference {}", "USE_DEFINITION_ORDER": False},
        "toc": {"permalink": True, "permalink_title": "Link to this section"},
        "pymdownx.betterem": {},
        "pymdownx.highlight": {"pygments_lang_class": True, "linenums": None},
        "pymdownx.mark": {},
        "pymdownx.tilde": {"subscript": False},
    }
