"""R-MOD: an interaction with the stated sign, and the share of specifications that WU-1.8 asks for.

Pre-stated: stated sign at `alpha` (see :mod:`nqpf_spatial.claims.rules.coef`, which reads it); the model without the interaction is
shown beside.

Readings fixed before any verdict was computed: the share is compared at the four decimals of the register, and the smaller of the
share over runs and the share over variants decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from nqpf_spatial.claims.rules.coef import Part
from nqpf_spatial.claims.rules.multiverse import DECIMALS


def share_of_specifications(
    base: Sequence[bool], counted: Sequence[tuple[str, bool]], need: float
) -> tuple[float, float, Part]:
    """Share of specifications in which the interaction has the stated sign significantly.

    Parameters
    ----------
    base : sequence of bool
        Baselines, each a specification of its own.
    counted : sequence of (str, bool)
        Variant and flag of every counted run.
    need : float
        Share that must be reached.

    Returns
    -------
    float, float, Part
        Share over runs, share over variants, and how it reads: it can support, never contradict.

    Examples
    --------
    >>> by_run, by_variant, part = share_of_specifications([True, True], [("a", True), ("b", False), ("b", True)], 0.6667)
    >>> by_run, by_variant, part.support
    (0.8, 0.875, True)
    """
    if not base:
        raise ValueError("at least one baseline is needed")
    runs = [*base, *(flag for _, flag in counted)]
    by_run = sum(runs) / len(runs)
    own: dict[str, list[bool]] = {}
    for variant, flag in counted:
        own.setdefault(variant, []).append(flag)
    shares = [float(flag) for flag in base] + [sum(flags) / len(flags) for flags in own.values()]
    by_variant = sum(shares) / len(shares)
    holds = round(min(by_run, by_variant), DECIMALS) >= need
    reason = f"{by_run:.3f} of {len(runs)} runs and {by_variant:.3f} over variants, at least {need} needed"
    return by_run, by_variant, Part(holds, False, holds, False, reason)
