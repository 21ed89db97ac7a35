"""Obsidian's Markdown as a Python-Markdown extension: it runs under MkDocs and under anything else that renders so."""

from typing import Any

from paperimpl.markdown.extension import Context, VaultExtension

__all__ = ["Context", "VaultExtension", "makeExtension"]


def makeExtension(**settings: Any) -> VaultExtension:
    """Make the extension, as `markdown.Markdown(extensions=["vault"])` asks for it."""
    return VaultExtension(**settings)
