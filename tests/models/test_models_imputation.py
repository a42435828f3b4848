"""Multiple imputation: Rubin's rules by hand and beside statsmodels, impacts on their own scale, fits that do not belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from panels import panel, weights
from scipy import stats
from statsmodels.imputation.bayes_mi import MI

import nqpf_spatial as nq
from nqpf_spatial.models.missing.pooling import PooledFit, rubin

FORMULA = "y ~ x1 + x2 | unit + period"
N, T, M = 10, 6, 5
CELLS = [("c01", 2002), ("c01", 2003), ("c04", 2001), ("c06", 2006), ("c08", 2004)]


def frames(m: int = M, seed: int = 1) -> list[pd.DataFrame]:
    """Frames that a user imputed: x1 in five cells drawn around its value."""
    rng, out = np.random.default_rng(seed), []
    for _ in range(m):
        frame = panel("graph", N, T).copy()
        frame.loc[CELLS, "x1"] += rng.normal(scale=1.5, size=len(CELLS))
        out.append(frame)
    return out


def fits(m: int = M, **options) -> list:
    chosen = {"model": "SDM", **options}
    return [nq.fit(FORMULA, frame, weights("graph", N), **chosen) for frame in frames(m)]


@pytest.fixture(scope="module")
def pooled() -> PooledFit:
    return nq.pool(fits())


def by_hand(q: np.ndarray, u: np.ndarray, nu: float) -> dict[str, np.ndarray]:
    """Rubin (1987) and Barnard and Rubin (1999), step by step for vectors q and variances u of m imputations."""
    m = len(q)
    mean, within = q.mean(axis=0), u.mean(axis=0)
    between = ((q - mean) ** 2).sum(axis=0) / (m - 1)
    total = within + between + between / m
    r = (between + between / m) / within
    gamma = (between + between / m) / total
    df_m = (m - 1) / gamma**2
    df_obs = (nu + 1) / (nu + 3) * nu * (1 - gamma)
    df = 1 / (1 / df_m + 1 / df_obs)
    return {"estimate": mean, "se": np.sqrt(total), "df": df, "riv": r, "fmi": (r + 2 / (df + 3)) / (1 + r)}


def test_rules_by_hand(pooled):
    q = np.stack([f.params for f in pooled.fits])
    u = np.stack([np.diag(f.cov_params()) for f in pooled.fits])
    nu = (N - 1) * (T - 1) - q.shape[1]
    assert pooled.df_complete == nu
    expected = by_hand(q, u, nu)
    table = pooled.tidy()
    for name, values in expected.items():
        np.testing.assert_allclose(table[name], values, rtol=1e-12)
    np.testing.assert_allclose(
        table["p"], 2 * stats.t.sf(np.abs(expected["estimate"] / expected["se"]), expected["df"])
    )
    half = stats.t.isf(0.05, expected["df"]) * expected["se"]
    np.testing.assert_allclose(pooled.conf_int(0.10)["upper"], expected["estimate"] + half)
    assert list(table.columns) == ["estimate", "se", "t", "p", "lower", "upper", "df", "riv", "fmi"]
    for name, attribute in (("se", "bse"), ("df", "df"), ("fmi", "fmi"), ("p", "pvalues"), ("estimate", "params")):
        np.testing.assert_array_equal(table[name], getattr(pooled, attribute))


def test_rules_on_published_numbers():
    """Limits: no variance between imputations; large samples; one hand calculation with integers."""
    equal = rubin(np.array([[2.0], [2.0], [2.0]]), np.array([[4.0], [4.0], [4.0]]), 20.0)
    assert (equal.estimate[0], equal.se[0], equal.riv[0]) == (2.0, 2.0, 0.0)
    assert equal.df[0] == pytest.approx(21 / 23 * 20)
    assert rubin(np.array([[2.0], [2.0]]), np.array([[4.0], [4.0]])).df[0] == np.inf
    # q = 1, 2, 3 with variance 1: B = 1, T = 1 + 4/3, r = 4/3, df = 2 (1 + 3/4)^2
    one = rubin(np.array([[1.0], [2.0], [3.0]]), np.ones((3, 1)))
    assert one.se[0] ** 2 == pytest.approx(7 / 3)
    assert one.df[0] == pytest.approx(2 * (7 / 4) ** 2)
    assert one.fmi[0] == pytest.approx((4 / 3 + 2 / (one.df[0] + 3)) / (7 / 3))


def test_beside_statsmodels():
    """The combining rules of statsmodels on the same five regressions with dummies."""

    class Given:
        """What statsmodels asks of a source of imputed data: the next frame."""

        def __init__(self) -> None:
            self.queue = frames()

        def update(self) -> None:
            frame = self.queue.pop(0).reset_index()
            dummies = pd.get_dummies(frame[["unit", "period"]].astype(str), drop_first=True).astype(float)
            self.data = pd.concat([frame[["y", "x1", "x2"]], dummies], axis=1)

    def arguments(data: pd.DataFrame) -> list:
        return [data["y"], sm.add_constant(data.drop(columns="y"))]

    theirs = MI(Given(), sm.OLS, model_args_fn=arguments, burn=0, nrep=M, skip=0).fit(results_cb=lambda r: r)
    ours = nq.pool([nq.ols(FORMULA, frame) for frame in frames()])
    at = [theirs.model.exog_names.index(name) for name in ("x1", "x2")]
    np.testing.assert_allclose(ours.params, theirs.params[at], rtol=1e-9)
    total = theirs.cov_params()[np.ix_(at, at)]
    within = sum(r.cov_params().to_numpy() for r in theirs.results)[np.ix_(at, at)] / M
    np.testing.assert_allclose((1 + 1 / M) * ours.cov_between(), total - within, rtol=1e-7, atol=1e-12)
    # s2 of statsmodels divides by its degrees of freedom, the transformed likelihood by (N-1)(T-1)
    scale = ((N - 1) * (T - 1) - 2) / ((N - 1) * (T - 1))
    np.testing.assert_allclose(ours.cov_within(), scale * within, rtol=1e-9)
    np.testing.assert_allclose(ours.cov_params(), total - within + scale * within, rtol=1e-9)
    np.testing.assert_allclose(np.diag(ours.cov_params()), ours.bse**2, rtol=1e-12)
    # what statsmodels calls fmi is the share of the variance between imputations, r / (1 + r)
    share = (np.diag(total) - np.diag(within)) / np.diag(total)
    np.testing.assert_allclose(theirs.fmi[at], share, rtol=1e-9)
    again = rubin(np.stack([r.params.iloc[at] for r in theirs.results]), np.stack([np.diag(r.cov_params())[at] for r in theirs.results]))  # fmt: skip
    np.testing.assert_allclose(again.riv / (1 + again.riv), share, rtol=1e-9)


def test_impacts_are_combined_on_their_own_scale(pooled):
    each = [f.impacts() for f in pooled.fits]
    found = pooled.impacts()
    pd.testing.assert_index_equal(found.table.columns, each[0].table.columns)
    pd.testing.assert_index_equal(found.table.index, each[0].table.index)
    for effect in ("direct", "indirect", "total"):
        q = np.stack([i.table[(effect, "estimate")] for i in each])
        u = np.stack([i.table[(effect, "se")] for i in each]) ** 2
        expected = by_hand(q, u, pooled.df_complete)
        part = found.table[effect]
        np.testing.assert_allclose(part["estimate"], expected["estimate"], rtol=1e-12)
        np.testing.assert_allclose(part["se"], expected["se"], rtol=1e-12)
        np.testing.assert_allclose(found.df[effect], expected["df"], rtol=1e-12)
        np.testing.assert_allclose(found.fmi[effect], expected["fmi"], rtol=1e-12)
        half = stats.t.isf(0.025, expected["df"]) * expected["se"]
        np.testing.assert_allclose(part["lower"], expected["estimate"] - half, rtol=1e-9)
        np.testing.assert_allclose(part["z"], expected["estimate"] / expected["se"], rtol=1e-12)
    wide = pooled.impacts(alpha=0.01)
    assert (wide.table[("total", "upper")] > found.table[("total", "upper")]).all()
    assert list(found.tidy().columns) == ["estimate", "se", "z", "p", "lower", "upper"]
    simulated = pooled.impacts("simulate", draws=2000, seed=1).table
    np.testing.assert_allclose(simulated[("direct", "estimate")], found.table[("direct", "estimate")], rtol=1e-12)
    assert "pooled over 5 imputations" in repr(found)
    assert "<table" in found._repr_html_()


def test_imputed_cells_are_found_and_named(pooled):
    cells = pooled.imputed()
    assert list(zip(cells["unit"], cells["period"], strict=True)) == CELLS
    assert set(cells["imputed"]) == {"x1"}
    text = pooled.summary()
    assert "cells that differ between the imputations: 5 of 60 (c01 2002, c01 2003" in text
    assert "pooled over 5 imputations" in text
    assert "<table" in pooled._repr_html_()
    same = nq.pool([pooled.fits[0]] * 3)
    assert same.imputed().empty
    assert "the frames do not differ" in same.summary()
    np.testing.assert_allclose(same.bse, pooled.fits[0].bse)
    assert len(pooled.provenance()["fits"]) == M


def test_other_kinds_of_fits_are_combined_too():
    w = weights("graph", N)
    random = nq.pool([nq.sar("y ~ x1 + x2", f, w, effects="random") for f in frames(2)])
    assert "rho" in random.params.index
    dynamic = nq.pool([nq.sdm(FORMULA, f, w, dynamic="lag_y") for f in frames(2)])
    assert "L:y" in dynamic.params.index
    assert list(dynamic.impacts().table.index) == ["x1", "x2"]
    holed = frames(2)
    for frame in holed:
        frame.loc[("c05", 2005), "y"] = np.nan
    options = {"missing": "subnetwork", "subset": "keep", "islands": "keep", "correction": "score"}
    partly = nq.pool([nq.sdm(FORMULA, f, w, **options) for f in holed])
    assert len(partly.imputed()) == 5
    several = nq.pool([nq.sar(FORMULA, f, {"near": w, "ring": weights("ring", N)}) for f in frames(2)])
    assert {"rho:near", "rho:ring"} <= set(several.params.index)
    assert list(several.impacts().table.index) == ["x1", "x2"]
    with pytest.raises(ValueError, match="W of the lag"):
        nq.pool([several.fits[0], nq.sar(FORMULA, frames(2)[1], {"near": w, "ring": weights("knn", N)})])
    assert nq.pool([nq.ols(FORMULA, f) for f in frames(2)]).df_complete == (N - 1) * (T - 1) - 2
    assert nq.pool([nq.ols(FORMULA, f) for f in frames(2)], df_complete=np.inf).df["x1"] > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "SAR"}, r"model \(SDM against SAR\).*terms"),
        ({"correction": "none"}, r"correction \(transform against none\)"),
        ({"years": (2002, 2006)}, r"periods \(6: 2001, 2002.*against 5: 2002"),
        ({"vcov": "expected"}, r"covariance \(1: observed against 1: expected\)"),
        ({"durbin": ["x1"]}, "terms"),
        ({"effects": "random"}, "random effects"),
        ({"w": "ring"}, r"W of the lag \(graph-row [0-9a-f]{12} against ring-row [0-9a-f]{12}\)"),
        ({"formula": "y ~ x1 | unit + period"}, r"formula \(y ~ x1 \+ x2"),
        ({"drop": "c03"}, r"units \(10: c00, c01.*against 9: c00"),
        ({"hole": True}, "incomplete cells|missing="),
    ],
)
def test_fits_that_do_not_belong_together(options, words):
    options = dict(options)
    frame, w = frames(1)[0], weights(options.pop("w", "graph"), N)
    formula = options.pop("formula", FORMULA)
    if "random" in options.values():
        formula = "y ~ x1 + x2"
    if (unit := options.pop("drop", None)) is not None:
        frame, w = frame.drop(index=unit, level=0), w.subset([u for u in w.ids if u != unit], islands="keep")
    if options.pop("hole", False):
        frame.loc[("c05", 2005), "y"] = np.nan
        options = {"missing": "subnetwork", "subset": "keep", "islands": "keep", "correction": "score"}
        first = nq.sdm(FORMULA, frames(1)[0], w, **options)
    else:
        first = fits(1)[0]
    other = nq.fit(formula, frame, w, **{"model": "SDM", **options})
    with pytest.raises(ValueError, match=r"fits\[0\] and fits\[1\] are not the same model.*" + f"(?:{words})"):
        nq.pool([first, other])


def test_what_is_no_set_of_fits():
    first = fits(1)
    with pytest.raises(ValueError, match="1 fit: the variance between imputations needs at least two"):
        nq.pool(first)
    with pytest.raises(TypeError, match=r"fits\[1\] is a DataFrame"):
        nq.pool([first[0], frames(1)[0]])
    with pytest.raises(ValueError, match="degrees of freedom are positive"):
        nq.pool(fits(2), df_complete=0)


def test_intervals_cover_where_values_are_missing_at_random():
    """OLS with a normal regressor, a third of its values drawn from the right imputation model: 95 % intervals cover 95 %.

    Replacing the values by their conditional mean (one frame, no variance between) covers less.
    """
    rng = np.random.default_rng(6)
    n, inside = 60, []
    index = pd.MultiIndex.from_product([[f"u{i:02d}" for i in range(n)], [1]], names=["unit", "period"])
    for _ in range(150):
        x = rng.normal(size=n)
        y = 1.0 * x + rng.normal(size=n)
        gone = rng.random(n) < 0.33
        seen = ~gone
        slope, intercept = np.polyfit(y[seen], x[seen], 1)
        residual = x[seen] - intercept - slope * y[seen]
        results = []
        for _ in range(5):
            # a proper imputation: parameters drawn too
            s2 = (residual @ residual) / rng.chisquare(seen.sum() - 2)
            design = np.column_stack([y[seen], np.ones(seen.sum())])
            draw = rng.multivariate_normal([slope, intercept], s2 * np.linalg.inv(design.T @ design))
            filled = x.copy()
            filled[gone] = draw[0] * y[gone] + draw[1] + np.sqrt(s2) * rng.normal(size=gone.sum())
            results.append(nq.ols("y ~ x", pd.DataFrame({"y": y, "x": filled}, index=index)))
        bounds = nq.pool(results).conf_int().loc["x"]
        inside.append(bounds["lower"] <= 1.0 <= bounds["upper"])
    assert 0.89 <= np.mean(inside) <= 0.99
