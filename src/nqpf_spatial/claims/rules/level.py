"""R-LEVEL: one group of provinces above another.

Pre-stated: permutation test of the province labels (`permutations`, one-sided where `sides` is 1) in the latest year,
p < `alpha`, and the same sign in every year of the window; contradicted where the sign is reversed with p < `alpha`.

Readings fixed before any verdict was computed:

* "First among the blocks" and "above every other block" are one comparison with each other block, all of which must hold;
  "than elsewhere" and "than others" compare with all other provinces together.
* A criterion of a claim that says "at or below", "not first" or "above" without a level is about the difference in the
  latest year as it is; only those that name a level, R-LEVEL or a reversed sign ask for significance.
* Minimum detectable difference at power 0.8: (z[1 - alpha / sides] + z[0.8]) * sd, with sd the standard deviation of the
  difference under random labels, S * sqrt(1/a + 1/b) (S with divisor n - 1; Pitman 1937); as a verdict's single number
  over the standard deviation of the provinces, so that comparisons of several variables have one unit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from nqpf_spatial.claims.rules.clauses import Fact, Significant
from nqpf_spatial.claims.rules.mech import POWER


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of two group means.

    Attributes
    ----------
    name : str
        "East above West in rd_intensity".
    estimate : float
        In the latest year.
    p_above, p_below : float
        One-sided (or doubled, where the rule has two sides).
    same_sign : bool
        The sign of the latest year in every year of the window.
    sd : float
        Standard deviation of the difference under random labels.
    spread : float
        Standard deviation of the provinces compared.
    year : str
        Year, or window of a mean, that decides.
    above, below : int
        Provinces in the two groups.
    """

    name: str
    estimate: float
    p_above: float
    p_below: float
    same_sign: bool
    sd: float
    spread: float
    year: str
    above: int
    below: int
    key: Hashable = None


def random_sd(values: Any, above: int) -> tuple[float, float]:
    """Standard deviation of a difference of means under random labels, and that of the values.

    Parameters
    ----------
    values : sequence of float
        All provinces of the two groups.
    above : int
        Size of the first group.

    Returns
    -------
    float, float

    Examples
    --------
    >>> sd, spread = random_sd([1.0, 2.0, 3.0, 4.0], 2)
    >>> round(sd, 4), round(spread, 4)
    (1.291, 1.291)
    """
    n = len(values)
    if not 0 < above < n:
        raise ValueError(f"two groups are compared; {above} of {n} provinces are in the first")
    mean = sum(values) / n
    spread = sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return spread * sqrt(1.0 / above + 1.0 / (n - above)), spread


def detectable(difference: Difference, parameters: Mapping[str, Any]) -> float:
    """Minimum detectable difference, in the unit of the variable."""
    from scipy.special import ndtri

    reach = ndtri(1.0 - parameters["alpha"] / parameters["sides"]) + ndtri(POWER)
    return float(reach) * difference.sd


def above(d: Difference, parameters: Mapping[str, Any]) -> Significant:
    """R-LEVEL in full: positive, significant, the same sign in every year."""
    relative = detectable(d, parameters) / d.spread if d.spread > 0 else None
    signs = "same sign in every year" if d.same_sign else "not the same sign in every year"
    return Significant(
        name=d.name,
        stated=d.estimate > 0,
        p_value=d.p_above,
        alpha=float(parameters["alpha"]),
        guard=d.same_sign or not parameters["same_sign_every_year"],
        detectable=relative,
        found=f"{d.estimate:+.4g} in {d.year}, {signs}",
        key=d.key,
    )


def reversed_sign(d: Difference, parameters: Mapping[str, Any]) -> Significant:
    """The contradiction of R-LEVEL: the sign reversed with significance in the latest year."""
    return Significant(
        name=f"not {d.name}",
        stated=d.estimate < 0,
        p_value=d.p_below,
        alpha=float(parameters["alpha"]),
        found=f"{d.estimate:+.4g} in {d.year}",
        key=d.key,
    )


def positive(d: Difference) -> Fact:
    """The sign alone in the latest year."""
    return Fact(f"{d.name} by sign: {d.estimate:+.4g} in {d.year}", d.estimate > 0, key=d.key)


def at_or_below(d: Difference) -> Fact:
    """Zero or negative in the latest year."""
    return Fact(f"not {d.name}: {d.estimate:+.4g} in {d.year}", d.estimate <= 0, key=d.key)
