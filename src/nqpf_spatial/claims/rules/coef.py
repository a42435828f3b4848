"""R-COEF and R-MOD: a coefficient, or the product of an interaction, has the stated sign.

Pre-stated: support with the stated sign at `alpha`, contradiction with the opposite sign at `alpha`, otherwise inconclusive with the
minimum detectable effect.

Readings fixed before any verdict was computed:

* Tests are two-sided at `alpha`; the sign is looked at separately. The p-value corrected inside the family decides ("the corrected p
  replaces the raw p in the rule of the claim").
* A part of a criterion that has no sign is one of three other kinds: a *test* holds where its corrected p is below `alpha` and cannot
  contradict (a threshold that is not found is no evidence of the opposite); a *state* holds or does not (a rank, a share of
  specifications) and cannot contradict; a *guard* ("not converging") holds unless the opposite is significant at the raw p, and
  contradicts where it is at the corrected p: a correction must not make a guard easier to pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["sign", "test", "state", "guard"]
KINDS: tuple[Kind, ...] = ("sign", "test", "state", "guard")


@dataclass(frozen=True, slots=True)
class Part:
    """How one number of a criterion reads alone.

    Attributes
    ----------
    support, contradict : bool
        With the corrected p-value.
    along, against : bool
        Significantly in the stated, in the opposite direction at the raw p-value; for criteria that ask for "neither".
    reason : str
    mde : float or None
        Minimum detectable effect.
    """

    support: bool
    contradict: bool
    along: bool
    against: bool
    reason: str
    mde: float | None = None


def direction(
    kind: Kind, sign: int, estimate: float, p: float | None, holds: bool | None, alpha: float
) -> tuple[bool, bool]:
    """Whether a number lies in the stated direction, and whether it does so (or the opposite) significantly at a p-value.

    Parameters
    ----------
    kind : {"sign", "test", "state", "guard"}
    sign : {1, -1}
        Stated sign, or that of what a guard wants absent reversed.
    estimate : float
    p : float or None
        Two-sided; None for a state.
    holds : bool or None
        For a state.
    alpha : float

    Returns
    -------
    (bool, bool)

    Examples
    --------
    >>> direction("sign", -1, -0.3, 0.2, None, 0.05), direction("guard", 1, -0.3, 0.2, None, 0.05)
    ((True, False), (True, False))
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(KINDS)}")
    if kind == "state":
        return bool(holds), bool(holds)
    assert p is not None
    small = p < alpha
    if kind == "test":
        return small, small
    stated = sign * estimate > 0
    if kind == "guard":
        opposite = sign * estimate < 0 and small
        return not opposite, opposite
    return stated, small


def read(
    kind: Kind,
    sign: int,
    estimate: float,
    p: float | None,
    p_corrected: float | None,
    holds: bool | None,
    alpha: float,
    reason: str,
    mde: float | None = None,
) -> Part:
    """Read one number.

    Parameters
    ----------
    kind, sign, estimate, holds, alpha
        See :func:`direction`.
    p, p_corrected : float or None
        Raw and corrected inside the family.
    reason : str
    mde : float or None

    Returns
    -------
    Part
    """
    raw, raw_significant = direction(kind, sign, estimate, p, holds, alpha)
    if kind in ("state", "test"):
        support = raw if kind == "state" else direction(kind, sign, estimate, p_corrected, holds, alpha)[0]
        return Part(support, False, raw, False, reason, mde)
    if kind == "guard":
        contradict = direction(kind, sign, estimate, p_corrected, holds, alpha)[1]
        return Part(raw, contradict, False, raw_significant, reason, mde)
    assert p_corrected is not None
    small = p_corrected < alpha
    against = sign * estimate < 0
    return Part(raw and small, against and small, raw and raw_significant, against and raw_significant, reason, mde)
