"""Location quotient, dissimilarity, mismatch, Herfindahl, Krugman: by hand, identities, errors."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.divergence import concentration as c
from nqpf_spatial.errors import AlignmentError, PanelError

RNG = np.random.default_rng(0)
INDEX = pd.MultiIndex.from_product([["Beijing", "Hebei", "Henan", "Tibet"], [2019, 2020]], names=["province", "year"])
JOBS = pd.Series(RNG.random(8) + 0.1, index=INDEX, name="jobs")
PEOPLE = pd.Series(RNG.random(8) + 0.1, index=INDEX, name="people")
SECTORS = pd.DataFrame(RNG.random((8, 3)) + 0.1, index=INDEX, columns=["farm", "work", "serve"])


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_location_quotient_by_hand():
    lq = c.location_quotient(JOBS, PEOPLE)
    j, p = JOBS.xs(2020, level=1), PEOPLE.xs(2020, level=1)
    assert lq.loc[("Tibet", 2020)] == pytest.approx((j["Tibet"] / j.sum()) / (p["Tibet"] / p.sum()))
    # the mean of the quotients, weighted by the base, is one
    weighted = (lq * PEOPLE).groupby(level=1).sum() / PEOPLE.groupby(level=1).sum()
    assert weighted.to_numpy() == pytest.approx([1, 1])


def test_location_quotients_of_sectors():
    lq = c.location_quotient(SECTORS)
    one = c.location_quotient(SECTORS["farm"], SECTORS.sum(axis=1).rename("all"))
    assert lq["farm"].to_numpy() == pytest.approx(one.to_numpy())
    assert list(lq) == ["farm", "work", "serve"]


def test_dissimilarity_by_definition_and_symmetry():
    d = c.dissimilarity(JOBS, PEOPLE)
    j, p = JOBS.xs(2019, level=1), PEOPLE.xs(2019, level=1)
    assert d.table.loc[2019, "dissimilarity"] == pytest.approx(0.5 * np.abs(j / j.sum() - p / p.sum()).sum())
    assert d.by_unit.abs().sum().to_numpy() == pytest.approx(d.table["dissimilarity"].to_numpy())
    assert d.by_unit.sum().to_numpy() == pytest.approx([0, 0], abs=1e-15)
    back = c.dissimilarity(PEOPLE, JOBS)
    assert back.table.to_numpy() == pytest.approx(d.table.to_numpy())


def test_dissimilarity_is_the_share_that_must_move():
    """The smallest flow that turns one distribution into the other, as a transport problem."""
    from scipy.optimize import linprog

    a, b = JOBS.xs(2019, level=1), PEOPLE.xs(2019, level=1)
    a, b = (a / a.sum()).to_numpy(), (b / b.sum()).to_numpy()
    stays = np.eye(4).ravel()
    rows = np.vstack([np.kron(np.eye(4), np.ones(4)), np.kron(np.ones(4), np.eye(4))])
    moved = 1 + linprog(-stays, A_eq=rows, b_eq=np.concatenate([a, b])).fun
    assert c.dissimilarity(JOBS, PEOPLE).table.loc[2019, "dissimilarity"] == pytest.approx(moved, abs=1e-9)


def test_ends_of_the_scale():
    apart = pd.Series({"u": 1.0, "v": 0.0}), pd.Series({"u": 0.0, "v": 3.0})
    assert c.dissimilarity(*apart).table.iloc[0, 0] == 1.0
    assert c.mismatch_index(*apart).table.iloc[0, 0] == 100.0
    assert c.dissimilarity(JOBS, 5 * JOBS).table.to_numpy() == pytest.approx(np.zeros((2, 1)), abs=1e-15)


def test_mismatch_is_dissimilarity_in_percent():
    m, d = c.mismatch_index(JOBS, PEOPLE), c.dissimilarity(JOBS, PEOPLE)
    assert m.table["mismatch"].to_numpy() == pytest.approx(100 * d.table["dissimilarity"].to_numpy())
    # Martin (2004): 1 / (2 P) sum |e_i / E * P - p_i|
    e, p = JOBS.xs(2020, level=1), PEOPLE.xs(2020, level=1)
    martin = np.abs(e / e.sum() * p.sum() - p).sum() / (2 * p.sum())
    assert m.table.loc[2020, "mismatch"] == pytest.approx(100 * martin)
    assert m.by_unit.loc["Tibet", 2020] == pytest.approx(100 * (e["Tibet"] / e.sum() - p["Tibet"] / p.sum()))


def test_hhi_ends_and_equivalent_units():
    even = c.hhi(pd.Series({"u": 2.0, "v": 2.0, "x": 2.0, "y": 2.0})).table.iloc[0]
    assert even.tolist() == pytest.approx([0.25, 0.0, 4.0])
    alone = c.hhi(pd.Series({"u": 2.0, "v": 0.0})).table.iloc[0]
    assert alone.tolist() == [1.0, 1.0, 1.0]
    s = JOBS.xs(2019, level=1) / JOBS.xs(2019, level=1).sum()
    assert c.hhi(JOBS).table.loc[2019, "hhi"] == pytest.approx((s**2).sum())


@pytest.mark.parametrize("reference", ["mean", "total", "rest"])
def test_krugman_specialisation_by_hand(reference):
    x = SECTORS.xs(2019, level=1)
    shares = x.div(x.sum(axis=1), axis=0)
    others = x.drop("Tibet")
    against = {
        "mean": shares.mean(),
        "total": x.sum() / x.to_numpy().sum(),
        "rest": others.sum() / others.to_numpy().sum(),
    }[reference]
    found = nq.divergence.krugman(SECTORS, reference=reference)
    assert found.by_unit.loc["Tibet", 2019] == pytest.approx(np.abs(shares.loc["Tibet"] - against).sum())
    assert found.table.loc[2019, "krugman"] == pytest.approx(found.by_unit[2019].mean())


@pytest.mark.parametrize("reference", ["total", "rest"])
def test_krugman_concentration_by_hand(reference):
    x = SECTORS.xs(2020, level=1)
    rest = x.sum(axis=1) - (x["farm"] if reference == "rest" else 0)
    expected = np.abs(x["farm"] / x["farm"].sum() - rest / rest.sum()).sum()
    found = nq.divergence.krugman(SECTORS, "concentration", reference=reference)
    assert found.table.loc[2020, "farm"] == pytest.approx(expected)
    assert found.by_unit.sum().to_numpy() == pytest.approx([1, 1])


def test_krugman_against_the_packaged_variable():
    """krugman3 takes shares in GDP, which add up to one within rounding; here shares are of the sum."""
    data = nq.load_panel(["share_primary", "share_secondary", "share_tertiary", "krugman3"], years=(2017, 2019))
    found = nq.divergence.krugman(data.drop(columns="krugman3"))
    expected = data["krugman3"].unstack()
    assert found.by_unit.to_numpy() == pytest.approx(expected.loc[found.by_unit.index].to_numpy(), abs=1e-4)


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b, s: c.location_quotient(a, b).unstack(),
        lambda a, b, s: c.dissimilarity(a, b).table,
        lambda a, b, s: c.mismatch_index(a, b).by_unit,
        lambda a, b, s: c.hhi(a).table,
        lambda a, b, s: nq.divergence.krugman(s).by_unit,
        lambda a, b, s: nq.divergence.krugman(s, "concentration").table,
    ],
)
def test_invariances(call):
    a = call(JOBS, PEOPLE, SECTORS)
    order = np.random.default_rng(3).permutation(8)
    pd.testing.assert_frame_equal(
        a, call(JOBS.iloc[order], PEOPLE.iloc[order[::-1]], SECTORS.iloc[order]), check_exact=True
    )
    pd.testing.assert_frame_equal(a, call(1e3 * JOBS, 1e-3 * PEOPLE, 7 * SECTORS), rtol=1e-12)


def test_base_may_cover_more_and_use_other_names():
    more = pd.concat([PEOPLE.rename(index={"Tibet": "西藏"}), pd.Series([np.nan], index=[("Hainan", 2019)])])
    more.index.names = PEOPLE.index.names
    a, b = c.dissimilarity(JOBS, PEOPLE), c.dissimilarity(JOBS, more.rename("people"))
    pd.testing.assert_frame_equal(a.table, b.table)


def without_output(unit):
    data = SECTORS.copy()
    data.loc[unit] = 0.0
    return data


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: c.location_quotient(JOBS), PanelError, "needs a base"),
        (lambda: c.location_quotient(JOBS, PEOPLE * 0), PanelError, "adds up to zero in 2019, 2020"),
        (lambda: c.location_quotient(JOBS, PEOPLE.mask(PEOPLE.min() == PEOPLE, 0.0)), PanelError, "must be positive"),
        (lambda: c.dissimilarity(-JOBS, PEOPLE), PanelError, "8 negative cells.*Beijing 2019"),
        (lambda: c.dissimilarity(JOBS, PEOPLE.drop("Tibet", level=0)), AlignmentError, "people lacks Tibet"),
        (lambda: c.dissimilarity(JOBS, PEOPLE.xs(2019, level=1)), AlignmentError, "both have times"),
        (lambda: c.dissimilarity(JOBS, PEOPLE.drop(2020, level=1)), PanelError, "no times 2020"),
        (lambda: c.dissimilarity(JOBS, [1, 2]), PanelError, "labelled Series"),
        (lambda: c.hhi(JOBS.mask(JOBS.max() == JOBS)), PanelError, "missing"),
        (lambda: nq.divergence.krugman(SECTORS[["farm"]]), PanelError, "at least two sectors"),
        (lambda: nq.divergence.krugman(SECTORS, "variety"), ValueError, "kind='variety'"),
        (lambda: nq.divergence.krugman(SECTORS, "concentration", reference="mean"), ValueError, "reference='mean'"),
        (lambda: nq.divergence.krugman(without_output("Tibet")), PanelError, "Tibet 2019"),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures(lang):
    series = c.dissimilarity(JOBS, PEOPLE).plot(lang=lang)
    assert series.get_ylabel() == ("index of dissimilarity" if lang == "en" else "差异指数")
    bars = c.mismatch_index(JOBS, PEOPLE, years=2020).plot(lang=lang)
    labels = [t.get_text() for t in bars.get_yticklabels()]
    assert set(labels) == ({"Beijing", "Hebei", "Tibet", "Henan"} if lang == "en" else {"北京", "河北", "西藏", "河南"})
    sectors = nq.divergence.krugman(SECTORS, "concentration").plot(lang=lang)
    assert len(sectors.lines) == 3
    for ax in (series, bars, sectors):
        ax.figure.savefig("/dev/null", format="png")


def test_krugman_follows_missing_and_names_sectors_of_different_years() -> None:
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([list("abcd"), range(2000, 2006)], names=["unit", "year"])
    full = pd.DataFrame(rng.uniform(1, 2, (24, 3)), index=index, columns=["farm", "work", "trade"])
    late = full.copy()
    late.loc[late.index.get_level_values(1) == 2000, "work"] = np.nan
    with pytest.raises(PanelError, match=r"different years \(farm 2000-2005, work 2001-2005.*missing='drop_years'"):
        nq.divergence.krugman(late)
    expected = nq.divergence.krugman(full, years=(2001, 2005))
    found = nq.divergence.krugman(late, missing="drop_years")
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert "work: series 2001-2005" in str(found)
    hole = full.copy()
    hole.loc[("c", 2003), "trade"] = np.nan
    with pytest.raises(PanelError, match="missing='drop_years'"):
        nq.divergence.krugman(hole)
    units = nq.divergence.krugman(hole, missing="drop_units")
    pd.testing.assert_frame_equal(units.by_unit, nq.divergence.krugman(full.drop(index="c", level=0)).by_unit)
    years = nq.divergence.krugman(hole, "concentration", missing="drop_years")
    assert 2003 not in years.table.index and len(years.table) == 5


def test_quotient_plot_draws_one_year_around_one() -> None:
    import matplotlib.pyplot as plt

    import nqpf_spatial as nq

    panel = nq.load_panel(["rd_expenditure", "gdp"], years=(2011, 2023))
    quotients = nq.divergence.location_quotient(panel["rd_expenditure"], panel["gdp"])
    ax = nq.divergence.quotient_plot(quotients)
    last = quotients.xs(2023, level=1).sort_values()
    assert [t.get_text() for t in ax.get_yticklabels()] == list(last.index)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx(list(last - 1.0))
    assert ax.get_title() == "2023"
    chinese = nq.divergence.quotient_plot(quotients, 2015, lang="zh")
    assert chinese.get_xlabel() == "区位商"
    assert "北京" in [t.get_text() for t in chinese.get_yticklabels()]
    chinese.figure.canvas.draw()  # a missing glyph is a warning, and an error here
    with pytest.raises(ValueError, match="run from 2011 to 2023"):
        nq.divergence.quotient_plot(quotients, 1999)
    plt.close("all")
