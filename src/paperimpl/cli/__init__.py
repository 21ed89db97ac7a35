"""The command `paperimpl`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from paperimpl.vault.evidence import TUNED_ON, refuse
from paperimpl.vault.paper import Paper, papers, root, surveys
from paperimpl.vault.problem import Problem, VaultError, relative

__all__ = ["app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The history of deep learning, one paper at a time.")
out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def main() -> None:
    """Run a command; what is wrong goes to standard error, one line each, and the exit code is 1."""
    try:
        app()
    except VaultError as wrong:
        _tell(list(wrong.problems))
        sys.exit(1)
    except OSError as failed:  # a full disk, a folder that is not ours: the writer has named the file
        if not failed.filename or not failed.strerror:
            raise
        remedy = "nothing half-written was left; make room, or mend the folder's rights, and run it again"
        _tell([Problem(str(failed.filename), 0, f"cannot be read or written: {failed.strerror}", remedy)])
        sys.exit(1)
    except ModuleNotFoundError as absent:  # the site's environment has no torch, and need not
        if (absent.name or "paperimpl").startswith("paperimpl"):
            raise
        extras = dict.fromkeys(("mkdocs", "pypandoc", "typst"), "book") | dict.fromkeys(("genanki", "markdown"), "anki")
        extra = ({"distributed": "cluster"} | extras).get(absent.name or "", "lab")
        remedy = f"pip install -e '.[{extra}]'"
        _tell([Problem(f"{absent.name}", 0, "is not installed, and this command needs it", remedy)])
        sys.exit(1)


def _tell(problems: list[Problem]) -> None:
    for problem in problems:
        err.print(str(problem), style="red" if problem.error else "yellow", markup=False)


def _finish(problems: list[Problem]) -> None:
    _tell(problems)
    if any(problem.error for problem in problems):
        raise typer.Exit(1)


def _chosen(slugs: list[str], everything: bool) -> list[Paper]:
    repository = root()
    return papers(repository) if everything else [Paper.find(slug, repository) for slug in dict.fromkeys(slugs)]


def _with_claims(slugs: list[str], everything: bool) -> list[Paper]:
    """Choose among papers and the chapters' surveys."""
    own = {survey.slug: survey for survey in surveys(root())}
    if everything:
        return [*_chosen([], True), *own.values()]
    return [own[slug] if slug in own else _chosen([slug], False)[0] for slug in dict.fromkeys(slugs)]


@app.command()
def new(
    chapter: Annotated[str, typer.Argument(help="such as 04-sequences, or just sequences")],
    slug: Annotated[str, typer.Argument(help="the paper's name from now on, such as lstm")],
) -> None:
    """Begin a paper: write its note, model, claim, test and bug list from the templates."""
    from paperimpl.cli.new import scaffold

    paper = scaffold(chapter, slug, root())
    for kind, place in paper.places.items():
        if place.is_file():
            out.print(f"{kind:9} {paper.place(kind)}", soft_wrap=True)
    out.print(f"""
next     fill in every TODO
         pytest {paper.place("test")}
         python tests/papers/plant.py {slug}
         paperimpl run {slug}
         paperimpl check""")


@app.command()
def where(slug: Annotated[str, typer.Argument(help="a paper; leave out to list all")] = "") -> None:
    """Print where the files of a paper are."""
    repository = root()
    if not slug:
        for paper in papers(repository):
            out.print(f"{paper.slug:24} {paper.place('note')}")
        return
    paper = Paper.find(slug, repository)
    for kind, place in paper.places.items():
        out.print(f"{kind:9} {paper.place(kind)}" + ("" if place.exists() else "  (not there)"), soft_wrap=True)


@app.command()
def run(
    slugs: Annotated[list[str] | None, typer.Argument(help="papers")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="only those whose code has changed since")] = False,
    everything: Annotated[bool, typer.Option("--all", help="every paper")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds, from 0; fewer than 5 are not recorded")] = 5,
    jobs: Annotated[int, typer.Option(min=1, help="how many processes")] = os.cpu_count() or 1,
    cluster: Annotated[str, typer.Option(help="run on a Dask cluster: its scheduler, tcp://HOST:8786")] = "",
    device: Annotated[str, typer.Option(help="where tensors are to be: cpu, cuda, cuda:1, mps")] = "cpu",
) -> None:
    """Run claims and record what they measure; draws their figures, too.

    A claim that does not hold is recorded like any other, and the exit code is 0; it is 1 where one crashed.
    """
    from paperimpl.cli.run import is_stale, run_claims

    if wrong := refuse(range(seeds)):
        raise typer.BadParameter(f"{wrong}; say --seeds {TUNED_ON[0]} or fewer")
    chosen = _with_claims(slugs or [], everything or (stale and not slugs))
    if stale:
        chosen = [paper for paper in chosen if is_stale(paper)]
        if not chosen:
            out.print("every result is from the code as it is")
            return
    if not chosen:
        raise typer.BadParameter("name a paper, or say --stale or --all")
    missing = [
        Problem(paper.place("claim"), 0, "there is no claim to run", "write it; CONTRIBUTING.md says how")
        for paper in chosen
        if not paper.places["claim"].is_file()
    ]
    if missing:
        _finish(missing)
    try:
        _finish(run_claims(chosen, range(seeds), jobs, out, cluster, device))
    except KeyboardInterrupt:
        err.print("interrupted: finished papers are recorded, nothing of the others was written")
        raise typer.Exit(130) from None


@app.command()
def rerun(
    slugs: Annotated[list[str] | None, typer.Argument(help="papers; leave out for all")] = None,
    since: Annotated[
        str,
        typer.Option(
            "--changed-since",
            metavar="REF",
            help="only those whose code or result is not what it was at this commit; the others are checked by digest",
        ),
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="which of the recorded seeds")] = 0,
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="numbers may differ: not the record's machine")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="how many processes")] = os.cpu_count() or 1,
) -> None:
    """Run one seed of claims again and compare it with what is recorded; records nothing.

    The seed must meet the claim's thresholds if and only if it did when it was recorded, and measure the same keys.
    Numbers may differ between machines; with the record's own machine and torch they must not. Exit code 1 where
    anything does.
    """
    from paperimpl.cli.rerun import changed_since, check_digests, rerun_claims

    repository = root()
    chosen = again = _with_claims(slugs or [], not slugs)
    if since:
        try:
            again = changed_since(chosen, since, repository)
        except LookupError as unread:
            remedy = "so every paper is run again"
            _tell([Problem(f"--changed-since {since}", 0, f"git cannot read that commit: {unread}", remedy, False)])
        else:
            if not again:
                out.print(f"no claim and no result has changed since {since}", soft_wrap=True, markup=False)
    rest = [paper for paper in chosen if paper not in again]
    if rest:
        out.print(f"checked by digest only: {', '.join(paper.slug for paper in rest)}", soft_wrap=True)
    problems = check_digests(rest)
    try:
        _finish(problems + rerun_claims(again, seed, jobs, out, elsewhere))
    except KeyboardInterrupt:
        err.print("interrupted: nothing was written")
        raise typer.Exit(130) from None


@app.command()
def sweep(
    slug: Annotated[str, typer.Argument(help="a paper")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="a parameter of its claim and values to try: T=50,100")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=len(TUNED_ON), help="how many seeds for each configuration, from 100")
    ] = 3,
    into: Annotated[
        Path | None, typer.Option(help="a folder for the runs and the page; sweeps/SLUG unless told", file_okay=False)
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="how many processes")] = os.cpu_count() or 1,
    cluster: Annotated[str, typer.Option(help="run on a Dask cluster: its scheduler, tcp://HOST:8786")] = "",
    device: Annotated[str, typer.Option(help="short for --set device=…: cpu, cuda, cuda:1, mps")] = "",
) -> None:
    """Try a claim with every combination of settings, and draw the comparison as a page of its own.

    Every run is kept as it comes in; after an interruption the same command runs what is missing. Seeds begin at
    100, for those that choose settings may not be those that are reported. Results are nobody's evidence: nothing
    in the vault changes.
    """
    repository = root()
    paper = Paper.find(slug, repository)
    if not paper.places["claim"].is_file():
        _finish([Problem(paper.place("claim"), 0, "there is no claim to run", "write it; CONTRIBUTING.md says how")])
    from paperimpl.cli.sweep import sweep as run_grid

    folder = into.absolute() if into else repository / "sweeps" / slug
    chosen = TUNED_ON[:seeds]
    grid = [*(settings or []), *([f"device={device}"] if device else [])]
    try:
        _finish(run_grid(paper, grid, chosen, folder, jobs, out, cluster))
    except KeyboardInterrupt:
        err.print("interrupted: finished runs are kept, and the same command runs the others")
        raise typer.Exit(130) from None


@app.command()
def mutate(
    slugs: Annotated[list[str] | None, typer.Argument(help="papers")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="only those whose model, tests or bugs have changed")] = False,
    everything: Annotated[bool, typer.Option("--all", help="every paper")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="how many processes")] = os.cpu_count() or 1,
    again: Annotated[bool, typer.Option("--again", help="try again what an earlier run has tried")] = False,
) -> None:
    """Break a model in every small way and see its tests fail; record the share noticed, exit 1 below 90%.

    First the bugs that tests/papers/bugs/SLUG.toml lists are planted, then mutants made: another operator, number,
    axis or sign, swapped or dropped arguments, dropped calls and statements. Survivors are listed with their line.
    """
    from paperimpl.cli.mutate import is_stale
    from paperimpl.cli.mutate import mutate as examine

    chosen = _chosen(slugs or [], everything or (stale and not slugs))
    if stale:
        chosen = [paper for paper in chosen if is_stale(paper)]
        if not chosen:
            out.print("every score is of the code and the tests as they are")
            return
    if not chosen:
        raise typer.BadParameter("name a paper, or say --stale or --all")
    try:
        _finish(examine(chosen, root(), jobs, out, again=again))
    except KeyboardInterrupt:
        err.print("interrupted: what was tried is remembered, and the same command goes on from there")
        raise typer.Exit(130) from None


@app.command()
def demo(
    words: Annotated[list[str], typer.Argument(metavar="[export] SLUG", help="a paper that has a demo")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="where to serve it")] = 7860,
) -> None:
    """Play with a paper's model on this machine, with its failure cases; gradio serves it.

    `paperimpl demo export SLUG` trains the model and writes the weights that the site's page loads, SLUG.demo.bin and
    SLUG.demo.json, beside the paper's note.
    """
    exports = words[0] == "export" and len(words) > 1
    chosen = _chosen(words[1:] if exports else words, False)
    if not exports and len(chosen) != 1:
        raise typer.BadParameter("one demo at a time; `demo export` takes several")
    from paperimpl.cli.demo import export_demos, serve_demo

    _finish(export_demos(chosen, out) if exports else serve_demo(chosen[0], port, out))


@app.command()
def draw(slugs: Annotated[list[str] | None, typer.Argument(help="papers; leave out for all")] = None) -> None:
    """Draw figures from recorded results; runs nothing."""
    from paperimpl.cli.run import draw_figures

    chosen = _with_claims(slugs or [], not slugs)
    undrawn = [
        Problem(paper.place("result"), 0, "there is no result to draw", f"paperimpl run {paper.slug}")
        for paper in chosen
        if slugs and not paper.places["result"].is_file()
    ]
    drawable = (paper for paper in chosen if paper.places["result"].is_file())
    _finish(undrawn + draw_figures(drawable, out))


@app.command()
def pdf(
    slugs: Annotated[list[str] | None, typer.Argument(help="papers; leave out for all")] = None,
    force: Annotated[bool, typer.Option("--force", help="fetch what is there, too")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="seconds of silence after which to give up")] = 30,
    retries: Annotated[int, typer.Option(min=0, help="how often to try again what may have been a passing fault")] = 2,
) -> None:
    """Fetch the papers' PDFs that are missing, each into its paper's folder."""
    from paperimpl.cli.pdf import fetch

    try:
        _finish(fetch(_chosen(slugs or [], not slugs), root(), out, force=force, timeout=timeout, retries=retries))
    except KeyboardInterrupt:
        err.print("interrupted: what was fetched whole is kept, nothing of the others was written")
        raise typer.Exit(130) from None


@app.command()
def book(
    slugs: Annotated[list[str] | None, typer.Argument(help="papers; leave out for the book and all sheets")] = None,
    into: Annotated[
        Path | None, typer.Option("--out", help="a folder for the PDFs; book/ unless told", file_okay=False)
    ] = None,
) -> None:
    """Typeset the notes: study sheets of papers, or with no paper named the book and all sheets.

    The next build of the site offers what lies in book/ and says what the notes say. Nothing private is printed.
    """
    from paperimpl.book.press import Made, Press
    from paperimpl.publish.shelf import FOLDER

    repository = root()
    folder = into.absolute() if into else repository / FOLDER

    def tell(made: Made) -> None:
        took = f"{made.seconds:.1f} s" if made.seconds else "as it was"
        out.print(
            f"{relative(made.file, Path.cwd())}: {made.pages} pages, {made.size / 1000:,.0f} kB, {took}", soft_wrap=True
        )

    try:
        _finish(Press(repository).print(slugs or [], folder, tell))
    except KeyboardInterrupt:
        err.print("interrupted: what is finished is kept, and the same command goes on from there")
        raise typer.Exit(130) from None


@app.command()
def notebook(slugs: Annotated[list[str] | None, typer.Argument(help="papers; leave out for all")] = None) -> None:
    """Write papers' notebooks, which Colab and Jupyter open, into notebooks/: model, claim, and room to play."""
    from paperimpl.course.notebooks import Origin, place, write

    repository = root()
    origin = Origin.read(repository)
    for paper in _chosen(slugs or [], not slugs):
        file = repository / place(paper.slug)
        text = write(paper, origin)
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        out.print(place(paper.slug), soft_wrap=True)


@app.command()
def anki(
    into: Annotated[Path, typer.Argument(metavar="OUT.apkg", help="the file to write", dir_okay=False)],
) -> None:
    """Write the notes' cards as a deck for Anki. Imported again, it updates what has changed and keeps the reviews."""
    from paperimpl.cli.anki import write

    if into.suffix != ".apkg":
        raise typer.BadParameter(f"{into.name}: Anki imports files that end in .apkg; say {into.stem or 'cards'}.apkg")
    problems, cards = write(root(), into)
    _finish(problems)
    out.print(f"{cards} cards in {into}; in Anki: File, Import", soft_wrap=True, markup=False)


@app.command()
def check() -> None:
    """Say what is wrong with the vault: links, records, order, stale results, placeholders; exit 1 if anything is."""
    from paperimpl.course.reading import check as examine

    problems = examine(root())
    _finish(problems)
    if not problems:
        out.print(f"nothing wrong in {len(papers(root()))} papers")
