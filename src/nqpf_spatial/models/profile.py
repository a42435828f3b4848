"""Profile likelihood of rho: what the data say about the spatial lag without a standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import profile as kernel
from nqpf_spatial.kernels.factor import FactorLogDet
from nqpf_spatial.kernels.ml import inside, scan
from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.dynamic.part import static_only
from nqpf_spatial.models.estimate import IN_LIKELIHOOD
from nqpf_spatial.models.missing.networks import require_balanced
from nqpf_spatial.models.spec import MODELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nqpf_spatial.models.results import SpatialFit

#: points of the table around the maximum; log-determinants of many units take a factorisation each
_POINTS, _POINTS_LARGE = 201, 41


@dataclass(frozen=True, eq=False, repr=False)
class RhoProfile:
    """Profile likelihood of rho, made by ``fit.profile()``.

    Attributes
    ----------
    table : DataFrame
        Indexed by rho: ``llf``, the highest log-likelihood with that rho, and ``lr``, twice its distance from the maximum.
        Points lie close together around the maximum and reach the ends of the admissible interval.
    rho, llf : float
        The maximum.
    intervals : DataFrame
        Rows ``lr`` (likelihood ratio), ``wald`` (with the covariance of the fit) and ``admissible``, where the likelihood
        exists; columns lower and upper.
    pieces : (P, 2) ndarray
        The likelihood-ratio set; more than one row where the likelihood has several maxima of about the same height.
        ``intervals`` spans them.
    unbounded : (bool, bool)
        The set reaches the lower, the upper end of the admissible interval: the likelihood does not bound rho there.
    alpha : float
    fit : SpatialFit
    """

    table: pd.DataFrame
    rho: float
    llf: float
    intervals: pd.DataFrame
    pieces: NDArray
    unbounded: tuple[bool, bool]
    alpha: float
    fit: SpatialFit

    @property
    def cut(self) -> float:
        """Likelihood ratio at the ends of the interval: the quantile of chi-squared with one degree of freedom."""
        return float(stats.chi2.isf(self.alpha, 1))

    def plot(self, *, lang: str = "en", ax: Axes | None = None) -> Axes:
        """The likelihood over rho with its maximum and intervals; see `nqpf_spatial.models.pictures.profiles.profile_plot`."""
        from nqpf_spatial.models.pictures.profiles import profile_plot

        return profile_plot(self, lang, ax)

    def __repr__(self) -> str:
        level, rows = f"{1 - self.alpha:.0%}", self.intervals
        spans = {name: f"({rows.loc[name, 'lower']:.4f}, {rows.loc[name, 'upper']:.4f})" for name in rows.index}
        lines = [
            f"Profile likelihood of rho; {self.fit.model}, maximum {self.llf:.4f} at rho = {self.rho:.4f}",
            f"{level} likelihood-ratio interval {spans['lr']}",
            f"{level} Wald interval            {spans['wald']}, vcov {self.fit.vcov}",
            f"admissible                   {spans['admissible']}",
        ]
        ends = [name for name, reached in zip(("lower", "upper"), self.unbounded, strict=True) if reached]
        if ends:
            lines.append(
                f"the likelihood does not bound rho: the set reaches the {' and the '.join(ends)} admissible end"
            )
        if len(self.pieces) > 1:
            parts = " and ".join(f"({a:.4f}, {b:.4f})" for a, b in self.pieces)
            lines.append(f"the likelihood-ratio set falls apart: {parts}")
        return "\n".join(lines)


def profile(fit: SpatialFit, alpha: float = 0.05, points: int | None = None) -> RhoProfile:
    """Profile likelihood of rho with the likelihood-ratio interval.

    Parameters
    ----------
    fit : SpatialFit
        With a spatial lag, fixed or no effects, one W and no time lags.
    alpha : float
        1 - level of the intervals.
    points : int, optional
        Points of the table around the maximum; default 201, or 41 where W has too many units for eigenvalues.

    Returns
    -------
    RhoProfile

    Raises
    ------
    ValueError
        No rho, or an estimate that does not maximise a likelihood in rho alone.

    Notes
    -----
    The likelihood is that of the fit, Lee and Yu's transformed one by default. Both intervals agree in large samples;
    where the likelihood is lopsided, near the ends of the admissible interval or with a weakly identified rho, that of the
    likelihood ratio keeps inside what is admissible and does not depend on how rho is parameterised.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> found = nq.sar("y ~ x | unit + period", data, w).profile()
    >>> found.intervals.round(3)
                lower  upper
    lr          0.130  0.454
    wald        0.132  0.456
    admissible -1.613  1.000
    """
    check_alpha(alpha)
    _check(fit)
    est, level = fit.estimate, 1.0 - alpha
    assert est.reduced is not None and est.likelihood.rho is not None
    rho, llf, logdet = float(est.fit.rho), est.fit.llf, est.likelihood.rho
    found = kernel.confidence_set(est.reduced, est.likelihood, rho, llf, float(stats.chi2.ppf(level, 1)))
    spans = {
        "lr": (found.pieces[0, 0], found.pieces[-1, 1]),
        "wald": tuple(fit.conf_int(alpha).loc["rho"]),
        "admissible": (logdet.low, logdet.high),
    }
    intervals = pd.DataFrame(spans, index=["lower", "upper"]).T
    count = points if points is not None else _POINTS_LARGE if isinstance(logdet, FactorLogDet) else _POINTS
    at = _points(intervals, rho, inside(logdet), scan(logdet), count)
    values = kernel.profile_rho(est.reduced, est.likelihood, at)
    table = pd.DataFrame({"llf": values, "lr": 2.0 * (llf - values)}, index=pd.Index(at, name="rho"))
    return RhoProfile(table, rho, llf, intervals, found.pieces, (found.open_low, found.open_high), alpha, fit)


def _points(
    intervals: pd.DataFrame, rho: float, box: tuple[float, float], coarse: NDArray, count: int
) -> NDArray[np.float64]:
    """Values of rho: the maximum, points around both intervals, and a few out to the ends."""
    if count < 3:
        raise ValueError(f"points={count}: at least three are needed, some hundred are sensible")
    lower, upper = intervals.loc[["lr", "wald"], "lower"].min(), intervals.loc[["lr", "wald"], "upper"].max()
    room = 0.4 * (upper - lower)
    fine = np.linspace(max(box[0], lower - room), min(box[1], upper + room), count)
    return np.unique(np.concatenate([fine, coarse, np.clip([rho], *box)]))


def _check(fit: Any) -> None:
    """Refuse, in words, results whose rho does not maximise this likelihood."""
    if not fit.estimate.model.lag:
        lagged = ", ".join(name for name, model in MODELS.items() if model.lag)
        raise ValueError(f"a {fit.model} model has no rho to profile; models with one are {lagged}")
    if getattr(fit, "several", None) is not None:
        raise ValueError(
            "the profile is about one rho with one W; for a combination see shares(), which profiles the shares, for several "
            "lags compare the fits with each W alone"
        )
    static_only(fit.estimate, "the profile of rho", "see stability() and impacts('fieller', horizon='long')")
    require_balanced(fit.estimate, "the profile of rho")
    if fit.estimate.random is not None:
        raise ValueError(
            "the profile of rho is available with fixed effects: with random effects phi would have to be maximised too. See "
            "conf_int(), or the fit with fixed effects"
        )
    if fit.correction not in IN_LIKELIHOOD:
        raise ValueError(
            f"correction={fit.correction!r} moves rho away from the maximum of the likelihood; profile a fit with "
            'correction="transform" or "score", whose likelihood carries the correction, or "none"'
        )
