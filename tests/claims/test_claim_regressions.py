"""R-MECH, R-MOD and R-COEF from end to end on random panels: every word, for every claim, with effects put in."""

import inspect
import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import statsmodels.api as sm
from regression_support import random_context

import nqpf_spatial as nq
from nqpf_spatial import claims, provinces
from nqpf_spatial.claims import verdict_file
from nqpf_spatial.claims.evaluate import (
    beside,
    coefficients,
    cross_section,
    dyads,
    gravity,
    mechanism,
    moderation,
    regression,
    specification,
    thresholds,
)
from nqpf_spatial.claims.exhibits.phrases import quantity_zh
from nqpf_spatial.claims.runner import decide

REGISTER = claims.load()
W = nq.weights.contiguity().dense()
SOUTH = np.array([provinces.group_of(p, "north_south") == "South" for p in nq.weights.contiguity().ids])
BLOCK = np.array([provinces.group_of(p) for p in nq.weights.contiguity().ids])
IDS = [c for m in (mechanism, moderation, coefficients) for c in m.READINGS]


@pytest.fixture(autouse=True, scope="module")
def few_replicates():
    """Precision of resampling is not what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specification, "REPLICATES", 50)
        patch.setattr(regression, "REPLICATES", 50)
        patch.setattr(beside, "WILD", 50)
        patch.setattr(thresholds, "REPLICATES", 499)
        patch.setattr(dyads, "PERMUTATIONS", 999)
        yield


def noise(rng, scale=0.05):
    return scale * rng.standard_normal((31, 1)) + scale * rng.standard_normal((31, 36))[:, : noise.years]


noise.years = 36


def effect(outcomes, terms, exp=False):
    """Outcomes that are sums of terms: name -> function of (cube, years), with little noise."""

    def change(sign):
        def build(cube, rng, years):
            noise.years = len(years)
            signal = sign * sum(term(cube, years) for term in terms)
            out = {}
            for name in outcomes:
                y = signal + noise(rng)
                out[name] = np.exp(y) if exp else y
            return out

        return build

    return change


def own(name):
    return lambda cube, years: cube[name]


def log(name):
    return lambda cube, years: np.log(cube[name])


def before(name, transform=lambda x: x):
    return lambda cube, years: np.roll(transform(cube[name]), 1, axis=1)


def lagged_by_w(name):
    return lambda cube, years: W @ cube[name]


def growth(level, factors, rate=None):
    """Growth on the level of the year before and its products; level and growth are consistent."""

    def change(sign):
        def build(cube, rng, years):
            start = years.index(2005)
            d = [cube[f] - cube[f].mean() for f in factors]
            y, mu = np.log(cube[level]).copy(), 0.5 * rng.standard_normal(31)
            for t in range(start, len(years)):
                move = mu - 0.3 * y[:, t - 1] + sum(sign * -0.3 * f[:, t] * y[:, t - 1] for f in d)
                y[:, t] = y[:, t - 1] + move + 0.05 * rng.standard_normal(31)
            out = {level: np.exp(y)}
            if rate:
                moves = 100 * np.diff(y, axis=1, prepend=y[:, :1])
                out |= {f"ln_{level}": y, rate: moves}
            return out

        return build

    return change


def complement(sign):
    """LG-1.1: products on growth and effects on the tertiary share."""

    def build(cube, rng, years):
        out = growth("gdp_real_pc", ["ln_broadband_pc", "ln_rd_intensity"], "gdp_pc_growth")(sign)(cube, rng, years)
        share = sign * (cube["ln_broadband_pc"] + cube["ln_rd_intensity"])
        return out | {"share_tertiary": share + 0.05 * rng.standard_normal(share.shape)}

    return build


def initial(sign):
    """WU-4.3: the digital effect grows with the level of 2013."""

    def build(cube, rng, years):
        at = years.index(2013)
        hd, d = cube["hd_index"], cube["ln_broadband_pc"]
        start = hd[:, [at]]
        new = start + sign * (start - start.mean()) * (d - d[:, [at]]) + 0.01 * rng.standard_normal(hd.shape)
        new[:, at] = start[:, 0]
        return {"hd_index": new}

    return build


def mutual(sign):
    def build(cube, rng, years):
        va, rd = np.log(cube["va_industry_pc"]).copy(), np.log(cube["ind_rd_pc"]).copy()
        for t in range(years.index(2017), len(years)):
            va[:, t] = sign * 0.6 * rd[:, t - 1] + 0.1 * rng.standard_normal(31)
            rd[:, t] = sign * 0.6 * va[:, t - 1] + 0.1 * rng.standard_normal(31)
        return {"va_industry_pc": np.exp(va), "ind_rd_pc": np.exp(rd)}

    return build


def distances(sign):
    """WU-0.7: the three capabilities of 2012 and nothing else set later growth."""

    def build(cube, rng, years):
        at = years.index(2012)
        z = [cube[n][:, at] for n in ("schooling_years", "ln_broadband_pc", "ln_rd_intensity")]
        mean = sum((v - v.mean()) / v.std() for v in z)
        rate = sign * mean[:, None] + 0.2 * rng.standard_normal((31, len(years)))
        return dict.fromkeys(("gdp_pc_growth", "tfp_growth_est", "tfp_solow_growth"), rate)

    return build


def investment(sign):
    def build(cube, rng, years):
        at = slice(years.index(2005), years.index(2012) + 1)
        mean = cube["investment_rate"][:, at].mean(axis=1, keepdims=True)
        t = np.arange(len(years)) - years.index(2013)
        return {"rd_intensity": np.exp(-sign * 0.1 * mean * t + 0.01 * rng.standard_normal((31, len(years))))}

    return build


def pairs(sign):
    """WU-1.12: provinces at the digital extremes have like sectors and unlike output."""

    def build(cube, rng, years):
        d = np.concatenate([np.full(10, -2.0), np.full(10, 2.0), np.zeros(11)])[:, None] + 0.05 * rng.standard_normal(
            (31, len(years))
        )
        outside = np.abs(d) > 1
        spread = 0.2 * rng.standard_normal((31, 1))
        if sign > 0:
            output, s = d, np.where(outside, 0.0, spread)
        else:  # alike at the extremes, unlike inside
            output, s = np.where(outside, 0.0, 10 * spread), np.where(outside, d, 0.0)
        output = output + 0.01 * rng.standard_normal(d.shape)
        return {
            "ln_broadband_pc": d, "ln_gdp_real_pc": output, "share_primary": 0.3 + s, "share_secondary": 0.3 - s,
            "share_tertiary": 0.4 + 0.0 * s,
        }  # fmt: skip

    return build


def incomes(sign):
    return effect(["urban_rural_income_ratio"], [own("ln_broadband_pc")])(sign)


def transmission(sign):
    """WU-4.1: four outcomes follow output; with sign < 0 all gaps close."""

    def build(cube, rng, years):
        names = ("urbanization_rate", "schooling_years", "beds_per_1000", "fiscal_education_pc")
        level = np.roll(cube["ln_gdp_real_pc"], 1, axis=1)
        shrink = np.exp(-0.15 * np.arange(len(years)))
        unit = rng.standard_normal((31, 1))
        if sign > 0:
            return {n: np.exp(0.3 * (level + 2 * unit + 0.02 * rng.standard_normal(level.shape))) for n in names}
        return {n: np.exp(shrink * (unit + 0.01 * rng.standard_normal(level.shape))) for n in names}

    return build


#: claim -> (what is put in, per sign), and whether the stated sign is the positive one
CASES = {
    "WU-4.12": effect(["ln_gdp_real_pc"], [own("pop_growth"), own("schooling_years")]),
    "WU-M3": lambda s: effect(["ln_electricity_intensity"], [own("ln_broadband_pc")])(-s),
    "WU-M4": effect(["ln_gdp_real_pc"], [own("ln_broadband_pc")]),
    "WU-M5": effect(["rd_fte_pc", "tech_purchases_ratio"], [own("ln_broadband_pc"), own("transport_density")]),
    "WU-M8": effect(["ln_gdp_real_pc"], [own("pop_growth")]),
    "WU-M18": effect(["ln_gdp_real_pc"], [log("market_potential"), own("ln_trade_ratio")]),
    "LG-1.1": complement,
    "WU-1.4": effect(["hitech_ratio"], [lambda cube, years: cube["rd_intensity"] * SOUTH[:, None]]),
    "WU-1.8": growth("gdp_real_pc", ["ln_broadband_pc"], "gdp_pc_growth"),
    "WU-4.3": initial,
    "WU-P5": effect(
        ["ln_gdp_real_pc"], [lambda cube, years: cube["ln_broadband_pc"] * np.isin(BLOCK, ["Northeast", "West"])[:, None]]
    ),
    "WU-P15": lambda s: lambda cube, rng, years: {
        k: v for n in ("beds_per_1000", "doctors_per_1000", "teachers_junior")
        for k, v in growth(n, ["ln_broadband_pc"])(s)(cube, rng, years).items()
    },
    "LG-4.1": mutual,
    "WU-0.7": distances,
    "WU-1.5": investment,
    "WU-1.6": effect(["rd_intensity"], [before("soe_asset_share")]),
    "WU-1.12": pairs,
    "WU-3.3": lambda s: effect(["ln_trade_ratio"], [lambda cube, years: np.log(cube["dist_sea_gate"] + 1.0)])(-s),
    "WU-4.1": transmission,
    "WU-4.6": lambda s: effect(["mobile_users_pc"], [own("share_65plus"), own("rural_share")])(-s),
    "WU-4.7": incomes,
    "WU-M9": effect(["ln_gdp_real_pc"], [log("market_potential")]),
    "WU-M13": lambda s: effect(["ln_gdp_real_pc"], [own("edu_gini")])(-s),
}  # fmt: skip
#: variants that keep what is put in; all of them are tried on noise below
KEPT = ("no_tibet", "ns_no_beijing", "drop_urbanization", "drop_secondary", "plain_ml")


def thinned(claim_id):
    claim = REGISTER.claim(claim_id)
    return replace(claim, variants=tuple(v for v in claim.variants if v in KEPT) or claim.variants[:1])


@cache
def verdict(claim_id, sign):
    return decide(thinned(claim_id), random_context(3, change=CASES[claim_id](sign)))


def support_word(claim_id):
    return "PARTLY" if REGISTER.claim(claim_id).testability == "partial" else "SUPPORTED"


@pytest.mark.parametrize("claim_id", CASES)
def test_an_effect_as_stated_is_supported(claim_id):
    found = verdict(claim_id, 1.0)
    assert found.verdict == support_word(claim_id), found.reason
    assert found.proxy == (REGISTER.claim(claim_id).testability == "proxy")


@pytest.mark.parametrize("claim_id", CASES)
def test_the_opposite_effect_contradicts(claim_id):
    found = verdict(claim_id, -1.0)
    assert found.verdict == "CONTRADICTED", found.reason
    assert {m.direction for m in found.multiverse} == {"contradict"}


def threshold_case(cube, rng, years):
    """WU-M7: both indirect effects, and a slope that jumps where the neighbours' digital series is high."""
    d, r = cube["ln_broadband_pc"], cube["ln_rd_intensity"]
    q = W @ d
    y = W @ (d + r) + 2.0 * d * (q > np.median(q)) + 0.05 * rng.standard_normal(d.shape)
    return {"ln_gdp_real_pc": y}


def test_spillovers_without_a_threshold_are_not_enough():
    claim = thinned("WU-M7")
    spill = effect(["ln_gdp_real_pc"], [lagged_by_w("ln_broadband_pc"), lagged_by_w("ln_rd_intensity")])
    found = decide(claim, random_context(3, change=spill(1.0)))
    by_what = {e.what.split(" ")[0]: e for e in found.evidence if e.counted and e.w == "queen"}
    assert by_what["threshold"].p > 0.05
    with_both = decide(claim, random_context(3, change=threshold_case))
    tested = next(e for e in with_both.evidence if e.what.startswith("threshold"))
    assert tested.reading == "support" and tested.p == 1 / 500 and tested.se is None
    assert {"critical_10", "critical_5", "critical_1", "set_lower", "set_upper"} <= set(tested.checks)
    assert any(e.what.startswith("second threshold") and not e.counted for e in with_both.evidence)
    against = decide(claim, random_context(3, change=spill(-1.0)))
    assert against.verdict == "CONTRADICTED"


def test_flows_towards_better_places():
    claim = REGISTER.claim("WU-4.13")
    slopes = {"wage_urban_units": 1.5, "fiscal_education_pc": 1.5, "beds_per_1000": 1.5}
    for sign, word in ((1, "SUPPORTED"), (-1, "CONTRADICTED")):
        elasticity = {
            name: {r: (year, sign * s) for r, s in slopes.items()}
            for name, year in (("5yr_2015", 2009), ("5yr_2020", 2014))
        }
        found = decide(claim, random_context(0, elasticity=elasticity))
        row = next(e for e in found.evidence if e.what.startswith("elasticity of flows to wage"))
        assert row.estimate == pytest.approx(sign * 1.5, abs=0.6)
        assert sign * row.estimate > 0
        assert (found.verdict == word) == all(e.p_holm < 0.05 for e in found.evidence if e.counted)


@pytest.mark.parametrize("claim_id", IDS)
def test_without_an_effect_nothing_is_established(claim_id):
    found = decide(REGISTER.claim(claim_id), random_context(0, fast=True))
    assert found.verdict == "INCONCLUSIVE", found.reason
    assert {v.variant for v in found.variants} == set(REGISTER.claim(claim_id).variants)
    for v in found.variants:
        assert v.ran or v.reason
    counted = [e for e in found.evidence if e.counted and e.se is not None]
    assert all(e.mde > 0 for e in counted)
    assert found.mde_note and ("detectable" in found.reason or "etectable effect" in found.reason)
    assert json.loads(verdict_file.to_json([found]))[claim_id]["verdict"] == "INCONCLUSIVE"
    assert found.sample["provinces"] and found.seed == claims.SEED
    assert found.holm.m > 0 and all(e.p_holm is not None for e in counted if e.p is not None)


def test_the_same_seed_gives_the_same_record():
    one, two = (
        verdict_file.to_json([decide(REGISTER.claim(c), random_context(1, fast=True)) for c in ("WU-1.4", "WU-M13")])
        for _ in range(2)
    )
    assert one == two


def test_a_direct_effect_is_that_of_the_public_fit_with_clusters():
    context = random_context(2)
    (component,), _ = moderation.convergence(REGISTER.claim("WU-1.8"), context)
    number = component.measure(context, component.spec)
    data = specification.data_of(context, component.spec)
    with pytest.warns(nq.errors.FewClustersWarning):
        fit = nq.sdm(component.spec.formula, data, nq.weights.contiguity(), vcov="cluster")
        table = fit.impacts().table.loc[component.spec.focus[0], "direct"]
    assert number.estimate == table["estimate"] and number.se == table["se"]
    assert number.df == 30 and number.n == 31 * 13
    from scipy import stats

    assert number.p == pytest.approx(2 * stats.t.sf(abs(table["estimate"] / table["se"]), 30))
    assert number.checks["coefficient"] == fit.params[component.spec.focus[0]]
    # centring moves main effects only
    raw = data.assign(**{component.spec.focus[0]: data["lag_ln_gdp_real_pc"] * data["ln_broadband_pc"]})
    again = nq.sdm(component.spec.formula, raw, nq.weights.contiguity())
    assert again.params[component.spec.focus[0]] == pytest.approx(fit.params[component.spec.focus[0]], rel=1e-6)
    assert again.params["ln_broadband_pc"] != pytest.approx(fit.params["ln_broadband_pc"], rel=1e-3)


def test_a_coefficient_without_w_is_that_of_dummies_with_clusters():
    context = random_context(2)
    (component,), _ = coefficients.plain(REGISTER.claim("WU-M13"), context, -1)
    number = component.measure(context, component.spec)
    data = specification.data_of(context, component.spec)
    dummies = [
        sm.add_constant(np.eye(n)[codes][:, 1:])
        for codes, n in (
            (data.index.codes[0], 31),
            (np.unique(data.index.get_level_values("year"), return_inverse=True)[1], 8),
        )
    ]
    codes = np.unique(data.index.get_level_values("province"), return_inverse=True)[1]
    x = np.column_stack([data.drop(columns="ln_gdp_real_pc"), np.eye(31)[codes], dummies[1][:, 1:]])
    fit = sm.OLS(data["ln_gdp_real_pc"].to_numpy(), x).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert number.estimate == pytest.approx(fit.params[0])
    # the small-sample factors differ: statsmodels counts the dummies among the regressors
    n, k, left = len(x), x.shape[1], 30 * 7
    assert number.se == pytest.approx(fit.bse[0] * np.sqrt((left - 1) / (left - 4) * (n - k) / (n - 1)), rel=1e-6)
    assert number.df == 30


def test_year_effects_alone_and_provinces_left_out():
    context = random_context(2)
    (component,), _ = coefficients.sea(REGISTER.claim("WU-3.3"), context)
    number = component.measure(context, component.spec)
    assert number.df == 27 and number.n == 28 * 12


def test_cross_sections_against_statsmodels():
    context = random_context(2)
    (distance, share), _ = coefficients.brake(REGISTER.claim("WU-0.7"), context)
    number = distance.measure(context, distance.spec)
    rows = cross_section.frame(context, distance.spec)
    names = ["schooling_years", "ln_broadband_pc", "ln_rd_intensity"]
    z = np.mean([(rows[n].max() - rows[n]) / rows[n].std() for n in names], axis=0)
    fit = sm.OLS(rows["gdp_pc_growth"], sm.add_constant(z)).fit(cov_type="HC3", use_t=True)
    assert number.estimate == pytest.approx(fit.params.iloc[1]) and number.se == pytest.approx(fit.bse.iloc[1])
    assert number.p == pytest.approx(fit.pvalues.iloc[1]) and number.df == 29
    found = share.measure(context, share.spec)
    whole = sm.OLS(rows["gdp_pc_growth"], sm.add_constant(rows.drop(columns="gdp_pc_growth"))).fit()
    assert sum(v for k, v in found.checks.items()) == pytest.approx(whole.rsquared)
    assert found.holds == (found.estimate == max(found.checks.values()))


def test_gaps_are_those_of_mrqap():
    context = random_context(2)
    (gdp, sectors), _ = coefficients.dyadic(REGISTER.claim("WU-1.12"), context)
    years = context.panel.loc[context.panel.index.get_level_values("year").isin(gdp.spec.years)]
    gaps = nq.models.pairwise_gaps
    regressor = {"ln_broadband_pc": gaps(years["ln_broadband_pc"])}
    plain = nq.models.mrqap(gaps(years["ln_gdp_real_pc"]), regressor, permutations=99)
    assert gdp.measure(context, gdp.spec).estimate == pytest.approx(plain.table["estimate"].iloc[0])
    shares = gaps(years[["share_primary", "share_secondary", "share_tertiary"]])
    far = nq.models.mrqap(shares, regressor, permutations=99)
    assert sectors.measure(context, sectors.spec).estimate == pytest.approx(-far.table["estimate"].iloc[0])
    ((_, nine),) = sectors.expand("nine_sectors", sectors.spec, context)
    assert nine.outcome == "krugman9" and nine.years == tuple(range(2016, 2025))
    values = [i for i in dyads.shares_behind(context, "krugman9") if i != "gdp"]
    own = context.panel[values].div(context.panel["gdp"], axis=0)
    own = own.loc[own.index.get_level_values("year").isin(nine.years)]
    matrix = dyads.matrices(context, nine, "krugman9")[2020]
    at = own.xs(2020, level="year")
    assert matrix.loc["Hubei", "Gansu"] == pytest.approx(-np.abs(at.loc["Hubei"] - at.loc["Gansu"]).sum())


def test_flows_against_poisson_with_dummies_by_formula():
    import statsmodels.formula.api as smf

    context = random_context(2)
    spec = gravity.stated(REGISTER.claim("WU-4.13"))
    table, g = gravity.fitted(context, spec)
    rows = gravity.frame(context, spec)
    formula = "flow ~ wage_urban_units + fiscal_education_pc + beds_per_1000 + ln_distance + C(origin) + C(destination) + C(interval)"
    fit = smf.glm(formula, rows, family=sm.families.Poisson()).fit(cov_type="HC0", tol=1e-10, maxiter=200)
    assert g == 31
    assert fit.params[table.index].to_numpy() == pytest.approx(table["estimate"].to_numpy(), rel=1e-6)
    assert fit.bse[table.index].to_numpy() == pytest.approx(table["se_robust"].to_numpy(), rel=1e-5)
    # any two observations that share a province: by its definition, on the scores of a few coefficients
    scores = fit.model.exog * (rows["flow"].to_numpy() - fit.fittedvalues.to_numpy())[:, None]
    o, d = rows["origin"].to_numpy(), rows["destination"].to_numpy()
    shares = (o[:, None] == o) | (o[:, None] == d) | (d[:, None] == o) | (d[:, None] == d)
    bread = np.linalg.inv(fit.model.exog.T @ (fit.fittedvalues.to_numpy()[:, None] * fit.model.exog))
    by_hand = 31 / 30 * bread @ (scores.T @ shares.astype(float) @ scores) @ bread
    place = [fit.model.exog_names.index(n) for n in table.index]
    assert table["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(by_hand)[place]), rel=1e-5)


def test_versions_beside_do_not_decide():
    found = verdict("WU-1.8", 1.0)
    shown = {e.what: e for e in found.evidence if not e.counted}
    for part in ("half-panel jackknife", "wild bootstrap", "change 2012-2024", "without W", "deviations"):
        assert any(part in what for what in shown), part
    assert any(what.startswith("direct effect of lag_ln_gdp_real_pc") and "without" in what for what in shown)
    assert set(found.tables) >= {"with_product", "without_product"}
    share = next(e for e in found.evidence if e.what.startswith("share of specifications"))
    assert share.counted and share.reading == "support" and set(share.checks) == {"by_run", "by_variant"}
    assert all(e.reading == "neither" for e in shown.values())


@pytest.mark.parametrize(
    ("claim_id", "names"),
    [
        ("WU-M5", {"effects", "variants"}), ("WU-1.8", {"coefficients", "variants"}),
        ("WU-0.7", {"coefficients", "variants", "provinces"}), ("WU-1.5", {"coefficients", "variants", "provinces"}),
        ("WU-4.1", {"coefficients", "variants"}), ("WU-4.7", {"coefficients", "variants"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures_and_chinese_reasons(claim_id, names, lang):
    found = verdict(claim_id, 1.0)
    pictures = claims.figures(found, lang)
    assert set(pictures) == names
    for figure in pictures.values():
        figure.draw_without_rendering()  # a missing glyph is a warning, and a warning an error
    text = claims.reason_zh(found)
    assert text.startswith("判定：") and "族内校正后" in text
    for e in found.evidence:
        said = quantity_zh(e.what)
        assert not re.search(r"effect|coefficient|elasticity| of | on ", said), said


def test_the_profile_of_a_threshold_is_drawn():
    found = decide(replace(thinned("WU-M7"), variants=("no_tibet",)), random_context(3, change=threshold_case))
    for lang in ("en", "zh"):
        pictures = claims.figures(found, lang)
        assert set(pictures) == {"effects", "variants", "threshold"}
        for figure in pictures.values():
            figure.draw_without_rendering()
    assert "门槛" in claims.reason_zh(found)


def test_what_a_claim_brings_into_its_family():
    context = random_context(1)
    claim = REGISTER.claim("WU-4.12")
    reading = mechanism.READINGS["WU-4.12"]
    components, _ = mechanism.parts_of(claim, context, reading.options)
    raw = [c.measure(context, c.spec).p for c in components]
    assert reading.p_value(claim, context, reading.options) == max(raw)
    claim = REGISTER.claim("WU-4.1")
    reading = coefficients.READINGS["WU-4.1"]
    components, _ = coefficients.transmission(claim, context)
    raw = sorted(c.measure(context, c.spec).p for c in components if c.kind == "sign")
    assert reading.p_value(claim, context, reading.options) == raw[claim.parameters["min_positive"] - 1]
    claim = REGISTER.claim("WU-4.7")
    reading = coefficients.READINGS["WU-4.7"]
    components, _ = coefficients.incomes(claim, context)
    assert reading.p_value(claim, context, reading.options) == max(c.measure(context, c.spec).p for c in components)


def test_the_register_asks_for_no_more_replicates_than_are_drawn():
    # read from the text: the tests above draw fewer
    source = inspect.getsource(thresholds)
    drawn = int(re.search(r"^REPLICATES = (\d+)", source, re.M).group(1))
    assert drawn >= REGISTER.claim("WU-M7").parameters["threshold_bootstrap_ge"]
    assert drawn >= REGISTER.threshold("R-MOD", "threshold_bootstrap_ge")
