"""What the benchmarks share: one BLAS thread, and the file that a run leaves."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

SEED = 20261123


def run(
    doc: str,
    name: str,
    packages: Sequence[str],
    measure_all: Callable[[bool], list[Any]],
    report: Callable[[list[Any]], str],
) -> None:
    """Measure on one BLAS thread, print the report, write versions, seed, cores and durations to ``results/<name>.json``."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=one_blas_thread()).returncode)
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / f"{name}.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = measure_all(options.quick)
    print(report(rows))
    record = {
        "seed": SEED,
        "cores": os.cpu_count(),
        "blas_threads": 1,
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
        "rows": [asdict(r) for r in rows],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def one_blas_thread() -> dict[str, str]:
    """Environment under which BLAS uses one thread; it counts only from the start of a process."""
    return {**os.environ, **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
