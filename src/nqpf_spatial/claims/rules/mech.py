"""R-MECH: the stated effect of a panel spatial Durbin model, under the baseline W and across the W set.

Pre-stated: province and year effects, Lee-Yu transformation; the stated effect has the stated sign at `alpha`
with the baseline W and with at least `w_min_agree` of the `w_total` matrices, and is never significantly
opposite. A W flagged as weakly identified is shown but not counted; then at least
`counted_w_agree_share_ge` of the counted W must agree.

Readings fixed before any verdict was computed (the baseline had been estimated once as a check of the estimator):

* Tests are two-sided at `alpha` and the sign is looked at separately.
* The corrected p-value decides what speaks for or against the claim ("the corrected p replaces the raw p in
  the rule of the claim"). The guard "never significantly opposite" uses the raw p-value: a correction must
  not make a guard easier to pass.
* A weakly identified W neither supports nor contradicts, the baseline W included.
* A W of the set that this release cannot build is named; without it the rule cannot support.
* Decisive inference is by draws; delta-method and province-clustered figures are reported beside it.
* Minimum detectable effect at power 0.8: (z[1 - alpha/2] + z[0.8]) * se (Bloom 1995, Evaluation Review 19,
  547-556), at the raw `alpha`, since the correction depends on the other claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.rules.base import Outcome

#: conventional power of a minimum detectable effect; not a threshold of the register, no verdict hangs on it
POWER = 0.8


@dataclass(frozen=True, slots=True)
class EffectUnderW:
    """One stated effect under one weight matrix.

    Attributes
    ----------
    w : str
        Id of the matrix in the register.
    estimate, se : float
    p, p_holm : float
        Two-sided, raw and corrected.
    sd_rho : float
        Standard deviation of the estimator of rho, the measure of weak identification.
    """

    w: str
    estimate: float
    se: float
    p: float
    p_holm: float
    sd_rho: float


def minimum_detectable_effect(se: float, alpha: float, power: float = POWER, df: float | None = None) -> float:
    """Return the smallest effect a two-sided test finds with the given power.

    Parameters
    ----------
    se : float
        Standard error of the effect.
    alpha : float
        Level of the two-sided test.
    power : float
        Probability of rejection wanted.
    df : float, optional
        Degrees of freedom of a t reference; normal without.

    Returns
    -------
    float
        (z[1 - alpha/2] + z[power]) * se, with quantiles of t in the place of z (Bloom 1995) where there are degrees of freedom.

    Examples
    --------
    >>> round(minimum_detectable_effect(1.0, 0.05), 3)
    2.802
    """
    from scipy.stats import norm, t

    reference = norm if df is None else t(df)
    return float((reference.ppf(1.0 - alpha / 2.0) + reference.ppf(power)) * se)


def is_weak(row: EffectUnderW, parameters: Mapping[str, Any]) -> bool:
    """Tell whether a W is weakly identified (sd of rho above `weak_w_sd_rho_gt`)."""
    return row.sd_rho > parameters["weak_w_sd_rho_gt"]


def sign_of(text: str) -> int:
    """Read the sign of a claim.

    Examples
    --------
    >>> sign_of("+"), sign_of("-")
    (1, -1)
    """
    if text not in ("+", "-"):
        raise ValueError(f"the sign of an effect is '+' or '-', given {text!r}")
    return 1 if text == "+" else -1


def _enough(agree: int, counted: int, any_weak: bool, parameters: Mapping[str, Any]) -> tuple[bool, str]:
    """Apply the count of agreeing W: 4 of 7, or 60 percent of the counted ones once some are weak."""
    if any_weak:
        share = parameters["counted_w_agree_share_ge"]
        return counted > 0 and agree >= share * counted, f"at least {share} of the {counted} counted W"
    return agree >= parameters["w_min_agree"], f"at least {parameters['w_min_agree']} of {parameters['w_total']} W"


@dataclass(frozen=True, slots=True)
class Sides:
    """Matrices that count, and which of them agree with the stated sign or are significantly opposite."""

    weak: tuple[str, ...]
    counted: tuple[str, ...]
    agree: tuple[str, ...]
    opposite: tuple[str, ...]


def sides(rows: Sequence[EffectUnderW], sign: int, parameters: Mapping[str, Any]) -> Sides:
    """Sort the matrices: agreement by the corrected p-value, opposition by the raw one.

    Parameters
    ----------
    rows : sequence of EffectUnderW
    sign : {1, -1}
        Stated sign.
    parameters : mapping
        ``alpha`` and ``weak_w_sd_rho_gt`` of the rule.

    Returns
    -------
    Sides
    """
    alpha = parameters["alpha"]
    weak = tuple(row.w for row in rows if is_weak(row, parameters))
    counted = [row for row in rows if row.w not in weak]
    return Sides(
        weak=weak,
        counted=tuple(row.w for row in counted),
        agree=tuple(row.w for row in counted if sign * row.estimate > 0 and row.p_holm < alpha),
        opposite=tuple(row.w for row in counted if sign * row.estimate < 0 and row.p < alpha),
    )


def boundary_note(found: Sides, ends: Sequence[str]) -> str:
    """Say which matrices put rho at an end of its interval, and what the counts would be without them.

    Such fits stay counted: the rule, fixed beforehand, has no exclusion for them.

    Parameters
    ----------
    found : Sides
    ends : sequence of str
        Matrices whose likelihood is highest at an end of the admissible interval.

    Returns
    -------
    str
        "" where there is none.

    Examples
    --------
    >>> boundary_note(Sides((), ("a", "b", "c"), ("a", "b"), ()), ["b"]).rpartition(". ")[2]
    'Without them 1 of 2 counted W would agree, not 2 of 3'
    """
    if not ends:
        return ""
    roles = {
        "agreeing": [w for w in ends if w in found.agree],
        "significantly opposite": [w for w in ends if w in found.opposite],
        "weakly identified and not counted anyway": [w for w in ends if w in found.weak],
    }
    named = [w for own in roles.values() for w in own]
    roles["neither"] = [w for w in ends if w not in named]
    said = "; ".join(f"{role}: {', '.join(own)}" for role, own in roles.items() if own)
    left = sum(w not in ends for w in found.agree), sum(w not in ends for w in found.counted)
    return (
        f"rho is at an end of its admissible interval, where no covariance exists ({said}); the rule has no exclusion for such fits, "
        f"they are counted. Without them {left[0]} of {left[1]} counted W would agree, "
        f"not {len(found.agree)} of {len(found.counted)}"
    )


def decide(rows: Sequence[EffectUnderW], w_set: Sequence[str], sign: int, parameters: Mapping[str, Any]) -> Outcome:
    """Apply R-MECH to one stated effect.

    Parameters
    ----------
    rows : sequence of EffectUnderW
        One per matrix that could be built, the baseline W among them.
    w_set : sequence of str
        Ids of the whole set the rule asks for.
    sign : {1, -1}
        Stated sign.
    parameters : mapping
        ``alpha``, ``baseline_w``, ``w_min_agree``, ``w_total``, ``weak_w_sd_rho_gt`` and
        ``counted_w_agree_share_ge`` of the rule.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If the baseline W is not among the rows: the rule has no reading without it.
    """
    alpha = parameters["alpha"]
    by_w = {row.w: row for row in rows}
    if parameters["baseline_w"] not in by_w:
        raise ValueError(f"R-MECH needs the baseline W {parameters['baseline_w']!r}; given {', '.join(by_w) or 'none'}")
    base = by_w[parameters["baseline_w"]]
    found = sides(rows, sign, parameters)
    missing = [w for w in w_set if w not in by_w]
    enough, needed = _enough(len(found.agree), len(found.counted), bool(found.weak), parameters)
    base_holds = base.w in found.agree
    contradict = base.w not in found.weak and sign * base.estimate < 0 and base.p_holm < alpha
    reason = f"{base.w}: {base.estimate:.4g} (p {base.p:.3g}, corrected {base.p_holm:.3g})"
    reason += f"; {len(found.agree)} of {len(found.counted)} counted W agree, {needed} needed"
    reason += (
        f"; significantly opposite: {', '.join(found.opposite)}" if found.opposite else "; none significantly opposite"
    )
    reason += f"; weakly identified, not counted: {', '.join(found.weak)}" if found.weak else ""
    reason += f"; not available in this release: {', '.join(missing)}" if missing else ""
    return Outcome(
        support=base_holds and enough and not found.opposite and not missing,
        contradict=contradict,
        reason=reason,
        mde=minimum_detectable_effect(base.se, alpha),
    )
