"""A small repository to publish, MkDocs as a command, and a reader that follows every link of what was built."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from paperimpl.vault.digest import digest

ROOT = Path(__file__).parents[2]
ADDRESS = "https://example.org/deep/er/"

CONFIG = f"""site_name: Small
site_url: {ADDRESS}
repo_url: https://code.example.org/repository
docs_dir: vault
theme:
  name: material
  font: false
  features: [navigation.indexes, navigation.prune, navigation.tabs]
plugins:
  - search
  - vault:
      code_url: https://code.example.org/repository/{{path}}#L{{first}}-L{{last}}
validation:
  omitted_files: ignore
  absolute_links: warn
  anchors: warn
"""

MODEL = '''"""A paper."""

__all__ = ["{name}"]


class {name}:
    """The model."""

    def forward(self, x):
        return x
'''

NOTE = """---
title: {title}
description: "The idea of {slug}."
authors: ["A. Author", "B. C. Other"]
year: {year}
venue: A journal
url: https://papers.example.org/{slug}
pdf: https://papers.example.org/{slug}.pdf
license: {license}
order: {order}
requires: {requires}
tags: [test]
status: done
---

## The problem

A paragraph. ^block

## The code

```python
--8<-- "papers/{slug}.py:{name}"
```

## The claim, reproduced

It reached {{{{ {slug}.accuracy mean % }}}}.

## Questions

> [!think]- Why?
> Because.

> [!think]- And why that?
> Because.
"""


class Built:
    """What MkDocs said and made."""

    def __init__(self, code, log, site):
        self.code, self.log, self.site = code, log, site

    @property
    def warnings(self):
        """Warnings and errors, one line each."""
        return re.findall(r"^(?:WARNING|ERROR) +-  (.*)$", self.log, re.M)

    def page(self, address):
        """The page at an address of the site."""
        return BeautifulSoup((self.site / address / "index.html").read_text(encoding="utf-8"), "html.parser")


def mkdocs(*arguments, cwd):
    """Run MkDocs as a person would."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONUTF8": "1"},
        timeout=300,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


class Small:
    """A repository of two papers in two chapters, a lesson, a page of links, and something private."""

    def __init__(self, root):
        self.root = root
        self.write("mkdocs.yml", CONFIG)
        self.write("vault/index.md", "---\ntitle: Home\n---\n\nSee [[one]], [[two|the second]] and [[how]].\n")
        for chapter in ("04-sequences", "05-transformers"):
            self.write(f"vault/{chapter}/{chapter}.md", f'---\ntitle: "{chapter}"\ndescription: D.\n---\n\n[[two]]\n')
        self.paper("one", order=2)
        self.paper("two", chapter="05-transformers", year=2001, requires='["[[one]]", "[[three]]"]')
        self.write("vault/lessons/how.md", "# How to\n\n[[one#The code]] and [[two#^block]], later [[four]].\n")

    def write(self, path, text):
        """Write a file; its folders are made."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def edit(self, path, old, new):
        """Replace what must be there."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def paper(self, slug, chapter="04-sequences", **fields):
        """Write a paper's note, code, claim, test and result."""
        fields = {
            "slug": slug,
            "name": slug.title(),
            "title": f"The paper {slug}",
            "year": 1997,
            "license": "",
            "order": 1,
            "requires": "[]",
        } | fields
        self.write(f"vault/{chapter}/{slug}/{slug}.md", NOTE.format(**fields))
        self.write(f"src/paperimpl/papers/{slug}.py", MODEL.format(**fields))
        self.write(f"src/paperimpl/claims/{slug}.py", f'SAYS = "{slug}"\n')
        self.write(f"tests/papers/test_{slug}.py", f"def test_{slug}():\n    assert True\n")
        runs = [
            {"seed": seed, "measured": {"accuracy": 0.9}, "holds": True, "seconds": 1.0, "curves": {}, "images": {}}
            for seed in range(5)
        ]
        result = {
            "says": f"{slug} works (Table 1).",
            "threshold": "Above 0.5.",
            "digest": digest(self.root / f"src/paperimpl/claims/{slug}.py", self.root / "src"),
            "runs": runs,
        }
        self.write(f"vault/{chapter}/{slug}/{slug}.claim.json", json.dumps(result))

    def hashes(self):
        """Everything on disk that is not built, to see that nothing changed."""
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not re.match(r"(?:site|\.cache)/", path.relative_to(self.root).as_posix())
        }

    def build(self, *flags):
        """Build the site."""
        code, log = mkdocs("build", *flags, cwd=self.root)
        return Built(code, log, self.root / "site")


@pytest.fixture
def small(tmp_path):
    """A small repository of one's own."""
    return Small(tmp_path / "repository")


TEN_LINES = """site_name: A garden
docs_dir: notes
theme:
  name: material
  font: false
plugins: [search, vault]
"""


class Foreign(Small):
    """Somebody else's vault: notes and a few lines of `mkdocs.yml`, nothing of ours."""

    def __init__(self, root, notes=None, config=TEN_LINES):
        self.root = root
        self.write("mkdocs.yml", config)
        for path, text in (notes or {}).items():
            self.write(f"notes/{path}", text)

    def note(self, path, text):
        """Write a note."""
        self.write(f"notes/{path}", text)


@pytest.fixture
def foreign(tmp_path):
    """An empty vault of somebody else's."""
    return Foreign(tmp_path / "foreign")


@pytest.fixture(scope="session")
def garden(tmp_path_factory):
    """The demonstration vault `garden/`, built strictly, once."""
    repository = Foreign(tmp_path_factory.mktemp("garden"))
    shutil.copytree(Path(__file__).parent / "garden", repository.root / "notes")
    built = repository.build("--strict")
    assert (built.code, built.warnings) == (0, []), built.log
    return built


@pytest.fixture(scope="session")
def build_there():
    """Build the site of a folder that has its own `mkdocs.yml`."""

    def build(root, *flags):
        code, log = mkdocs("build", *flags, cwd=root)
        return Built(code, log, root / "site")

    return build


@pytest.fixture(scope="session")
def everywhere():
    """Look for words in every byte of a site."""

    def look(site, *words):
        """Say where in a built site any of the words stands, in a file or in its name, case aside."""
        found = []
        for path in sorted(site.rglob("*")):
            name = path.relative_to(site).as_posix()
            inside = path.read_bytes() if path.is_file() else b""
            inside = (gzip.decompress(inside) if path.suffix == ".gz" else inside).lower()
            found += [(name, word) for word in words if word.lower() in name.lower() or word.lower().encode() in inside]
        return found

    return look


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """The small repository as it is, built strictly, once."""
    repository = Small(tmp_path_factory.mktemp("sound"))
    return repository, repository.build("--strict")


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """This repository's own site, built strictly, once; and the address that it is made for."""
    folder = tmp_path_factory.mktemp("real")
    code, log = mkdocs("build", "--strict", "--site-dir", str(folder), cwd=ROOT)
    built = Built(code, log, folder)
    assert (code, built.warnings) == (0, []), log
    address = re.search(r"^site_url: (\S+)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    return built, address[1]


@pytest.fixture(scope="session")
def dead():
    """The link checker."""
    return follow_all


def follow_all(site, address=ADDRESS):
    """Follow every link of a built site and say which lead nowhere: files, fragments, style sheets, the sitemap.

    Args:
        site: the folder.
        address: where it is to be served; its path counts.
    """
    host, root = urllib.parse.urlsplit(address).netloc, urllib.parse.urlsplit(address).path
    trees = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in sorted(site.rglob("*.html"))
    }
    ids = {path: {element["id"] for element in tree.select("[id]")} | {""} for path, tree in trees.items()}
    found = []

    def follow(source, link):
        base = f"https://{host}{root}{urllib.parse.quote(source.relative_to(site).as_posix())}"
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(base, link.strip()))
        if parts.scheme not in ("http", "https") or parts.netloc != host:
            return
        if not parts.path.startswith(root):
            found.append((source.relative_to(site).as_posix(), link, "leaves the site's path"))
            return
        target = site / urllib.parse.unquote(parts.path[len(root) :])
        if target.is_dir():
            target = target / "index.html"
        if not target.is_file():
            found.append((source.relative_to(site).as_posix(), link, "no such file"))
        elif target in ids and urllib.parse.unquote(parts.fragment) not in ids[target] and "?" not in link:
            found.append((source.relative_to(site).as_posix(), link, "no such place in the page"))

    for path, tree in trees.items():
        for element in tree.select("[href], [src], [srcset], [data], [poster]"):
            for key in ("href", "src", "data", "poster"):
                if element.has_attr(key):
                    follow(path, element[key])
    for path in sorted(site.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        for link in re.findall(r"url\(\s*[\"']?([^\"')]+)[\"']?\s*\)", text):
            if not link.startswith(("data:", "#")):
                follow(path, link)
    sitemap = site / "sitemap.xml"
    for link in re.findall(r"<loc>(.*?)</loc>", sitemap.read_text(encoding="utf-8")):
        follow(sitemap, link)
    index = site / "search/search_index.json"
    for entry in json.loads(index.read_text(encoding="utf-8"))["docs"]:
        follow(site / "index.html", entry["location"] or ".")
    return found
