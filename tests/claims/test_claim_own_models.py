"""R-OWN on series, spatial models and the synthetic control: numbers by hand, words on constructed panels."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nqpf_spatial as nq
from nqpf_spatial import claims
from nqpf_spatial.claims.evaluate.own import engine, likelihood, ranking, series, slopes, synthetic
from nqpf_spatial.claims.evaluate.own.settings import Setting
from nqpf_spatial.claims.runner import decide
from nqpf_spatial.errors import DataSourceError

REGISTER = claims.load()
BLOCKS = nq.provinces.groups("block")
QUEEN = nq.weights.registered("queen")


@pytest.fixture(autouse=True, scope="module")
def few_permutations():
    with pytest.MonkeyPatch.context() as patch:
        for module in (series, slopes):
            patch.setattr(module, "permutations", lambda ctx: 499)
        yield


def judged(claim, ctx):
    return decide(REGISTER.claim(claim), ctx)


def column(function):
    """A column from a function of (province, year, rng)."""

    def make(frame):
        p, y = (frame.index.get_level_values(k) for k in ("province", "year"))
        return pd.Series(function(p, y.to_numpy(), np.random.default_rng(0)), frame.index)

    return make


# --- LG-2.1 ---------------------------------------------------------------------------------------------------


def spread(turn):
    """Two values whose distance zigzags: the dispersion moves with `turn` of the year."""
    path = dict(zip(range(2011, 2025), np.cumsum(turn), strict=True))
    return column(
        lambda p, y, rng: np.where(
            p.isin(BLOCKS["East"]), 2.0 + np.array([path.get(k, 0.0) for k in y]), np.where(p == "Hubei", 0.5, 1.0)
        )
    )


TURN = np.array([0, 0.1, 0.3, -0.2, 0.25, 0.15, -0.3, 0.05, 0.2, -0.1, 0.35, -0.25, 0.12, 0.1])
INDEX = (
    "nqpf_index",
    "rd_intensity",
    "rd_fte_pc",
    "patents_inv_pc",
    "broadband_pc",
    "cable_pc",
    "mobile_phone_penetration",
)


def test_movement_by_hand(random_context):
    ctx = random_context(seed=2)
    verdict = judged("LG-2.1", ctx)
    theil = {}
    for name in ("nqpf_index", "disposable_income_pc"):
        s = ctx.panel[name].unstack("year").loc[:, 2013:2023]
        s = s / s.mean()
        theil[name] = (s * np.log(s)).mean()
    rho = stats.spearmanr(np.diff(theil["nqpf_index"]), np.diff(theil["disposable_income_pc"])).statistic
    assert verdict.evidence[0].estimate == pytest.approx(rho)
    assert verdict.sample["changes"] == 10
    assert verdict.holm.m > 1


@pytest.mark.parametrize(("turn", "word"), [(TURN, "SUPPORTED (proxy)"), (-TURN, "CONTRADICTED (proxy)")])
def test_words_on_movement(monkeypatch, random_context, turn, word):
    ctx = random_context(**{n: spread(TURN) for n in INDEX}, disposable_income_pc=spread(turn))
    # alone in its family, so that ten observations can pass the correction
    monkeypatch.setattr(claims.rules.holm, "members", lambda register, family: ("LG-2.1",))
    verdict = judged("LG-2.1", ctx)
    assert verdict.label == word
    pca = next(v for v in verdict.variants if v.variant == "index_pca")
    assert not pca.ran and "non-negative" in pca.reason


# --- WU-M17 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("noise", "word"), [(3.0, "SUPPORTED"), (0.62, "INCONCLUSIVE"), (0.2, "CONTRADICTED")])
def test_step(random_context, noise, word):
    common = dict(zip(range(2000, 2025), np.random.default_rng(1).normal(size=25), strict=True))
    growth = column(lambda p, y, rng: np.array([common.get(k, 0.0) for k in y]) + noise * rng.normal(size=len(y)))
    ctx = random_context(gdp_growth=growth)
    verdict = judged("WU-M17", ctx)
    assert verdict.verdict == word
    wide = ctx.panel["gdp_growth"].unstack("province").loc[2013:2024]
    pairs = [np.corrcoef(wide.iloc[:, i], wide.iloc[:, j])[0, 1] for i in range(31) for j in range(i)]
    assert verdict.evidence[0].estimate == pytest.approx(np.mean(pairs))
    assert verdict.sample["pairs"] == 465


# --- WU-M10 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "intensity", "word"), [(3.0, -1, "PARTLY"), (3.0, 1, "PARTLY"), (1.0, -1, "CONTRADICTED")]
)
def test_leaner(random_context, late, intensity, word):
    tfp = column(lambda p, y, rng: np.where(y >= 2015, late, 2.0) + 0.1 * rng.normal(size=len(y)))
    ctx = random_context(
        tfp_solow_growth=tfp, tfp_growth_est=tfp, gdp_growth=column(lambda p, y, rng: np.full(len(y), 8.0)),
        ln_electricity_intensity=column(lambda p, y, rng: intensity * 0.02 * (y - 2012)),
    )  # fmt: skip
    verdict = judged("WU-M10", ctx)
    assert verdict.verdict == word
    table = verdict.tables["contribution"]
    assert table.loc["2012-2014", "points"] == pytest.approx(2.0, abs=0.05)
    assert table.loc["2015-2017", "share_of_growth"] == pytest.approx(late / 8, abs=0.01)
    count = verdict.evidence[2]
    assert count.estimate == (29 if intensity < 0 else 0)
    change = ctx.panel["tfp_solow_growth"].unstack("year")
    paired = change[[2015, 2016, 2017]].mean(axis=1) - change[[2012, 2013, 2014]].mean(axis=1)
    assert verdict.evidence[0].se == pytest.approx(stats.sem(paired))


# --- WU-M2 ----------------------------------------------------------------------------------------------------

REGRESSORS = REGISTER.claim("WU-M2").regressors


def lagged_outcome(early, late, rho=0.7, seed=3):
    """An outcome whose spatial lag runs through one W before 2018 and another after."""
    early, late = (nq.weights.registered(w) for w in (early, late))

    def make(frame):
        rng = np.random.default_rng(seed)
        years = frame.index.unique("year")
        out = {}
        for y in years:
            w = (early if y < 2018 else late).dense()
            out[y] = np.linalg.solve(np.eye(31) - rho * w, rng.normal(size=31))
        table = pd.DataFrame(out, index=list(early.ids)).stack()
        return table.rename_axis(["province", "year"])

    return make


@pytest.mark.filterwarnings("ignore::nqpf_spatial.errors.IdentificationWarning")
def test_likelihoods_by_hand(random_context):
    ctx = random_context(seed=1)
    verdict = judged("WU-M2", ctx)
    table = verdict.tables["llf_per_observation"]
    for w in ("queen", "digital", "migration_flow"):
        fit = nq.sdm(verdict.sample["formula"], ctx.panel, nq.weights.registered(w), years=(2018, 2024))
        assert table.loc[w, "2018-2024"] == pytest.approx(fit.llf / (30 * 6))
    assert set(verdict.weights) == set(REGISTER.claim("WU-M2").W)
    assert list(table.columns) == ["2012-2017", "2018-2024"]


@pytest.mark.parametrize(
    ("early", "late", "word"), [("queen", "digital", "SUPPORTED (proxy)"), ("digital", "queen", "CONTRADICTED (proxy)")]
)
def test_words_on_networks(random_context, early, late, word):
    outcomes = ("ln_gdp_real_pc", "gdp_real_per_urban_worker")
    made = lagged_outcome(early, late)
    ctx = random_context(**dict.fromkeys(outcomes[:1], made), gdp_real_per_urban_worker=lambda f: np.exp(made(f)))
    # the patches of base_2023 and firstpub_growth rebuild the outcome from GDP: consistent levels and growth
    y = made(ctx.panel)
    level = np.exp(y.reindex(ctx.panel.index))
    growth = 100 * level / level.groupby("province").shift(1)
    ctx.panel.update(
        pd.DataFrame(
            {"gdp": level, "gdp_v2023": level, "gdp_real": level, "gdp_index": growth, "gdp_index_firstpub": growth}
        )
    )
    ctx.panel["population"] = 1.0
    verdict = judged("WU-M2", ctx)
    assert verdict.label == word
    shown = next(v for v in verdict.variants if v.variant == "w_mig_symmetric")
    assert shown.ran and not shown.counts


def test_matrices_are_read_from_the_hypothesis():
    assert likelihood._named_matrices(REGISTER.claim("WU-M2")) == ("digital", ("queen", "inv_distance_sq"))
    with pytest.raises(DataSourceError, match="names no"):
        likelihood._named_matrices(SimpleNamespace(id="X", hypothesis="W a minus that under b and c", W=("a",)))


# --- WU-M16 ---------------------------------------------------------------------------------------------------


def durbin_outcome(slope_by_block, noise=0.3, seed=5, rho=0.3):
    """y = rho W y + slope(block) * ln_rd_intensity + 0.5 ln_broadband_pc + noise."""

    def make(frame):
        rng = np.random.default_rng(seed)
        w, names = QUEEN.dense(), list(QUEEN.ids)
        block = {p: b for b, members in BLOCKS.items() for p in members}
        slope = np.array([slope_by_block[block[p]] for p in names])
        x, z = (frame[v].unstack("province")[names] for v in ("ln_rd_intensity", "ln_broadband_pc"))
        rows = {}
        for year in x.index[x.notna().all(axis=1) & z.notna().all(axis=1)]:
            e = noise * rng.normal(size=31)
            rows[year] = np.linalg.solve(np.eye(31) - rho * w, slope * x.loc[year] + 0.5 * z.loc[year] + e)
        return pd.DataFrame(rows, index=names).stack().rename_axis(["province", "year"])

    return make


ALTERNATIVES = ("cable_pc", "digital_index", "digital_index_net", "patents_inv_pc", "rd_fte_pc")


def test_slopes_that_differ_are_found(random_context):
    ctx = random_context(
        ln_gdp_real_pc=durbin_outcome({"East": 1.5, "Central": 0.2, "West": 0.2, "Northeast": 0.2}, 0.05)
    )
    verdict = judged("WU-M16", ctx)
    table = verdict.tables["slopes"]
    assert table.loc["ln_rd_intensity", "East"] == pytest.approx(1.5, abs=0.1)
    assert table.loc["ln_rd_intensity", "West"] == pytest.approx(0.2, abs=0.1)
    assert table.loc["ln_broadband_pc", ["East", "West"]].to_numpy() == pytest.approx([0.5, 0.5], abs=0.1)
    assert verdict.evidence[0].p == pytest.approx(1 / 500)
    assert verdict.evidence[0].checks["wald_df"] == 6
    assert any("FewClusters" in n for n in verdict.notes)


@pytest.mark.parametrize(
    ("slope", "word"),
    [({"East": 1.5, "Central": 0.2, "West": 0.2, "Northeast": 0.2}, "SUPPORTED (proxy)"),
     (dict.fromkeys(BLOCKS, 1.0), "CONTRADICTED (proxy)")],
)  # fmt: skip
def test_words_on_slopes(monkeypatch, random_context, slope, word):
    monkeypatch.setattr(claims.rules.holm, "members", lambda register, family: ("WU-M16",))
    base = random_context(seed=7)
    same = {n: base.panel["ln_rd_intensity" if n in ALTERNATIVES[3:] else "ln_broadband_pc"] for n in ALTERNATIVES}
    ctx = random_context(seed=7, **same, ln_gdp_real_pc=durbin_outcome(slope, 0.02))
    assert judged("WU-M16", ctx).label == word


def test_the_filtered_regression_is_that_of_the_fit(random_context):
    """At rho = 0 data the permutation test sees the statistic of a plain regression with interactions and lags."""
    ctx = random_context(seed=9)
    claim = REGISTER.claim("WU-M16")
    found = engine.baseline(slopes.SLOPES, claim, ctx)
    test, rows, wald, _ = found.numbers
    assert test.df == wald[1] == 6
    assert test.df_residual == 31 * 13 - 31 - 12 - 10 - 6
    assert {s.regressor for s in rows} == {"ln_rd_intensity", "ln_broadband_pc"}
    assert 0 < test.pvalue <= 1


# --- WU-P2 ----------------------------------------------------------------------------------------------------

CANDIDATES = REGISTER.claim("WU-P2").regressors


def ranked(order, seed=0):
    """An outcome in which the candidates matter in this order."""

    def make(frame):
        rng = np.random.default_rng(seed)
        gap = sum(w * frame[c].fillna(0.0) for c, w in order.items())
        return gap + 0.02 * rng.normal(size=len(frame))

    return make


def test_ranking_by_hand(random_context):
    ctx = random_context(seed=11)
    verdict = judged("WU-P2", ctx)
    table = nq.sdm(verdict.sample["formula"], ctx.panel, QUEEN, years=(2012, 2019)).impacts().table

    def within(name):
        wide = ctx.panel[name].unstack("province").loc[2012:2019]
        return (wide.sub(wide.mean()).sub((wide.sub(wide.mean())).mean(axis=1), axis=0)).to_numpy().std()

    for e in verdict.evidence:
        x = e.what.removeprefix("standardised total effect of ")
        scale = within(x) / within("ln_gdp_real_pc")
        assert e.estimate == pytest.approx(table.loc[x, ("total", "estimate")] * scale)
        assert e.se == pytest.approx(table.loc[x, ("total", "se")] * scale)
    ran = {v.specification: v.ran for v in verdict.variants}
    assert not ran["mean_years_schooling for schooling_years"]
    assert ran["college_share for schooling_years"]
    assert next(v.n for v in verdict.variants if v.variant == "drop_schooling") == 31 * 13
    assert sum(v.variant == "w_others" for v in verdict.variants) == 6


@pytest.mark.parametrize(
    ("digital", "word"), [(3.0, "SUPPORTED (proxy)"), (-3.0, "CONTRADICTED (proxy)"), (0.5, "INCONCLUSIVE (proxy)")]
)
def test_words_on_ranking(random_context, digital, word):
    base = random_context(seed=12)
    same = dict.fromkeys(ALTERNATIVES[:3], base.panel["ln_broadband_pc"])
    order = dict(zip(CANDIDATES, (digital, 1.0, 0.3, 0.1), strict=True))
    made = ranked(order)
    ctx = random_context(seed=12, **same, ln_gdp_real_pc=made, solow_residual=made)
    assert judged("WU-P2", ctx).label == word


def test_no_candidate_may_be_missing():
    with pytest.raises(DataSourceError, match="states no series"):
        ranking._without_schooling(
            REGISTER.claim("WU-P2"),
            SimpleNamespace(register=SimpleNamespace(variants={"drop_schooling": {"text": "without it"}})),
        )


# --- LG-5.3 ---------------------------------------------------------------------------------------------------


def factors(jump=0.0, years=(2017,), scale=1.0, seed=0):
    """A two-factor panel in which Guizhou lies inside the others and departs after the given years."""

    def make(frame):
        rng = np.random.default_rng(seed)
        p, y = (frame.index.get_level_values(k) for k in ("province", "year"))
        units, times = list(p.unique()), list(y.unique())
        load = dict(zip(units, rng.uniform(0.8, 1.2, len(units)), strict=True)) | {"Guizhou": 1.0}
        level = dict(zip(units, rng.uniform(4.0, 6.0, len(units)), strict=True)) | {"Guizhou": 5.0}
        path = dict(zip(times, np.cumsum(rng.uniform(0.0, 0.2, len(times))), strict=True))
        values = np.array([level[a] + load[a] * path[b] for a, b in zip(p, y, strict=True)])
        values = values + 0.02 * rng.normal(size=len(values))
        gap = sum(np.where((p == "Guizhou") & (y >= k), jump, 0.0) for k in years)
        return pd.Series(values * scale + gap, frame.index)

    return make


def revenue(growth):
    """Guizhou's revenue grows by this factor more a year than 10 percent elsewhere."""
    return column(lambda p, y, rng: np.exp((y - 2016) * np.where(p == "Guizhou", growth, np.log(1.1))))


def synthetic_context(random_context, jump, growth):
    steps = factors(jump, (2023,))
    log = dict.fromkeys(("ln_software_pc", "ln_it_service_pc"), steps)
    money = dict.fromkeys(("software_revenue", "it_service_revenue"), revenue(growth))
    return random_context(gdp_real_pc=factors(jump, (2017,), seed=1), **log, **money)


@pytest.mark.parametrize(
    ("jump", "growth", "word"),
    [
        (3.0, np.log(1.25), "SUPPORTED (proxy)"),
        (3.0, np.log(1.15), "PARTLY (proxy)"),
        (3.0, np.log(1.05), "CONTRADICTED (proxy)"),
        (-3.0, np.log(1.25), "CONTRADICTED (proxy)"),
        (0.0, np.log(1.15), "INCONCLUSIVE (proxy)"),
    ],
)
def test_words_on_the_synthetic_province(random_context, jump, growth, word):
    verdict = judged("LG-5.3", synthetic_context(random_context, jump, growth))
    assert verdict.label == word
    ratio = next(e for e in verdict.evidence if "ratio" in e.what)
    assert ratio.estimate == pytest.approx(100 * (np.exp(growth) - 1) / verdict.tables["growth"].loc["nation"].iloc[0])


def test_the_analyses_are_those_of_the_hypothesis(random_context):
    claim = REGISTER.claim("LG-5.3")
    text = claim.hypothesis
    assert all(f"{year}" in text and name in text for name, year in synthetic.ANALYSES)
    assert synthetic.PROVINCE in text
    verdict = judged("LG-5.3", synthetic_context(random_context, 0.0, 0.1))
    assert verdict.sample["units"] == {
        "gdp_real_pc after 2016": 31, "ln_software_pc after 2016": 30, "ln_software_pc after 2022": 30,
    }  # fmt: skip
    paths = verdict.tables["paths"]
    assert paths.index.unique("analysis").size == 3
    weights = verdict.tables["donors"].groupby("analysis")["weight"].sum()
    assert weights.to_numpy() == pytest.approx(np.ones(3), abs=1e-4)
    assert synthetic._industry(SimpleNamespace(register=REGISTER), "ln_it_service_pc") == "it_service_revenue"
    with pytest.raises(DataSourceError, match="derives no variable"):
        synthetic._industry(SimpleNamespace(register=REGISTER), "nothing")


def test_years_around_the_treatment_are_in_the_right_period(random_context):
    ctx = synthetic_context(random_context, 3.0, 0.1)
    found = synthetic.measure(REGISTER.claim("LG-5.3"), ctx, Setting())
    wide = ctx.panel["gdp_real_pc"].unstack("province").loc[2005:2024]
    path = found.tables["paths"].loc["gdp_real_pc after 2016"]
    gap = path["Guizhou"] - path["synthetic"]
    assert found.numbers[0][0].gap == pytest.approx(gap.loc[2017:].mean())
    assert found.numbers[3]["gdp_real_pc after 2016"]["pre_rmspe"] == pytest.approx(
        np.sqrt((gap.loc[:2015] ** 2).mean())
    )
    assert path["Guizhou"].to_numpy() == pytest.approx(wide["Guizhou"].to_numpy())
