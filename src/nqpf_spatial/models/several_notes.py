"""What a reader of a fit with several or changing weights must know beside the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nqpf_spatial.models.several_results import SeveralFit

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
    return lines
