"""``nqpf-spatial``: reproduce the study, fit a model, look at claims, data and weights from a terminal.

Exit codes: 0 done; 1 something ran and failed (a notebook, an estimate that does not exist); 2 a wrong request, nothing was run.
"""

from __future__ import annotations

from typing import Annotated

import typer

from nqpf_spatial.cli.estimate import fit
from nqpf_spatial.cli.look import claims, data, weights
from nqpf_spatial.cli.rerun import reproduce
from nqpf_spatial.cli.terminal import console

_HELP = "Spatial econometrics of the Chinese provinces, and claims about them put to the test."

app = typer.Typer(name="nqpf-spatial", help=_HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
for command in (reproduce, fit, claims, data, weights):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        from nqpf_spatial import __version__

        console().print(f"nqpf_spatial {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Spatial econometrics of the Chinese provinces, and claims about them put to the test.

    Exit codes: 0 done; 1 something ran and failed; 2 a wrong request, nothing was run.
    """
