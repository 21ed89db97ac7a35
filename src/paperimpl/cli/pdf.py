"""`paperimpl pdf`: fetch papers' PDFs into their folders, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from urllib3.exceptions import ReadTimeoutError

from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, VaultError
from paperimpl.vault.write import write

__all__ = ["LOCK", "fetch"]

LOCK = "vault/pdf.lock"

_Entry = dict[str, str | int]  # url, sha256, bytes
_END = 1024  # bytes from either end within which a PDF says that it begins and ends
_HEADERS = {"Accept": "application/pdf", "Accept-Encoding": "identity", "User-Agent": "paperimpl"}


def fetch(
    papers: Iterable[Paper],
    repository: Path,
    console: Console,
    *,
    force: bool = False,
    timeout: float = 30,
    retries: int = 2,
) -> list[Problem]:
    """Fetch the PDFs that are missing, and remember the checksum of each in `vault/pdf.lock`.

    A file reaches its place in one step, and only if it is a whole PDF, and the one that the lock remembers.
    An interruption leaves no part of one behind.

    Args:
        force: fetch what is there, too; the lock still holds.
        timeout: seconds without a byte after which a server counts as silent.
        retries: how often to try again after a fault that may pass.

    Returns:
        One problem for every paper whose PDF could not be had; the others are fetched all the same.

    Raises:
        VaultError: the lock cannot be read.
    """
    lock = _read_lock(repository)
    problems: list[Problem] = []
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        for paper in papers:
            place = paper.places["pdf"]
            if place.is_file() and not force:
                continue
            try:
                record = paper.record()
            except VaultError as wrong:
                problems += wrong.problems
                continue
            if not record.pdf:
                source = f"{paper.slug}: no PDF to fetch; read it at {record.source}"
                console.print(source, soft_wrap=True, markup=False)
                continue
            try:
                content = _Download(paper, timeout, bar).fetch(record.pdf, retries)
                entry: _Entry = {
                    "url": record.pdf,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "bytes": len(content),
                }
                _compare(paper.slug, entry, lock)
            except _Failed as failed:
                what, remedy = failed.args
                message = f"{paper.slug}: {record.pdf} {what}"
                problems.append(Problem(paper.place("note"), record.lines.get("pdf", 1), message, remedy))
                continue
            write(place, content)
            lock[paper.slug] = entry
            write(repository / LOCK, json.dumps(lock, indent=1, sort_keys=True) + "\n")
            console.print(f"{paper.slug}: {len(content) / 1e6:.1f} MB in {paper.place('pdf')}", soft_wrap=True)
    return problems


class _Failed(Exception):
    """A PDF that could not be had. Arguments: what happened, as the end of a sentence, and the remedy."""


class _Refused(_Failed):
    """An answer that would be the same next time."""


class _Passing(_Failed, ValueError):
    """A fault that may pass: pooch tries again after a ValueError."""


class _Download:
    """The fetch of one paper's PDF; pooch calls it with an address and a file."""

    def __init__(self, paper: Paper, timeout: float, bar: Progress):
        self.again = f"try again later: paperimpl pdf {paper.slug}"
        self.by_hand = f"mend `pdf:`, or save the file yourself as {paper.place('pdf')}"
        self.timeout = timeout
        self.bar, self.task = bar, bar.add_task(paper.slug, total=None)

    def fetch(self, url: str, retries: int) -> bytes:
        """Return the content.

        Raises:
            _Failed: it is not a whole PDF, or did not come.
        """
        pooch.get_logger().setLevel("ERROR")  # we say ourselves what happens
        with tempfile.TemporaryDirectory() as folder:
            store = pooch.create(
                folder, base_url="", registry={"pdf": None}, urls={"pdf": url}, retry_if_failed=retries
            )
            try:
                return Path(store.fetch("pdf", downloader=self)).read_bytes()
            finally:
                self.bar.remove_task(self.task)

    def __call__(self, url: str, output_file: str, store: Any) -> None:
        announced = 0
        try:
            with requests.get(url, headers=_HEADERS, stream=True, timeout=self.timeout) as answer:
                self._check_status(answer)
                length = answer.headers.get("Content-Length", "")
                announced = int(length) if length.isdecimal() else 0
                self.bar.reset(self.task, total=announced or None)
                with open(output_file, "wb") as file:
                    for chunk in answer.iter_content(1 << 14):
                        file.write(chunk)
                        self.bar.advance(self.task, len(chunk))
        except requests.RequestException as fault:
            raise self._named(fault, announced) from fault
        self._check_content(Path(output_file).read_bytes(), announced)

    def _check_status(self, answer: requests.Response) -> None:
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _Passing(f"answered {answer.status_code} {answer.reason}", self.again)
        if answer.status_code != 200:
            raise _Refused(f"answered {answer.status_code} {answer.reason}", self.by_hand)

    def _check_content(self, content: bytes, announced: int) -> None:
        if b"%PDF-" not in content[:_END]:
            start = content[:_END].lstrip().lower()
            what = "a web page (HTML)" if start.startswith((b"<!doctype html", b"<html")) else f"{content[:8]!r}..."
            raise _Refused(f"answered with {what}, not with a PDF", self.by_hand)
        if len(content) < announced:  # older versions of urllib3 do not notice
            raise _Passing(f"came cut short, {len(content):,} of {announced:,} bytes", self.again)
        if b"%%EOF" not in content[-_END:]:
            raise _Passing(f"came cut short, {len(content):,} bytes without the mark of a PDF's end", self.again)

    def _named(self, fault: requests.RequestException, announced: int) -> _Failed:
        """Say in plain words what requests found."""
        cause = fault.args[0] if fault.args else None
        if isinstance(fault, requests.Timeout) or isinstance(cause, ReadTimeoutError):
            return _Passing(f"sent nothing for {self.timeout:g} s", f"{self.again}, or give it longer with --timeout")
        if isinstance(fault, requests.exceptions.ChunkedEncodingError):
            return _Passing(f"came cut short of its {announced:,} bytes" if announced else "broke off", self.again)
        if isinstance(fault, requests.exceptions.SSLError):
            return _Refused("has a certificate that cannot be trusted", self.by_hand)
        if isinstance(fault, requests.ConnectionError):
            return _Passing("cannot be reached", f"see that you are online and the address is right; {self.again}")
        return _Refused(f"cannot be fetched ({type(fault).__name__})", self.by_hand)


def _read_lock(repository: Path) -> dict[str, _Entry]:
    path = repository / LOCK
    if not path.is_file():
        return {}
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(lock, dict) or not all(isinstance(entry, dict) for entry in lock.values()):
            raise ValueError("not a table of papers")
    except ValueError as broken:
        line = broken.lineno if isinstance(broken, json.JSONDecodeError) else 0
        raise VaultError(Problem(LOCK, line, f"not a lock file: {broken}", f"git checkout {LOCK}")) from broken
    return lock


def _compare(slug: str, entry: _Entry, lock: dict[str, _Entry]) -> None:
    """Refuse a file that is not the one fetched before from the same address."""
    known = lock.get(slug, entry)
    if known.get("url") == entry["url"] and known.get("sha256") != entry["sha256"]:
        was, now = (f"sha256 {str(one.get('sha256'))[:12]}..., {one.get('bytes')} bytes" for one in (known, entry))
        remedy = f"look at it in a browser; if it is right, take {slug!r} out of {LOCK} and fetch again"
        raise _Refused(f"is not the file that {LOCK} remembers: {was}; now {now}", remedy)
