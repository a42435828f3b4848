r"""Shares of a convex combination: intervals that respect the simplex, tests at its boundary, and whether the data speak at all.

A share at zero has no normal distribution. The likelihood-ratio statistic of ``g_m = 0`` is then a mixture, half a point at zero and
half chi-squared with one degree of freedom (Self and Liang 1987, case 5), if the other shares are positive and rho is not
zero; the bootstrap needs neither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import optimize, stats

from nqpf_spatial.errors import IdentificationWarning, warn
from nqpf_spatial.kernels.combination import fit_combination
from nqpf_spatial.kernels.several import SeveralML
from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.several.bootstrap import Sampler
from nqpf_spatial.models.several.estimate import SeveralEstimate

if TYPE_CHECKING:
    from nqpf_spatial.models.several.results import SeveralFit

METHODS = ("mixture", "bootstrap")


@dataclass(frozen=True)
class ShareTest:
    """Likelihood-ratio test that a matrix has no share in the combination.

    Attributes
    ----------
    statistic, df, pvalue, null
        df is the text "mixture of 0 and 1", or None for the bootstrap.
    method : str
    replicates : int or None
    """

    statistic: float
    df: str | None
    pvalue: float
    null: str
    method: str
    replicates: int | None = None

    def __repr__(self) -> str:
        how = "half chi2(0), half chi2(1)" if self.method == "mixture" else f"{self.replicates} parametric replicates"
        return f"H0: {self.null}\nLR = {self.statistic:.4f}, p = {self.pvalue:.4f} ({how})"


def _data(fit: SeveralFit) -> tuple[SeveralEstimate, SeveralML]:
    est = fit.several
    if est.data is None:
        raise ValueError("the fit has no shares: they belong to nq.fit(..., combine=True)")
    return est, est.ml


def held_at(fit: SeveralFit, position: int, value: float) -> SeveralML:
    """The maximum with one share held."""
    est, ml = _data(fit)
    assert est.data is not None
    assert ml.shares is not None
    return fit_combination(est.data, {position: value}, [(ml.rho, ml.shares)])


def shares(fit: SeveralFit, alpha: float = 0.05) -> pd.DataFrame:
    """Shares with standard errors, profile-likelihood intervals and tests of zero.

    Parameters
    ----------
    fit : SeveralFit
        From ``nq.fit(..., combine=True)``.
    alpha : float

    Returns
    -------
    DataFrame
        Per matrix: ``estimate``; ``se`` (NaN at a bound); ``lower``, ``upper``: the shares whose likelihood ratio stays below the
        chi-squared quantile with one degree of freedom, rho and the other shares maximised over; ``boundary``; ``LR``, ``p``: test that the share
        is zero (`share_test`); ``weak``: the interval is the whole of [0, 1].

    Notes
    -----
    Intervals are conservative where other shares lie at zero, and the likelihood ratios of ``correction="score"`` with weights
    that change and unit effects are approximate (no likelihood has that score).
    """
    check_alpha(alpha)
    est, ml = _data(fit)
    assert ml.shares is not None
    limit = float(stats.chi2.isf(alpha, 1))
    found = []
    for m, term in enumerate(est.several.terms):
        value = float(ml.shares[m])
        lower, upper = _end(fit, m, value, 0.0, limit), _end(fit, m, value, 1.0, limit)
        test = share_test(fit, term.name)
        bound = value in (0.0, 1.0)
        found.append(
            (
                value,
                fit.bse.iloc[m - ml.shares.size],
                lower,
                upper,
                bound,
                test.statistic,
                test.pvalue,
                lower == 0 and upper == 1,
            )
        )
    names = [term.name for term in est.several.terms]
    columns = ["estimate", "se", "lower", "upper", "boundary", "LR", "p", "weak"]
    return pd.DataFrame(found, columns=columns, index=pd.Index(names, name="share"))


def likelihood_ratio(fit: SeveralFit, position: int, value: float) -> float:
    """``2 (max L - max L given the share)``; zero at the estimate."""
    return max(0.0, 2.0 * (fit.llf - held_at(fit, position, value).llf))


def _end(fit: SeveralFit, position: int, value: float, edge: float, limit: float) -> float:
    """Where the likelihood ratio crosses the limit between the estimate and an edge of [0, 1]; the edge if it does not."""
    if value == edge or likelihood_ratio(fit, position, edge) <= limit:
        return edge
    return float(optimize.brentq(lambda c: likelihood_ratio(fit, position, c) - limit, value, edge, xtol=1e-6))


def share_test(fit: SeveralFit, name: str, method: str = "mixture", replicates: int = 199, seed: int = 0) -> ShareTest:
    """Likelihood-ratio test that the share of one matrix is zero.

    Parameters
    ----------
    fit : SeveralFit
    name : str
        Name of the matrix.
    method : {"mixture", "bootstrap"}
        ``"mixture"``: half chi-squared with 0 and half with 1 degree of freedom (Self and Liang 1987), for other shares inside the
        simplex. ``"bootstrap"``: the statistic in samples from the restricted fit with normal errors, right also where other
        shares lie at zero, and with few units.
    replicates, seed : int
        Of the bootstrap.
    """
    est, _ = _data(fit)
    names = [term.name for term in est.several.terms]
    if name not in names:
        raise ValueError(f"name={name!r} is no matrix of the combination; they are {', '.join(map(repr, names))}")
    if method not in METHODS:
        raise ValueError(f"method={method!r} is not known; choose one of {', '.join(map(repr, METHODS))}")
    position = names.index(name)
    restricted = held_at(fit, position, 0.0)
    statistic = max(0.0, 2.0 * (fit.llf - restricted.llf))
    null = f"the share of {name} is 0"
    if method == "mixture":
        p = 0.5 * float(stats.chi2.sf(statistic, 1)) if statistic > 1e-8 else 1.0
        return ShareTest(statistic, "mixture of 0 and 1", p, null, method)
    if replicates < 19:
        raise ValueError(f"replicates={replicates}: at least 19 are needed, 199 are usual")
    sampler, rng = Sampler(est, restricted), np.random.default_rng(seed)
    sigma = np.sqrt(
        restricted.sigma2
        * est.likelihood.n
        / ((est.design.shape[0] - est.design.unit) * (est.design.shape[1] - est.design.time))
    )
    reference = np.empty(replicates)
    assert est.data is not None
    for i in range(replicates):
        factor = sampler.factor(sigma * rng.standard_normal(est.design.shape))
        data = replace(est.data, factor=factor)
        whole = fit_combination(data)
        assert whole.shares is not None
        reference[i] = 2.0 * (whole.llf - fit_combination(data, {position: 0.0}, [(whole.rho, whole.shares)]).llf)
    p = (int((reference >= statistic).sum()) + 1) / (replicates + 1)
    return ShareTest(statistic, None, float(p), null, method, replicates)


def dependence(est: SeveralEstimate) -> tuple[float, int, float]:
    """Likelihood ratio of a combination against no spatial term at all: what its shares could multiply; (statistic, df, p).

    The shares do not exist under the hypothesis, so that p by chi-squared with the other parameters is too small, if anything.
    """
    assert est.data is not None
    own, _, y, _ = est.data.blocks()
    q = np.linalg.qr(own)[0] if own.shape[1] else np.empty((y.size, 0))
    rest = y - q @ (q.T @ y)
    n = est.likelihood.n
    llf = -0.5 * n * (np.log(2 * np.pi * (rest @ rest) / n) + 1.0)
    statistic = max(0.0, 2.0 * (est.fit.llf - llf))
    df = 1 + est.data.d
    return statistic, df, float(stats.chi2.sf(statistic, df))


def warn_shares(est: SeveralEstimate) -> None:
    """Say that shares are estimates of nothing where no spatial dependence is found."""
    if est.data is None:
        return
    statistic, df, p = dependence(est)
    if p > 0.05:
        warn(
            f"no spatial dependence is found for the shares to share out (likelihood ratio {statistic:.2f} with {df} degrees of "
            f"freedom, p = {p:.2f}): they are not identified where rho and the lags of the regressors are zero",
            IdentificationWarning,
        )
