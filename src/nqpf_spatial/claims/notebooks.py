"""Execution of the notebooks from a clean kernel of this very interpreter."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.runner import FAST_VARIABLE
from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNEL = "nqpf-spatial"
#: seconds a single cell may take
CELL_TIMEOUT = 600
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
HINT = "executing notebooks needs the extra: pip install 'nqpf-spatial[notebooks]'"


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook after its run.

    Attributes
    ----------
    name : str
        File name without suffix.
    notebook : NotebookNode
        With outputs, without clock times.
    failure : str
        Empty where it ran through; otherwise the number and source of the failing cell and the error.
    """

    name: str
    notebook: NotebookNode
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether every cell ran."""
        return not self.failure


def find(folder: Path, only: frozenset[str] | None = None) -> list[Path]:
    """List the notebooks of a folder in the order of their names.

    Parameters
    ----------
    folder : Path
    only : frozenset of str, optional
        File names to keep.

    Returns
    -------
    list of Path

    Raises
    ------
    DataSourceError
        If the folder holds none.
    """
    found = sorted(folder.glob("*.ipynb"))
    if not found:
        raise DataSourceError(f"no notebooks in {folder.name}/; run from a clone of the repository or say --notebooks")
    return [p for p in found if only is None or p.name in only]


@contextmanager
def _kernelspecs() -> Iterator[Any]:
    """A kernel specification that starts this interpreter, in a folder of its own."""
    from jupyter_client.kernelspec import KernelSpecManager

    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / KERNEL
        spec.mkdir()
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        content = {"argv": command, "display_name": "Python 3", "language": "python"}
        (spec / "kernel.json").write_text(json.dumps(content), encoding="utf-8")
        manager = KernelSpecManager(kernel_dirs=[folder], ensure_native_kernel=False)
        # kernel_dirs is appended to the user's own folders unless set after construction
        manager.kernel_dirs = [folder]
        yield manager


def execute(path: Path, *, fast: bool = False) -> Executed:
    """Execute a notebook in a temporary folder.

    Parameters
    ----------
    path : Path
        The notebook; the file is not changed.
    fast : bool
        Tell the claims run inside it to leave out heavy variants.

    Returns
    -------
    Executed

    Raises
    ------
    ImportError
        If the `notebooks` extra is not installed.
    """
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    try:
        import nbformat
        from jupyter_client.manager import AsyncKernelManager
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ImportError as error:
        raise ImportError(HINT) from error
    notebook = nbformat.read(path, as_version=4)
    failure = ""
    with _kernelspecs() as specs, tempfile.TemporaryDirectory() as work:
        manager = AsyncKernelManager(
            kernel_name=KERNEL,
            kernel_spec_manager=specs,
            connection_file=str(Path(work) / "kernel.json"),
            transport="ipc" if os.name == "posix" else "tcp",  # files of this user instead of open ports
        )
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": work}},
            record_timing=False,
        )
        try:
            # a loop of our own, closed at the end: nbclient's synchronous front leaves one per thread behind
            asyncio.run(client.async_execute(env=_environment(fast), cwd=work, cleanup_kc=True))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failure = describe_failure(notebook, error)
    return Executed(path.stem, stripped(notebook), failure)


def _environment(fast: bool) -> dict[str, str]:
    """Environment of the kernel."""
    env = {**os.environ, "JUPYTER_PLATFORM_DIRS": "1"}
    env[FAST_VARIABLE] = "1" if fast else "0"
    for library in ("OPENBLAS", "OMP", "MKL"):  # several kernels share the cores, and their matrices are small
        env.setdefault(f"{library}_NUM_THREADS", "1")
    # esda imports a progress bar that, where ipywidgets is absent, writes the path of its installation into the first cell that needs it
    env["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:IProgress not found"]))
    env.pop("MPLBACKEND", None)  # the kernel's own inline backend shows the figures
    return env


def describe_failure(notebook: NotebookNode, error: Exception) -> str:
    """Say which cell failed, with its source and the error.

    Parameters
    ----------
    notebook : NotebookNode
        After the run.
    error : Exception

    Returns
    -------
    str
    """
    code = [c for c in notebook.cells if c.cell_type == "code"]
    failing = [(i, c) for i, c in enumerate(code, start=1) if any(o.output_type == "error" for o in c.outputs)]
    if not failing:
        return f"{type(error).__name__}: {_ANSI.sub('', str(error)).strip()}"
    number, cell = failing[-1]
    last = next(o for o in cell.outputs if o.output_type == "error")
    return f"code cell {number}:\n{cell.source}\n{last.ename}: {_ANSI.sub('', last.evalue)}"


def stripped(notebook: NotebookNode) -> NotebookNode:
    """Take out of a notebook what changes from run to run: times, ids of the session, the kernel's version.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.

    Returns
    -------
    NotebookNode
    """
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}
    language: Mapping[str, str] = {"name": "python"}
    notebook.metadata = type(notebook)(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"}, language_info=dict(language)
    )
    return notebook
