"""What the commands share: the console, errors with their exit code, frames as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


def console(stderr: bool = False) -> Console:
    """Where everything is printed."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def fail(message: str) -> typer.Exit:
    """Show an error and leave with code 2 (a wrong request, nothing was run)."""
    console(stderr=True).print(message, style="red", markup=False)
    return typer.Exit(2)


def parse_years(text: str | None) -> tuple[int, int] | None:
    """``2012-2024`` as a window; a single year is none."""
    if text is None:
        return None
    first, dash, last = text.partition("-")
    if not dash or not first.strip().isdigit() or not last.strip().isdigit():
        raise fail(f"--years {text}: write first and last, for instance 2012-2024")
    return int(first), int(last)


def known_weights(name: str) -> bool:
    """Whether a matrix is one of the register; False for a file, an error for neither."""
    import nqpf_spatial as nq

    if name in nq.weights.REGISTERED:
        return True
    if not Path(name).suffix and not Path(name).is_file():
        raise ValueError(f"{name!r} is neither a file nor a matrix of the register: {', '.join(nq.weights.REGISTERED)}")
    return False


def print_frame(frame: pd.DataFrame) -> None:
    """Print a frame as a table without markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(frame.columns):
        table.add_column(Text(str(name)), overflow="fold", no_wrap=i == 0)
    for cells in frame.itertuples(index=False):
        table.add_row(*(Text(_cell(c)) for c in cells))
    console().print(table)


def _cell(value: Any) -> str:
    return "" if value is None or value != value else str(value)
