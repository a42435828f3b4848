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

SEVERAL = """
## Several and changing weights
`python studies/several_coverage.py`: two-way SDM on the provinces, T periods, {replicates:,} replicates, seed {seed}. *changing*: W moves from borders to migration;
*frozen*: the same data with the mean of W in every period; *lags*: a lag by each, with these coefficients; *shares*: one rho, borders with this share. The lowest coverage of
the coefficients of the lags, of beta, theta, and of the average impacts (delta method), over normal and t(5) errors where both were drawn; the largest median bias of a
coefficient of a lag.

"""

SHARES = """
Shares: the interval of the normal distribution where the share is inside the simplex, the profile-likelihood interval, the test at 5 % that the share is zero, and how often the estimate lies at a bound.

"""

SEVERAL_READ = """
**Reading it.** Where W changes, the freed score (`score`) covers what it says and dummy-variable ML (`none`) does not, as with one constant W. Intervals of indirect and total impacts by the delta method are
too short where little is known of a large rho (five periods, or two lags that sum to 0.5, or shares): 0.89 to 0.92. Set `fit.impacts(method="bootstrap")` beside them; its coverage was not simulated here. In one of 10,000 samples with lags of 0.3 and 0.2 the estimates add up to one,
where impacts have no bound: their means and standard deviations in `studies/results/several_coverage.csv` say nothing, the medians do. A share has no normal distribution near its bounds: use the profile interval, which is
conservative at the corner. The mean W in place of a changing one costs little in this design; that is no rule.
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
    page += several(pd.read_csv(RESULTS / "several_coverage.csv"))
    return "\n".join(page)


def several(found: pd.DataFrame) -> list[str]:
    """The section on several and changing weights."""
    keys = ["design", "T", "rho", "correction"]
    kinds = {"x": "beta", "direct x": "direct", "indirect x": "indirect", "total x": "total"}
    kind = found["parameter"].map(kinds)
    kind = kind.mask(found["parameter"].str.startswith("rho"), "rho").mask(
        found["parameter"].str.startswith("W:"), "theta"
    )
    found = found.assign(kind=kind)
    wide = found.groupby([*keys, "kind"], sort=False)["coverage"].min().unstack("kind")
    lags = found[found["kind"].eq("rho")]
    bias = lags.groupby(keys, sort=False)["median_bias"].agg(lambda v: v.loc[v.abs().idxmax()])
    wide = wide[["rho", "beta", "theta", "direct", "indirect", "total"]].assign(**{"median bias of rho": bias})
    wide = wide.rename_axis(index={"rho": "true rho"}).loc[list(dict.fromkeys(map(tuple, found[keys].to_numpy())))]
    shown = found[found["parameter"].str.startswith("share:near")]
    shares = shown.pivot_table(index=["design", "rho"], columns="parameter", values="coverage", sort=False)
    names = {"share:near": "normal", "share:near, profile": "profile", "share:near = 0, rejected at 5 %": "test of zero rejects",
             "share:near, at a bound": "at a bound"}  # fmt: skip
    shares = shares[list(names)].rename(columns=names).rename_axis(index={"rho": "true rho"})
    head = SEVERAL.format(replicates=int(found["replicates"].iloc[0]), seed=int(found["seed"].iloc[0]))
    return [head, markdown(wide), SHARES, markdown(shares), SEVERAL_READ]


def markdown(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table with three decimals."""
    names = list(frame.index.names)
    lines = ["| " + " | ".join([*names, *map(str, frame.columns)]) + " |", "|" + "---|" * (len(names) + frame.shape[1])]
    for key, row in frame.iterrows():
        keys = key if isinstance(key, tuple) else (key,)
        lines.append("| " + " | ".join([*map(str, keys), *("" if pd.isna(v) else f"{v:.3f}" for v in row)]) + " |")
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
