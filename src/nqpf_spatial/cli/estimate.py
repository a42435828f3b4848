"""``nqpf-spatial fit``: from a formula and files to tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nqpf_spatial.cli.terminal import console, fail, known_weights, parse_years

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.models import SpatialFit
    from nqpf_spatial.report import Comparison, Table
    from nqpf_spatial.weights import SpatialWeights

#: suffix of --out -> method of the table that writes it; None: its text
WRITERS = {".docx": "to_word", ".xlsx": "to_excel", ".tex": "to_latex", ".html": "to_html", ".md": None, ".txt": None}


def fit(
    formula: Annotated[
        str, typer.Argument(help="'y ~ x1 + x2 | province + year'; fixed effects after the bar, none without it.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="csv, xlsx, xls or dta, a row per unit and period; the packaged panel without it. Exports of the NBS database: "
            "first nq.data.read_nbs(file).to_csv(...) in Python."
        ),
    ] = None,
    unit: Annotated[str, typer.Option(help="Column of the units in --data.")] = "province",
    time: Annotated[str, typer.Option(help="Column of the periods in --data; 'none' for a cross-section.")] = "year",
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="queen, inv_distance, inv_distance_sq, economic, econ_geo_nested, migration_flow, digital, or a file (gal, gwt, swm, "
            "dta, csv, xlsx, mat, mtx, txt); several give several columns. Default: queen, for provinces."
        ),
    ] = None,
    transform: Annotated[str, typer.Option(help="Of weights from files: row, spectral, minmax or none.")] = "row",
    ids: Annotated[
        Path | None,
        typer.Option(
            help="Labels of a file of weights that has none, in the order of its rows: a .txt with one per line, or the "
            ".ids.csv that nqpf_spatial puts beside weights."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="SDM (default), SAR, SEM, SDEM, SLX, SAC, GNS or OLS; several give several columns."),
    ] = None,
    years: Annotated[str | None, typer.Option(help="First and last period: 2012-2024.")] = None,
    effects: Annotated[str, typer.Option(help="fixed, random or mundlak.")] = "fixed",
    dynamic: Annotated[str | None, typer.Option(help="lag_y, lag_wy or both: time lags of the outcome.")] = None,
    correction: Annotated[str, typer.Option(help="transform (Lee-Yu), score, none, bias or bootstrap.")] = "transform",
    vcov: Annotated[str, typer.Option(help="observed, expected, sandwich, cluster or driscoll-kraay.")] = "observed",
    missing: Annotated[
        str,
        typer.Option(
            help="Incomplete cells: raise, drop_units, drop_years, subnetwork or marginalise; nothing is ever filled."
        ),
    ] = "raise",
    subset: Annotated[
        str | None, typer.Option(help="How W is cut where units are left out: keep or restandardise.")
    ] = None,
    show: Annotated[str, typer.Option(help="coefficients, impacts or both.")] = "both",
    diagnose: Annotated[bool, typer.Option("--diagnose", help="Also print the test battery of each fit.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Also explain each fit in words.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write the table: .docx, .xlsx, .tex, .html, .md or .txt by its ending.")
    ] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Fit spatial models and print (or write) them side by side.

    Examples:

    nqpf-spatial fit "ln_gdp_real_pc ~ ln_broadband_pc + ln_rd_intensity | province + year" --years 2012-2024

    nqpf-spatial fit "y ~ x1 + x2 | id + year" --data panel.dta --unit id --weights W.dta --ids ids.txt --out table.docx
    """
    import nqpf_spatial as nq
    from nqpf_spatial.errors import ConvergenceError, IdentificationError

    writer = _writer(out)
    options = {
        "years": parse_years(years),
        "effects": effects,
        "dynamic": dynamic,
        "correction": correction,
        "vcov": vcov,
        "missing": missing,
        "subset": subset,
    }
    try:
        frame = _frame(data, unit, time)
        matrices = [_weights(w, transform, ids) for w in weights or ["queen"]]
        fits = _fits(formula, frame, matrices, model or ["SDM"], options)
        table = nq.compare(fits, show=show, lang=lang)
        _show(table, fits, diagnose, explain, lang)
        if out is not None:
            _write(table.table, out, writer)
    except (IdentificationError, ConvergenceError) as error:
        console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise fail(str(error)) from error


def _writer(out: Path | None) -> str | None:
    if out is None:
        return None
    if out.suffix.lower() not in WRITERS:
        raise fail(f"--out {out.name}: the ending says the format; choose {', '.join(WRITERS)}")
    if not out.resolve().parent.is_dir():
        raise fail(f"--out {out.name}: the folder {out.parent.name} does not exist")
    return WRITERS[out.suffix.lower()]


def _frame(path: Path | None, unit: str, time: str) -> pd.DataFrame:
    """The packaged panel or the user's file; provinces under any name are recognised, other units keep their labels."""
    import nqpf_spatial as nq

    if path is None:
        return nq.load_panel()
    return nq.data.read_table(path, unit=unit, time=None if time == "none" else time, provinces="allow")


def _weights(name: str, transform: str, ids: Path | None) -> SpatialWeights:
    import nqpf_spatial as nq

    if known_weights(name):
        return nq.weights.registered(name)
    return nq.weights.read(name, ids, transform)  # type: ignore[arg-type]


def _fits(
    formula: str, frame: pd.DataFrame, matrices: list[SpatialWeights], models: list[str], options: dict[str, Any]
) -> dict[tuple[str, str], SpatialFit]:
    """One fit per model and matrix, behind a progress bar; OLS takes no matrix and is fitted once."""
    from rich.progress import track

    import nqpf_spatial as nq

    wanted = [(m.upper(), w) for m in models for w in (matrices if m.upper() != "OLS" else [None])]
    found: dict[tuple[str, str], SpatialFit] = {}
    for m, w in track(wanted, description="fitting", console=console(stderr=True), transient=True):
        rows = frame if w is None else _same_text(frame, w)
        found[m, "" if w is None else w.name] = nq.fit(formula, rows, w, model=m, **options)
    return found


def _same_text(frame: pd.DataFrame, w: SpatialWeights) -> pd.DataFrame:
    """Labels in files are text: the unit 1 of one file is the unit "1" of the other."""
    known = {str(label): label for label in w.ids}
    units = frame.index.unique(level=0)
    if all(u in w.ids for u in units) or any(str(u) not in known for u in units):
        return frame
    out = (
        frame.rename(index=lambda u: known[str(u)], level=0)
        if frame.index.nlevels > 1
        else frame.rename(index=lambda u: known[str(u)])
    )
    out.attrs = frame.attrs
    return out


def _show(table: Comparison, fits: dict[tuple[str, str], SpatialFit], diagnose: bool, explain: bool, lang: str) -> None:
    out = console()
    out.print(table.to_text(), markup=False, soft_wrap=True)
    for (m, w), found in fits.items():
        for wanted, made in ((diagnose, lambda f: f.diagnose().with_lang(lang)), (explain, lambda f: f.explain(lang))):
            if wanted:
                out.print(f"\n{m} {w}".rstrip(), markup=False)
                out.print(str(made(found)), markup=False, soft_wrap=True)


def _write(table: Table, out: Path, writer: str | None) -> None:
    if writer is not None:
        getattr(table, writer)(out)
    else:
        (table.to_markdown if out.suffix.lower() == ".md" else table.to_text)(out)
    console().print(f"written: {out.name}", markup=False)
