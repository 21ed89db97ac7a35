"""Measure how long a vault takes to build, beside Material without wiki-links, as ratios within one run.

    python -m benchmarks                       # 100, 1,000 and 3,000 notes, three rounds each
    python -m benchmarks --sizes 100 300 --rounds 1 --out /tmp/figures

Every round builds each of these once, in turn, so that a busy machine is busy for all of them:

    material   Material with navigation.prune and search; the same notes with links and embeds as plain text, and
               Python-Markdown's extensions for callouts, footnotes, tables, code and formulas (left as TeX)
    cold       `plugins: [search, vault]` without anything in `.cache/`; formulas become MathML
    katex      the same, but every formula is rendered by KaTeX, in Node, where both are installed
    warm       the same again, nothing changed: the site is left as it is
    edited     the same again, one note edited

Then `mkdocs serve` is started on the vault, one note is saved, with a sentence more or a link, and the clock runs until
its page, fetched again by the reload that the server announces, shows it. What comes out: `results.json` and
`results.svg`. Ratios are medians of the rounds' ratios; seconds are wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from benchmarks import generate
from paperimpl.markdown.katex import node
from paperimpl.publish import frontend

HERE = Path(__file__).parent
VAULT = "site_name: Notes\ntheme:\n  name: material\nplugins: [search, vault]\n"
MATERIAL = """site_name: Notes
theme: {name: material, features: [navigation.prune]}
plugins: [search]
markdown_extensions:
  - admonition
  - footnotes
  - tables
  - pymdownx.highlight
  - pymdownx.superfences
  - pymdownx.arithmatex: {generic: true}
  - toc: {permalink: true}
"""
LIMITS = {
    "cold / material at 1,000 notes": 1.25,
    "warm / cold at 1,000 notes": 0.2,
    "growth of cold from 1,000 to 3,000 notes": 3.2,
    "megabytes of 1,000 notes": 60,
    "megabytes of memory at 1,000 notes": 300,
    "seconds from saving to the page at 1,000 notes": 1,
}
LIMITS_IN_WORDS = {
    "cold / material at 1,000 notes": "cold, beside Material without any of it",
    "warm / cold at 1,000 notes": "nothing changed: of a cold build",
    "growth of cold from 1,000 to 3,000 notes": "3,000 notes: of 1,000",
    "seconds from saving to the page at 1,000 notes": "`mkdocs serve`: from a save that adds a sentence to its page, s",
    "megabytes of 1,000 notes": "output, MB",
    "megabytes of memory at 1,000 notes": "memory of the largest process, MB",
}
ENVIRONMENT = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
WITHOUT_KATEX = {"PAPERIMPL_CACHE": os.devnull}  # as on a machine where nothing but the package was installed
MKDOCS = [sys.executable, "-m", "mkdocs"]


def build(project: Path, *, katex: bool = False) -> dict[str, float]:
    """Build a project in a process of its own: seconds, its peak memory and the size of the site, in megabytes."""
    script = (
        "import json, resource, sys, time; from mkdocs.__main__ import cli\n"
        "cli(['build', '-q'], standalone_mode=False)\n"
        "print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"
    )
    start = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=ENVIRONMENT | ({} if katex else WITHOUT_KATEX),
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = sum(path.stat().st_size for path in (project / "site").rglob("*") if path.is_file())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory = int(done.stdout.splitlines()[-1]) / 1024
    return {"seconds": seconds, "cpu seconds": cpu, "memory": memory, "site": size / 1e6}


def forget(project: Path) -> None:
    """Take what builds remember away."""
    shutil.rmtree(project / ".cache", ignore_errors=True)


def has_katex() -> bool:
    """Say whether the parts for KaTeX are in the user's cache (`python -m paperimpl.publish.frontend`)."""
    return node() is not None and frontend.shared().is_dir()


def measure(size: int, rounds: int, folder: Path) -> dict[str, object]:
    """Build a vault of one size in every way, in turn."""
    vault, plain = folder / f"vault-{size}", folder / f"plain-{size}"
    for project, text in ((vault, VAULT), (plain, MATERIAL)):
        generate.write(project / "docs", size, as_plain=project is plain)
        (project / "mkdocs.yml").write_text(text, encoding="utf-8")
    ways = ("material", *(["katex"] if has_katex() else []), "cold", "warm", "edited")
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        found["material"].append(build(plain))
        if "katex" in found:
            forget(vault)
            found["katex"].append(build(vault, katex=True))
        forget(vault)
        found["cold"].append(build(vault))
        found["warm"].append(build(vault))
        note = sorted((vault / "docs").glob("*/*.md"))[0]
        text = note.read_text(encoding="utf-8")
        note.write_text(f"{text}\nAnother line.\n", encoding="utf-8")
        found["edited"].append(build(vault))
        note.write_text(text, encoding="utf-8")
        print(f"{size} notes, round {number + 1}:", {way: round(each[-1]["seconds"], 1) for way, each in found.items()})
    ratios = {
        f"{one} / {other}{' (cpu)' * (unit != 'seconds')}": statistics.median(
            a[unit] / b[unit] for a, b in zip(found[one], found[other], strict=True)
        )
        for unit in ("seconds", "cpu seconds")
        for one, other in (("cold", "material"), ("katex", "material"), ("warm", "cold"), ("edited", "cold"))
        if one in found
    }
    return {"notes": size, "builds": found, "ratios": ratios}


def served(project: Path, saves: int) -> dict[str, list[float]]:
    """Start a preview, save a note several times, and time each save until its page shows what was saved.

    First with a sentence more, then with a link more.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    note, other = sorted((project / "docs").glob("*/*.md"))[:2]
    url = f"http://{address}/{urllib.parse.quote(note.relative_to(project / 'docs').as_posix()[:-3])}/"
    server = subprocess.Popen([*MKDOCS, "serve", "-q", "-a", address], cwd=project, env=ENVIRONMENT | WITHOUT_KATEX)
    text, found = note.read_text(encoding="utf-8"), {"sentence": [], "link": []}
    try:
        page = _fetch(url, patience=900)
        for what, more in (("sentence", ""), ("link", f" [[{other.stem}]]")):
            for number in range(saves):
                epoch = re.search(r"livereload\((\d+), *(\d+)\)", page)
                assert epoch, "no live reload in the page"
                time.sleep(1)
                start = time.perf_counter()
                text += f"\nSaved {what} {number}.{more}\n"
                note.write_text(text, encoding="utf-8")
                while f"Saved {what} {number}." not in page:
                    _fetch(f"http://{address}/livereload/{epoch[1]}/{epoch[2]}", patience=60)
                    page = _fetch(url, patience=60)
                found[what].append(time.perf_counter() - start)
    finally:
        server.terminate()
        server.wait(30)
    return found


def _fetch(url: str, patience: float) -> str:
    end = time.perf_counter() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=patience) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.1)


def verdicts(sizes: dict[int, dict], serve: dict[str, list[float]]) -> dict[str, float]:  # type: ignore[type-arg]
    """Gather the numbers that have a limit."""
    found = {}
    if 1000 in sizes:
        one = sizes[1000]
        found["cold / material at 1,000 notes"] = one["ratios"]["cold / material"]
        found["warm / cold at 1,000 notes"] = one["ratios"]["warm / cold"]
        found["megabytes of 1,000 notes"] = one["builds"]["cold"][0]["site"]
        found["megabytes of memory at 1,000 notes"] = max(each["memory"] for each in one["builds"]["cold"])
        if serve:
            found["seconds from saving to the page at 1,000 notes"] = statistics.median(serve["sentence"])
    if {1000, 3000} <= sizes.keys():
        pairs = zip(sizes[3000]["builds"]["cold"], sizes[1000]["builds"]["cold"], strict=True)
        found["growth of cold from 1,000 to 3,000 notes"] = statistics.median(
            three["seconds"] / one["seconds"] for three, one in pairs
        )
    return found


def plot(sizes: dict[int, dict], place: Path) -> None:  # type: ignore[type-arg]
    """Draw a bar for every way and size, in seconds for 1,000 notes."""
    colours = {"material": "#8a8f98", "cold": "#b4552d", "katex": "#d99a6c", "warm": "#3b7a57", "edited": "#7fb095"}
    bars = [
        (f"{size:,} notes, {way}", statistics.median(b["seconds"] for b in each) * 1000 / size, colours[way])
        for size, measured in sizes.items()
        for way, each in measured["builds"].items()
    ]
    most = max(seconds for _, seconds, _ in bars)
    rows = "".join(
        f'<text x="170" y="{34 + 22 * row}" text-anchor="end">{name}</text>'
        f'<rect x="178" y="{22 + 22 * row}" width="{360 * seconds / most:.1f}" height="16" fill="{colour}"/>'
        f'<text x="{184 + 360 * seconds / most:.1f}" y="{34 + 22 * row}">{seconds:.1f} s</text>'
        for row, (name, seconds, colour) in enumerate(bars)
    )
    place.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 {40 + 22 * len(bars)}" font-family="sans-serif" '
        f'font-size="12" fill="#777"><text x="8" y="14">Seconds to build 1,000 notes</text>{rows}</svg>\n',
        encoding="utf-8",
    )


def report(result: dict) -> str:  # type: ignore[type-arg]
    """Write the limits and what was measured as a table, for the README."""
    lines = ["| | measured | at most |", "|---|---:|---:|"]
    for name, about in LIMITS_IN_WORDS.items():
        if name in result["limits"]:
            lines.append(f"| {about} | {result['limits'][name]['measured']:.2f} | {LIMITS[name]:g} |")
    thousand = next((size for size in result["sizes"] if size["notes"] == 1000), None)
    for way, about in (("edited / cold", "one note edited: of a cold build"), ("katex / material", "cold, with KaTeX")):
        if thousand and way in thousand["ratios"]:
            lines.append(f"| {about} | {thousand['ratios'][way]:.2f} | |")
    if serve := result["serve"]["seconds, with one more"]:
        lines.append(f"| from a save that adds a link to its page, s | {statistics.median(serve['link']):.2f} | |")
    return "\n".join(lines)


def put(readme: str, result: dict) -> str:  # type: ignore[type-arg]
    """Put the table into a text, between its marks."""
    return re.sub(r"(?s)(?<=<!-- measured: -->\n).*?(?=\n<!-- :measured -->)", lambda _: report(result), readme)


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how long vaults take to build.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 3000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--saves", type=int, default=5, help="notes saved while serving; 0 for no serving")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    try:
        sizes = {size: measure(size, given.rounds, work) for size in given.sizes}
        served_size = 1000 if 1000 in sizes else max(sizes)
        serve = served(work / f"vault-{served_size}", given.saves) if given.saves else {}
    finally:
        shutil.rmtree(work)
    judged = verdicts(sizes, serve)
    result = {
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()},
        "rounds": given.rounds,
        "limits": {name: {"measured": value, "at most": LIMITS[name]} for name, value in judged.items()},
        "sizes": list(sizes.values()),
        "serve": {"notes": served_size, "seconds, with one more": serve},
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    plot(sizes, given.out / "results.svg")
    if given.out == HERE:
        readme = HERE.parent / "README.md"
        readme.write_text(put(readme.read_text(encoding="utf-8"), result), encoding="utf-8")
    for name, value in judged.items():
        print(f"{'  ' if value <= LIMITS[name] else '! '}{name}: {value:.2f} (at most {LIMITS[name]})")


if __name__ == "__main__":
    main()
