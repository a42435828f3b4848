r"""Best linear unbiased predictor of random unit effects, and the residuals that go with it.

With ``v = y - rho W1 y - Z beta`` and its time mean, Goldberger's (1962) predictor is

.. math::
   \hat\mu = (1-\varphi)\,\bar v, \qquad \hat\mu = (1-\varphi)\,B\bar v, \qquad
   \hat\mu = (1-\varphi)\,B'K^{-1}B\bar v

for the errors ``"none"``, ``"kkp"`` and ``"baltagi"``; see `random_effects_likelihood` for phi and K. The
last is ``T s_mu2 [T s_mu2 I + s_e2 (B'B)^-1]^-1`` times the mean (Baltagi and Li 2004), written with K.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.kernels.moments import remove_effects, spatial_lag
from nqpf_spatial.kernels.random_effects import REFit


@dataclass(frozen=True, slots=True)
class REPrediction:
    """Predicted unit effects and residuals.

    Attributes
    ----------
    mu : (N,) ndarray
        Predictor of mu, shrunk to zero; with time effects a deviation from the mean of the units.
    unit_effect : (N,) ndarray
        What the effects add to ``y - rho W1 y``: mu itself, for the KKP error ``B^-1 mu``.
    resid : (T, N) ndarray
        Predicted e: idiosyncratic residuals after the filter B.
    whitened : (T, N) ndarray
        Uncorrelated with variance sigma2 under the model (quasi-demeaned and filtered); their squares sum to
        n sigma2. Diagnostics of the error belong on these.
    """

    mu: NDArray
    unit_effect: NDArray
    resid: NDArray
    whitened: NDArray


def random_effects_predict(
    fit: REFit, z: NDArray, y: NDArray, wy: NDArray | None, w_error: NDArray | None
) -> REPrediction:
    """Predict the unit effects from the arrays the fit was made of.

    Parameters
    ----------
    fit : REFit
    z, y, wy, w_error
        As given to `nqpf_spatial.kernels.random_effects.fit_re`.

    Examples
    --------
    >>> import numpy as np
    >>> from nqpf_spatial.kernels.random_effects import fit_re
    >>> rng = np.random.default_rng(1)
    >>> z, mu = np.ones((1, 6, 40)), rng.normal(size=40)
    >>> y = 1 + mu + 0.5 * rng.normal(size=(6, 40))
    >>> fit = fit_re(z, y, None, None, None, None)
    >>> found = random_effects_predict(fit, z, y, None, None)
    >>> bool(np.corrcoef(found.mu, mu)[0, 1] > 0.95), bool(np.isclose((found.whitened**2).mean(), fit.sigma2))
    (True, True)
    """
    v = y - np.tensordot(fit.beta, z, axes=1)
    if wy is not None:
        v = v - fit.rho * wy
    v = remove_effects(v, False, fit.time)
    b = None if w_error is None else np.eye(y.shape[1]) - fit.lambda_ * (w_error @ np.eye(y.shape[1]))
    filtered = v if b is None else remove_effects(spatial_lag(b, v), False, fit.time)
    mean = filtered.mean(axis=0)
    if fit.error != "baltagi":
        mu = (1.0 - fit.phi) * mean
        whitened = filtered - (1.0 - np.sqrt(fit.phi)) * mean
        effect = mu if b is None else remove_effects(np.linalg.solve(b, mu)[None], False, fit.time)[0]
        return REPrediction(mu, effect, filtered - mu, whitened)
    assert b is not None
    if fit.time:  # F'BF on the space of deviations from the mean
        b = b - b.mean(axis=0)
        b = b - b.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(b @ b.T)
    k = fit.phi + (1.0 - fit.phi) * np.maximum(values, 0.0)
    rotated = vectors.T @ mean
    mu = (1.0 - fit.phi) * (b.T @ (vectors @ (rotated / k)))
    # the symmetric root of K does not depend on the order of the units
    whitened = filtered - mean + np.sqrt(fit.phi) * (vectors @ (rotated / np.sqrt(k)))
    return REPrediction(mu, mu, filtered - b @ mu, whitened)
