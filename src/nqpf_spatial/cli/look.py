"""``nqpf-spatial claims | data | weights``: look at what is packaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nqpf_spatial.cli.terminal import console, fail, known_weights, parse_years, print_frame

#: endings of tables that are no names of variables
_FILES = (".csv", ".xls", ".xlsx", ".dta", ".txt")


def claims(
    claim: Annotated[str | None, typer.Argument(help="Claim id, for instance WU-M4.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Also decide the claim.")] = False,
    lang: Annotated[str, typer.Option(help="en or zh, for the list.")] = "en",
) -> None:
    """List the claims of the register, or show one (and decide it)."""
    from nqpf_spatial import claims as register
    from nqpf_spatial.errors import DataSourceError

    out = console()
    try:
        if claim is None:
            table = register.load().table(lang=lang)
            print_frame(table[["priority", "testability", "rule", "says"]].reset_index())
            return
        out.print(str(register.show(claim)), markup=False, soft_wrap=True)
        if run:
            out.print()
            out.print(str(register.run([claim])[0]), markup=False, soft_wrap=True)
    except DataSourceError as error:
        raise fail(str(error)) from error


def data(
    variables: Annotated[list[str] | None, typer.Argument(help="Variables, for instance rd_intensity.")] = None,
    years: Annotated[str | None, typer.Option(help="With --out: first and last year, 2012-2024.")] = None,
    names: Annotated[str, typer.Option(help="With --out: provinces as en, zh, adcode or iso.")] = "en",
    out: Annotated[Path | None, typer.Option(help="Write the variables to a .csv, .xlsx or .dta file.")] = None,
) -> None:
    """List the variables of the packaged data, show some with their sources and breaks, or write them to a file.

    Nothing is filled: a cell without a published figure stays empty. The sources go beside a file, as NAME.sources.csv.
    Files of your own go to `fit --data`; exports of the NBS database are read by nq.data.read_nbs in Python.
    """
    import nqpf_spatial as nq

    try:
        for name in variables or ():
            if Path(name).suffix.lower() in _FILES:
                raise ValueError(
                    f"{name} is a file, not a variable: this command is about the packaged data. An export of the NBS database is read "
                    "by nq.data.read_nbs(file), any other table by nq.data.read_table(file) in Python or by fit --data"
                )
        if out is not None:
            _write_panel(variables, parse_years(years), names, out)
        elif not variables:
            table = nq.data.codebook()[["group", "first_year", "last_year", "unit", "label_en", "label_zh"]]
            print_frame(table.reset_index())
        else:
            for variable in variables:
                _show_variable(variable)
    except (ValueError, OSError) as error:
        raise fail(str(error)) from error


def _show_variable(variable: str) -> None:
    import nqpf_spatial as nq

    out = console()
    entry = nq.data.codebook(variable).loc[variable].dropna()
    for name, value in entry.items():
        if value != "":
            out.print(f"{name:<15} {value}", markup=False, soft_wrap=True)
    cells = nq.data.sources(variable).fillna("")
    by = ["variable", "source_id", "official_origin", "licence"]
    print_frame(cells.groupby(by, sort=True).size().rename("cells").reset_index())


def _write_panel(variables: list[str] | None, years: tuple[int, int] | None, names: str, out: Path) -> None:
    """The panel in a file, and the sources of its cells beside it."""
    import pandas as pd

    import nqpf_spatial as nq

    frame = nq.load_panel(variables, years, names=names)  # type: ignore[arg-type]
    flat = frame.reset_index()
    writers = {
        ".csv": lambda: flat.to_csv(out, index=False, lineterminator="\n", encoding="utf-8-sig"),
        ".xlsx": lambda: flat.to_excel(out, index=False),
        ".dta": lambda: flat.to_stata(out, write_index=False, version=118),
    }
    if out.suffix.lower() not in writers:
        raise ValueError(f"--out {out.name}: the ending says the format; choose {', '.join(writers)}")
    writers[out.suffix.lower()]()
    beside = out.with_suffix(".sources.csv")
    pd.concat([nq.data.sources(v) for v in frame.columns]).to_csv(
        beside, index=False, lineterminator="\n", encoding="utf-8-sig"
    )
    console().print(f"written: {out.name} ({len(flat)} rows), {beside.name}", markup=False)


def weights(
    name: Annotated[str | None, typer.Argument(help="One of the register, or a file of weights.")] = None,
    names: Annotated[str, typer.Option(help="Provinces as en, zh, adcode or iso.")] = "en",
    out: Annotated[
        Path | None,
        typer.Option(help="Write it: .gal, .gwt, .swm, .mtx, .mat, .dta, .csv, .xlsx or .txt; labels go beside."),
    ] = None,
) -> None:
    """List the weight matrices of the register, report on one (or on a file), or write one to a file."""
    import nqpf_spatial as nq

    try:
        if name is None:
            if out is not None:
                raise ValueError(f"--out needs a matrix: choose one of {', '.join(nq.weights.REGISTERED)}, or a file")
            _list_weights()
            return
        w = nq.weights.registered(name, names) if known_weights(name) else nq.weights.read(name)  # type: ignore[arg-type]
        if out is None:
            print_frame(w.report().reset_index())
        else:
            written = nq.weights.write(w, out)
            console().print(f"written: {', '.join(path.name for path in written)}", markup=False)
    except (ValueError, OSError) as error:
        raise fail(str(error)) from error


def _list_weights() -> None:
    import pandas as pd

    import nqpf_spatial as nq

    rows = []
    for name, w in nq.weights.w7().items():
        low, high = w.rho_interval()
        links = int(w.sparse.nnz)
        row = {"W": name, "date": w.date, "links": links, "rho from": f"{low:.3f}", "to": f"{high:.3f}"}
        rows.append({**row, "sha256": w.checksum[:12], "formula": w.formula})
    print_frame(pd.DataFrame(rows))
