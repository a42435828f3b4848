"""Joint log-determinants, the admissible set, starting points and the simplex."""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial.kernels import logdet as ld
from nqpf_spatial.kernels.combination import mixed_logdet, simplex
from nqpf_spatial.kernels.several import JointLogDet, ascent, joint_logdet, lattice, pooled

RNG = np.random.default_rng(3)
N = 8


def stochastic(p: int, m: int, n: int = N) -> np.ndarray:
    a = RNG.uniform(0.0, 1.0, (p, m, n, n)) * (RNG.random((p, m, n, n)) < 0.6)
    a[..., np.arange(n), (np.arange(n) + 1) % n] = 1.0
    a[..., np.arange(n), np.arange(n)] = 0.0
    return a / a.sum(axis=-1, keepdims=True)


W = stochastic(3, 2)
SHARE = np.array([0.5, 0.3, 0.2])


@pytest.mark.parametrize("drop", [False, True])
def test_value_and_derivatives(drop: bool) -> None:
    joint = joint_logdet(W, SHARE, drop)
    for r in (np.array([0.3, 0.2]), np.array([-0.6, 0.5]), np.array([0.0, 0.0]), np.array([0.7, -0.9])):
        whole = SHARE @ [np.linalg.slogdet(np.eye(N) - r[0] * a - r[1] * b)[1] for a, b in W]
        expected = whole - np.log(1 - r.sum()) if drop else whole
        assert joint(r) == pytest.approx(expected, abs=1e-12)
        first, second = joint.derivatives(r)
        h = 1e-6
        for i in range(2):
            step = np.eye(2)[i] * h
            assert first[i] == pytest.approx((joint(r + step) - joint(r - step)) / (2 * h), abs=1e-8)
            change = (joint.derivatives(r + step)[0] - joint.derivatives(r - step)[0]) / (2 * h)
            np.testing.assert_allclose(second[i], change, atol=1e-7)


def test_the_freed_determinant_is_exact_where_the_sum_is_one() -> None:
    """ln|A| - ln(1 - sum r) is a difference of infinities there; the reduced matrices have no such thing."""
    joint = joint_logdet(W, SHARE, True)
    at = np.array([0.6, 0.4])
    inside = joint(at - 5e-7)
    assert joint(at) == pytest.approx(inside, abs=1e-4)
    assert np.isfinite(joint.derivatives(at)[0]).all()


def test_one_matrix_agrees_with_its_eigenvalues() -> None:
    w = W[:, :1]
    parts = [ld.from_eigenvalues(np.linalg.eigvals(a[0])) for a in w]
    for drop in (False, True):
        spectral = pooled([ld.drop_unit_root(p) if drop else p for p in parts], SHARE)
        dense, eigen = joint_logdet(w, SHARE, drop), joint_logdet(w, SHARE, drop, spectral)
        for rho in (-0.7, 0.0, 0.55):
            r = np.array([rho])
            assert dense(r) == pytest.approx(eigen(r), abs=1e-11)
            np.testing.assert_allclose(dense.derivatives(r)[0], eigen.derivatives(r)[0], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(dense.derivatives(r)[1], eigen.derivatives(r)[1], rtol=1e-9)
    one = ld.from_eigenvalues(np.linalg.eigvals(W[0, 0]))
    assert pooled([one], np.ones(1)) is one


def test_admissible_set_is_where_no_point_of_the_ray_is_singular() -> None:
    joint = joint_logdet(W, SHARE, False)
    for _ in range(300):
        r = RNG.normal(size=2) * 1.5
        dets = [np.linalg.det(np.eye(N) - s * np.tensordot(r, a, axes=1)) for a in W for s in np.linspace(0, 1, 400)]
        crossing = min(dets) <= 0
        if abs(joint.slack(r)) > 0.02:  # a grid of the ray cannot see the last bit of it
            assert joint.admissible(r) == (joint.slack(r) > 0) == (not crossing)


def test_lattice_lies_inside_the_set_and_holds_zero() -> None:
    for matrices in (W, 3.0 * W, stochastic(1, 3), stochastic(1, 5)):
        joint = joint_logdet(matrices, np.full(len(matrices), 1 / len(matrices)), False)
        points = lattice(joint)
        assert 9 <= len(points) <= 400
        assert (np.abs(points).sum(axis=1) == 0).any()
        assert all(joint.admissible(r) for r in points)


@pytest.mark.parametrize("terms", [2, 3, 4, 5, 6, 7])
def test_simplex_lattice(terms: int) -> None:
    for n in (31, 500):
        points = simplex(terms, n)
        np.testing.assert_allclose(points.sum(axis=1), 1.0)
        assert (points >= 0).all()
        corners = {tuple(row) for row in np.eye(terms)}
        assert corners <= {tuple(row) for row in points}
        assert len({tuple(row) for row in points.round(12)}) == len(points)


@pytest.mark.parametrize("drop", [False, True])
def test_determinant_of_a_combination_in_rho(drop: bool) -> None:
    joint, shares = joint_logdet(W, SHARE, drop), np.array([0.3, 0.7])
    mixed = mixed_logdet(joint, shares)
    for rho in (-0.6, 0.0, 0.4, 0.9):
        assert float(mixed(rho)) == pytest.approx(joint(rho * shares), abs=1e-11)


def test_ascent_goes_up_whatever_the_curvature() -> None:
    score = np.array([1.0, -2.0])
    for hessian in (-np.eye(2), np.array([[1.0, 0.3], [0.3, -2.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])):
        assert score @ ascent(score, hessian) > 0
    np.testing.assert_allclose(ascent(score, -2.0 * np.eye(2)), score / 2)


def test_patterns_are_weighted_by_their_share() -> None:
    two = JointLogDet(W[:2], np.array([0.75, 0.25]), W[:2], False)
    r = np.array([0.2, 0.3])
    single = [JointLogDet(W[i : i + 1], np.ones(1), W[i : i + 1], False)(r) for i in range(2)]
    assert two(r) == pytest.approx(0.75 * single[0] + 0.25 * single[1], abs=1e-13)
