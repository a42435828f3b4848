"""Synthetic control: optimality conditions, a general solver, and pysyncon as a peer."""

import numpy as np
import pandas as pd
import pytest
from pysyncon import Synth
from scipy.optimize import minimize

from nqpf_spatial.kernels import synthetic


def panel(seed, t=12, n=14):
    rng = np.random.default_rng(seed)
    factor = np.cumsum(rng.normal(0.1, 0.1, (t, 2)), axis=0)
    return 5 + rng.normal(0, 0.5, n) + factor @ rng.normal(1, 0.4, (2, n)) + rng.normal(0, 0.05, (t, n))


@pytest.mark.parametrize("seed", range(8))
def test_weights_satisfy_the_optimality_conditions(seed):
    y = panel(seed)
    target, donors = y[:, 0], y[:, 1:]
    w = synthetic.simplex_weights(target, donors)
    assert w.min() >= 0 and w.sum() == pytest.approx(1)
    gradient = donors.T @ (donors @ w - target)
    # a minimum over the simplex: the gradient is smallest, and equal, where there is weight
    assert gradient[w > 1e-10] == pytest.approx(gradient.min(), abs=1e-9)


def test_a_general_solver_does_no_better():
    y = panel(3)
    target, donors = y[:, 0], y[:, 1:]
    w = synthetic.simplex_weights(target, donors)
    n = donors.shape[1]
    peer = minimize(
        lambda v: ((target - donors @ v) ** 2).sum(),
        np.full(n, 1 / n),
        jac=lambda v: 2 * donors.T @ (donors @ v - target),
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda v: v.sum() - 1},
        options={"ftol": 1e-15, "maxiter": 2000},
        method="SLSQP",
    )
    assert ((target - donors @ w) ** 2).sum() <= peer.fun + 1e-10
    assert w == pytest.approx(peer.x, abs=1e-4)


def both_errors(y):
    """Root mean square error of the first unit: ours, and that of pysyncon on the same problem."""
    frame = pd.DataFrame(y).rename(columns=str)
    z0, z1 = frame.drop(columns="0"), frame["0"]
    peer = Synth()
    # equal weights on the outcomes as they are: it divides each predictor by its sd, V undoes that
    peer.fit(X0=z0, X1=z1, Z0=z0, Z1=z1, custom_V=frame.std(axis=1).to_numpy() ** 2)
    mine = synthetic.simplex_weights(z1.to_numpy(), z0.to_numpy())
    return tuple(float(np.sqrt(np.mean((z1 - z0 @ w) ** 2))) for w in (mine, peer.W))


def test_pysyncon_is_never_nearer():
    for seed in range(4):
        ours, theirs = both_errors(panel(seed))
        assert ours <= theirs + 1e-9
        assert ours == pytest.approx(theirs, abs=0.01)


def test_pysyncon_stops_early_where_there_are_few_years():
    """Four years, 29 donors, as in LG-5.3: why the ratios of the claim do not rest on it."""
    errors = np.array([both_errors(panel(seed, t=4, n=30)) for seed in range(12)])
    assert (errors[:, 0] <= errors[:, 1] + 1e-9).all()
    fitted = errors[:, 0] > 1e-9
    assert (errors[fitted, 1] / errors[fitted, 0]).max() > 1.2 or (errors[~fitted, 1] > 1e-4).any()


def test_placebos_by_hand_and_without_order():
    y = panel(5)
    pre, post = np.arange(12) < 7, np.arange(12) > 7
    p = synthetic.placebos(y, pre, post)
    for i in (0, 6):
        others = [j for j in range(14) if j != i]
        w = synthetic.simplex_weights(y[pre, i], y[np.ix_(pre, others)])
        gap = y[:, i] - y[:, others] @ w
        assert p.pre[i] == pytest.approx(np.sqrt(np.mean(gap[:7] ** 2)))
        assert p.post[i] == pytest.approx(np.sqrt(np.mean(gap[8:] ** 2)))
        assert p.gap[i] == pytest.approx(gap[8:].mean())
    order = np.random.default_rng(0).permutation(14)
    moved = synthetic.placebos(y[:, order], pre, post)
    assert moved.gap == pytest.approx(p.gap[order], abs=1e-8)
    assert [moved.rank(k) for k in range(14)] == [p.rank(k) for k in order]


def test_a_jump_ranks_first():
    rng = np.random.default_rng(2)
    y = rng.normal(0, 1, (20, 10))
    y[12:, 3] += 30
    p = synthetic.placebos(y, np.arange(20) < 12, np.arange(20) >= 12)
    assert p.rank(3) == 1 and p.gap[3] > 20
    assert sorted(p.rank(k) for k in range(10)) == list(range(1, 11))


def test_perfect_fits_rank_above_and_tie():
    y = np.array([[0.0, 2.0, 1.0, 9.0, 4.0], [0.0, 2.0, 1.0, 9.0, 4.0], [0.0, 2.0, 8.0, 9.0, 4.5]])
    p = synthetic.placebos(y, np.array([True, True, False]), np.array([False, False, True]))
    assert p.perfect.tolist() == [False, True, True, False, True]
    assert p.rank(2) == 3  # three perfect fits tie, each is counted against the others
    assert p.rank(0) in (4, 5)


def test_years_must_not_overlap():
    y = panel(1)
    with pytest.raises(ValueError, match="none in both"):
        synthetic.placebos(y, np.arange(12) < 7, np.arange(12) > 5)
    with pytest.raises(ValueError, match="shape"):
        synthetic.simplex_weights(y[:, 0], y[:3])
    assert synthetic.simplex_weights(np.ones(2), np.ones((2, 3))) == pytest.approx(np.full(3, 1 / 3))
