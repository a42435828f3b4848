"""Divergence accounting: brute force over all orders, exact sums, known decompositions, and their intervals."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from panels import panel, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError

N, T = 10, 6
FORMULA = "ln_y ~ x1 + x2 + x3"


def load_study() -> ModuleType:
    """Brute force and the world with known parts live with the study."""
    path = Path(__file__).resolve().parents[2] / "studies" / "accounting_coverage.py"
    spec = importlib.util.spec_from_file_location("studies_accounting_coverage", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


study = load_study()
World, over_orders, theil_t, gini = study.World, study.over_orders, study.theil_t, study.gini


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    data = panel("knn", n=N, t=T)
    rng = np.random.default_rng(8)
    return data.assign(ln_y=0.3 * data["y"], x3=rng.normal(size=len(data)))


@pytest.fixture(scope="module")
def china() -> nq.models.SpatialFit:
    formula = "ln_gdp_real_pc ~ ln_broadband_pc + ln_rd_intensity + pop_growth | province + year"
    return nq.sdm(formula, nq.load_panel(), nq.weights.contiguity(), years=(2012, 2024))


# -- brute force ------------------------------------------------------------------------------------------------
def world_of(fit, names: list[str], measure=theil_t) -> World:
    """The parts a fit estimates, taken from its public results."""
    units = list(fit.estimate.design.units)
    p, w = fit.params, fit.w.dense() if fit.w is not None else np.zeros((len(units),) * 2)
    design = fit.estimate.design
    x = [design.frame[name].to_numpy().reshape(len(units), -1).T for name in names]
    fixed = fit.fixed_effects()
    level = fixed.get("intercept", pd.Series([p.get("Intercept", 0.0)])).iloc[0]
    unit = fixed[design.levels[0]][units].to_numpy() if design.unit else np.zeros(len(units))
    common = level + (fixed[design.levels[1]].to_numpy() if design.time else np.zeros(design.shape[0]))
    composite = design.y - p.get("rho", 0.0) * design.y @ w.T
    for name, values in zip(names, x, strict=True):
        composite = composite - p.get(name, 0.0) * values - p.get(f"W:{name}", 0.0) * values @ w.T
    return World(
        x, [p[n] for n in names], [p.get(f"W:{n}", 0.0) for n in names], p.get("rho", 0.0), w, unit, common,
        composite - unit - common[:, None], measure,
    )  # fmt: skip


@pytest.mark.parametrize("model", ["SDM", "SAR", "SEM", "GNS", "OLS", "SLX"])
@pytest.mark.parametrize("effects", ["unit + period", "unit"])
def test_contributions_are_those_of_all_orders_of_arrival(model, effects, frame) -> None:
    w = None if model == "OLS" else weights("knn", N)
    fit = nq.fit(f"{FORMULA} | {effects}", frame, w, model=model)
    groups = {"first": ["x1"], "rest": ["x2", "x3"]}
    result = fit.account("theil", groups=groups, replicates=0)
    world = world_of(fit, ["x1", "x2", "x3"])
    players = {"first": [0], "rest": [1, 2]}
    for quantity, expected in (
        ("2001", world.level(0, players)),
        ("2006", world.level(T - 1, players)),
        ("change", world.change(0, T - 1, players)),
    ):
        found = result.table[(quantity, "estimate")]
        for name, value in expected.items():
            assert found.get(name, 0.0) == pytest.approx(value, abs=1e-11), (quantity, name)
    assert ("spillovers" in result.table.index) == (model not in ("OLS", "SEM"))
    assert ("time effects" in result.table.index) == ("period" in effects)


def test_parts_sum_to_the_whole_for_every_measure(china) -> None:
    groups = {"digital": ["ln_broadband_pc"], "innovation": "ln_rd_intensity"}
    data = nq.load_panel(["gdp_real_pc"])["gdp_real_pc"]
    measured = nq.divergence.inequality(data, ["theil_t", "theil_l", "gini", "cv", "sd_log"], years=(2012, 2024)).table
    for measure, blocks in (
        ("theil", None), ("theil", "block"), ("theil_l", "north_south"), ("gini", None), ("dagum", "block"), ("cv", None), ("sd_log", None),
    ):  # fmt: skip
        result = china.account(measure, groups=groups, blocks=blocks, replicates=20, seed=1)
        estimates = result.table.xs("estimate", axis=1, level=1)
        gap = estimates.drop(index="total").sum() - estimates.loc["total"]
        assert gap.abs().max() < 1e-10
        name = {"theil": "theil_t", "dagum": "gini"}.get(measure, measure)
        np.testing.assert_allclose(
            estimates.loc["total", ["2012", "2024"]], measured.loc[[2012, 2024], name], rtol=1e-10
        )
        assert estimates.loc["total", "change"] == pytest.approx(
            measured.loc[2024, name] - measured.loc[2012, name], rel=1e-9
        )
        assert result.table.xs("share", axis=1, level=1).drop(index="total").sum().to_numpy() == pytest.approx(1.0)
        if blocks is not None:
            parts = [t.xs("estimate", axis=1, level=1) for t in result.parts.values()]
            np.testing.assert_allclose(sum(parts), estimates, atol=1e-12)
            for part in parts:
                np.testing.assert_allclose(part.drop(index="total").sum(), part.loc["total"], atol=1e-12)
    assert result.groups == {
        "digital": ("ln_broadband_pc",),
        "innovation": ("ln_rd_intensity",),
        "other regressors": ("pop_growth",),
    }


def test_parts_between_and_within_are_those_of_the_measures_themselves(china) -> None:
    data = nq.load_panel(["gdp_real_pc"])["gdp_real_pc"]
    theil = nq.divergence.theil(data, groups="block", years=(2012, 2024)).table
    dagum = nq.divergence.dagum(data, groups="block", years=(2012, 2024)).table
    ours = china.account("theil", blocks="block", replicates=0)
    for part in ("between", "within"):
        column = next(c for c in theil.columns if part in str(c) and "share" not in str(c))
        assert ours.parts[part].loc["total", ("2024", "estimate")] == pytest.approx(theil.loc[2024, column], rel=1e-9)
    split = china.account("dagum", blocks="block", replicates=0)
    for part, column in (("within", "within"), ("net between", "net"), ("transvariation", "transvariation")):
        name = next(c for c in dagum.columns if column in str(c) and "share" not in str(c))
        assert split.parts[part].loc["total", ("2012", "estimate")] == pytest.approx(dagum.loc[2012, name], rel=1e-9)


# -- decompositions that are known ------------------------------------------------------------------------------
def test_components_that_do_nothing_get_nothing(frame) -> None:
    """A regressor that is the same everywhere, a world without spillovers, a component that does not change."""
    same = frame.assign(x2=frame.index.get_level_values(1) - 2000.0, x3=frame.groupby(level=0)["x3"].transform("first"))
    fit = nq.fit("ln_y ~ x1 + x2 + x3", same, weights("knn", N), model="SAR")
    table = fit.account("gini", replicates=0).table.xs("estimate", axis=1, level=1)
    assert table.loc["x2", ["2001", "2006"]].abs().max() < 1e-14
    assert abs(table.loc["x3", "change"]) < 1e-14
    assert abs(table.loc["x3", "2001"]) > 1e-4
    two_way = nq.sdm(f"{FORMULA} | unit + period", frame, weights("knn", N)).account("theil", replicates=0).table
    assert (two_way.loc["time effects"].drop("share", level=1) == 0.0).all()
    assert two_way.loc["unit effects", ("change", "estimate")] == 0.0


def test_symmetric_components_share_equally() -> None:
    """Log outcome a + b, both with the same distribution and exchangeable: half each, by symmetry alone."""
    units = [f"u{i}" for i in range(8)]
    a = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
    b = np.array([0.0, 0, 1, 1, 0, 0, 1, 1])
    noise = 1e-9 * np.array([1.0, -1, -1, 1, -1, 1, 1, -1])
    data = pd.DataFrame({"ln_y": a + b + noise, "a": a, "b": b}, index=pd.Index(units, name="unit"))
    table = nq.ols("ln_y ~ a + b", data).account("theil_l", replicates=0).table["level"]
    assert table.loc["a", "estimate"] == pytest.approx(table.loc["b", "estimate"], rel=1e-6)
    assert table.loc["a", "share"] == pytest.approx(0.5, rel=1e-6)
    # sums of independent factors: Theil's L of a product is the sum of their Theil's L
    alone = float(np.log(np.exp(a).mean()) - a.mean())
    assert table.loc["a", "estimate"] == pytest.approx(alone, rel=1e-6)


def test_intervals_cover_a_known_decomposition() -> None:
    """Contributions from the true parameters, effects and errors, by brute force, against 95 % intervals (60 other samples)."""
    table = study.run(60, 99, seed=77, measures=("theil",))
    assert 0.90 < table["coverage"].mean() < 0.98, table
    assert table["coverage"].min() > 0.80, table  # three binomial errors
    assert (table["bias"].abs() < 0.5 * table["sd"]).all(), table


def test_committed_study_covers() -> None:
    committed = pd.read_csv(Path(study.__file__).parent / "results" / "accounting_coverage.csv")
    assert set(committed["measure"]) == {"theil", "gini"}
    assert (committed["samples"] >= 200).all()
    assert committed["coverage"].between(0.88, 0.98).all(), committed
    assert committed["coverage"].mean() > 0.93


# -- other forms of the model -----------------------------------------------------------------------------------
def test_interactions_are_evaluated_anew(frame) -> None:
    fit = nq.fit("ln_y ~ x1 + x1:x2 | unit", frame, weights("knn", N), model="SLX")
    result = fit.account("theil", years=2004, replicates=0).table["2004"]["estimate"]
    p, w, t = fit.params, weights("knn", N).dense(), 3
    units = list(weights("knn", N).ids)
    x1, x2 = (frame[c].unstack("unit")[units].to_numpy()[t] for c in ("x1", "x2"))
    fixed = fit.fixed_effects()
    unit = fixed["unit"][units].to_numpy()
    error = fit.resid.unstack("unit")[units].to_numpy()[t]

    def value(inside: frozenset) -> float:
        a = x1 if "x1" in inside else np.full(N, x1.mean())
        b = x2 if "x2" in inside else np.full(N, x2.mean())
        signal = p["x1"] * a + p["x1:x2"] * a * b
        if "spillovers" in inside:
            signal = signal + w @ (p["W:x1"] * a + p["W:x1:x2"] * a * b)
        signal = signal + (unit if "unit effects" in inside else unit.mean())
        return theil_t(signal + (error if "residual" in inside else error.mean()))

    expected = over_orders(value, ["x1", "x2", "spillovers", "unit effects", "residual"])
    for name, v in expected.items():
        assert result[name] == pytest.approx(v, abs=1e-11), name


def test_levels_factors_and_other_standardisations(frame) -> None:
    """An outcome in levels, a factor, and W whose rows do not sum to one: time effects then have contributions."""
    data = panel("graph", n=N, t=T, transform="spectral", rho=0.2)
    data = data.assign(y=data["y"] + 30.0, g=np.where(data["x1"] > 0, "a", "b"))
    w = weights("graph", N, "spectral")
    fit = nq.sdm("y ~ x1 + C(g) | unit + period", data, w, correction="score")
    for measure in ("cv", "gini", "theil"):
        result = fit.account(measure, replicates=10 if measure == "cv" else 0).table
        estimates = result.xs("estimate", axis=1, level=1)
        assert abs(estimates.drop(index="total").sum() - estimates.loc["total"]).max() < 1e-10
        assert estimates.loc["time effects"].abs().min() > 0
        assert list(estimates.index[:2]) == ["x1", "g"]
    y = data["y"].xs(2006, level=1)
    assert estimates.loc["total", "2006"] == pytest.approx(
        float((y / y.mean() * np.log(y / y.mean())).mean()), rel=1e-9
    )
    low = nq.sdm("y ~ x1 | unit + period", data.assign(y=data["y"] - 30.0), w, correction="score")
    with pytest.raises(PanelError, match="needs positive values"):
        low.account("theil", replicates=0)


def test_random_effects_and_cross_sections(frame) -> None:
    for effects in ("random", "mundlak"):
        fit = nq.sdm(f"{FORMULA} | period", frame, weights("knn", N), effects=effects)
        table = fit.account("theil", replicates=0).table.xs("estimate", axis=1, level=1)
        assert abs(table.drop(index="total").sum() - table.loc["total"]).max() < 1e-12
        y = frame["ln_y"].xs(2006, level=1)
        assert table.loc["total", "2006"] == pytest.approx(theil_t(y.to_numpy()), rel=1e-9)
        with pytest.raises(ValueError, match="replicates=0"):
            fit.account("theil")
    cross = frame.xs(2003, level=1)
    fit = nq.sdm("ln_y ~ x1 + x2", cross, weights("knn", N))
    result = fit.account("gini", replicates=50)
    assert list(result.table.columns.get_level_values(0).unique()) == ["level"]
    assert list(result.table.index) == ["x1", "x2", "spillovers", "residual", "total"]
    assert result.table.loc["total", ("level", "estimate")] == pytest.approx(gini(cross["ln_y"].to_numpy()), rel=1e-10)
    with pytest.raises(PanelError, match="cross-section"):
        fit.account("gini", years=2003)


def test_time_lags_bring_the_past_and_initial_conditions() -> None:
    data = panel("knn", n=20, t=9).rename(columns={"y": "ln_y"})
    data["ln_y"] *= 0.2
    w = weights("knn", 20)
    fit = nq.sdm("ln_y ~ x1 + x2 | unit + period", data, w, dynamic="both")
    result = fit.account("theil", change="levels", replicates=30, seed=2)
    table = result.table.xs("estimate", axis=1, level=1)
    assert "initial conditions" in table.index
    assert abs(table.drop(index="total").sum() - table.loc["total"]).max() < 1e-12
    np.testing.assert_allclose(table["change"], table["2009"] - table["2002"], atol=1e-15)
    units = list(w.ids)
    y = data["ln_y"].unstack("unit")[units].to_numpy()
    assert table.loc["total", "2009"] == pytest.approx(theil_t(y[-1]), rel=1e-9)
    # the first year by brute force: y_1 = S (X beta + W X theta + mu + alpha + e + (tau I + eta W) y_0)
    p, dense, eye = fit.params, w.dense(), np.eye(20)
    x = [data[c].unstack("unit")[units].to_numpy()[1] for c in ("x1", "x2")]
    fixed = fit.fixed_effects()
    mu, e = fixed["unit"][units].to_numpy(), fit.resid.unstack("unit")[units].to_numpy()[0]

    def value(inside: frozenset) -> float:
        keep = {c: v if c in inside else np.full(20, v.mean()) for c, v in zip(("x1", "x2"), x, strict=True)}
        start = y[0] if "initial conditions" in inside else np.full(20, y[0].mean())
        signal = sum(p[c] * v for c, v in keep.items()) + p["L:ln_y"] * start
        signal = signal + (mu if "unit effects" in inside else mu.mean()) + (e if "residual" in inside else e.mean())
        if "spillovers" in inside:
            signal = signal + dense @ (sum(p[f"W:{c}"] * v for c, v in keep.items()) + p["L:W:ln_y"] * start)
            signal = np.linalg.solve(eye - p["rho"] * dense, signal)
        return theil_t(signal)

    names = ["x1", "x2", "spillovers", "unit effects", "residual", "initial conditions"]
    for name, v in over_orders(value, names).items():
        assert table.loc[name, "2002"] == pytest.approx(v, abs=1e-11), name
    assert (result.table[("2009", "se")].drop(["total", "time effects"]) > 0).all()
    with pytest.raises(ValueError, match='change="levels"'):
        fit.account("theil", change="first year")
    assert fit.account("theil", replicates=0).change == "levels"


# -- what the result says ---------------------------------------------------------------------------------------
def test_the_same_whatever_the_order_and_the_seed_decides(frame) -> None:
    fit = nq.sdm(f"{FORMULA} | unit + period", frame, weights("knn", N))
    a = fit.account("theil", replicates=40, seed=3)
    shuffled = nq.sdm(f"{FORMULA} | unit + period", frame.sample(frac=1.0, random_state=4), weights("knn", N))
    pd.testing.assert_frame_equal(shuffled.account("theil", replicates=40, seed=3).table, a.table, check_exact=True)
    pd.testing.assert_frame_equal(
        nq.divergence_accounting(fit, "theil", replicates=40, seed=3).table, a.table, check_exact=True
    )
    other = fit.account("theil", replicates=40, seed=4).table
    assert not np.allclose(other[("change", "se")].iloc[:3], a.table[("change", "se")].iloc[:3], rtol=1e-6)
    for kind in ("parametric", "wild", "wild-cluster"):
        assert fit.account("theil", replicates=10, kind=kind).kind == kind
    levels = fit.account("theil", change="levels", replicates=0).table.xs("estimate", axis=1, level=1)
    np.testing.assert_allclose(levels["change"], levels["2006"] - levels["2001"], atol=1e-15)
    assert (levels["2001"] == a.table[("2001", "estimate")]).all()
    assert list(fit.account("theil", years=(2002, 2004), replicates=0).table.columns.get_level_values(0).unique()) == [
        "2002",
        "2004",
        "change",
    ]


def test_scale_of_the_outcome_is_said(frame) -> None:
    fit = nq.sdm("ln_y ~ x1 | unit", frame, weights("knn", N))
    assert "theil_t of exp(ln_y)" in repr(fit.account("theil", replicates=0))
    plain = nq.sdm("y ~ x1 | unit", frame.assign(y=frame["y"] + 50), weights("knn", N))
    assert "theil_t of y," in repr(plain.account("theil", replicates=0))
    unclear = nq.sdm("lny ~ x1 | unit", frame.rename(columns={"ln_y": "lny"}), weights("knn", N))
    with pytest.raises(ValueError, match="is the outcome lny a logarithm"):
        unclear.account("theil", replicates=0)
    same = unclear.account("theil", scale="exp", replicates=0).table
    np.testing.assert_allclose(same, fit.account("theil", replicates=0).table, rtol=1e-12, atol=1e-15)


def test_wrong_arguments_are_named(china, frame) -> None:
    with pytest.raises(ValueError, match="measure='hhi'"):
        china.account("hhi")
    with pytest.raises(ValueError, match="blocks="):
        nq.sdm("ln_y ~ x1 | unit", frame, weights("knn", N)).account("dagum")
    assert china.account("dagum", replicates=0).blocks == ("East", "Central", "West", "Northeast")
    with pytest.raises(ValueError, match="no parts between and within"):
        china.account("cv", blocks="block")
    with pytest.raises(ValueError, match="no variables of the formula"):
        china.account(groups={"digital": ["broadband"]})
    with pytest.raises(ValueError, match="in two groups"):
        china.account(groups={"a": ["ln_broadband_pc"], "b": ["ln_broadband_pc"]})
    with pytest.raises(ValueError, match="names of other components: residual"):
        china.account(groups={"residual": ["ln_broadband_pc"]})
    with pytest.raises(ValueError, match="no variables for empty"):
        china.account(groups={"empty": []})
    with pytest.raises(ValueError, match="change='first'"):
        china.account(change="first")
    with pytest.raises(ValueError, match="scale='log'"):
        china.account(scale="log")
    with pytest.raises(ValueError, match="comes before"):
        china.account(years=(2020, 2014))
    with pytest.raises(PanelError, match="the fit has no 2010"):
        china.account(years=(2010, 2020))
    wide = frame.assign(**{f"z{i}": np.random.default_rng(i).normal(size=len(frame)) for i in range(12)})
    fit = nq.sar("ln_y ~ " + " + ".join(f"z{i}" for i in range(12)) + " | unit", wide, weights("knn", N))
    with pytest.raises(ValueError, match="15 components have 32768 coalitions"):
        fit.account(replicates=0)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures_text_and_provenance(china, lang) -> None:
    import matplotlib.pyplot as plt

    groups = {"digital": ["ln_broadband_pc"], "innovation": ["ln_rd_intensity"], "pop_growth": ["pop_growth"]}
    result = china.account("theil", groups=groups, replicates=20)
    ax = result.plot(lang=lang)
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    expected = {"en": ["total", "digital", "innovation"], "zh": ["合计", "数字基础设施", "创新", "常住人口增长率"]}[
        lang
    ]
    assert labels[: len(expected)] == expected
    assert "time effects" not in labels  # nothing to show
    for i, quantity in enumerate(("2012", "2024", "change")):
        bars = [p.get_height() for p in ax.patches if abs(p.get_x() + p.get_width() / 2 - i) < 0.01]
        assert sum(bars) == pytest.approx(result.table.loc["total", (quantity, "estimate")], abs=1e-12)
    fall = result.plot("waterfall", lang=lang)
    assert fall.get_yticklabels()[0].get_text() == "2012"
    fall.figure.canvas.draw()
    plt.close("all")
    assert "<table" in result._repr_html_()
    told = json.loads(json.dumps(result.provenance()))
    assert told["groups"]["digital"] == ["ln_broadband_pc"] and told["replicates"] == 20
    assert result.tidy().loc[("change", "total"), "estimate"] == result.table.loc["total", ("change", "estimate")]
    with pytest.raises(ValueError, match="two periods"):
        china.account("theil", years=2024, replicates=0).plot("waterfall")
    with pytest.raises(ValueError, match="kind='pie'"):
        result.plot("pie")
