"""Notebooks as mkdocs-jupyter converts them, made pages of the vault: its style served once, our Markdown in its cells.

mkdocs-jupyter inlines 574 KB of style in every page, leaves formulas as text and knows no wiki-links.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page, _RelativePathTreeprocessor
from mkdocs.structure.toc import get_toc

from paperimpl.markdown.fences import plain
from paperimpl.publish.figures import described
from paperimpl.vault import scan
from paperimpl.vault.index import hidden

if TYPE_CHECKING:
    from paperimpl.markdown.extension import Context

__all__ = ["STYLE", "any_below", "cleaned", "converter", "restyle"]

STYLE = "assets/paperimpl/jupyter.css"  # ours, and the converter's, which does not end well
_OURS = Path(__file__).parent / "assets/notebook.css"

_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.S)
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>|<link\b[^>]*>", re.S)
_COPY = re.compile(r'<div class="zeroclipboard-container">.*?</clipboard-copy>\s*</div>', re.S)
_CELL = re.compile(r'<div class="[^"]*\bjp-MarkdownOutput\b[^"]*"[^>]*>')
_CODE = re.compile(r'<div class="jp-Cell jp-CodeCell\b[^>]*>\s*(?=<div class="jp-Cell-inputWrapper")')
_PRINTED = re.compile(r'(<div class="[^"]*\bjp-RenderedHTML\b[^>]*>\s*<pre\b)')  # it scrolls, where lines are long
_DIV = re.compile(r"<(/?)div\b")


def any_below(folder: Path) -> bool:
    """Say whether a vault has notebooks."""
    return any(not hidden(path.relative_to(folder).as_posix()) for path in folder.rglob("*.ipynb"))


def converter(cache: Path) -> Any:
    """Make the plugin that converts notebooks, for a configuration that does not name it."""
    from mkdocs_jupyter.plugin import Plugin  # slow to import, and few vaults have notebooks

    plugin = Plugin()
    plugin.load_config({"include": ["*.ipynb"], "allow_errors": False, "cache_dir": str(cache)})
    return plugin


def restyle(html: str, page: Page, config: MkDocsConfig, context: Context, files: Files) -> str:
    """Turn mkdocs-jupyter's page into ours: our Markdown in its cells, its style by reference, no scripts.

    Sets the page's title and table of contents from its Markdown cells.
    """
    styles = "\n".join(_STYLE.findall(html))
    if files.get_file_from_path(STYLE) is None:
        files.append(File.generated(config, STYLE, content=_OURS.read_text(encoding="utf-8") + styles))
    html = _COPY.sub("", _SCRIPT.sub("", _STYLE.sub("", html)))  # buttons that their script alone would work
    html = html.replace('<div class="highlight-ipynb', '<div tabindex="0" class="highlight-ipynb')  # it may scroll
    html = plain(_PRINTED.sub(r'\1 tabindex="0"', html))
    rendered, toc, title = _cells(page, config, files)
    out, last = [], 0
    for cell, text in zip(list(_CELL.finditer(html)), rendered, strict=True):
        end = _closing(html, cell.end())
        out += [html[last : cell.end()], text]
        last = end
    page.toc = get_toc(toc)
    if title:
        page.meta["title"] = title
    level = page.url.count("/")
    link = f'<link rel="stylesheet" href="{"../" * level}{STYLE}">'
    return link + described(_folded("".join([*out, html[last:]]), _cells_of(page, "code")))


def _cells_of(page: Page, kind: str) -> list[dict[str, Any]]:
    assert page.file.abs_src_path
    cells = json.loads(Path(page.file.abs_src_path).read_bytes())["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def _folded(html: str, cells: list[dict[str, Any]]) -> str:
    """Fold away the source of those cells that JupyterLab folds, under their first line."""
    found = list(_CODE.finditer(html))
    if len(found) != len(cells):  # others are left out by the converter's settings; nobody knows which
        return html
    for match, cell in reversed(list(zip(found, cells, strict=True))):
        if not cell.get("metadata", {}).get("jupyter", {}).get("source_hidden"):
            continue
        source = "".join(cell["source"]).strip()
        first = source.splitlines()[0].lstrip("#% ") if source else ""
        start = match.end()
        end = _closing(html, html.index(">", start) + 1) + len("</div>")
        summary = f'<summary class="folded-source">{escape(first or "Code", quote=False)}</summary>'
        html = f"{html[:start]}<details>{summary}{html[start:end]}</details>{html[end:]}"
    return html


def _cells(page: Page, config: MkDocsConfig, files: Files) -> tuple[list[str], list[Any], str]:
    """Render a notebook's Markdown cells as one document, so that headings and footnotes know of each other."""
    sources = ["".join(cell["source"]) for cell in _cells_of(page, "markdown")]
    md = markdown.Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
    relative = _RelativePathTreeprocessor(page.file, files, config)
    relative._register(md)
    between = "\n\n<hr class=cell-boundary>\n\n"
    parts = md.convert(between.join(sources)).split("<hr class=cell-boundary>")
    tokens = getattr(md, "toc_tokens", [])
    title = next((token["name"] for token in tokens if token["level"] == 1), "")
    return parts, tokens, title


def _closing(html: str, start: int) -> int:
    """Find the end of the div whose inside starts at `start`."""
    depth = 1
    for match in _DIV.finditer(html, start):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.start()
    return len(html)


def cleaned(data: bytes) -> bytes:
    """Give a notebook that is downloaded without what only its author's editor needs to know."""
    try:
        book = json.loads(data)
        kept = {
            key: book["metadata"][key] for key in ("kernelspec", "language_info") if key in book.get("metadata", {})
        }
        cells = [{key: value for key, value in cell.items() if key != "attachments" or value} for cell in book["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return data
    for cell in cells:
        folded = cell.get("metadata", {}).get("jupyter", {}).get("source_hidden")
        cell["metadata"] = {"jupyter": {"source_hidden": True}} if folded else {}
        if cell.get("cell_type") == "markdown":
            cell["source"] = re.sub(r"[ \t]+$", "", scan.hush("".join(cell["source"])), flags=re.M)
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output["metadata"] = {}
    return json.dumps(book | {"metadata": kept, "cells": cells}, ensure_ascii=False, indent=1).encode() + b"\n"
