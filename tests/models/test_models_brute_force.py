"""Estimates, covariances and likelihoods against dense likelihoods written from the equations alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_reference import Dense, helmert, system
from panels import EFFECTS, SWITCHES, arrays, panel, weights
from scipy import stats

import nqpf_spatial as nq

#: W with real eigenvalues (symmetric; similar to a symmetric one) and with complex eigenvalues
KINDS = ("ring", "graph", "knn")
SPATIAL_MODELS = ("SAR", "SDM", "SEM", "SDEM", "SAC")


def panel_for(model: str, kind: str, w_transform: str = "row") -> pd.DataFrame:
    """A panel from the model itself (the estimate is then inside the admissible interval)."""
    lag, durbin, error = SWITCHES[model]
    size = 1.0 if w_transform == "row" else 0.3
    return panel(
        kind,
        transform=w_transform,
        rho=0.35 * size * lag,
        lambda_=0.3 * size * error,
        theta=0.4 * durbin,
    )


def build(
    model: str, kind: str, effects: str, transform: bool, w_transform: str = "row"
) -> tuple[Dense, nq.models.SpatialFit]:
    frame, w = panel_for(model, kind, w_transform), weights(kind, transform=w_transform)
    y, x = arrays(frame, w.ids)
    if effects == "none":
        x = np.concatenate([np.ones((1, *y.shape)), x])
    lag, durbin, error = SWITCHES[model]
    dense = w.dense()
    roles = {
        "lag": dense if lag else None,
        "durbin": dense if durbin else None,
        "error": dense if error else None,
    }
    reference = system(
        y,
        x,
        roles,
        unit=effects in ("unit", "twoways"),
        time=effects in ("time", "twoways"),
        transform=transform,
    )
    fit = nq.fit(
        f"y ~ x1 + x2{EFFECTS[effects]}",
        frame,
        None if model == "OLS" else w,
        model=model,
        correction="transform" if transform else "none",
    )
    return reference, fit


CASES = [
    *((m, k, "twoways", True, "row") for m in SPATIAL_MODELS for k in KINDS),
    *((m, "knn", e, True, "row") for m in SPATIAL_MODELS for e in ("unit", "time")),
    *((m, "graph", "time", True, "row") for m in ("SAR", "SDM")),
    *((m, "knn", "twoways", False, "row") for m in SPATIAL_MODELS),
    *((m, "graph", e, False, "row") for m in ("SDM", "SEM") for e in ("unit", "time", "none")),
    # rows that do not sum to one: dummies, and the transformation of unit effects, need no row sums
    *((m, "knn", "twoways", False, "spectral") for m in ("SAR", "SDM")),
    *((m, "graph", "time", False, "none") for m in ("SAR", "SDM")),
    *((m, "graph", "unit", True, "none") for m in SPATIAL_MODELS),
    ("GNS", "knn", "twoways", True, "row"),
    ("SLX", "knn", "twoways", True, "row"),
    ("OLS", "graph", "twoways", False, "row"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "kind", "effects", "transform", "w_transform"), CASES)
def test_fit_is_the_maximum_of_the_dense_likelihood(model, kind, effects, transform, w_transform) -> None:
    reference, fit = build(model, kind, effects, transform, w_transform)
    best = reference.maximise()
    own = len(fit.estimate.columns.names)
    spatial = best[reference.k : -1]
    theirs = np.concatenate([best[:own], spatial])
    assert fit.llf >= float(reference.loglik(best)) - 1e-8
    assert fit.llf == pytest.approx(float(reference.loglik(best)), abs=1e-8)
    assert np.max(np.abs(fit.params.to_numpy() - theirs)) < 1e-7
    assert fit.sigma2 == pytest.approx(best[-1], abs=1e-7)
    # dummies are parameters of the reference: the covariance of the others is a block of its inverse
    covariance = np.linalg.inv(reference.information(best))
    keep = [*range(own), *range(reference.k, best.size)]
    block = covariance[np.ix_(keep, keep)]
    se = np.sqrt(np.diag(block))
    np.testing.assert_allclose(fit.bse, se[:-1], rtol=1e-4)
    assert fit.sigma2_se == pytest.approx(se[-1], rel=1e-4)
    size = np.outer(se[:-1], se[:-1])
    assert np.max(np.abs(fit.cov_params().to_numpy() - block[:-1, :-1]) / size) < 1e-4


@pytest.mark.parametrize("model", [*SPATIAL_MODELS, "GNS"])
@pytest.mark.parametrize("kind", KINDS)
def test_score_vanishes_at_the_estimate(model: str, kind: str) -> None:
    reference, fit = build(model, kind, "twoways", True)
    p = np.append(fit.params.to_numpy(), fit.sigma2)
    scale = np.append(fit.bse.to_numpy(), fit.sigma2_se)
    assert np.max(np.abs(reference.score(p) * scale)) < 1e-8


@pytest.mark.parametrize("model", [*SPATIAL_MODELS, "OLS", "SLX"])
@pytest.mark.parametrize("effects", ["none", "unit", "time", "twoways"])
def test_loglikelihood_is_that_of_the_multivariate_normal(model: str, effects: str) -> None:
    """The whole panel as one normal vector: mean the prediction, covariance by rho and lambda."""
    frame, w = panel_for(model, "knn"), weights("knn")
    fit = nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", frame, None if model == "OLS" else w, model=model, correction="none")
    eye, dense = np.eye(w.n), w.dense()
    a, b = eye - (fit.rho or 0.0) * dense, eye - (fit.lambda_ or 0.0) * dense
    root = np.linalg.inv(b @ a)
    covariance = np.kron(np.eye(6), fit.sigma2 * root @ root.T)
    y, mean = (v.unstack("unit")[list(w.ids)].to_numpy().ravel() for v in (frame["y"], fit.predict()))
    expected = stats.multivariate_normal(mean, covariance).logpdf(y)
    assert fit.llf == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("model", SPATIAL_MODELS)
@pytest.mark.parametrize("effects", ["unit", "time", "twoways"])
def test_transformed_loglikelihood_is_that_of_the_transformed_data(model: str, effects: str) -> None:
    frame, w = panel_for(model, "knn"), weights("knn")
    fit = nq.fit(f"y ~ x1 + x2{EFFECTS[effects]}", frame, w, model=model)
    fn = helmert(w.n) if effects != "unit" else np.eye(w.n)
    ft = helmert(6) if effects != "time" else np.eye(6)
    star = fn.T @ w.dense() @ fn
    eye = np.eye(star.shape[0])
    a, b = eye - (fit.rho or 0.0) * star, eye - (fit.lambda_ or 0.0) * star
    root = np.linalg.inv(b @ a)
    y, mean = (v.unstack("unit")[list(w.ids)].to_numpy() for v in (frame["y"], fit.predict()))
    difference = fn.T @ (y - mean).T @ ft  # units x periods
    covariance = fit.sigma2 * root @ root.T
    expected = stats.multivariate_normal(np.zeros(star.shape[0]), covariance).logpdf(difference.T).sum()
    assert fit.llf == pytest.approx(expected, abs=1e-9)
    assert fit.n_effective == difference.size


def test_transformation_changes_the_two_way_estimate_as_lee_and_yu_say() -> None:
    """Dummy-variable ML of rho is biased downwards; the transformation estimates a larger one here."""
    frame, w = panel_for("SAR", "knn"), weights("knn")
    formula = "y ~ x1 + x2 | unit + period"
    transform, dummies = (nq.sar(formula, frame, w, correction=c) for c in ("transform", "none"))
    assert transform.rho > dummies.rho
    one_way = [nq.sar("y ~ x1 + x2 | unit", frame, w, correction=c) for c in ("transform", "none")]
    np.testing.assert_allclose(one_way[0].params, one_way[1].params, rtol=1e-12)
    assert one_way[0].sigma2 == pytest.approx(one_way[1].sigma2 * 6 / 5, rel=1e-12)


def test_two_way_lag_is_taken_before_demeaning() -> None:
    """W(Qy) gives another number unless W is doubly stochastic (ring): the likelihood is highest at Q(Wy)."""
    for kind, differs in (("ring", False), ("graph", True)):
        reference, fit = build("SAR", kind, "twoways", False)
        frame, w = panel_for("SAR", kind), weights(kind)
        y, x = arrays(frame, w.ids)

        def within(a: np.ndarray) -> np.ndarray:
            return a - a.mean(axis=0) - a.mean(axis=1, keepdims=True) + a.mean()

        wrong = Dense(within(y).T, np.stack([within(v).T for v in x]), w.dense(), None).maximise()
        assert (abs(wrong[2] - fit.rho) > 1e-3) == differs
        assert fit.llf == pytest.approx(float(reference.loglik(reference.maximise())), abs=1e-8)


def test_separate_weights_for_lag_durbin_and_error() -> None:
    frame = panel("knn")
    lag, durbin, error = weights("knn"), weights("graph"), weights("ring")
    fit = nq.fit("y ~ x1 + x2 | unit + period", frame, lag, model="GNS", w_durbin=durbin, w_error=error)
    y, x = arrays(frame, lag.ids)
    roles = {"lag": lag.dense(), "durbin": durbin.dense(), "error": error.dense()}
    reference = system(y, x, roles, unit=True, time=True, transform=True)
    best = reference.maximise()
    assert np.max(np.abs(fit.params.to_numpy() - best[:-1])) < 1e-7
    se = np.sqrt(np.diag(np.linalg.inv(reference.information(best))))
    np.testing.assert_allclose(fit.bse, se[:-1], rtol=1e-4)


def test_chosen_durbin_terms() -> None:
    frame, w = panel("knn"), weights("knn")
    fit = nq.sdm("y ~ x1 + x2 | unit", frame, w, durbin=["x2"])
    assert list(fit.params.index) == ["x1", "x2", "W:x2", "rho"]
    y, x = arrays(frame, w.ids)
    lagged = np.concatenate([x, (x[1] @ w.dense().T)[None]])
    best = system(y, lagged, {"lag": w.dense()}, unit=True, time=False, transform=True).maximise()
    assert np.max(np.abs(fit.params.to_numpy() - best[:-1])) < 1e-7


def test_cross_section_with_rows_that_do_not_sum_to_one_lags_the_intercept() -> None:
    """The lag of the intercept is the row sum, a regressor of its own."""
    frame, w = panel("graph", n=20, t=1, transform="none", rho=0.1), weights("graph", 20, "none")
    fit = nq.sdm("y ~ x1", frame, w)
    assert list(fit.params.index) == ["Intercept", "x1", "W:Intercept", "W:x1", "rho"]
    dense = w.dense()
    y, x = (frame[c].loc[list(w.ids)].to_numpy()[None] for c in ("y", "x1"))
    z = np.stack([np.ones_like(y), x, np.ones_like(y) @ dense.T, x @ dense.T])
    best = Dense(y.T, z.transpose(0, 2, 1), dense, None).maximise(((0.0, 0.0), (0.1, 0.0)))
    assert np.max(np.abs(fit.params.to_numpy() - best[:-1])) < 1e-7
    row = nq.sdm("y ~ x1", panel("graph", n=20, t=1), weights("graph", 20))
    assert "W:Intercept" not in row.params
