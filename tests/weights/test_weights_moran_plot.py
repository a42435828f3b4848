"""Moran's scatter plot: its line, its quadrants, its p-value."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError


@pytest.fixture
def income():
    return nq.load_panel("ln_gdp_real_pc").xs(2020, level="year")["ln_gdp_real_pc"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_line_and_points(income, lang):
    w = nq.weights.contiguity()
    found = nq.weights.moran(income, w, permutations=999).iloc[0]
    mine = plt.subplots()[1]
    ax = nq.weights.moran_plot(income.sample(frac=1, random_state=1), w, permutations=999, lang=lang, ax=mine)
    assert ax is mine
    line = ax.get_lines()[-1]
    slope = np.diff(line.get_ydata()) / np.diff(line.get_xdata())
    np.testing.assert_allclose(slope, found["statistic"])
    assert f"{found['statistic']:.3f}" in ax.get_title() and f"{found['pvalue']:.4f}" in ax.get_title()
    points = np.concatenate([c.get_offsets() for c in ax.collections])
    assert len(points) == 31 and abs(points[:, 0].mean()) < 1e-12 and points[:, 0].std() == pytest.approx(1.0)
    ax.figure.canvas.draw()
    plt.close("all")


def test_without_permutations_and_with_other_units():
    w = nq.weights.lattice(4, 4).with_transform("none")
    y = pd.Series(np.arange(16.0) ** 2, index=list(w.ids), name="height")
    ax = nq.weights.moran_plot(y, w, permutations=0)
    value = nq.weights.moran(y, w, permutations=99)["statistic"].iloc[0]
    assert ax.get_title() == f"Moran's I = {value:.3f}"
    assert ax.get_xlabel().startswith("height") and "sum" in ax.get_ylabel()
    plt.close("all")


def test_refusals(income):
    w = nq.weights.contiguity()
    with pytest.raises(AlignmentError):
        nq.weights.moran_plot(income.drop("Beijing"), w)
    with pytest.raises(ValueError, match="lang='fr'"):
        nq.weights.moran_plot(income, w, lang="fr")
