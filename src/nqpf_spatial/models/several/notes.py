"""What a reader of a fit with several or changing weights must know beside the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from nqpf_spatial.kernels.combination import profile
from nqpf_spatial.models.several.estimate import SeveralEstimate

if TYPE_CHECKING:
    from nqpf_spatial.models.several.results import SeveralFit

#: standard error of a coefficient of a lag, or of a share, above which a fit says so
WEAK = 0.25


def several_notes(fit: SeveralFit) -> list[str]:
    """The matrices, what is averaged, what is weak, which shares lie at a bound."""
    est, bse = fit.several, fit.bse
    lines = [f"W {term.label()}" for term in est.several.all()]
    if est.changing:
        distinct = int(est.lag.share.size) if est.lag is not None else 0
        lines.append(
            f"W changes over time ({distinct} distinct in {est.design.shape[0]} periods): impacts are averages over the periods"
        )
    spatial = [name for name in est.spatial_names if np.isfinite(bse[name]) and bse[name] > WEAK]
    lines += [
        f"{name} is weakly identified (standard error {bse[name]:.2f})"
        + (": see .shares()" if name.startswith("share:") else "")
        for name in spatial
    ]
    if est.ml.shares is not None:
        names = [term.name for term in est.several.terms]
        zero = [name for name, share in zip(names, est.ml.shares, strict=True) if share == 0.0]
        if zero:
            lines.append(
                f"at the bound 0: share of {', '.join(zero)}; no normal interval there, and the other standard errors take it as "
                "given: see .shares() and .share_test()"
            )
        lines += [
            f"the data do not tell the share of {name}: 0 and 1 both lie in its 95 % profile interval"
            for name in untold(est)
        ]
    return lines


def untold(est: SeveralEstimate) -> list[str]:
    """Matrices whose share may be nothing or everything: both ends lose less likelihood than the 95 % quantile.

    By the lattice of the estimate, which holds the corners and points of every face: what it finds is so, what it does not may still
    be in `shares`.
    """
    assert est.data is not None
    value, _ = profile(est.data)
    n = est.likelihood.n
    best = est.fit.llf - 0.5 * n * (np.log(n / (2 * np.pi)) - 1.0)
    found = []
    for m, term in enumerate(est.several.terms):
        at = [value[est.data.points[:, m] == end].max() for end in (0.0, 1.0)]
        if 2.0 * (best - min(at)) <= stats.chi2.isf(0.05, 1):
            found.append(term.name)
    return found
