"""log t, long-run variance, clustering and merging."""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial.kernels import convergence as kernel

RNG = np.random.default_rng(3)


def authors_lrv(x: np.ndarray) -> float:
    """The arithmetic of the authors' program as a loop over lags."""
    m = len(x)
    b = (x[:-1] @ x[1:]) / (x[:-1] @ x[:-1])
    band = 1.3221 * (4 * b**2 / (1 - b) ** 4 * m) ** 0.2
    n = m - 1
    total = x @ x / n
    for j in range(1, n):
        z = 6 * np.pi * (j / band) / 5
        k = 25 / (12 * np.pi**2 * (j / band) ** 2) * (np.sin(z) / z - np.cos(z))
        total += 2 * k * (x[: n - j] @ x[j:n]) / n
    return float(total)


def test_long_run_variance_is_the_authors_loop() -> None:
    u = RNG.normal(size=(5, 23))
    np.testing.assert_allclose(kernel.long_run_variance(u, False), [authors_lrv(x) for x in u], rtol=1e-12)


def test_long_run_variance_of_the_textbook_uses_all_residuals() -> None:
    x = RNG.normal(size=40)
    b = (x[:-1] @ x[1:]) / (x[:-1] @ x[:-1])
    band = 1.3221 * (4 * b**2 / (1 - b) ** 4 * 40) ** 0.2
    total = x @ x / 40
    for j in range(1, 40):
        z = 1.2 * np.pi * j / band
        total += 2 * 3 / z**2 * (np.sin(z) / z - np.cos(z)) * (x[:-j] @ x[j:]) / 40
    assert kernel.long_run_variance(x, True) == pytest.approx(float(total), rel=1e-10)


def test_residuals_without_first_order_correlation_have_their_variance() -> None:
    x = np.array([1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 0.0])
    assert x[:-1] @ x[1:] == 0.0
    assert kernel.long_run_variance(x, True) == pytest.approx(x @ x / 8)


def test_variances_of_sets_are_those_of_the_relative_paths() -> None:
    y = 8 + RNG.normal(size=(9, 20))
    for members in (np.arange(9), np.array([1, 4]), np.array([0, 2, 3, 8])):
        h = kernel.relative_paths(y[members])
        np.testing.assert_allclose(kernel.variances(y, [members])[0], ((h - 1) ** 2).mean(axis=0), rtol=1e-10)


def test_log_t_is_least_squares() -> None:
    y = 8 + RNG.normal(size=(12, 30)) * np.linspace(1, 0.3, 30)
    setup = kernel.Setup(10)
    found = kernel.log_t(y, setup)
    h = ((y / y.mean(axis=0) - 1) ** 2).mean(axis=0)
    t = np.arange(10, 31)
    left = np.log(h[0] / h[9:]) - 2 * np.log(np.log(t))
    design = np.column_stack([np.ones(21), np.log(t)])
    coefficient = np.linalg.lstsq(design, left, rcond=None)[0]
    lrv = authors_lrv(left - design @ coefficient)
    se = np.sqrt(lrv * np.linalg.inv(design.T @ design)[1, 1])
    assert (found.intercept, found.beta, found.se) == pytest.approx((*coefficient, se), rel=1e-9)
    assert found.tstat == pytest.approx(found.beta / found.se)


def test_identical_units_have_no_statistic() -> None:
    y = np.tile(np.linspace(8, 9, 20), (2, 1))
    assert np.isnan(kernel.log_t(y, kernel.Setup(7)).tstat)


def test_two_obvious_groups_and_a_loner_are_found() -> None:
    decay = 1 / np.arange(1, 41) ** 1.2
    levels = np.repeat([10.0, 6.0], 5)[:, None]
    y = levels + RNG.normal(size=(10, 1)) * decay + 0.02 * np.arange(40)
    loner = 3 - 0.05 * np.arange(40)
    panel = np.vstack([y, loner])
    setup = kernel.Setup(13)
    clubs, divergent = kernel.find_clubs(panel, panel[:, -1], setup, "raise", 0.0, 0.05)
    assert [c.tolist() for c in clubs] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert divergent.tolist() == [10]
    assert kernel.absorb(panel, clubs, divergent, setup)[1].tolist() == [10]


def test_merging_follows_its_two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """t of unions fixed by hand: 1-2 passes, 2-3 passes with more, 1-2-3 fails."""
    table = {(0, 1): 0.5, (1, 2): 2.0, (0, 1, 2): -3.0}

    def fixed(_y: object, sets: list[np.ndarray], _s: object) -> np.ndarray:
        return np.array([table[tuple(s.tolist())] for s in sets])

    monkeypatch.setattr(kernel, "_tstats", fixed)
    clubs = [np.array([0]), np.array([1]), np.array([2])]
    setup = kernel.Setup(2)
    assert kernel.merge_in_turn(np.empty(0), clubs, setup) == [[0, 1], [2]]
    assert kernel.merge_best(np.empty(0), clubs, setup) == [[0], [1, 2]]


def test_core_group_takes_the_largest_t_not_the_largest_absolute_t(monkeypatch: pytest.MonkeyPatch) -> None:
    """ConvergenceClubs 1.4 took max |t|: with t = 0.2, -1.5 it would have kept three units instead of two."""
    values = {2: 0.2, 3: -1.5, 4: -9.0}
    monkeypatch.setattr(kernel, "_tstats", lambda _y, sets, _s: np.array([values[len(sets[0])]]))
    core = kernel.core_group(np.empty(0), np.arange(4), kernel.Setup(2))
    assert core is not None and core.tolist() == [0, 1]


def test_a_raised_criterion_ends_with_the_core_at_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single units pass with 1 and 3, every larger club fails: only the core is left."""

    def fixed(_y: object, sets: list[np.ndarray], _s: object) -> np.ndarray:
        single = {2: 1.0, 3: 3.0}
        return np.array([single.get(int(s[-1]), -5.0) if len(sets) > 1 else -5.0 for s in sets])

    monkeypatch.setattr(kernel, "_tstats", fixed)
    core, rest = np.array([0, 1]), np.array([2, 3])
    args = (np.empty(0), core, rest, kernel.Setup(2))
    assert kernel.sieve(*args, "raise", 0.0, 0.5).tolist() == [0, 1]
    assert kernel.sieve(*args, "fixed", 0.0, 0.5).tolist() == [0, 1, 2, 3]
    assert kernel.sieve(*args, "fixed", 2.0, 0.5).tolist() == [0, 1, 3]
