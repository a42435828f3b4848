"""Panel threshold regression: labels, tests, confidence sets; size, power and coverage by simulation."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError, PanelError
from nqpf_spatial.models import ThresholdFit, threshold

pytestmark = pytest.mark.filterwarnings("ignore::nqpf_spatial.errors.FewClustersWarning")
W = nq.weights.contiguity()
FORMULA = "y ~ x + z | province + year"


def panel(change=1.5, seed=0, years=range(2012, 2020), at=0.0, persistence=0.0, second=None):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([W.ids, years], names=["province", "year"])
    n, t = len(W.ids), len(years)
    x, z, q, e = rng.standard_normal((4, n, t))
    for s in range(1, t):
        e[:, s] = persistence * e[:, s - 1] + np.sqrt(1 - persistence**2) * e[:, s]
    slope = 1.0 + change * (q > at)
    if second is not None:
        slope = slope + change * (q > second)
    y = slope * x + z + e + rng.standard_normal((n, 1)) + rng.standard_normal(t)
    return pd.DataFrame({"y": y.ravel(), "x": x.ravel(), "z": z.ravel(), "q": q.ravel()}, index=index)


def test_a_threshold_is_found_with_its_slopes():
    res = threshold(FORMULA, panel(), "q", switching=["x"], replicates=499, seed=1)
    assert isinstance(res, ThresholdFit)
    assert res.thresholds[0] == pytest.approx(0.0, abs=0.15)
    assert res.tests[0].pvalue == 1 / 500
    assert res.sets.loc[1, "lower"] <= res.thresholds[0] <= res.sets.loc[1, "upper"]
    assert list(res.fit.params.index) == ["z", "x_regime1", "x_regime2"]
    assert res.fit.params["x_regime1"] == pytest.approx(1.0, abs=0.3)
    assert res.fit.params["x_regime2"] == pytest.approx(2.5, abs=0.3)
    assert res.shares.sum() == pytest.approx(1.0)
    # the slopes are those of a plain regression on the split columns
    data = panel()
    split = data.assign(
        low=data["x"] * (data["q"] <= res.thresholds[0]), high=data["x"] * (data["q"] > res.thresholds[0])
    )
    plain = nq.ols("y ~ z + low + high | province + year", split)
    assert plain.params.to_numpy() == pytest.approx(res.fit.params.to_numpy())
    assert plain.with_vcov("cluster").bse.to_numpy() == pytest.approx(res.fit.bse.to_numpy())
    for text in (repr(res), res.summary(), res._repr_html_()):
        assert "0 against 1" in text


def test_two_thresholds_one_after_the_other():
    data = panel(change=1.5, at=-0.5, second=0.6, years=range(2000, 2016), seed=4)
    res = threshold(FORMULA, data, "q", switching=["x"], count=2, replicates=199, seed=1)
    assert res.thresholds == pytest.approx((-0.5, 0.6), abs=0.15)
    assert [t.pvalue for t in res.tests] == [1 / 200, 1 / 200]
    assert list(res.table.index) == ["0 against 1", "1 against 2"]
    assert res.fit.params[["x_regime1", "x_regime2", "x_regime3"]].to_numpy() == pytest.approx([1, 2.5, 4], abs=0.25)
    one = threshold(FORMULA, panel(years=range(2000, 2016)), "q", switching=["x"], count=2, replicates=199, seed=1)
    assert one.tests[0].pvalue < 0.01 < one.tests[1].pvalue


def test_the_order_of_rows_and_of_w_is_immaterial():
    data = panel()
    base = threshold(FORMULA, data, "W:q", W, switching=["x"], replicates=99, seed=1)
    other = W.reorder(list(reversed(W.ids)))
    again = threshold(
        FORMULA, data.sample(frac=1, random_state=1), "W:q", other, switching=["x"], replicates=99, seed=1
    )
    assert again.thresholds == pytest.approx(base.thresholds, rel=1e-12)
    assert again.tests[0].statistic == pytest.approx(base.tests[0].statistic, rel=1e-9)
    lagged = pd.concat(
        {
            y: pd.Series(W.sparse @ g.droplevel("year").loc[list(W.ids)].to_numpy(), index=W.ids)
            for y, g in data["q"].groupby("year")
        }
    )
    data["lag_q"] = lagged.swaplevel().reindex(data.index)
    column = threshold(FORMULA, data, "lag_q", switching=["x"], replicates=99, seed=1)
    assert column.thresholds == pytest.approx(base.thresholds)
    assert column.tests[0].pvalue == base.tests[0].pvalue
    same = threshold(FORMULA, data, "W:q", W, switching=["x"], replicates=99, seed=1)
    assert same.tests[0].critical.equals(base.tests[0].critical)


def test_windows_effects_and_all_regressors():
    data = panel()
    res = threshold("y ~ x + z | province", data, "q", years=(2013, 2018), replicates=99)
    assert res.switching == ("x", "z")
    assert res.fit.effects == ("province",)
    assert res.fit.nobs == 31 * 6
    cross = data.xs(2012, level="year")
    flat = threshold("y ~ x + z", cross, "q", switching=["x"], replicates=99, trim=0.2)
    assert list(flat.fit.params.index) == ["Intercept", "z", "x_regime1", "x_regime2"]


def test_refusals_name_what_is_wrong():
    data = panel()
    for options, message in (
        ({"count": 4}, "count=4"),
        ({"trim": 0.5}, "trim=0.5"),
        ({"grid": 1}, "grid=1"),
        ({"replicates": 9}, "replicates=9"),
        ({"alpha": 5}, "alpha=5"),
        ({"switching": ["gdp"]}, r"not gdp"),
        ({"switching": []}, "choose regressors"),
    ):
        with pytest.raises(ValueError, match=message):
            threshold(FORMULA, data, "q", **options)
    with pytest.raises(ValueError, match="pass w"):
        threshold(FORMULA, data, "W:q")
    with pytest.raises(ValueError, match="leave w out"):
        threshold(FORMULA, data, "q", W)
    with pytest.raises(ValueError, match="variable= is a SpatialWeights"):
        threshold(FORMULA, data, W)
    with pytest.raises(PanelError, match="no column 'r'"):
        threshold(FORMULA, data, "r")
    with pytest.raises(PanelError, match="q Beijing 2012"):
        threshold(FORMULA, data.assign(q=data["q"].where(data["q"] != data["q"].iloc[0])), "q")
    with pytest.raises(IdentificationError, match="no value of the threshold variable"):
        threshold(FORMULA, data.assign(q=1.0), "q")
    with pytest.raises(IdentificationError, match="do not vary"):
        threshold("y ~ x + z | province + year", data.assign(x=0.0), "q", switching=["x"])
    with pytest.raises(ValueError, match="x_regime1"):
        threshold(FORMULA, data.assign(x_regime1=0.0), "q", switching=["x"], replicates=99)


def test_pictures_in_both_languages():
    import matplotlib.pyplot as plt

    res = threshold(FORMULA, panel(), "q", switching=["x"], replicates=99)
    for lang in ("en", "zh"):
        ax = res.plot(lang=lang)
        ax.figure.canvas.draw()
        assert ax.get_xlabel() and ax.get_ylabel()
        plt.close(ax.figure)


def test_a_clear_threshold_is_always_found():
    found = [
        threshold(FORMULA, panel(change=0.8, seed=s), "q", switching=["x"], replicates=99, seed=s, grid=60)
        .tests[0]
        .pvalue
        for s in range(40)
    ]
    assert np.mean(np.array(found) < 0.05) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("persistence", [0.0, 0.7])
def test_size_and_coverage(persistence):
    p, inside = [], []
    for s in range(400):
        res = threshold(
            FORMULA,
            panel(change=0.0, seed=s, persistence=persistence),
            "q",
            switching=["x"],
            replicates=199,
            seed=s,
            grid=80,
        )
        p.append(res.tests[0].pvalue)
        res = threshold(
            FORMULA, panel(change=0.7, seed=s, persistence=persistence), "q", switching=["x"], replicates=99, seed=s
        )
        inside.append(res.sets.loc[1, "lower"] <= 0.0 <= res.sets.loc[1, "upper"])
    size = np.mean(np.array(p) <= 0.05)
    assert size == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 400))
    assert np.mean(inside) > 0.93
