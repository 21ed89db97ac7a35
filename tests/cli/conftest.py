"""A repository of one's own for every test: two chapters' worth of folders, the real templates, no papers."""

import os
import shutil
from pathlib import Path

import pytest

from paperimpl.cli import main

ROOT = Path(__file__).parents[2]


class Repository:
    """A small repository on disk, and the command run in it."""

    def __init__(self, root: Path, monkeypatch, capsys):
        self.root, self._monkeypatch, self._capsys = root, monkeypatch, capsys

    def paper(self, slug: str, chapter: str = "04-sequences", **fields: str) -> Path:
        """Write a note with a sound record, fields replaced or, where empty, left out; return its folder."""
        record = {
            "title": slug.title(),
            "description": "One idea.",
            "authors": '["A. Author"]',
            "year": "1997",
            "venue": "A journal",
            "url": "https://example.org/paper",
            "order": "1",
            "requires": "[]",
            "tags": "[test]",
            "status": "done",
        } | fields
        front = "\n".join(f"{name}: {value}" for name, value in record.items() if value)
        folder = self.root / "vault" / chapter / slug
        folder.mkdir(parents=True)
        (folder / f"{slug}.md").write_text(f"---\n{front}\n---\n\n## The problem\n", encoding="utf-8")
        return folder

    def package(self) -> dict[str, str]:
        """Copy the package here, without its papers and claims; return an environment that imports this copy."""

        def others(folder: str, names: list[str]) -> list[str]:
            ours = Path(folder).name in ("papers", "claims")
            return [name for name in names if name == "__pycache__" or (ours and name != "__init__.py")]

        shutil.copytree(ROOT / "src/paperimpl", self.root / "src/paperimpl", ignore=others, dirs_exist_ok=True)
        return os.environ | {"PYTHONPATH": str(self.root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}

    def files(self) -> dict[str, bytes]:
        """Everything on disk, to see that nothing changed."""
        return {p.relative_to(self.root).as_posix(): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run `paperimpl` with arguments; return exit code, standard output and standard error."""
        self._monkeypatch.setattr("sys.argv", ["paperimpl", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = self._capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err


@pytest.fixture
def repository(tmp_path, monkeypatch, capsys):
    """Make a repository and go there."""
    shutil.copytree(ROOT / "vault/templates", tmp_path / "vault/templates")
    (tmp_path / "mkdocs.yml").touch()
    for folder in ("src/paperimpl/papers", "src/paperimpl/claims", "tests/papers"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Repository(tmp_path, monkeypatch, capsys)
