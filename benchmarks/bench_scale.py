"""Time and memory of exact cross-section fits on lattices of up to a million units, beside spreg where it gets there.

    python benchmarks/bench_scale.py [--quick] [--out benchmarks/results/scale.json]

Every fit runs once in a process of its own, on one BLAS thread: seconds from formula, frame and weights to the result (the
weights are made before), processor seconds, and the largest memory the process ever held, imports included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from record import one_blas_thread

SEED = 20261127
#: seconds to reach (docs: performance) by number of units
BUDGET = {100: None, 316: 4.0, 1000: 100.0}
SOFTWARE = {"cholesky": "nqpf_spatial (CHOLMOD)", "lu": "nqpf_spatial (SuperLU)", "spreg": "spreg ML_Lag (LU)"}
#: sides of the lattice that each way is asked for; more takes too long
UP_TO = {"cholesky": 1000, "lu": 316, "spreg": 100}


def one(side: int, way: str) -> dict[str, Any]:
    """Fit once and report; meant for a fresh process."""
    import pandas as pd

    import nqpf_spatial as nq
    from nqpf_spatial.models import determinant

    w = nq.weights.lattice(side, side)
    rng = np.random.default_rng(SEED)
    frame = pd.DataFrame(rng.standard_normal((w.n, 3)), columns=list("abc"), index=pd.Index(w.ids, name="cell"))
    source = frame.sum(axis=1).to_numpy() + rng.standard_normal(w.n)
    y = source
    for _ in range(60):  # (I - 0.5 W)^-1 source, by its series
        y = source + 0.5 * (w.sparse @ y)
    frame["y"] = y
    if way == "lu":
        determinant.find_spec = lambda name: None  # type: ignore[assignment]
    call = _spreg(frame, w) if way == "spreg" else lambda: nq.sdm("y ~ a + b + c", frame, w)
    wall, cpu = time.perf_counter(), time.process_time()
    fit = call()
    return {
        "work": f"cross-section {'SAR' if way == 'spreg' else 'SDM'}, {w.n:,} units",
        "software": SOFTWARE[way],
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "memory_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "rho": float(fit.rho),
        "budget": BUDGET[side],
    }


def _spreg(frame: Any, w: Any) -> Any:
    """The spatial lag model of spreg; it has no Durbin model with a sparse determinant."""
    import spreg

    x, y, theirs = frame[["a", "b", "c"]].to_numpy(), frame[["y"]].to_numpy(), w.to_W()
    return lambda: spreg.ML_Lag(y, x, theirs, method="LU", spat_diag=False, vm=False)


def main() -> None:
    """Run every size and way, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest size only")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(int(options.one[0]), options.one[1])))
        return
    rows = []
    for side in list(BUDGET)[: 1 if options.quick else None]:
        for way in (k for k, largest in UP_TO.items() if side <= largest):
            command = [sys.executable, __file__, "--one", str(side), way]
            done = subprocess.run(command, env=one_blas_thread(), capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print({k: round(v, 3) if isinstance(v, float) else v for k, v in rows[-1].items()})
    if options.out:
        packages = ("nqpf-spatial", "numpy", "scipy", "cvxopt", "spreg")
        record = {"seed": SEED, "cores": os.cpu_count(), "python": platform.python_version()}
        record |= {"versions": {p: version(p) for p in packages}, "rows": rows}
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
