"""Half-panel jackknife: the arithmetic, and what it does to the Nickell bias."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import PanelError
from nqpf_spatial.models import half_panel_jackknife

W = nq.weights.contiguity()
FORMULA = "growth ~ lag + d + product | province + year"


def panel(seed, t=12, speed=-0.4, slope=-0.15):
    """Growth on the lagged level, a series and their product, as in models of conditional convergence."""
    rng = np.random.default_rng(seed)
    n = len(W.ids)
    d, y = rng.standard_normal((t + 21, n)), np.zeros((t + 21, n))
    mu = rng.standard_normal(n)
    for s in range(1, t + 21):
        y[s] = y[s - 1] + (speed + slope * np.clip(d[s], -2, 2)) * y[s - 1] + mu + 0.5 * rng.standard_normal(n)
    d = np.clip(d, -2, 2)
    index = pd.MultiIndex.from_product([W.ids, range(2024 - t + 1, 2025)], names=["province", "year"])
    new, old, own = (a[-t:].T.ravel() for a in (y, np.roll(y, 1, axis=0), d))
    return pd.DataFrame({"growth": new - old, "lag": old, "d": own, "product": old * own}, index=index)


def test_the_arithmetic_for_even_and_odd_periods():
    data = panel(0, t=8)
    res = half_panel_jackknife(FORMULA, data, W, model="SDM")
    assert res.halves == ((2017, 2020), (2021, 2024))
    whole, first, second = (nq.sdm(FORMULA, data, W, years=y).params for y in (None, *res.halves))
    assert res.table["corrected"].to_numpy() == pytest.approx((2 * whole - (first + second) / 2).to_numpy())
    assert res.table["se"].to_numpy() == pytest.approx(nq.sdm(FORMULA, data, W).bse.to_numpy())
    odd = half_panel_jackknife(FORMULA, panel(0, t=7))
    assert odd.halves == ((2018, 2020), (2021, 2024), (2018, 2021), (2022, 2024))
    fits = [nq.ols(FORMULA, panel(0, t=7), years=h).params for h in odd.halves]
    mean = (3 * fits[0] + 4 * fits[1] + 4 * fits[2] + 3 * fits[3]) / 14
    assert odd.table["halves"].to_numpy() == pytest.approx(mean.to_numpy())
    assert "Half-panel jackknife of a OLS model" in repr(odd) and "<table" in odd._repr_html_()


def test_impacts_and_options_go_through():
    data = panel(1)
    res = half_panel_jackknife(FORMULA, data, W, model="SDM", effect="direct", vcov="sandwich", years=(2015, 2024))
    whole = nq.sdm(FORMULA, data, W, vcov="sandwich", years=(2015, 2024)).impacts().table["direct"]
    assert res.table["full"].to_numpy() == pytest.approx(whole["estimate"].to_numpy())
    assert res.table["se"].to_numpy() == pytest.approx(whole["se"].to_numpy())


def test_refusals():
    data = panel(2, t=5)
    with pytest.raises(PanelError, match="5 periods"):
        half_panel_jackknife(FORMULA, data)
    with pytest.raises(PanelError, match="needs a panel"):
        half_panel_jackknife("growth ~ lag", data.xs(2024, level="year"))
    with pytest.raises(ValueError, match="effect='own'"):
        half_panel_jackknife(FORMULA, data, effect="own")


def test_most_of_the_bias_of_the_lagged_level_goes():
    plain, corrected = [], []
    for s in range(150):
        table = half_panel_jackknife(FORMULA, panel(s)).table
        plain.append(table["full"])
        corrected.append(table["corrected"])
    before, after = pd.DataFrame(plain).mean(), pd.DataFrame(corrected).mean()
    assert before["lag"] - (-0.4) < -0.08
    assert abs(after["lag"] + 0.4) < 0.03
    # the product is hardly biased here and must not become so
    assert abs(before["product"] + 0.15) < 0.02 and abs(after["product"] + 0.15) < 0.02
