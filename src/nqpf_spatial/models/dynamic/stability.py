"""Is a dynamic process stable, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import dynamic_response as kernel
from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.dynamic.part import part

if TYPE_CHECKING:
    from nqpf_spatial.models.estimate import Estimate
    from nqpf_spatial.models.results import SpatialFit


@dataclass(frozen=True, eq=False, repr=False)
class Stability:
    """Test of ``tau + rho + eta = 1`` and the roots of the process.

    Attributes
    ----------
    label : str
        The sum by its parameters that the model has, for instance ``"tau + rho"``.
    sum, se, lower, upper : float
        ``tau + rho + eta`` with its delta-method interval.
    statistic, df, pvalue, null : Wald test that the sum is one.
    roots : (N,) ndarray
        All eigenvalues (one without W) of ``(I - rho W)^{-1}(tau I + eta W)``, largest modulus first, that of the unit vector included.
    radius : float
        Largest modulus.
    radius_within : float
        Largest modulus of those that enter the likelihood: transformed time effects absorb the common component.
    stable : bool
        ``radius < 1``: the exact condition. ``sum < 1`` alone is neither sufficient nor, with negative coefficients, the bound.
    near_unit : bool
        The interval of the sum reaches one: long-run effects have no bounded confidence set.
    """

    label: str
    sum: float
    se: float
    lower: float
    upper: float
    statistic: float
    df: int
    pvalue: float
    null: str
    roots: NDArray
    radius: float
    radius_within: float
    stable: bool
    near_unit: bool

    def line(self) -> str:
        """The verdict in one line."""
        if not self.stable:
            verdict = "not stable, long-run effects do not exist"
        elif self.near_unit:
            verdict = "stable, but the interval contains one: no bounded interval covers the long run"
        else:
            verdict = "stable"
        return (
            f"{self.label} = {self.sum:.4f} [{self.lower:.4f}, {self.upper:.4f}], test of one p = {self.pvalue:.3f}; largest "
            f"root {self.radius:.4f}: {verdict}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row: estimate, se, lower, upper, statistic, df, p, radius, radius_within, stable, near_unit."""
        return pd.DataFrame(
            {
                "estimate": [self.sum], "se": [self.se], "lower": [self.lower], "upper": [self.upper],
                "statistic": [self.statistic], "df": [self.df], "p": [self.pvalue], "radius": [self.radius],
                "radius_within": [self.radius_within], "stable": [self.stable], "near_unit": [self.near_unit],
            },
            index=pd.Index([self.label], name="sum"),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Stability: {self.line()}"

    def _repr_html_(self) -> str:
        return f"<p>Stability: {self.line()}</p>{self.to_frame().to_html(float_format=lambda v: f'{v:.4f}')}"


def stability(fit: SpatialFit, alpha: float = 0.05) -> Stability:
    """Is the process stable, and how surely; see `Stability`."""
    dynamic = part(fit.estimate)
    check_alpha(alpha)
    names = parameter_names(fit)
    chosen = [name for name in names if name is not None]
    total = float(fit.params[chosen].sum())
    se = float(np.sqrt(fit.cov_params().loc[chosen, chosen].to_numpy().sum()))
    half = float(stats.norm.isf(alpha / 2)) * se
    statistic = ((total - 1.0) / se) ** 2
    tau, eta, rho = dynamic.phi
    omega = spectrum(fit.estimate).omega
    roots = (tau + eta * omega) / (1.0 - rho * omega)
    roots = roots[np.argsort(-np.abs(roots), kind="stable")]
    radius = float(np.abs(roots[0]))
    present = dict(zip(("tau", "eta", "rho"), names, strict=True))
    label = " + ".join(word for word in ("tau", "rho", "eta") if present[word] is not None)
    return Stability(
        label, total, se, total - half, total + half, statistic, 1, float(stats.chi2.sf(statistic, 1)), f"{label} = 1",
        roots, radius, float(np.abs(dynamic.roots).max()), radius < 1.0, total + half >= 1.0,
    )  # fmt: skip


def parameter_names(fit: SpatialFit) -> tuple[str | None, str | None, str | None]:
    """Names of (tau, eta, rho) in params, None where absent."""
    dynamic = part(fit.estimate)
    by_term = dict(zip(dynamic.terms, dynamic.names, strict=True))
    return by_term.get("lag_y"), by_term.get("lag_wy"), "rho" if fit.estimate.model.lag else None


def spectrum(est: Estimate) -> kernel.Spectrum:
    """Eigenvalues of W and their shares in the mean row sum; one zero without W, so that own and total effects are the same number."""
    w = est.weights.first()
    if w is None:
        return kernel.Spectrum(np.zeros(1), np.ones(1))
    return kernel.spectrum(w.dense(), w.is_row_stochastic, w.eigenvalues())
