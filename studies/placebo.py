"""Placebos: how often the rules of the claims say "supported" or "contradicted" where nothing is there.

    python studies/placebo.py [--scale 1.0] [--seed 20261127] [--date 2026-11-27] [--out studies/results/placebo.csv]

Each rule function of `nqpf_spatial.claims.rules` is fed what its reading feeds it, computed on data without the effect a
claim would state: real series whose provinces (or years) are permuted, or simulated series. The outcomes are counted and
compared with the nominal level of the rule. P-values are raw: the correction inside a family and the variants only make
"supported" rarer, so that the figures are upper bounds of what a verdict does.

Levels, and the readings of this study, were written down before the first run:

* a two-sided test at 0.05 with a stated sign supports in 0.025 of the cases, a one-sided one in 0.05;
* a claim that states "direct or total" gets 0.05, the sum of the two;
* a criterion of several parts that all have to hold gets the level of one part;
* R-OSSIFY has no level for support (it is no test); 0.05 is what is asked of it. Its contradiction is that either of two
  series moves, up or down: 0.10, the sum of the two;
* bound: the 0.999 quantile of a binomial share with the nominal level; a share above it exceeds the level.

Economies, none of which changes what a rule counts: 999 arrangements instead of the register's number (a randomisation test
holds its level at any number); effects of R-MECH by the delta method instead of draws, the standard error of rho instead
of its standard deviation over bootstrap replicates; the six other W are fitted only where the baseline W is significant,
because without it the rule can neither support nor contradict.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

import nqpf_spatial as nq
from nqpf_spatial import divergence
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.did_design import Window, window_of
from nqpf_spatial.claims.evaluate.own.series import movement_limits
from nqpf_spatial.claims.evaluate.own.settings import column_of
from nqpf_spatial.claims.evaluate.specification import Specification, data_of
from nqpf_spatial.claims.rules import club, did, level, mech, ossify, own_series, polar
from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.clauses import Clause, Not, Significant, raw, some
from nqpf_spatial.claims.rules.criterion import Criterion, decide
from nqpf_spatial.claims.rules.trend import Measure, Moving, Trend
from nqpf_spatial.errors import FewClustersWarning, IdentificationWarning
from nqpf_spatial.kernels.randomisation import difference_test, joint_test, spearman

YEARS = tuple(range(2013, 2025))
ARRANGEMENTS = 999
TREATED = 14
QUANTILE = 0.999
MEASURES = ["cv", "theil_t", "gini", "sd_log"]
#: replicates at scale 1
REPLICATES = {"trend": 250, "level": 400, "did": 500, "mech": 160, "ossify": 60, "club": 60, "own": 1000}
#: autocorrelation of the logarithm of dispersion; 1 is a random walk without drift
PERSISTENCE = {"white noise": 0.0, "AR(1) 0.3": 0.3, "AR(1) 0.6": 0.6, "AR(1) 0.9": 0.9, "random walk": 1.0}
COLUMNS = ["rule", "setting", "data", "replicates", "supported", "contradicted", "blocked"]
COLUMNS += [
    "level_support",
    "level_contradict",
    "bound_support",
    "bound_contradict",
    "exceeds",
    "seed",
    "date",
    "release",
]


def tally(
    rule: str, setting: str, data: str, outcomes: Iterable[Outcome], up: float, down: float
) -> dict[str, str | float]:
    """One row: shares of the outcomes, nominal levels and the Monte-Carlo bounds around them."""
    found = list(outcomes)
    n = len(found)
    supported, contradicted = (float(np.mean([getattr(o, k) for o in found])) for k in ("support", "contradict"))
    bounds = [float(binom.ppf(QUANTILE, n, p) / n) for p in (up, down)]
    over = [k for k, s, b in zip(("support", "contradict"), (supported, contradicted), bounds, strict=True) if s > b]
    return {
        "rule": rule,
        "setting": setting,
        "data": data,
        "replicates": n,
        "supported": supported,
        "contradicted": contradicted,
        "blocked": float(np.mean([bool(o.blocked) for o in found])),
        "level_support": up,
        "level_contradict": down,
        "bound_support": bounds[0],
        "bound_contradict": bounds[1],
        "exceeds": " and ".join(over) or "no",
    }


def long_of(values: NDArray, provinces: list[str], first: int, name: str = "x") -> pd.Series:
    """Values (years, provinces) as a series with the library's index."""
    index = pd.MultiIndex.from_product([provinces, range(first, first + len(values))], names=["province", "year"])
    return pd.Series(values.T.ravel(), index=index, name=name)


def dispersing(rng: np.random.Generator, phi: float, replicates: int, n: int) -> NDArray:
    """Panels (replicates * T, n) whose dispersion moves like an AR(1) without trend.

    x = exp(s a), s = exp(u) / 2, u with standard deviation 0.1 (a random walk: 0.1 a year); a is a fixed position of each
    province plus noise, so that the measures differ.
    """
    t = len(YEARS)
    shocks = rng.standard_normal((replicates, t))
    u = np.empty_like(shocks)
    u[:, 0] = shocks[:, 0]
    for i in range(1, t):
        u[:, i] = phi * u[:, i - 1] + (np.sqrt(1.0 - phi**2) if phi < 1.0 else 1.0) * shocks[:, i]
    place = rng.standard_normal((replicates, 1, n)) + 0.3 * rng.standard_normal((replicates, t, n))
    return np.exp(0.5 * np.exp(0.1 * u)[..., None] * place).reshape(replicates * t, n)


def measures_of(table: pd.DataFrame, parameters: dict[str, Any], correction: str) -> Iterator[tuple[Measure, ...]]:
    """Trends of every block of T rows, as the reading of R-TREND computes them."""
    known = {k: parameters[k] for k in ("alpha", "diverging_change_pct_ge", "converging_change_pct_le", "min_years")}
    for start in range(0, len(table), len(YEARS)):
        block = table.iloc[start : start + len(YEARS)].set_axis(list(YEARS), axis=0)
        out = []
        for name in table.columns:
            f = divergence.trend_label(block[name], **known, correction=correction)  # type: ignore[arg-type]
            out.append(
                Measure(str(name), f.change_pct, f.pvalue, f.slope, np.nan, np.nan, f.test.statistic, np.nan, f.n)
            )
        yield tuple(out)


def up_or_down(up: Clause, down: Clause) -> Outcome:
    """Read a claim that states the first clause and is contradicted by the second."""
    return Outcome(up.holds(raw), down.holds(raw), "")


def trend_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-TREND on one and on four measures, R-POLAR on its two indices."""
    p = dict(ctx.register.rules["R-TREND"].parameters)
    alpha = float(ctx.register.threshold("R-POLAR", "er_alpha"))
    provinces = [str(v) for v in ctx.panel.index.unique("province")]
    real = ctx.panel["gdp_real_pc"].unstack("province").loc[list(YEARS)]
    half = p["alpha"] / 2.0
    sources = {**PERSISTENCE, "gdp_real_pc, years permuted": None}
    for k, (data, phi) in enumerate(sources.items()):
        rng = np.random.default_rng([seed, 1, k])
        if phi is None:
            x = np.concatenate([rng.permutation(real.to_numpy()) for _ in range(replicates)])
        else:
            x = dispersing(rng, phi, replicates, len(provinces))
        values = long_of(x, list(real.columns) if phi is None else provinces, 1)
        four = divergence.inequality(values, MEASURES).table
        two = divergence.polarization(values, list(polar.DECIDING), groups="block", alpha=alpha).table
        found = list(measures_of(four, p, "hamed_rao"))
        for setting, sets in (("one measure", [m[2:3] for m in found]), ("3 of 4 measures", found)):
            read = [up_or_down(Trend("x", "DIVERGING", m, p), Trend("x", "CONVERGING", m, p)) for m in sets]
            yield tally("R-TREND", setting, data, read, half, half)
        poles = [
            up_or_down(polar.polarises("x", "DIVERGING", m, p), polar.polarises("x", "CONVERGING", m, p))
            for m in measures_of(two, p, "hamed_rao")
        ]
        yield tally("R-POLAR", "both indices", data, poles, half, half)
        if phi in (0.0, 0.6):
            plain = measures_of(four[["gini"]], p, "none")
            read = [up_or_down(Trend("x", "DIVERGING", m, p), Trend("x", "CONVERGING", m, p)) for m in plain]
            yield tally("beside", "plain Mann-Kendall, one measure", data, read, half, half)


def level_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-LEVEL with permuted provinces."""
    p = ctx.register.rules["R-LEVEL"].parameters
    settings = (
        ("gdp_real_pc", "block", "East", None),
        ("rd_intensity", "north_south", "South", "North"),
        ("urbanization_rate", "block", "West", "East"),
    )
    for k, (variable, groups, top, rest) in enumerate(settings):
        rng = np.random.default_rng([seed, 2, k])
        wide = ctx.panel[variable].unstack("province").loc[list(YEARS)]
        read = []
        for r in range(replicates):
            x = long_of(wide.to_numpy()[:, rng.permutation(wide.shape[1])], list(wide.columns), YEARS[0])
            f = divergence.level_permutation(
                x,
                top,
                rest,
                groups=groups,
                permutations=ARRANGEMENTS,
                seed=seed + r,  # type: ignore[arg-type]
            ).table.iloc[0]
            gap, same = float(f["difference"]), bool(f["same_sign"])
            d = level.Difference(
                "x", gap, float(f["pvalue"]), float(f["pvalue_below"]), same, 1.0, 1.0, str(YEARS[-1]), 1, 1
            )
            read.append(decide(Criterion(level.above(d, p), level.reversed_sign(d, p)), raw))
        data = f"{variable}, provinces permuted"
        yield tally("R-LEVEL", f"{top} above {rest or 'others'}", data, read, p["alpha"], p["alpha"])


def effect_of(
    wide: pd.DataFrame, window: Window, inside: NDArray, added: float, interval: float, seed: int
) -> did.GroupEffect:
    """What the design of R-DID shows for a set of provinces, with an effect added to it after the treatment."""
    change = (wide[list(window.post)].mean(axis=1) - wide[list(window.pre)].mean(axis=1)).to_numpy()
    before = wide[list(window.pre[:-1])].sub(wide[window.pre[-1]], axis=0).to_numpy()
    e = difference_test(change + added * inside, inside, ARRANGEMENTS, seed, interval)
    pre = joint_test(before, inside, ARRANGEMENTS, seed)
    return did.GroupEffect("hubs", e.estimate, e.sd, e.pvalue, e.pvalue, pre.pvalue, len(window.post), e.lower, e.upper)


def did_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-DID with random sets of treated provinces on the real series."""
    claim = ctx.register.claim("WU-2.8")
    p = {**ctx.register.rules["R-DID"].parameters, **claim.parameters}
    window = window_of(claim)
    limit = float(np.log1p(p["ci_excludes_pct"] / 100.0))
    half, side = p["ri_alpha"] / 2.0, (1.0 - p["ci_level"]) / 2.0
    for k, variable in enumerate(claim.outcome):
        rng = np.random.default_rng([seed, 3, k])
        wide = column_of(ctx, variable).unstack("year")[list(window.years)].dropna(how="all")
        gain, none = [], []
        for r in range(replicates):
            inside = np.isin(np.arange(len(wide)), rng.choice(len(wide), TREATED, replace=False))
            e, gained = (effect_of(wide, window, inside, a, p["ci_level"], seed + r) for a in (0.0, limit))
            gain.append(did.gain_of_all([e], "hubs", p))
            none.append(did.no_gain(gained, p))
        data = f"{variable}, {TREATED} random provinces of {len(wide)}"
        yield tally("R-DID", "gain, no effect", data, gain, half, half)
        # the claim denies a gain: its null hypothesis is the gain it excludes; contradiction is then no error
        yield tally("R-DID", "no gain, true gain as stated", data, none, side, 1.0)


def mech_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-MECH (and a coefficient, R-COEF) on a focus without effect: simulated errors, and permuted provinces."""
    claim = ctx.register.claim("WU-M4")
    p = {**ctx.register.rules["R-MECH"].parameters, **claim.parameters}
    first, last = claim.years()
    focus = "ln_broadband_pc"
    spec = Specification(claim.outcome[0], claim.regressors, focus, tuple(range(first, last + 1)), p["baseline_w"])
    panel = data_of(ctx, spec)
    half = p["alpha"] / 2.0
    sources = {"simulated, independent errors": simulated(ctx, spec, panel), f"{focus}, provinces permuted": permuted}
    for k, (data, draw) in enumerate(sources.items()):
        rng = np.random.default_rng([seed, 4, k])
        read: dict[str, list[Outcome]] = {n: [] for n in ("direct", "total", "either", "coef", "cluster")}
        for _ in range(replicates):
            one_mechanism(ctx, spec, draw(panel, focus, rng), p, read)
        for name in ("direct", "total"):
            yield tally("R-MECH", f"{name} effect", data, read[name], half, half)
        yield tally("R-MECH", "direct or total effect", data, read["either"], p["alpha"], p["alpha"])
        yield tally("R-COEF", "coefficient, model covariance", data, read["coef"], half, half)
        yield tally("R-COEF", "coefficient, clustered by province", data, read["cluster"], half, half)


def permuted(panel: pd.DataFrame, focus: str, rng: np.random.Generator) -> pd.DataFrame:
    """The panel with the focus of every province given to another one."""
    wide = panel[focus].unstack("province")
    moved = wide.set_axis(rng.permutation(wide.columns), axis=1).rename_axis(columns="province")
    return panel.assign(**{focus: moved.stack().reorder_levels(["province", "year"])})


def simulated(ctx: Context, spec: Specification, panel: pd.DataFrame) -> Any:
    """Outcomes drawn from the model fitted without the focus, normal errors independent over provinces and years."""
    others = [x for x in spec.regressors if x != spec.focus]
    w = ctx.weights(spec.w)
    formula = f"{spec.outcome} ~ {' + '.join(others)} | province + year"
    fit = nq.fit(formula, panel, w, model="SDM", correction=spec.correction)
    x = {v: panel[v].unstack("year").loc[list(w.ids)].to_numpy() for v in others}
    signal = sum(fit.params[v] * x[v] + fit.params[f"W:{v}"] * (w.dense() @ x[v]) for v in others)
    spread = np.linalg.inv(np.eye(w.n) - float(fit.params["rho"]) * w.dense())
    years = panel[spec.outcome].unstack("year").columns

    def draw(frame: pd.DataFrame, focus: str, rng: np.random.Generator) -> pd.DataFrame:
        y = spread @ (signal + np.sqrt(fit.sigma2) * rng.standard_normal(signal.shape))
        drawn = pd.DataFrame(y, index=pd.Index(w.ids, name="province"), columns=years).stack()
        return frame.assign(**{spec.outcome: drawn})

    return draw


def one_mechanism(
    ctx: Context, spec: Specification, frame: pd.DataFrame, p: dict[str, Any], read: dict[str, list[Outcome]]
) -> None:
    """Fit one placebo, under the other W where the baseline is significant, and read the rules."""

    def fitted(name: str) -> Any:
        return nq.fit(spec.formula, frame, ctx.weights(name), model="SDM", correction=spec.correction)

    fits = {spec.w: fitted(spec.w)}
    tables = {spec.w: fits[spec.w].impacts(method="delta", alpha=p["alpha"]).table.loc[spec.focus]}
    if min(tables[spec.w][(e, "p")] for e in ("direct", "total")) < p["alpha"]:
        for name in (n for n in ctx.register.claim("WU-M4").W if n != spec.w):
            fits[name] = fitted(name)
            tables[name] = fits[name].impacts(method="delta", alpha=p["alpha"]).table.loc[spec.focus]
    outcomes = []
    for effect in ("direct", "total"):
        rows = [
            mech.EffectUnderW(
                n, *(float(t[(effect, s)]) for s in ("estimate", "se", "p", "p")), float(fits[n].bse["rho"])
            )
            for n, t in tables.items()
        ]
        outcomes.append(mech.decide(rows, ctx.register.claim("WU-M4").W, mech.sign_of(p["sign"]), p))
        read[effect].append(outcomes[-1])
    read["either"].append(Outcome(any(o.support for o in outcomes), any(o.contradict for o in outcomes), ""))
    robust = fits[spec.w].with_vcov("cluster")
    for name, fit in (("coef", fits[spec.w]), ("cluster", robust)):
        b, q = float(fit.params[spec.focus]), float(fit.pvalues[spec.focus])
        up, down = (Significant("x", s * b > 0, q, p["alpha"]) for s in (1, -1))
        read[name].append(decide(Criterion(up, down), raw))


def ossify_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-OSSIFY where provinces change places every year: nothing is frozen, and nothing trends."""
    p, t = ctx.register.rules["R-OSSIFY"].parameters, dict(ctx.register.rules["R-TREND"].parameters)
    rng = np.random.default_rng([seed, 5])
    wide = ctx.panel["gdp_real_pc"].unstack("province").loc[list(YEARS)]
    x = np.concatenate([rng.permuted(rng.permutation(wide.to_numpy()), axis=1) for _ in range(replicates)])
    every = long_of(x, list(wide.columns), 1)
    dagum = divergence.dagum(every, groups="block").table[["net_between"]]
    theil = divergence.theil(every, groups="block").table[["between"]]
    parts = zip(measures_of(dagum, t, "hamed_rao"), measures_of(theil, t, "hamed_rao"), strict=True)
    read = []
    for r, both in enumerate(parts):
        one = long_of(x[r * len(YEARS) : (r + 1) * len(YEARS)], list(wide.columns), YEARS[0])
        relative, plain = (
            divergence.markov(one, k=int(p["classes"]), relative=v, gaps="skip").shorrocks for v in (True, False)
        )
        ratio = divergence.ratio(one, groups="block", over=("East", "West"))
        change = 100.0 * float(ratio.iloc[-1] / ratio.iloc[0] - 1.0)
        found = ossify.Persistence(divergence.ranks(one).spearman.statistic, relative, plain, change)
        moving = tuple(Moving("x", m, t) for m in both)
        read.append(up_or_down(ossify.frozen("x", moving, found, p), some("moves", moving)))
    data = "gdp_real_pc, provinces permuted in each year, years permuted"
    yield tally("R-OSSIFY", "four blocks", data, read, t["alpha"], 2.0 * t["alpha"])


def club_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-CLUB where all provinces converge: y = exp(9 d), d = 1 + 0.05 e / (ln(t + 1) t^a), e normal in every year."""
    p = ctx.register.rules["R-CLUB"].parameters
    stated = 3
    provinces = [str(v) for v in ctx.panel.index.unique("province")]
    time = np.arange(1, len(YEARS) + 1)[:, None]
    for k, speed in enumerate((0.2, 0.5)):
        rng, read = np.random.default_rng([seed, 6, k]), []
        for _ in range(replicates):
            d = 1.0 + 0.05 * rng.standard_normal((len(time), len(provinces))) / (np.log(time + 1.0) * time**speed)
            f = divergence.clubs(
                long_of(np.exp(9.0 * d), provinces, YEARS[0]),
                hp_lambda=float(p["hp_lambda"]),
                r=float(p["r"]),
                critical=float(p["reject_t_lt"]),
                indicative_below=int(p["indicative_below_T"]),
            )
            found = club.Clubs(
                f.n_clubs, tuple(map(str, f.divergent)), float(f.log_t.statistic), float(f.log_t.pvalue), True
            )
            rejected = club.rejects("x", found, p)
            read.append((up_or_down(club.exactly("x", found, stated, p), Not("x", rejected)), rejected.holds(raw)))
        data = f"simulated, all converge, speed {speed}"
        yield tally("R-CLUB", f"{stated} clubs", data, [o for o, _ in read], club.level(p), 1.0)
        rejections = [Outcome(r, False, "") for _, r in read]
        yield tally("R-CLUB", "global convergence rejected", data, rejections, club.level(p), 1.0)


def own_rows(ctx: Context, replicates: int, seed: int) -> Iterator[dict[str, Any]]:
    """R-OWN, the rule on co-movement (LG-2.1): two unrelated series of ten changes."""
    limits = movement_limits(ctx.register.claim("LG-2.1"), ctx)
    half = limits["alpha"] / 2.0
    for k, phi in enumerate((0.0, 0.5)):
        rng, read = np.random.default_rng([seed, 7, k]), []
        for r in range(replicates):
            x = rng.standard_normal((2, 10))
            for i in range(1, 10):
                x[:, i] = phi * x[:, i - 1] + np.sqrt(1.0 - phi**2) * x[:, i]
            s = spearman(x[0], x[1], ARRANGEMENTS, seed + r)
            read.append(own_series.co_movement(s.rho, s.pvalue, s.pvalue, s.n, limits))
        yield tally("R-OWN", "co-movement of changes", f"unrelated AR(1) {phi}", read, half, half)


STUDIES = {
    "trend": trend_rows,
    "level": level_rows,
    "did": did_rows,
    "mech": mech_rows,
    "ossify": ossify_rows,
    "club": club_rows,
    "own": own_rows,
}


def run(scale: float, seed: int, date: str, only: tuple[str, ...] = tuple(STUDIES)) -> pd.DataFrame:
    """All placebos, or some; every setting has its own stream of random numbers."""
    ctx = Context()
    with warnings.catch_warnings():
        # said of every single fit and club search: dense W, 31 clusters, twelve years
        for category in (FewClustersWarning, IdentificationWarning):
            warnings.simplefilter("ignore", category)
        rows = [row for name in only for row in STUDIES[name](ctx, max(2, round(scale * REPLICATES[name])), seed)]
    return pd.DataFrame(rows).assign(seed=seed, date=date, release=ctx.release)[COLUMNS]


def main() -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the replicates")
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--date", default="2026-11-27", help="written into the table")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "placebo.csv")
    options = parser.parse_args()
    table = run(options.scale, options.seed, options.date)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False, float_format="%.6g")
    print(table.drop(columns=["seed", "date", "release"]).to_string(index=False))


if __name__ == "__main__":
    main()
