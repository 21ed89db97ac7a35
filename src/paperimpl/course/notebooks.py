"""A notebook for each paper, to run its claim and play with it: in Colab, or wherever Jupyter is.

They lie in `notebooks/`, beside the vault, because Colab opens what the repository holds; they are written by
`paperimpl notebook`, never by hand, and hold no output.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, VaultError

__all__ = ["FOLDER", "Origin", "colab", "place", "settings", "write"]

FOLDER = "notebooks"
_GITHUB = re.compile(r"https://github\.com/(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/?")
_BRANCH = re.compile(r"(?:edit|blob|raw)/(?P<branch>.+?)/(?:vault|docs)/?")


@dataclass(frozen=True)
class Origin:
    """Where the repository and the site are, as `mkdocs.yml` says; each may be empty."""

    repository: str = ""
    branch: str = "main"
    site: str = ""

    @classmethod
    def of(cls, repository_url: str | None, edit_uri: str | None, site_url: str | None) -> Origin:
        """Take it from MkDocs' three settings."""
        branch = _BRANCH.fullmatch((edit_uri or "").strip("/"))
        return cls((repository_url or "").rstrip("/"), branch["branch"] if branch else "main", site_url or "")

    @classmethod
    def read(cls, repository: Path) -> Origin:
        """Read `mkdocs.yml`.

        Raises:
            VaultError: it is no YAML.
        """
        file = repository / "mkdocs.yml"
        try:
            said = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loose)
        except yaml.YAMLError as wrong:
            mark = getattr(wrong, "problem_mark", None)
            line = mark.line + 1 if mark else 0
            raise VaultError(
                Problem(file.name, line, f"is no YAML: {getattr(wrong, 'problem', wrong)}", "mend it")
            ) from None
        said = said if isinstance(said, dict) else {}
        return cls.of(*(str(said.get(key) or "") for key in ("repo_url", "edit_uri", "site_url")))


class _Loose(yaml.SafeLoader):
    """YAML whose tags, MkDocs' own among them, say nothing to us."""


_Loose.add_multi_constructor("", lambda loader, tag, node: None)


def place(slug: str) -> str:
    """Name a paper's notebook, below the repository."""
    return f"{FOLDER}/{slug}.ipynb"


def colab(origin: Origin, slug: str) -> str:
    """Where Colab opens a paper's notebook; empty where the repository is not on GitHub, the only host it reads."""
    found = _GITHUB.fullmatch(origin.repository)
    if found is None:
        return ""
    return f"https://colab.research.google.com/github/{found['repository']}/blob/{origin.branch}/{place(slug)}"


def settings(claim: Path) -> str:
    """What a claim may be told beside its seed, as one would write it in a call: `n=300, passes=1000`.

    Raises:
        VaultError: the file has no function `claim`.
    """
    try:
        tree = ast.parse(claim.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as wrong:
        raise VaultError(
            Problem(claim.name, getattr(wrong, "lineno", 0) or 0, f"cannot be read: {wrong}", "mend it")
        ) from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "claim":
            pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            return ", ".join(
                f"{argument.arg}={ast.unparse(default)}"
                for argument, default in pairs
                if default is not None and argument.arg != "device"
            )
    raise VaultError(Problem(claim.name, 1, "has no function `claim`", "write it; CONTRIBUTING.md says how"))


def write(paper: Paper, origin: Origin) -> str:
    """Write a paper's notebook, as text; the same for the same record and claim.

    Raises:
        VaultError: the paper's record or claim cannot be read.
    """
    record, slug = paper.record(), paper.slug
    options = settings(paper.places["claim"])
    names = ", ".join(record.authors)
    page = f"{origin.site.rstrip('/')}/{paper.chapter}/{slug}/" if origin.site else ""
    more = f"[Its page]({page}) explains the paper and what we measured over all seeds." if page else ""
    cells = [
        _words(
            f"""\
            # {record.title}

            {names}, {record.year}. [Source]({record.source})

            *{record.description}*

            Here its claim is run on one seed, on this machine; then the settings are yours. {more}"""
        )
    ]
    if origin.repository:
        branch = f"@{origin.branch}"
        cells.append(
            _code(
                f"""\
                # Where paperimpl is not installed, as on Colab, it comes from its repository.
                import importlib.util

                if importlib.util.find_spec("paperimpl") is None:
                    %pip install --quiet "paperimpl[lab] @ git+{origin.repository}{branch}\""""
            )
        )
    given = f", {options}" if options else ""
    cells += [
        _words("## The model\n\nThe whole of it, as it is tested."),
        _code(
            f"""\
            import inspect

            from IPython.display import Code

            from paperimpl.papers import {slug} as model

            Code(inspect.getsource(model), language="python")"""
        ),
        _words("## The claim\n\nWhat the paper says, and when we say that it holds."),
        _code(
            f"""\
            from paperimpl.claims import {slug} as experiment

            print(experiment.SAYS, inspect.getdoc(experiment.claim), sep="\\n\\n")"""
        ),
        _words("One seed; it takes seconds to a minute or two."),
        _code(
            """\
            result = experiment.claim(seed=0)

            for name, value in result.measured.items():
                print(f"{name:32} {value:10.4g}  {result.units.get(name, '')}")
            print("\\nIt holds." if result.holds else "\\nIt does not hold.")"""
        ),
        _code(
            """\
            import matplotlib.pyplot as plt


            def show(result):
                for title, panel in result.curves.items():
                    figure, axes = plt.subplots(figsize=(7, 3.2))
                    for name, values in panel.series.items():
                        axes.plot(panel.x, values, label=name)
                    axes.set(title=title, xlabel=panel.x_label, ylabel=panel.y_label)
                    axes.set_xscale("log" if panel.log_x else "linear")
                    axes.set_yscale("log" if panel.log_y else "linear")
                    axes.legend(frameon=False)
                    plt.show()
                if result.images:
                    rows = -(-len(result.images) // 4)
                    figure, grid = plt.subplots(rows, 4, squeeze=False, figsize=(9, 2.6 * rows))
                    for axes in grid.flat:
                        axes.axis("off")
                    for axes, (title, image) in zip(grid.flat, result.images.items()):
                        axes.imshow(image, cmap="gray_r")
                        axes.set_title(title, fontsize=8)
                    plt.show()


            show(result)"""
        ),
        _words(
            "## Your turn\n\nAnother seed, and other settings: what is the smallest change after which the claim"
            " no longer holds?"
        ),
        _code(
            f"""\
            again = experiment.claim(seed=1{given})

            for name, value in again.measured.items():
                print(f"{{name:32}} {{result.measured.get(name, float('nan')):10.4g}} {{value:10.4g}}")
            show(again)"""
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"{slug.replace('_', '-')[:50]}-{number}"
    made = {
        "cells": [dict(sorted(cell.items())) for cell in cells],
        "metadata": {
            "colab": {"name": f"{slug}.ipynb", "provenance": []},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _lines(text: str) -> list[str]:
    return textwrap.dedent(text).strip().splitlines(keepends=True)


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": _lines(text)}
