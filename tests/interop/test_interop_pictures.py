"""Tidy tables of ours go into seaborn as they are: one row per mark, names in columns."""

from __future__ import annotations

import numpy as np
import pytest

import nqpf_spatial as nq

sns = pytest.importorskip("seaborn")


@pytest.fixture(autouse=True)
def _close():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fits():
    w = nq.weights.lattice(5, 5)
    data = nq.simulate("SDM", w, T=6, params={"x": 1.0, "z": -0.5, "W:x": 0.5, "rho": 0.4}, seed=1)
    return {m: nq.fit("y ~ x + z | unit + period", data, w, model=m) for m in ("SAR", "SDM")}


def test_tidy_impacts_are_points_of_seaborn(fits, others_warn):
    long = fits["SDM"].impacts().tidy().reset_index()
    ax = sns.pointplot(long, x="estimate", y="term", hue="effect", linestyle="none", errorbar=None)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x", "z"]
    drawn = sorted(np.concatenate([line.get_xdata() for line in ax.get_lines() if len(line.get_xdata()) == 2]))
    np.testing.assert_allclose(drawn, sorted(long["estimate"]))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["direct", "indirect", "total"]


def test_the_packaged_panel_is_lines_of_seaborn(others_warn):
    panel = nq.load_panel(["rd_intensity"], (2012, 2020)).reset_index()
    panel["block"] = panel["province"].map(lambda p: nq.provinces.group_of(p, "block"))
    ax = sns.lineplot(panel, x="year", y="rd_intensity", hue="block", errorbar=None)
    expected = nq.divergence.group_means(nq.load_panel(["rd_intensity"], (2012, 2020))["rd_intensity"]).table
    lines = [line for line in ax.get_lines() if len(line.get_xdata()) == 9]
    names = [t.get_text() for t in ax.get_legend().get_texts()]
    assert len(lines) == len(names) == 4
    for name, line in zip(names, lines, strict=True):
        np.testing.assert_allclose(line.get_ydata(), expected[name])


def test_blocks_are_a_frame_of_seaborn(fits, others_warn):
    fit = fits["SDM"]
    groups = {unit: "ab"[i % 2] for i, unit in enumerate(fit.estimate.design.units)}
    between = fit.impacts().by_block(groups)["estimate"].xs("x", level="term").unstack("from")
    ax = sns.heatmap(between, annot=True)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("from", "to")
    assert [t.get_text() for t in ax.texts] == [f"{v:.2g}" for v in between.to_numpy().ravel()]


def test_posterior_draws_are_a_distribution_of_seaborn(fits, others_warn):
    draws = fits["SDM"].posterior(draws=300).draws
    ax = sns.kdeplot(draws[["x", "rho"]].melt(var_name="term"), x="value", hue="term", common_norm=False)
    assert len(ax.get_lines()) == 2
