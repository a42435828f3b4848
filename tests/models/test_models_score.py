"""The score freed of its expectation under W whose rows do not sum to one: its covariance, and where it does not exist."""

from __future__ import annotations

import numpy as np
import pytest
from panels import EFFECTS, panel, weights

import nqpf_spatial as nq
from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.models.covariance import expected
from nqpf_spatial.models.residuals import decompose

FORMULA = "y ~ x1 + x2"


class Dense:
    """Projector of the effects, G and the deterministic part of a fit as NT x NT matrices, period by period."""

    def __init__(self, fit: nq.models.SpatialFit) -> None:
        est = fit.estimate
        self.t, self.n = est.design.shape
        unit = np.eye(self.t) - est.design.unit / self.t
        time = np.eye(self.n) - est.design.time / self.n
        self.q, self.w = np.kron(unit, time), np.kron(np.eye(self.t), fit.w.dense())
        self.rho, self.s2 = fit.rho, fit.sigma2
        self.signal = (np.tensordot(est.fit.beta, est.columns.z, axes=1) + decompose(est)[1]).ravel()

    def g(self, rho: float) -> np.ndarray:
        return self.w @ np.linalg.inv(np.eye(len(self.w)) - rho * self.w)

    def mean_score(self, rho: float) -> float:
        """Expected score of rho at `rho`, E[(Wy)'Q(y - rho Wy - signal)] / s2 - tr(Q G(rho)).

        The data are those of the fit with errors Q e: what Q takes from the errors is in the estimated effects.
        """
        inverse = np.linalg.inv(np.eye(len(self.w)) - self.rho * self.w)
        lag, rest = self.w @ inverse, (np.eye(len(self.w)) - rho * self.w) @ inverse
        mean = (lag @ self.signal) @ self.q @ (rest @ self.signal - self.signal)
        return mean / self.s2 + np.trace(self.q @ lag.T @ self.q @ rest) - np.trace(self.q @ self.g(rho))

    def variance(self) -> float:
        """Variance of the score of rho under normal errors, a linear-quadratic form in them."""
        linear, a = self.q @ self.g(self.rho) @ self.signal, self.q @ self.g(self.rho) @ self.q
        return linear @ linear / self.s2 + np.sum(a * a) + np.sum(a * a.T)


@pytest.mark.parametrize("transform", ["spectral", "minmax", "row"])
@pytest.mark.parametrize("effects", ["time", "twoways"])
@pytest.mark.parametrize("kind", ["graph", "knn"])
def test_covariance_of_the_freed_score_by_dense_numerical_derivatives(kind: str, effects: str, transform: str) -> None:
    w = weights(kind, 10, transform)
    fit = nq.sdm(FORMULA + EFFECTS[effects], panel(kind, 10, 6, transform), w, correction="score")
    dense, h = Dense(fit), 1e-5
    assert dense.mean_score(fit.rho) == pytest.approx(0.0, abs=1e-8)
    slope = (dense.mean_score(fit.rho - h) - dense.mean_score(fit.rho + h)) / (2 * h)
    variance = expected(fit.estimate)
    assert variance[-2, -2] == pytest.approx(dense.variance(), rel=1e-9)
    gap = slope - dense.variance()
    assert (abs(gap) < 1e-5) if transform == "row" else (abs(gap) / slope > 1e-3)
    hessian = variance.copy()
    hessian[-2, -2] += gap
    bread = np.linalg.inv(hessian)
    want = np.sqrt(np.diag(bread @ variance @ bread))[:-1]
    np.testing.assert_allclose(fit.with_vcov("expected").bse, want, rtol=1e-6)
    bread, meat = np.linalg.inv(fit.estimate.fit.information), fit.estimate.fit.information.copy()
    meat[-2, -2] -= gap
    np.testing.assert_allclose(fit.bse, np.sqrt(np.diag(bread @ meat @ bread))[:-1], rtol=1e-6)


def test_variance_of_simulated_scores_falls_short_of_their_mean_derivative_by_the_term() -> None:
    """Scores of rho at the truth, y = A^-1 e: the difference is drawn, the term is the library's."""
    w = weights("graph", 10, "spectral")
    fit = nq.sdm(FORMULA + EFFECTS["time"], panel("graph", 10, 6, "spectral"), w, correction="score")
    dense, draws = Dense(fit), 60_000
    g = dense.g(fit.rho)
    e = np.random.default_rng(5).standard_normal((draws, len(g)))
    lag = e @ g.T
    scores = np.einsum("rn,rn->r", lag, e @ dense.q) - np.trace(dense.q @ g)
    slopes = np.einsum("rn,rn->r", lag, lag @ dense.q) + np.trace(dense.q @ g @ g)
    gaps = slopes - scores**2
    spread = gaps.std() / np.sqrt(draws)
    assert abs(scores.mean()) < 4 * scores.std() / np.sqrt(draws)
    bread = np.linalg.inv(fit.estimate.fit.information)[-2, -2]
    term = (bread - fit.bse["rho"] ** 2) / bread**2
    assert abs(gaps.mean() - term) < 4 * spread
    assert term > 8 * spread


def test_standard_errors_of_rho_agree_with_the_bootstrap_only_with_the_term() -> None:
    w = nq.weights.contiguity(transform="spectral")
    data = nq.simulate("SAR", w, T=13, params={"x": 0.3, "rho": 0.5}, seed=3)
    fit = nq.sar("y ~ x | period", data, w, correction="score")
    spread = fit.bootstrap("parametric", 6000, seed=1).params["rho"].std()
    found = fit.with_vcov("expected").bse["rho"]
    assert found == pytest.approx(spread, rel=0.03)
    assert fit.bse["rho"] < np.sqrt(np.linalg.inv(fit.estimate.fit.information)[1, 1])


def test_a_constant_sequence_has_the_covariance_of_the_single_matrix() -> None:
    for kind in ("graph", "knn"):
        w = weights(kind, 10, "spectral")
        frame = panel(kind, 10, 6, "spectral")
        one = nq.sdm(f"{FORMULA} | unit + period", frame, w, correction="score")
        periods = one.estimate.design.periods
        many = nq.sdm(
            f"{FORMULA} | unit + period", frame, nq.weights.sequence(dict.fromkeys(periods, w)), correction="score"
        )
        for vcov in ("observed", "expected", "sandwich"):
            np.testing.assert_allclose(one.with_vcov(vcov).bse, many.with_vcov(vcov).bse, rtol=1e-9)


def test_with_a_spatial_error_the_score_cannot_be_freed_of_time_effects() -> None:
    """tr(J B G B^-1) is not tr(JG): what would be subtracted is not what the score expects, by a multiple of rho's bias."""
    w, error = nq.weights.contiguity(transform="spectral"), nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=5, params={"x": 1.0, "rho": 0.3}, seed=1)
    g = w.dense() @ np.linalg.inv(np.eye(31) - 0.5 * w.dense())
    b, centre = np.eye(31) - 0.8 * error.dense(), np.eye(31) - 1 / 31
    assert np.trace(centre @ b @ g @ np.linalg.inv(b)) - np.trace(centre @ g) > 0.9
    for model in ("SAC", "GNS"):
        with pytest.raises(IdentificationError, match=rf"a {model} model.*Row-standardise.*SAR or SDM"):
            nq.fit("y ~ x | unit + period", data, w, model=model, w_error=error, correction="score")
        # nothing is subtracted without time effects
        assert nq.fit("y ~ x | unit", data, w, model=model, w_error=error, correction="score").rho is not None
    holed = data.copy()
    holed.iloc[7, holed.columns.get_loc("y")] = np.nan
    options = {"missing": "subnetwork", "subset": "keep", "islands": "keep", "correction": "score"}
    with pytest.raises(IdentificationError, match=r"a SAC model.*Row-standardise"):
        nq.fit("y ~ x | period", holed, w, model="SAC", w_error=error, **options)


def test_the_one_step_correction_takes_the_expectation_of_the_filtered_score() -> None:
    """Of dummy-variable ML with lag and error the score of rho expects -T i'B G B^-1 i / N, which is i'Gi / N for rows that sum to one."""
    from nqpf_spatial.kernels import scaled
    from nqpf_spatial.models.correct import _vector

    w, error = nq.weights.contiguity(transform="spectral"), nq.weights.contiguity()
    data = nq.simulate("SAR", w, T=12, params={"x": 1.0, "rho": 0.3}, seed=1)
    options = {"model": "SAC", "w_error": error}
    none, found = (nq.fit("y ~ x | period", data, w, correction=c, **options) for c in ("none", "bias"))
    eye, i = np.eye(31), np.ones(31)
    b = eye - none.lambda_ * error.dense()
    h = b @ w.dense() @ np.linalg.inv(eye - none.rho * w.dense()) @ np.linalg.inv(b)
    g2 = error.dense() @ np.linalg.inv(b)
    expectation = 12 * np.array([0.0, i @ h @ i / 31, i @ g2 @ i / 31, 0.5 / none.sigma2])
    want = _vector(none.estimate) + scaled.solve(expected(none.estimate), expectation)
    np.testing.assert_allclose([*found.params, found.sigma2], want, rtol=1e-9)
