"""Regressions on pairs: labels, refusals, and what permutation does that least squares does not."""

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, IdentificationError, PanelError
from nqpf_spatial.models import mrqap, pairwise_gaps

UNITS = [f"u{i:02d}" for i in range(20)]


def series(rng, years=None):
    if years is None:
        return pd.Series(rng.standard_normal(len(UNITS)), index=UNITS)
    index = pd.MultiIndex.from_product([UNITS, years], names=["unit", "year"])
    return pd.Series(rng.standard_normal(len(index)), index=index)


def test_gaps_by_hand():
    rng = np.random.default_rng(0)
    x = series(rng, [1, 2])
    out = pairwise_gaps(x)
    assert list(out) == [1, 2]
    assert out[2].loc["u03", "u11"] == abs(x["u03", 2] - x["u11", 2])
    both = pairwise_gaps(pd.DataFrame({"a": x, "b": 2 * x}))
    assert both[1].loc["u00", "u01"] == pytest.approx(3 * out[1].loc["u00", "u01"])
    with pytest.raises(PanelError, match="u05"):
        pairwise_gaps(x.where(x.index != ("u05", 1)))


def test_order_is_immaterial_and_seeds_are_kept():
    rng = np.random.default_rng(1)
    x, z = series(rng, [2000, 2001]), series(rng, [2000, 2001])
    y = x + series(rng, [2000, 2001])
    base = mrqap(pairwise_gaps(y), {"x": pairwise_gaps(x), "z": pairwise_gaps(z)}, permutations=199, seed=3)
    again = mrqap(
        pairwise_gaps(y.sample(frac=1, random_state=1)),
        {"x": pairwise_gaps(x[::-1]), "z": pairwise_gaps(z)},
        permutations=199,
        seed=3,
    )
    pd.testing.assert_frame_equal(base.table, again.table)
    assert base.effects == "period" and base.nobs == 2 * 190
    assert "MRQAP, 20 units" in repr(base) and "<table" in base._repr_html_()
    part = mrqap(
        pairwise_gaps(y), {"x": pairwise_gaps(x), "z": pairwise_gaps(z)}, tested=["x"], permutations=199, seed=3
    )
    pd.testing.assert_series_equal(part.table.loc["x"], base.table.loc["x"])
    assert part.table.loc["z", ["estimate", "t"]].equals(base.table.loc["z", ["estimate", "t"]])
    assert np.isnan(part.table.loc["z", "p"])
    swapped = mrqap(pairwise_gaps(y), {"z": pairwise_gaps(z), "x": pairwise_gaps(x)}, permutations=199, seed=3)
    pd.testing.assert_frame_equal(swapped.table.loc[["x", "z"]], base.table)


def test_refusals():
    rng = np.random.default_rng(2)
    x = pairwise_gaps(series(rng))
    y = pairwise_gaps(series(rng))
    with pytest.raises(AlignmentError, match="u19"):
        mrqap(y, {"x": x.iloc[:-1, :-1]})
    with pytest.raises(AlignmentError, match="periods of x"):
        mrqap({1: y, 2: y}, {"x": {1: x}})
    with pytest.raises(AlignmentError, match="repeats units: u00"):
        mrqap(y, {"x": x.rename(index={"u01": "u00"})})
    with pytest.raises(PanelError, match="not symmetric"):
        mrqap(y, {"x": x + np.triu(np.ones(x.shape), 1)})
    assert mrqap(y, {"x": x + np.triu(np.ones(x.shape), 1)}, directed=True, permutations=99).nobs == 380
    holed = x.copy()
    holed.loc["u03", "u07"] = np.nan
    with pytest.raises(PanelError, match="u03-u07"):
        mrqap(y, {"x": holed}, directed=True)
    with pytest.raises(IdentificationError, match="combinations"):
        mrqap(y, {"x": x, "z": 2 * x})
    with pytest.raises(IdentificationError, match="constant"):
        mrqap({1: y, 2: y + 1}, {"x": {1: x, 2: x}}, effects="pair + period")
    for options, message in (({"effects": "unit"}, "effects='unit'"), ({"permutations": 5}, "permutations=5")):
        with pytest.raises(ValueError, match=message):
            mrqap(y, {"x": x}, **options)
    with pytest.raises(ValueError, match="tested= names q"):
        mrqap(y, {"x": x}, tested=["q"])
    with pytest.raises(ValueError, match="at least one"):
        mrqap(y, {})
    with pytest.raises(TypeError, match="pairwise_gaps"):
        mrqap([1], {"x": x})


def test_permutation_keeps_its_size_where_least_squares_does_not():
    # gaps of independent characteristics: no relation, yet pairs of one unit move together
    least, permuted = [], []
    for s in range(200):
        rng = np.random.default_rng(s)
        res = mrqap(
            pairwise_gaps(series(rng)), {"x": pairwise_gaps(series(rng)), "z": pairwise_gaps(series(rng))},
            permutations=99, seed=s,
        )  # fmt: skip
        least.append(abs(res.table.loc["x", "t"]) > 1.96)
        permuted.append(res.table.loc["x", "p"] <= 0.05)
    assert np.mean(least) > 0.15
    assert np.mean(permuted) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 200))


def test_on_the_packaged_panel():
    panel = nq.load_panel(["land_pc", "dist_sea_gate"], years=(2012, 2013))
    res = mrqap(pairwise_gaps(panel["land_pc"]), {"d": pairwise_gaps(panel["dist_sea_gate"])}, permutations=99)
    assert res.nobs == 2 * 31 * 30 / 2
