"""Obsidian's Markdown as a Python-Markdown extension: it runs under MkDocs and under anything else that renders so."""

from paperimpl.markdown.extension import Context, VaultExtension

__all__ = ["Context", "VaultExtension", "makeExtension"]


def makeExtension(**settings: object) -> VaultExtension:  # noqa: N802, Python-Markdown's name
    """Make the extension, as `markdown.Markdown(extensions=["vault"])` asks for it."""
    return VaultExtension(**settings)
