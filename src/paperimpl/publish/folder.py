"""The site as a folder that opens without a server: `plugins: offline` in mkdocs.yml, `make offline`.

On `file://` a browser refuses `fetch` and ES modules. Material's plugin `offline` sees to addresses and the search.
Here every file that scripts ask for gets a twin beside it, a plain script that hands the content over, and
`assets/folder.js` answers `fetch()` and `import()` from the twins. So the same scripts serve both builds: nothing is
bundled, no Node is needed, and a script that is written tomorrow works as well. Three things in a script depend on
where a module comes from, and only these are written anew: `import(…)`, `import.meta.url`, what `import … from` names.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

__all__ = ["carry", "imports", "prepare", "wanted"]

_LOADER = "assets/paperimpl/folder.js"
_WORKER = "assets/iframe-worker.js"  # where `serve` puts it; Material's plugin would ask another host
_TEXT, _BYTES = {".html", ".json", ".txt", ".csv", ".svg"}, {".bin", ".wasm"}
_THEIRS = ("assets/javascripts/", _LOADER, _WORKER, "search/")
_CALL = re.compile(r"(?<![\w.$])import\(")
_HERE = re.compile(r"(?<![\w.$])import\.meta\.url\b")
_FROM = re.compile(r"""(?<![\w.$])(?:from|import)\s*(["']\.{0,2}/[^"'\n]+["'])""")
_MODULE = re.compile(r'(<script\b[^>]*\btype=)"?module"?(?=[^>]*\bsrc=)|(<script\b[^>]*\bsrc=[^>]*\btype=)"?module"?')
_PRELOAD = re.compile(r'<link rel="?preload"?[^>]*>\s*')  # of fonts; file:// knows no `crossorigin`
_SHOWN = re.compile(r"<(article|main)\b.*</\1>", re.S)


def wanted(config: MkDocsConfig) -> bool:
    """Say whether this build is one to open from a folder."""
    plugin = config.plugins.get("material/offline") or config.plugins.get("offline")
    return plugin is not None and bool(plugin.config.get("enabled"))


def prepare(config: MkDocsConfig, served: Collection[str]) -> None:
    """Have each page begin with what answers for the folder, and with the site's own worker for the search."""
    others = config.extra.get("polyfills", [])
    if _WORKER in served:
        others = [name for name in others if "iframe-worker" not in str(name)] + [_WORKER]
    config.extra["polyfills"] = [_LOADER, *others]


def carry(site: Path, site_url: str) -> None:
    """Make a site that was just built work from a folder.

    Args:
        site: where it was built.
        site_url: where it would be served; the page for what is not found begins its addresses there.

    Raises:
        PluginError: a script imports what is not there, or scripts import each other in a circle.
    """
    known: dict[str, list[str]] = {}
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if not path.is_file() or name.endswith(".twin.js"):
            continue
        if path.suffix == ".html":
            page = path.read_text(encoding="utf-8")
            page = _PRELOAD.sub("", _MODULE.sub(r'\1\2"folder/module"', page))
            page = _relative(page, site_url) if name == "404.html" else page
            path.write_text(page, encoding="utf-8")
            shown = _SHOWN.search(page)  # what previews show
            _twin(path, shown[0] if shown else page)
        elif path.suffix == ".js" and not name.startswith(_THEIRS):
            script = path.read_text(encoding="utf-8")
            here = json.dumps(name)
            script = _HERE.sub(f"vaultFolder.url({here})", _CALL.sub(f"vaultFolder.bring({here}, ", script))
            path.write_text(script, encoding="utf-8")
            found = imports(site, name)
            known[name] = list(found.values())
            _twin(path, script, parts=list(found))
        elif path.suffix in _TEXT and not name.startswith(_THEIRS):
            _twin(path, path.read_text(encoding="utf-8"))
        elif path.suffix in _BYTES:
            _twin(path, base64.b64encode(path.read_bytes()).decode(), packed=True)
    try:
        TopologicalSorter(known).prepare()
    except CycleError as circle:
        names = " → ".join(reversed(circle.args[1]))
        raise PluginError(
            f"{names}: scripts import each other in a circle, which no folder can hold; break it"
        ) from None


def imports(site: Path, name: str) -> dict[str, str]:
    """List what a script of a site imports when it starts: as it is written there, quotes included, to the file's name.

    Raises:
        PluginError: no such file is in the site.
    """
    found = {}
    for written in sorted(set(_FROM.findall((site / name).read_text(encoding="utf-8")))):
        steps = list(PurePosixPath(name).parts[:-1])
        for step in PurePosixPath(written[1:-1]).parts:
            if step == "..":
                del steps[-1:]
            else:
                steps.append(step)
        found[written] = "/".join(steps)
        if written[1] == "/" or not (site / found[written]).is_file():
            raise PluginError(f"{name} imports {written}, and no such file is in the site; import by a relative path")
    return found


def _twin(path: Path, body: str, **about: object) -> None:
    about = {name: value for name, value in about.items() if value}
    told = f", {json.dumps(about)}" if about else ""
    text = f"vaultFolder.hand({json.dumps(body, ensure_ascii=False)}{told})\n"
    path.with_name(f"{path.name}.twin.js").write_text(text, encoding="utf-8")


def _relative(page: str, site_url: str) -> str:
    """Begin the addresses of the page for what is not found at the folder, in which it lies."""
    root = re.escape(urlsplit(site_url or "/").path.rstrip("/") + "/")
    page = re.sub(rf'((?:href|src)=)"?{root}(?!/)([^"\s>]*)"?', lambda at: f'{at[1]}"{_ending(at[2])}"', page)
    return re.sub(
        rf'("(?:base|search)": ")({root})',
        lambda at: f"{at[1]}{'.' if at[1].startswith(chr(34) + 'base') else ''}",
        page,
    )


def _ending(address: str) -> str:
    return "index.html" if address in ("", ".", "./") else address
