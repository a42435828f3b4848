"""``nqpf-spatial reproduce``: notebooks, verdicts, report."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from nqpf_spatial.cli.terminal import console, fail

if TYPE_CHECKING:
    from nqpf_spatial.claims.reproduce import Result

#: notebooks of the repository this installation comes from (an editable one)
REPOSITORY_NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"

#: seconds after which a run without a terminal says how far it is
SILENT = 10.0


def _notebook_folder(given: Path | None) -> Path:
    """The folder asked for, else ./notebooks, else that of the repository."""
    if given is not None:
        if not given.is_dir():
            raise fail(f"--notebooks {given}: no such folder")
        return given
    here = Path.cwd() / "notebooks"
    for folder in (here, REPOSITORY_NOTEBOOKS):
        if any(folder.glob("*.ipynb")):
            return folder
    raise fail("no notebooks found: run inside a clone of the repository, or say --notebooks FOLDER")


def reproduce(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Notebook number or name ('05'), or claim id ('WU-M4'); may be repeated."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out heavy variants and draw coarser figures.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time, this one included.")] = 2,
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
        raise fail(str(error)) from error
    _summary(result, fast)
    if result.failures:
        raise typer.Exit(1)


def _run(folder: Path, target: Path, only: list[str], fast: bool, jobs: int) -> Result:
    """Run everything behind a progress bar."""
    import scipy.linalg  # noqa: F401  its BLAS has to be there to be limited
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from threadpoolctl import threadpool_limits

    from nqpf_spatial.claims import load
    from nqpf_spatial.claims.reproduce import run_all, steps

    available = [p.name for p in folder.glob("*.ipynb")]
    total = steps(load(), available, only)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(), transient=True) as bar:
        task = bar.add_task("reproduce", total=total)

        said = monotonic()

        def done(step: str) -> None:
            nonlocal said
            bar.update(task, advance=1, description=f"{step:<28}")
            if not bar.console.is_terminal and monotonic() - said >= SILENT:  # a log shows no bar
                said = monotonic()
                console(stderr=True).print(f"{bar.tasks[0].completed:.0f} of {total} steps done, the last: {step}")

        with threadpool_limits(1, "blas"):  # many small matrices beside kernels that want the cores
            return run_all(folder, target, only=only, fast=fast, jobs=jobs, progress=done)


def _summary(result: Result, fast: bool) -> None:
    """Print the verdicts that rest on data, the failures and where the report is."""
    from collections import Counter

    from rich.table import Table

    out = console()
    table = Table(title="Verdicts on data" + (" (fast run)" if fast else ""), title_justify="left")
    for name in ("claim", "verdict", "rule"):
        table.add_column(name)
    for v in result.verdicts:
        if v.evidence:
            table.add_row(v.claim, v.label, v.rule)
    out.print(table)
    counts = Counter(v.label for v in result.verdicts if not v.evidence)
    if counts:
        out.print("; ".join(f"{word}: {n}" for word, n in sorted(counts.items())), soft_wrap=True)
    for failed in result.failures:
        out.print(f"\n{failed.name} failed in {failed.failure}", style="red", markup=False)
    out.print(f"report: {result.out / 'index.html'}", markup=False, soft_wrap=True)
