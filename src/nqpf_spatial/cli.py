"""``nqpf-spatial``: reproduce the study, look at claims, data and weights from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from nqpf_spatial.claims.reproduce import Result

app = typer.Typer(
    name="nqpf-spatial",
    help="Spatial econometrics of the Chinese provinces, and claims about them put to the test.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

#: notebooks of the repository this installation comes from (an editable one)
REPOSITORY_NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _fail(message: str) -> typer.Exit:
    """Show an error and leave with code 2 (a wrong request, nothing was run)."""
    _console(stderr=True).print(message, style="red", markup=False)
    return typer.Exit(2)


def _version(wanted: bool) -> None:
    if wanted:
        from nqpf_spatial import __version__

        _console().print(f"nqpf_spatial {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Spatial econometrics of the Chinese provinces, and claims about them put to the test."""


def _notebook_folder(given: Path | None) -> Path:
    """The folder asked for, else ./notebooks, else that of the repository."""
    if given is not None:
        if not given.is_dir():
            raise _fail(f"--notebooks {given}: no such folder")
        return given
    here = Path.cwd() / "notebooks"
    for folder in (here, REPOSITORY_NOTEBOOKS):
        if any(folder.glob("*.ipynb")):
            return folder
    raise _fail("no notebooks found: run inside a clone of the repository, or say --notebooks FOLDER")


@app.command()
def reproduce(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Notebook number or name ('05'), or claim id ('WU-M4'); may be repeated."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out heavy variants and draw coarser figures.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks executed at a time.")] = 2,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report; by default reports/ beside the notebooks.")
    ] = None,
    notebooks: Annotated[Path | None, typer.Option(help="Folder of the notebooks.")] = None,
) -> None:
    """Rerun every notebook and every verdict, and write the report.

    Writes index.html, verdicts.json, verdicts.csv, tables, figures and executed notebooks. With --only and without
    --out they go to reports/only, so that a part never replaces the whole. Leaves with code 1 if a notebook fails;
    the others still run.
    """
    from nqpf_spatial.errors import DataSourceError

    folder = _notebook_folder(notebooks)
    target = out or folder.resolve().parent / "reports" / ("only" if only else "")
    try:
        result = _run(folder, target, only or [], fast, jobs)
    except (DataSourceError, ImportError) as error:
        raise _fail(str(error)) from error
    _summary(result, fast)
    if result.failures:
        raise typer.Exit(1)


def _run(folder: Path, target: Path, only: list[str], fast: bool, jobs: int) -> Result:
    """Run everything behind a progress bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from nqpf_spatial.claims import load
    from nqpf_spatial.claims.reproduce import run_all, steps

    available = [p.name for p in folder.glob("*.ipynb")]
    total = steps(load(), available, only)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_console(), transient=True) as bar:
        task = bar.add_task("reproduce", total=total)

        def done(step: str) -> None:
            bar.update(task, advance=1, description=f"{step:<28}")

        return run_all(folder, target, only=only, fast=fast, jobs=jobs, progress=done)


def _summary(result: Result, fast: bool) -> None:
    """Print the verdicts that rest on data, the failures and where the report is."""
    from collections import Counter

    from rich.table import Table

    console = _console()
    table = Table(title="Verdicts on data" + (" (fast run)" if fast else ""), title_justify="left")
    for name in ("claim", "verdict", "rule"):
        table.add_column(name)
    for v in result.verdicts:
        if v.evidence:
            table.add_row(v.claim, v.label, v.rule)
    console.print(table)
    counts = Counter(v.label for v in result.verdicts if not v.evidence)
    if counts:
        console.print("; ".join(f"{word}: {n}" for word, n in sorted(counts.items())), soft_wrap=True)
    for failed in result.failures:
        console.print(f"\n{failed.name} failed in {failed.failure}", style="red", markup=False)
    console.print(f"report: {result.out / 'index.html'}", markup=False, soft_wrap=True)


@app.command()
def claims(
    claim: Annotated[str | None, typer.Argument(help="Claim id, for instance WU-M4.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Also decide the claim.")] = False,
    lang: Annotated[str, typer.Option(help="en or zh, for the list.")] = "en",
) -> None:
    """List the claims of the register, or show one (and decide it)."""
    from nqpf_spatial import claims as register
    from nqpf_spatial.errors import DataSourceError

    console = _console()
    try:
        if claim is None:
            table = register.load().table(lang=lang)
            _print(console, table[["priority", "testability", "rule", "says"]].reset_index())
            return
        console.print(str(register.show(claim)), markup=False, soft_wrap=True)
        if run:
            console.print()
            console.print(str(register.run([claim])[0]), markup=False, soft_wrap=True)
    except DataSourceError as error:
        raise _fail(str(error)) from error


@app.command()
def data(
    variable: Annotated[str | None, typer.Argument(help="Variable, for instance rd_intensity.")] = None,
) -> None:
    """List the variables of the packaged data, or show one with its sources and breaks."""
    import nqpf_spatial as nq
    from nqpf_spatial.errors import DataSourceError

    console = _console()
    try:
        if variable is None:
            table = nq.data.codebook()[["group", "first_year", "last_year", "unit", "label_en", "label_zh"]]
            _print(console, table.reset_index())
            return
        entry = nq.data.codebook(variable).loc[variable].dropna()
        for name, value in entry.items():
            if value != "":
                console.print(f"{name:<15} {value}", markup=False, soft_wrap=True)
        cells = nq.data.sources(variable).fillna("")
        by = ["variable", "source_id", "official_origin", "licence"]
        _print(console, cells.groupby(by, sort=True).size().rename("cells").reset_index())
    except DataSourceError as error:
        raise _fail(str(error)) from error


@app.command()
def weights() -> None:
    """List the weight matrices of the register with their facts and checksums."""
    import pandas as pd

    import nqpf_spatial as nq

    rows = []
    for name, w in nq.weights.w7().items():
        low, high = w.rho_interval()
        links = int(w.sparse.nnz)
        row = {"W": name, "date": w.date, "links": links, "rho from": f"{low:.3f}", "to": f"{high:.3f}"}
        rows.append({**row, "sha256": w.checksum[:12], "formula": w.formula})
    _print(_console(), pd.DataFrame(rows))


def _print(console: Console, frame: pd.DataFrame) -> None:
    """Print a frame as a table without markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(frame.columns):
        table.add_column(Text(str(name)), overflow="fold", no_wrap=i == 0)
    for cells in frame.itertuples(index=False):
        table.add_row(*(Text(_cell(c)) for c in cells))
    console.print(table)


def _cell(value: Any) -> str:
    return "" if value is None or value != value else str(value)
