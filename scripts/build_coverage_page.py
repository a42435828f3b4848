"""Write docs/coverage.md from the committed results of the studies.

python scripts/build_coverage_page.py [--check]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
PAGE = ROOT / "docs" / "coverage.md"
SHOWN = ["rho", "beta1", "theta1", "direct1", "indirect1", "total1"]

INTRO = """# Coverage at N = 31

This page is written by `python scripts/build_coverage_page.py` from `studies/results/*.csv`; the commands in each section rebuild the results.

## The default, and what it replaces
`python studies/coverage.py`: two-way SDM on the provinces, two regressors with unit and time components, {replicates:,} replicates a cell, seed {seed}. Share of
nominal 95 % intervals (observed information, delta method for the impacts) that contain the truth, averaged over normal and t(5) errors.
"""

READ = """
**Reading it.** With queen contiguity the Lee-Yu transformation (`transform`, the default) covers what it says from T = 8 on, and nearly so at T = 4. Dummy-variable ML (`none`) does not, and more
periods make it worse: its bias does not shrink with T while its standard error does. With inverse-distance weights, where every province is a neighbour of every other, rho itself is covered, but it
is hardly identified (its sampling distribution is wide and skewed), and intervals of theta and of the total effect fall short for large rho: use `fit.impacts(method="bootstrap")`, or a sparser W.
"""

ROBUST = """
## Robust covariances under the departures they are made for
`python studies/robust_coverage.py`: T = 13, queen, rho = 0.4, {replicates:,} replicates, seed {seed}; the worst of rho, beta and theta.

"""

ROBUST_READ = """
**Reading it.** Under serial dependence within provinces, and where the variance moves with a regressor, the information-based intervals are too short and the clustered ones come close to nominal with 31
clusters; the wild cluster bootstrap is beside them. The QML sandwich does what it is made for (non-normal iid errors) and nothing else. Driscoll-Kraay averages over 13 periods only: its intervals cover far less than
they say, whatever the errors; do not use it for a provincial panel of this length.
"""


def build() -> str:
    """The page."""
    table = pd.read_csv(RESULTS / "coverage.csv")
    page = [INTRO.format(replicates=int(table["replicates"].iloc[0]), seed=int(table["seed"].iloc[0]))]
    for w, title in (("queen", "Queen contiguity"), ("inverse_distance", "Inverse distance")):
        part = table[table["w"].eq(w) & table["parameter"].isin(SHOWN)]
        wide = part.pivot_table(index=["T", "rho", "correction"], columns="parameter", values="coverage")[SHOWN]
        bias = part[part["parameter"].eq("rho")].groupby(["T", "rho", "correction"])["bias"].mean()
        wide = wide.assign(**{"bias of rho": bias}).rename_axis(index={"rho": "true rho"})
        page += [f"\n### {title}\n", markdown(wide)]
    page.append(READ)
    robust = RESULTS / "robust_coverage.csv"
    if robust.exists():
        found = pd.read_csv(robust)
        page.append(ROBUST.format(replicates=int(found["replicates"].iloc[0]), seed=int(found["seed"].iloc[0])))
        worst = found.groupby(["departure", "covariance"], sort=False)["coverage"].min().unstack("covariance")
        page += [markdown(worst[list(dict.fromkeys(found["covariance"]))]), ROBUST_READ]
    return "\n".join(page)


def markdown(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table with three decimals."""
    names = list(frame.index.names)
    lines = ["| " + " | ".join([*names, *map(str, frame.columns)]) + " |", "|" + "---|" * (len(names) + frame.shape[1])]
    for key, row in frame.iterrows():
        keys = key if isinstance(key, tuple) else (key,)
        lines.append("| " + " | ".join([*map(str, keys), *(f"{v:.3f}" for v in row)]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write the page, or check that the committed one is current."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="exit 1 if the committed page is not what the results give"
    )
    page = build()
    if parser.parse_args().check:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page else "docs/coverage.md is not current: run this script")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
