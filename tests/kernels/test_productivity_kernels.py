"""Perpetual inventory by hand; DEA and Malmquist against DEAP 2.1, DataEnvelopmentAnalysis.jl and Pyfrontier."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from nqpf_spatial.errors import ConvergenceError, PanelError
from nqpf_spatial.kernels import productivity as kernels


def test_a_steady_state_stays_steady():
    g, d = 0.07, 0.096
    flow = 10.0 * (1 + g) ** np.arange(12)[:, None]
    k = kernels.perpetual_inventory(flow, kernels.steady_state_stock([10.0], [g], d), d)
    assert k[1:] / k[:-1] == pytest.approx(np.full((11, 1), 1 + g), abs=1e-13)


def test_inventory_is_the_sum_of_surviving_vintages():
    flow = np.random.default_rng(0).random((6, 2))
    k = kernels.perpetual_inventory(flow, [3.0, 5.0], [0.1, 0.2])
    for i, d in enumerate((0.1, 0.2)):
        first = (3.0, 5.0)[i] * (1 - d) ** 6
        assert k[-1, i] == pytest.approx(first + sum(flow[t, i] * (1 - d) ** (5 - t) for t in range(6)))


def test_capital_errors():
    with pytest.raises(PanelError, match="must be positive for a steady-state"):
        kernels.steady_state_stock([1.0], [-0.2], 0.1)
    with pytest.raises(PanelError, match=r"depreciation must lie in \[0, 1\)"):
        kernels.perpetual_inventory([[1.0]], [1.0], 1.2)


# Coelli (1996), A Guide to DEAP 2.1, example 4: one output, one input, five firms, three years
X = np.array([[2, 4, 3, 5, 6], [2, 4, 3, 5, 5], [2, 4, 3, 5, 5]], dtype=float)[..., None]
Y = np.array([[1, 2, 3, 4, 5], [1, 3, 4, 3, 5], [1, 3, 4, 3, 5]], dtype=float)[..., None]


def test_malmquist_against_deap():
    m = kernels.malmquist(X, Y)
    assert m.efficiency[0].round(3).tolist() == [0.75, 1.125, 1.0, 0.562, 0.9]
    assert m.technical[0].round(3).tolist() == [1.333] * 5
    assert m.pure[0].round(3).tolist() == [1.0, 1.222, 1.0, 0.65, 1.0]
    assert m.scale[0].round(3).tolist() == [0.75, 0.92, 1.0, 0.865, 0.9]
    assert m.index[0].round(3).tolist() == [1.0, 1.5, 1.333, 0.75, 1.2]
    assert m.index[1] == pytest.approx(np.ones(5), abs=1e-12)


def test_distances_against_deap():
    d = kernels.malmquist(X, Y).distances
    assert d.same.round(3).tolist()[0] == [0.5, 0.5, 1.0, 0.8, 0.833]
    assert d.back.round(3).tolist()[0] == [0.375, 0.375, 0.75, 0.6, 0.625]
    assert d.ahead.round(3).tolist()[0] == [0.5, 0.75, 1.333, 0.6, 1.0]
    assert d.variable.round(3).tolist()[0] == [1.0, 0.545, 1.0, 0.923, 1.0]


def test_malmquist_against_julia():
    """DataEnvelopmentAnalysis.jl, test/malmquist.jl: default (input orientation, constant returns)."""
    x = np.array([[2, 3, 5, 4, 4], [1, 2, 4, 3, 4]], dtype=float)[..., None]
    y = np.array([[1, 4, 6, 3, 5], [1, 4, 6, 3, 3]], dtype=float)[..., None]
    m = kernels.malmquist(x, y, "input")
    assert m.index[0, :3] == pytest.approx([2.0, 1.5, 1.25], abs=1e-10)
    # one input and one output: the index is the ratio of average products
    assert m.index == pytest.approx((y / x)[1:, :, 0] / (y / x)[:-1, :, 0], abs=1e-12)


TWO_X = np.array(
    [[6.63, 9.07], [7.98, 3.03], [3.7, 8.86], [1.05, 8.39], [8.17, 5.21], [3.73, 3.51],
     [3.29, 5.01], [5.54, 5.98], [9.96, 8.13], [6.6, 9.9], [2.94, 2.44], [6.51, 1.4]]
)  # fmt: skip
TWO_Y = np.array(
    [[1.32, 5.63], [5.2, 9.25], [6.66, 5.63], [5.47, 3.23], [1.11, 2.73], [7.23, 2.81],
     [4.33, 1.03], [8.47, 2.39], [3.41, 8.92], [5.59, 8.62], [6.76, 7.68], [1.82, 5.87]]
)  # fmt: skip
# Pyfrontier 1.1.1, EnvelopDEA; output scores are phi = 1 / efficiency
PYFRONTIER = {
    ("input", "crs"): [0.320792, 0.852488, 0.613239, 1, 0.160845, 0.826771, 0.509939, 0.636843, 0.347904, 0.491803, 1, 1],
    ("input", "vrs"): [0.390604, 1, 0.754997, 1, 0.434314, 0.979791, 0.761062, 1, 0.694843, 0.902664, 1, 1],
    ("output", "crs"): [3.117288, 1.173037, 1.630685, 1, 6.217172, 1.209525, 1.961019, 1.570245, 2.874358, 2.033336, 1, 1],
    ("output", "vrs"): [1.568288, 1, 1.089938, 1, 3.388278, 1.006482, 1.614363, 1, 1.036995, 1.016671, 1, 1],
}  # fmt: skip


@pytest.mark.parametrize(("orientation", "returns"), list(PYFRONTIER))
def test_dea_against_pyfrontier(orientation, returns):
    found = kernels.dea(TWO_X, TWO_Y, orientation=orientation, returns=returns)
    peer = np.array(PYFRONTIER[orientation, returns])
    assert (1 / found if orientation == "output" else found) == pytest.approx(peer, abs=1e-6)


def test_dea_against_the_multiplier_programme():
    """By duality: max u'y_0 with v'x_0 = 1 and u'Y - v'X <= 0 gives theta, one unit at a time."""
    for i, theta in enumerate(kernels.dea(TWO_X, TWO_Y, orientation="input")):
        dual = linprog(
            np.append(-TWO_Y[i], [0.0, 0.0]),
            A_ub=np.hstack([TWO_Y, -TWO_X]),
            b_ub=np.zeros(12),
            A_eq=np.append([0.0, 0.0], TWO_X[i])[None],
            b_eq=[1.0],
        )
        assert theta == pytest.approx(-dual.fun, abs=1e-9)


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(1)
    x = np.exp(rng.normal(size=(4, 12, 2)))
    return x, np.exp(0.5 * np.log(x).sum(axis=2, keepdims=True) - 0.4 * rng.random((4, 12, 1)))


def test_malmquist_does_not_depend_on_orientation_units_or_order(panel):
    x, y = panel
    m = kernels.malmquist(x, y)
    other = kernels.malmquist(x, y, "input")
    assert other.index == pytest.approx(m.index, abs=1e-10)
    assert other.technical == pytest.approx(m.technical, abs=1e-10)
    order = np.random.default_rng(2).permutation(12)
    scaled = kernels.malmquist(x[:, order] * [1e5, 1e-3], 7 * y[:, order])
    assert scaled.index == pytest.approx(m.index[:, order], rel=1e-9)
    assert scaled.scale == pytest.approx(m.scale[:, order], rel=1e-9)


def test_parts_multiply_and_efficiencies_have_a_frontier(panel):
    m = kernels.malmquist(*panel)
    assert m.efficiency * m.technical == pytest.approx(m.index)
    assert m.pure * m.scale == pytest.approx(m.efficiency)
    assert m.distances.same.max(axis=1) == pytest.approx(np.ones(4), abs=1e-12)
    assert (m.distances.same <= m.distances.variable + 1e-12).all()


def test_a_shift_of_the_whole_technology_is_technical_change(panel):
    x, y = panel
    m = kernels.malmquist(x[[0, 0]], np.stack([y[0], 1.2 * y[0]]))
    assert m.technical == pytest.approx(np.full((1, 12), 1.2), rel=1e-10)
    assert m.efficiency == pytest.approx(np.ones((1, 12)), rel=1e-10)


def test_dea_errors():
    with pytest.raises(PanelError, match=r"inputs must be positive.*\(1, 0\)"):
        kernels.dea([[1.0], [0.0]], [[1.0], [1.0]])
    with pytest.raises(PanelError, match="outputs must be positive"):
        kernels.dea([[1.0], [2.0]], [[1.0], [np.nan]])
    with pytest.raises(PanelError, match="shapes do not match"):
        kernels.dea([[1.0], [2.0]], [[1.0]])
    with pytest.raises(ValueError, match="got 'both'"):
        kernels.dea([[1.0]], [[1.0]], orientation="both")
    with pytest.raises(ConvergenceError, match="frontier of other units does not reach"):
        kernels.dea([[1.0]], [[5.0]], [[2.0]], [[1.0]], returns="vrs")
    with pytest.raises(PanelError, match="T >= 2"):
        kernels.malmquist(X[:1], Y[:1])
