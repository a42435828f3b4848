"""WU-P3 on a constructed panel: share ratio and the effect of the East on the rest."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims import load
from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate import spillover
from nqpf_spatial.claims.evaluate.texts import level_in
from nqpf_spatial.claims.rules import holm
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.criterion import decide

REGISTER = load()
CLAIM = REGISTER.claim("WU-P3")
EAST = list(nq.provinces.groups("block")["East"])


def made(theta=0.5, beta=0.3, share=2.0, seed=0):
    """y = 0.3 Wy + beta x + theta Wx + effects + noise on queen; the East has `share` times its part of R&D."""
    rng = np.random.default_rng(seed)
    real = nq.load_panel().loc[(slice(None), slice(2010, 2024)), :]
    w = nq.weights.contiguity()
    years, n = real.index.unique("year"), w.n
    x = rng.standard_normal((len(years), n))
    noise = 0.1 * rng.standard_normal((len(years), n))
    effects = rng.standard_normal(n) + rng.standard_normal((len(years), 1))
    inverse = np.linalg.inv(np.eye(n) - 0.3 * w.dense())
    y = (beta * x + theta * x @ w.dense().T + effects + noise) @ inverse.T
    index = pd.MultiIndex.from_product([w.ids, years], names=["province", "year"])
    frame = pd.DataFrame({"ln_gdp_real_pc": y.T.ravel(), "ln_rd_intensity": x.T.ravel()}, index)
    east = frame.index.get_level_values("province").isin(EAST)
    frame["gdp"] = 1.0
    frame["rd_expenditure"] = np.where(east, share, 1.0)
    for name in ("ln_broadband_pc", "pop_growth", "urbanization_rate", "gov_share", "share_secondary"):
        frame[name] = rng.standard_normal(len(frame))
    frame = frame.reindex(real.index)
    frame.attrs = {"release": "constructed"}
    ctx = type("Made", (Context,), {"panel": frame})()
    for member in holm.members(REGISTER, CLAIM.family):
        ctx.p_values.setdefault(member, None)
    return ctx


@pytest.mark.parametrize(
    ("theta", "share", "expected"),
    [(0.5, 2.0, "support"), (-0.8, 2.0, "contradict"), (0.5, 0.5, "contradict"), (-0.3 * 0.3, 2.0, "neither")],
)
def test_outcomes(theta, share, expected):
    """theta = -rho * beta leaves (almost) no spillover: (I - rho W)^-1 (beta I + theta W) = beta I."""
    found = decide(spillover._baseline(CLAIM, made(theta, share=share)), raw)
    assert ("support" if found.support else "contradict" if found.contradict else "neither") == expected
    assert found.mde > 0


def test_effect_against_the_definition():
    ctx = made()
    spec = spillover.specification(CLAIM, "queen")
    assert spec.formula == "ln_gdp_real_pc ~ ln_rd_intensity | province + year"
    assert spec.years == tuple(range(2013, 2025))
    found = spillover.spillover(ctx, spec)
    fit = nq.sdm(spec.formula, ctx.panel, nq.weights.contiguity(), years=(2013, 2024))
    w = nq.weights.contiguity()
    s = np.linalg.inv(np.eye(31) - fit.rho * w.dense()) @ (
        fit.params["ln_rd_intensity"] * np.eye(31) + fit.params["W:ln_rd_intensity"] * w.dense()
    )
    east = np.isin(w.ids, EAST)
    assert found.estimate == pytest.approx(s[np.ix_(~east, east)].sum(axis=1).mean(), rel=1e-8)
    true = np.linalg.inv(np.eye(31) - 0.3 * w.dense()) @ (0.3 * np.eye(31) + 0.5 * w.dense())
    assert found.estimate == pytest.approx(true[np.ix_(~east, east)].sum(axis=1).mean(), abs=4 * found.se)
    assert found.lower < found.estimate < found.upper and found.n > 0


def test_share_ratio_is_a_ratio_of_shares():
    first, second, year = spillover.share_ratio(made(share=2.0), CLAIM)
    assert (first, second, year) == (pytest.approx(100 * 20 / 41), pytest.approx(100 * 10 / 31), 2024)
    first, second, _ = spillover.share_ratio(made(share=2.0), CLAIM, ("Beijing",))
    assert (first, second) == (pytest.approx(100 * 18 / 39), pytest.approx(100 * 9 / 30))


def test_the_level_is_read_from_the_criterion():
    assert level_in(CLAIM.support_if) == 0.05
    with pytest.raises(ValueError, match="no level"):
        level_in("positive")


def test_assessment():
    ctx = made()
    found = spillover.science_source(CLAIM, ctx, {})
    (alternative,) = found.alternatives
    assert alternative.outcome.support
    others = [v for v in found.variants if v.variant == "w_others"]
    assert len(others) == 6 and {v.w for v in others} == set(REGISTER.weights["sets"]["W7"]) - {"queen"}
    assert all(v.ran for v in found.variants)
    weak = [v for v in others if not v.counts]
    assert all("weakly identified" in v.reason for v in weak)
    counted = [e for e in found.evidence if e.counted and e.what.startswith("effect of")]
    (controlled,) = [e for e in found.evidence if "controls of R-MECH" in e.what]
    assert len(counted) == 1 and counted[0].reading == "support" and not controlled.counted
    assert counted[0].p_holm == pytest.approx(min(1.0, 6 * counted[0].p))
    assert set(found.weights) == {"queen"} and len(found.weights["queen"]) == 64
    p = spillover.baseline_p(CLAIM, ctx, {})
    assert p == counted[0].p
