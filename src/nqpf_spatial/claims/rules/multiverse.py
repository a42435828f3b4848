"""MULTIVERSE: does the baseline's reading survive the variants?

Pre-stated: the same sign in at least `same_sign_share_ge` of the variants, significantly opposite in at most
`significantly_opposite_share_le`; mirrored for a contradiction.

Readings fixed before any verdict was computed:

* A variant is an entry of the register's list. One that needs several runs (three other digital series, six
  other matrices) contributes the share of its runs; shares over single runs stand beside, not deciding.
* A variant that cannot be run is in no share and is listed with its reason. Where variants are stated and
  none that counts could be run, nothing is established: the variants do not agree.
* A claim that states no variant has nothing to fail: the variants agree.
* The register writes 2/3 and 1/6 with four decimals; shares are compared at four decimals, so that two of
  three is "at least 2/3".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from nqpf_spatial.claims.record import Multiverse, VariantResult

#: decimals of the two thresholds as the register writes them
DECIMALS = 4


def _by_variant(rows: Sequence[VariantResult], flags: Sequence[bool]) -> float:
    """Average a flag inside each variant, then over variants."""
    shares: dict[str, list[bool]] = {}
    for row, flag in zip(rows, flags, strict=True):
        shares.setdefault(row.variant, []).append(flag)
    return sum(sum(own) / len(own) for own in shares.values()) / len(shares)


def judge(
    rows: Sequence[VariantResult],
    direction: Literal["support", "contradict"],
    parameters: Mapping[str, Any],
    alternative: str = "",
) -> Multiverse:
    """Compute the shares of the variants and compare them with the two thresholds.

    Parameters
    ----------
    rows : sequence of VariantResult
        All specifications of all variants of the claim, those not run included.
    direction : {"support", "contradict"}
        What the baseline said; "contradict" mirrors the shares.
    parameters : mapping
        ``same_sign_share_ge`` and ``significantly_opposite_share_le``.
    alternative : str
        Which stated alternative of the claim the rows speak to.

    Returns
    -------
    Multiverse
    """
    counted = [r for r in rows if r.ran and r.counts]
    absent = tuple(dict.fromkeys(r.variant for r in rows if not r.ran))
    if not counted:
        agrees = not any(r.counts for r in rows)
        reason = "the claim states no variant that counts" if agrees else "no variant that counts could be run"
        return Multiverse(direction, agrees, None, None, None, None, 0, 0, absent, alternative, reason)
    along = [bool(r.stated_sign) == (direction == "support") for r in counted]
    against = [bool(r.significant) and not a for r, a in zip(counted, along, strict=True)]
    same, opposite = _by_variant(counted, along), _by_variant(counted, against)
    need, limit = parameters["same_sign_share_ge"], parameters["significantly_opposite_share_le"]
    agrees = round(same, DECIMALS) >= need and round(opposite, DECIMALS) <= limit
    n_variants = len({r.variant for r in counted})
    reason = (
        f"same sign in {same:.3f} of {n_variants} counted variants (at least {need} needed), significantly "
        f"opposite in {opposite:.3f} (at most {limit})"
    )
    return Multiverse(
        direction=direction,
        agrees=agrees,
        same_share=same,
        opposite_share=opposite,
        same_share_specifications=sum(along) / len(along),
        opposite_share_specifications=sum(against) / len(against),
        variants_counted=n_variants,
        specifications_counted=len(counted),
        variants_not_run=absent,
        alternative=alternative,
        reason=reason,
    )
