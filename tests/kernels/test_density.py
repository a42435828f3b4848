"""Density kernels against scipy and against Silverman's (1981) chondrite meteors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from nqpf_spatial.kernels import density as kernel

#: percent silica of 22 chondrite meteors (Ahrens 1965; Good and Gaskins 1980)
CHONDRITE = np.array(
    [20.77, 22.56, 22.71, 22.99, 26.39, 27.08, 27.32, 27.33, 27.57, 27.81, 28.69]
    + [29.36, 30.25, 31.89, 32.88, 33.23, 33.28, 33.40, 33.52, 33.83, 33.95, 34.82]
)


def test_density_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=31), rng.uniform(0.5, 2.0, 31)
    grid = np.linspace(-4, 4, 101)
    peer = gaussian_kde(x, weights=w)
    h = float(np.sqrt(peer.covariance[0, 0]))
    np.testing.assert_allclose(kernel.density(x, w, h, grid), peer(grid), rtol=1e-12)


def test_rule_of_thumb_by_hand() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    # quantiles at mid-ranks: 0.25 -> 1.75, 0.75 -> 28, hence the standard deviation is not the smaller
    low, high = np.interp([0.25, 0.75], [0.1, 0.3, 0.5, 0.7, 0.9], x)
    spread = min(x.std(ddof=1), (high - low) / 1.349)
    assert kernel.silverman_bandwidth(x, np.ones(5)) == pytest.approx(0.9 * spread * 5**-0.2)


def test_integer_weights_do_not_narrow_the_bandwidth_of_equal_weights() -> None:
    x = np.random.default_rng(1).normal(size=20)
    assert kernel.silverman_bandwidth(x, np.full(20, 7.0)) == pytest.approx(kernel.silverman_bandwidth(x, np.ones(20)))


@pytest.mark.parametrize(("modes", "published"), [(1, 2.39), (2, 1.83), (3, 0.68), (4, 0.47)])
def test_critical_bandwidths_of_the_chondrite_data(modes: int, published: float) -> None:
    """Silverman (1981, table 1); he lists the last width tried, hence the tolerance of 0.012."""
    assert kernel.critical_bandwidth(CHONDRITE, modes, 1024) == pytest.approx(published, abs=0.012)


def test_modes_are_counted_row_by_row_and_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    rows = np.stack([np.concatenate([rng.normal(m, 0.1, 10) for m in centres]) for centres in ([0, 0], [0, 5])])
    assert kernel.count_modes(rows, 0.5, 256).tolist() == [1, 2]
    whole = kernel.count_modes(np.tile(rows, (20, 1)), 0.3, 256)
    monkeypatch.setattr(kernel, "_BLOCK", 6000)
    np.testing.assert_array_equal(kernel.count_modes(np.tile(rows, (20, 1)), 0.3, 256), whole)


def test_smoothed_samples_keep_the_variance() -> None:
    draws = kernel.silverman_draws(CHONDRITE, 2.0, 4000, np.random.default_rng(0))
    assert draws.var(axis=1).mean() == pytest.approx(CHONDRITE.var() * 21 / 22, rel=0.03)
