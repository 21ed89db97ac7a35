"""`make audit`: Lighthouse, axe and what pages weigh, on the built site, served as a host serves it.

    python -m benchmarks.audit [--site site] [--only lighthouse weight axe] [--runs 3] [--pages 04-sequences/lstm/]

Prints a table of each and exits with 1 where a page falls short, saying which and why. Lighthouse's last report of each
page is left in `audit/`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.audit import barriers, host, lighthouse, weight

ROOT = Path(__file__).parents[2]
HOME, EVIDENCE, PAPER = "", "evidence/", "04-sequences/lstm/"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PARTS = ("lighthouse", "weight", "axe")

out = Console(highlight=False, emoji=False, width=120 if not sys.stdout.isatty() else None)


def of_papers(site: Path) -> list[str]:
    """List the papers' pages: those with a paper's header."""
    found = sorted(site.glob("[0-9][0-9]-*/*/index.html"))
    return [
        f"{page.parent.relative_to(site).as_posix()}/"
        for page in found
        if '<header class="paper-header"' in page.read_text(encoding="utf-8")
    ]


def say_lighthouse(address: str, pages: list[str], runs: int, chromium: str) -> list[str]:
    """Run Lighthouse on pages, print the scores, and return what is wrong."""
    table = Table(title=f"Lighthouse, mobile, median of {runs}", title_justify="left")
    for column in ("page", *lighthouse.FLOORS, "FCP s", "LCP s", "TBT ms", "CLS"):
        table.add_column(column, justify="left" if column == "page" else "right")
    wrong, notes = [], []
    for page in pages:
        score = lighthouse.measure(address, page, runs, chromium, ROOT / "audit")
        first, largest, blocked, shifted = score.numbers.values()
        table.add_row(
            page or "home",
            *(f"{score.scores[name]:.0f}" for name in lighthouse.FLOORS),
            f"{first / 1e3:.1f}",
            f"{largest / 1e3:.1f}",
            f"{blocked:.0f}",
            f"{shifted:.3f}",
        )
        wrong += [
            f"{page or 'home'}: {name} {score.scores[name]:.0f}, and {lighthouse.FLOORS[name]} is asked"
            for name in score.short_of
        ]
        notes += [f"{page or 'home'}: {said}" for said in score.failed]
    out.print(table)
    for note in notes:
        out.print(f"  {note}", markup=False)
    return wrong


def say_weight(browser: Browser, address: str, papers: list[str], others: list[str]) -> list[str]:
    """Weigh pages, print what they load by kind, and return what is wrong."""
    table = Table(title="What a first visit loads, kB over the wire", title_justify="left")
    for column in ("page", *weight.KINDS, "without demo"):
        table.add_column(column, justify="left" if column == "page" else "right")
    weighed = [(page, *weight.weigh(browser, address + page)) for page in (*others, *papers)]
    wrong = []
    for page, weights, files in weighed:
        total = weights.total() - weights["demo"]
        table.add_row(page or "home", *(f"{weights[kind] / 1e3:.1f}" for kind in weight.KINDS), f"{total / 1e3:.1f}")
        if page in papers and total > weight.LIMIT:
            most = ", ".join(f"{url.rsplit('/', 1)[-1] or 'the page'} {size / 1e3:.0f}" for size, url in files[:4])
            wrong.append(f"{page}: {total / 1e3:.0f} kB, and at most {weight.LIMIT / 1e3:.0f} are asked ({most})")
    out.print(table)
    return wrong


def say_axe(browser: Browser, address: str, pages: list[str]) -> list[str]:
    """Run axe on every page in both schemes, one page of the browser for each, and return what it found."""
    axe, wrong, began = Axe(), [], time.monotonic()
    for scheme in barriers.SCHEMES:
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(60_000)
        for path in pages:
            page.goto(address + path, wait_until="load")
            wrong += [f"{path or 'home'} ({scheme}): {said}" for said in barriers.found(page, axe)]
            if sys.stderr.isatty():
                print(f"\raxe, {scheme}: {path[:60]:60}", end="", file=sys.stderr)
        context.close()
    seconds = time.monotonic() - began
    out.print(f"axe: {len(pages)} pages in {len(barriers.SCHEMES)} schemes, {len(wrong)} barriers ({seconds:.0f} s)")
    return wrong


def main() -> int:
    """Measure; return the exit code."""
    about = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about.add_argument("--site", type=Path, default=ROOT / "site", help="the built site (default: site/)")
    about.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    about.add_argument("--runs", type=int, default=3, help="of Lighthouse, on each page (default: 3)")
    about.add_argument("--pages", nargs="+", help="these alone, below the site's address")
    said = about.parse_args()
    if not (said.site / "index.html").is_file():
        print(f"{said.site}: there is no built site; run: make site", file=sys.stderr)
        return 1
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("there is no Chromium on this machine; on Debian: apt-get install chromium", file=sys.stderr)
        return 1
    site_url = re.search(r"^site_url: *(\S+)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    name = site_url[1].rstrip("/").rsplit("/", 1)[-1] if site_url else "paperimpl"
    wrong: list[str] = []
    with host.served(said.site, name) as address, sync_playwright() as playwright:
        papers = of_papers(said.site)
        every = barriers.pages((said.site / "sitemap.xml").read_text(encoding="utf-8"), site_url[1] if site_url else "")
        if said.pages:
            papers, every = [page for page in papers if page in said.pages], said.pages
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if "weight" in said.only:
            wrong += say_weight(browser, address, papers, [] if said.pages else [HOME, EVIDENCE])
        if "axe" in said.only:
            wrong += say_axe(browser, address, every)
        browser.close()
        if "lighthouse" in said.only:
            largest = max(papers, key=lambda page: len(host.compressed(said.site / page / "index.html")), default=PAPER)
            pages = said.pages or list(dict.fromkeys([HOME, PAPER, largest, EVIDENCE]))
            wrong += say_lighthouse(address, pages, said.runs, chromium)
    for line in wrong:
        print(line, file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
