"""Claims under R-TREND in constructed worlds whose gaps grow, shrink or stand still: every outcome of every criterion."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims import load
from nqpf_spatial.claims.evaluate import trends
from nqpf_spatial.claims.evaluate.criteria import NO_SIGN, assess, baseline_p
from nqpf_spatial.claims.evaluate.settings import Setting
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.claims.rules import holm
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.criterion import decide

REGISTER = load()
APART, STILL, TOGETHER = 0.05, 0.0, -0.05


def outcome(claim, ctx, setting=None, adjust=raw):
    build = trends.READINGS[claim].options["build"]
    return decide(build(View(REGISTER.claim(claim), ctx, setting or Setting())), adjust)


def word(found):
    return "support" if found.support else "contradict" if found.contradict else "neither"


def years_of(panel):
    return panel.index.get_level_values("year").to_numpy() - 2013.0


def rising_total(panel, others=10.0):
    """Trade of every western province rises, that of the others does not."""
    west = panel.index.get_level_values("province").isin(list(nq.provinces.groups("block")["West"]))
    panel["trade_total"] = np.where(west, 0.01 * np.exp(0.1 * years_of(panel)), others)
    panel["population"] = 1.0
    return panel


def big_total(panel):
    """It rises, and is more than the West's share of people."""
    return rising_total(panel, others=0.001)


@pytest.mark.parametrize(
    ("claim", "growth", "expected"),
    [
        ("LG-3.5", TOGETHER, "support"),
        ("LG-3.5", APART, "contradict"),
        ("LG-3.5", STILL, "neither"),
        ("WU-0.4", APART, "support"),
        ("WU-0.4", TOGETHER, "contradict"),
        ("WU-0.4", STILL, "neither"),
        ("WU-0.5", TOGETHER, "contradict"),
        ("WU-0.5", STILL, "neither"),
        ("WU-0.6", APART, "support"),
        ("WU-0.6", TOGETHER, "contradict"),
        ("WU-0.6", STILL, "neither"),
        ("WU-0.8", APART, "support"),
        ("WU-0.8", TOGETHER, "contradict"),
        ("WU-1.7", APART, "support"),
        ("WU-1.7", TOGETHER, "contradict"),
        ("WU-1.7", STILL, "neither"),
        ("WU-3.5", STILL, "support"),
        ("WU-3.5", TOGETHER, "contradict"),
        ("WU-4.2", APART, "support"),
        ("WU-4.2", TOGETHER, "contradict"),
        ("WU-4.2", STILL, "neither"),
        ("WU-4.11", APART, "support"),
        ("WU-4.11", STILL, "contradict"),
        ("WU-4.11", TOGETHER, "contradict"),
        ("WU-M11", STILL, "support"),
        ("WU-P6", TOGETHER, "support"),
        ("WU-P6", APART, "contradict"),
        ("WU-P6", STILL, "contradict"),
        ("LG-5.4", STILL, "support"),
        ("WU-N1", STILL, "support"),
        ("WU-N2", TOGETHER, "support"),
        ("WU-N2", APART, "contradict"),
        ("WU-N2", STILL, "neither"),
    ],
)
def test_outcomes(world, claim, growth, expected):
    assert word(outcome(claim, world(growth))) == expected


@pytest.mark.parametrize(
    ("claim", "variable"), [("LG-5.4", "krugman3"), ("WU-N1", "krugman3"), ("WU-M11", "rd_per_kwh")]
)
def test_falling_means_contradict(world, claim, variable):
    def edit(panel):
        kept = panel[variable].notna()
        panel[variable] = np.exp(-0.02 * years_of(panel)) * (1.0 + 0.001 * np.sin(np.arange(len(panel))))
        panel[variable] = panel[variable].where(kept)
        return panel

    assert word(outcome(claim, world(STILL, edit=edit))) == "contradict"


def test_a_stable_index_supports_wu_n1_and_not_lg_5_4(world):
    def edit(panel):
        panel["krugman3"] = 1.0 + 0.001 * np.sin(np.arange(len(panel)))
        return panel

    ctx = world(STILL, edit=edit)
    assert word(outcome("WU-N1", ctx)) == "support"
    assert word(outcome("LG-5.4", ctx)) == "neither"


@pytest.mark.parametrize(("edit", "expected"), [(rising_total, "support"), (big_total, "neither")])
def test_western_trade_must_rise_and_stay_below_its_people(world, edit, expected):
    assert word(outcome("WU-3.9", world(STILL, edit=edit))) == expected


def test_western_trade_that_falls_contradicts(world):
    assert word(outcome("WU-3.9", world(APART))) == "contradict"


def test_south_behind_contradicts_wu_0_4_and_leaves_wu_3_5_without_its_level(world):
    behind = world(STILL, sign=-1.0)
    assert word(outcome("WU-0.4", behind)) == "contradict"
    assert word(outcome("WU-3.5", behind)) == "neither"


def accelerating(panel):
    """Log gaps that grow with the square of time."""
    rng = np.random.default_rng(0)
    level = pd.Series(rng.standard_normal(31), panel.index.unique("province"))
    t = years_of(panel)
    own = level.reindex(panel.index.get_level_values("province")).to_numpy()
    panel["gdp_real_pc"] = np.exp(0.02 * own * (1.0 + 0.02 * t + 0.02 * t**2))
    return panel


def test_divergence_that_speeds_up(world):
    assert word(outcome("WU-0.5", world(STILL, edit=accelerating))) == "support"
    steady = outcome("WU-0.5", world(APART))
    assert not steady.support and not steady.contradict  # it diverges, and ln D is a straight line


def test_curvature_takes_the_larger_p():
    import statsmodels.api as sm

    t = np.arange(12.0)
    rng = np.random.default_rng(1)
    y = np.exp(0.02 * t + 0.003 * t**2 + 0.05 * rng.standard_normal(12))
    found = trends.curvature(pd.DataFrame({"cv": y}, index=2013 + np.arange(12)))
    design = np.column_stack([np.ones(12), t, t**2])
    fit = sm.OLS(np.log(y), design).fit()
    hac = fit.get_robustcov_results("HAC", maxlags=1, use_correction=True, use_t=True)
    assert found.loc["cv", "quadratic"] == pytest.approx(fit.params[2])
    assert found.loc["cv", "p"] == pytest.approx(max(fit.pvalues[2], hac.pvalues[2]))
    assert fit.pvalues[2] != pytest.approx(hac.pvalues[2])


def test_growth_of_the_ratio_decides_whether_it_is_fast(world):
    """South/North grows by about 0.5 * rate a year: 2 percent need more than a rate of 0.03 or so."""
    assert word(outcome("WU-1.7", world(0.01))) == "neither"
    assert word(outcome("WU-1.7", world(APART))) == "support"


def test_domains_are_corrected_inside_the_claim(world):
    """Two series of four domains are noise; the p-values of the rest survive Holm over five."""

    def edit(panel):
        rng = np.random.default_rng(7)
        for name in ("population", "new_product_ratio"):
            panel[name] = np.exp(0.3 * rng.standard_normal(len(panel))).copy()
            panel[name] = panel[name].where(panel["gdp_real_pc"].notna())
        panel.loc[(slice(None), 2014), "new_product_ratio"] = np.nan
        return panel

    ctx = world(APART, edit=edit)
    view = View(REGISTER.claim("WU-0.6"), ctx, Setting())
    criterion = trends.domains(view)
    ps = [c.p() for c in criterion.support.members]
    plain = [
        min(u.part.p(), d.part.p())
        for u, d in zip(criterion.support.members, criterion.contradict.members, strict=True)
    ]
    from statsmodels.stats.multitest import multipletests

    adjusted = multipletests(plain, method="holm")[1]
    assert [p for p, q in zip(ps, plain, strict=True) if q < 1] == pytest.approx(
        [a for a, q in zip(adjusted, plain, strict=True) if q < 1]
    )
    assert decide(criterion, raw).support
    assert criterion.support.p() == sorted(ps)[2]


def test_both_health_series_must_carry_the_label(world):
    def edit(panel):
        panel["doctors_per_1000"] = 1.0 + 0.01 * np.sin(np.arange(len(panel)) * 7.0)
        panel["schooling_years"] = panel["doctors_per_1000"].where(panel["schooling_years"].notna())
        return panel

    found = outcome("WU-4.2", world(APART, edit=edit))
    assert not found.support and found.clause  # the index diverges, one part only
    assert "parts diverge: 1 of 3, at least 2 needed" in found.reason


@pytest.fixture(scope="module")
def apart(world):
    ctx = world(APART)
    for claim in trends.READINGS:
        for member in holm.members(REGISTER, REGISTER.claim(claim).family):
            ctx.p_values.setdefault(member, None)
    return ctx


@pytest.mark.parametrize("claim", list(trends.READINGS))
def test_p_values_are_those_of_the_baseline(apart, claim):
    reading = trends.READINGS[claim]
    p = reading.p_value(REGISTER.claim(claim), apart, reading.options)
    assert p is not None and 0.0 <= p <= 1.0
    if claim in ("WU-0.4", "WU-0.6", "WU-1.7", "WU-4.2", "WU-0.8"):
        assert p < 0.01
        # the criterion holds just above its own p-value and not just below
        level = 0.05
        assert outcome(claim, apart, adjust=lambda x: min(1.0, x * 0.999 * level / p)).support
        assert not outcome(claim, apart, adjust=lambda x: min(1.0, x * 1.001 * level / p)).support


def test_assessment_of_a_claim_with_variants(apart):
    claim = REGISTER.claim("WU-0.4")
    found = assess(claim, apart, trends.READINGS["WU-0.4"].options)
    (alternative,) = found.alternatives
    assert alternative.outcome.support and alternative.multiverse.agrees
    assert found.holm.method == "bound" and found.seed == apart.seed
    by_variant = {v.variant: v for v in found.variants}
    assert set(by_variant) == set(claim.variants)
    assert "no rd_intensity" in by_variant["alt_innovation"].reason and not by_variant["alt_innovation"].ran
    assert "at least 8 years" in by_variant["to_2019"].reason
    assert not by_variant["pop_weighted"].counts and by_variant["pop_weighted"].ran
    trend_rows = [e for e in found.evidence if "change in percent" in e.what]
    assert len(trend_rows) == 4 and all(e.reading == "support" for e in trend_rows)
    assert all(e.p_holm == pytest.approx(min(1, 7 * e.p)) for e in trend_rows)
    assert all(e.lower <= e.estimate <= e.upper and e.mde >= 5 for e in trend_rows)
    (level,) = [e for e in found.evidence if "South above North" in e.what]
    assert level.reading == "support" and level.checks["provinces_above"] == 16
    assert set(found.tables) == {"series", "trends", "differences"}
    assert found.sample == {"gdp_real_pc": "2013-2024, 31 provinces"}


def test_a_variant_that_changes_nothing_is_not_run(apart):
    claim = REGISTER.claim("WU-3.5")
    found = assess(claim, apart, trends.READINGS["WU-3.5"].options)
    (fie,) = [v for v in found.variants if v.variant == "alt_fie"]
    assert not fie.ran and "changes nothing" in fie.reason
    assert NO_SIGN in found.notes
    beside = [e for e in found.evidence if "ln_fie_ratio" in e.what]
    assert len(beside) == 2 and not any(e.counted for e in beside)
    assert all(e.p_holm is None and e.p is not None for e in beside)  # no member of the family


def test_absent_years_are_left_out_and_said(apart):
    found = assess(REGISTER.claim("LG-3.5"), apart, trends.READINGS["LG-3.5"].options)
    assert found.sample["hitech_ratio"] == "2013-2023 without 2017, 31 provinces"
    assert 2017 not in found.tables["series"]["gap between block groups of hitech_ratio"].dropna().index
    assert baseline_p(REGISTER.claim("LG-3.5"), apart, trends.READINGS["LG-3.5"].options) < 0.01
