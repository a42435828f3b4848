"""R-TREND: is a dispersion, gap or share rising, falling or stable?

Pre-stated: Theil-Sen slope of ln D on year, Mann-Kendall p with the Hamed-Rao correction, change = fitted end over
fitted start minus one. DIVERGING where p < `alpha` and change >= `diverging_change_pct_ge`, CONVERGING where p < `alpha`
and change <= `converging_change_pct_le`, STABLE otherwise; at least `min_measures_agreeing` of `measures_total`
measures must carry the label.

Readings fixed before any verdict was computed:

* Where fewer than `measures_total` measures exist all of them must agree: one for a share, a mean or a ratio, two for
  polarisation.
* "Rising" and "falling" of a share are the same two labels.
* Minimum detectable change at power 0.8: exp((z[1 - alpha/2] + z[0.8]) * se * span) - 1 with se the half-width of Sen's
  (1968) interval of the Theil-Sen slope over z[1 - alpha/2], and not less than the size the label asks for. Sen's
  interval assumes independent observations, so that a persistent series can hide more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Literal

from nqpf_spatial.claims.rules.clauses import Adjust, Clause, raw
from nqpf_spatial.claims.rules.mech import POWER

Label = Literal["DIVERGING", "CONVERGING", "STABLE"]


@dataclass(frozen=True, slots=True)
class Measure:
    """Trend of one annual series.

    Attributes
    ----------
    name : str
        Measure ("cv", "gini", "share").
    change_pct : float
        Fitted end over fitted start minus one, percent.
    p : float
        Mann-Kendall, two-sided.
    slope : float
        Theil-Sen slope of the logarithm per year.
    lower_pct, upper_pct : float
        Change at the ends of Sen's interval of the slope.
    statistic : float
        Mann-Kendall Z.
    detectable_pct : float
        Minimum detectable change, percent.
    n : int
        Years.
    note : str
        What the test did ("Hamed-Rao factor ...").
    """

    name: str
    change_pct: float
    p: float
    slope: float
    lower_pct: float
    upper_pct: float
    statistic: float
    detectable_pct: float
    n: int
    note: str = ""


def label_of(change_pct: float, p: float, parameters: Mapping[str, Any]) -> Label:
    """Label one series.

    Examples
    --------
    >>> numbers = {"alpha": 0.05, "diverging_change_pct_ge": 5, "converging_change_pct_le": -5}
    >>> [label_of(c, p, numbers) for c, p in ((5.0, 0.04), (5.0, 0.05), (4.9, 0.01), (-5.0, 0.01))]
    ['DIVERGING', 'STABLE', 'STABLE', 'CONVERGING']
    """
    if p < parameters["alpha"] and change_pct >= parameters["diverging_change_pct_ge"]:
        return "DIVERGING"
    if p < parameters["alpha"] and change_pct <= parameters["converging_change_pct_le"]:
        return "CONVERGING"
    return "STABLE"


def needed(measures: int, parameters: Mapping[str, Any]) -> int:
    """How many measures must carry the label.

    Examples
    --------
    >>> [needed(n, {"min_measures_agreeing": 3, "measures_total": 4}) for n in (4, 2, 1)]
    [3, 2, 1]
    """
    return int(parameters["min_measures_agreeing"]) if measures == parameters["measures_total"] else measures


def joint_label(measures: Sequence[Measure], parameters: Mapping[str, Any], adjust: Adjust = raw) -> Label:
    """Label that enough measures carry, STABLE otherwise."""
    labels = [label_of(m.change_pct, adjust(m.p), parameters) for m in measures]
    for label in ("DIVERGING", "CONVERGING"):
        if labels.count(label) >= needed(len(measures), parameters):  # type: ignore[arg-type]
            return label  # type: ignore[return-value]
    return "STABLE"


def detectable_change(se: float, span: float, parameters: Mapping[str, Any]) -> float:
    """Minimum detectable change in percent for a standard error of the slope of ln D and a span in years.

    Examples
    --------
    >>> numbers = {"alpha": 0.05, "diverging_change_pct_ge": 5}
    >>> round(detectable_change(0.01, 11, numbers), 1), detectable_change(0.0, 11, numbers)
    (36.1, 5.0)
    """
    from scipy.special import ndtri

    reach = (ndtri(1.0 - parameters["alpha"] / 2.0) + ndtri(POWER)) * se
    return max(100.0 * (exp(float(reach) * span) - 1.0), float(parameters["diverging_change_pct_ge"]))


@dataclass(frozen=True, slots=True)
class Trend(Clause):
    """A series carries a label.

    Attributes
    ----------
    wanted : {"DIVERGING", "CONVERGING"}
    measures : tuple of Measure
    parameters : mapping
        Of R-TREND.
    """

    name: str
    wanted: Label
    measures: tuple[Measure, ...]
    parameters: Mapping[str, Any]
    key: Hashable = None

    def holds(self, adjust: Adjust) -> bool:
        """Whether enough measures carry the label."""
        return joint_label(self.measures, self.parameters, adjust) == self.wanted

    def _toward(self, of: Callable[[Measure], bool]) -> list[Measure]:
        return [m for m in self.measures if of(m)]

    def sign(self) -> bool:
        """Whether enough measures move the stated way."""
        way = 1 if self.wanted == "DIVERGING" else -1
        return len(self._toward(lambda m: way * m.change_pct > 0)) >= needed(len(self.measures), self.parameters)

    def p(self) -> float:
        """Smallest level at which enough measures of sufficient size carry the label."""
        big = self._toward(lambda m: label_of(m.change_pct, 0.0, self.parameters) == self.wanted)
        k = needed(len(self.measures), self.parameters)
        return sorted(m.p for m in big)[k - 1] if len(big) >= k else 1.0

    def mde(self) -> float:
        """Change that enough measures would detect, percent."""
        return sorted(m.detectable_pct for m in self.measures)[needed(len(self.measures), self.parameters) - 1]

    def middle(self) -> float:
        """Median change over the measures, percent."""
        changes = sorted(m.change_pct for m in self.measures)
        half = len(changes) // 2
        return changes[half] if len(changes) % 2 else (changes[half - 1] + changes[half]) / 2.0

    def text(self, adjust: Adjust) -> str:
        """Name, label, measures behind it."""
        label = joint_label(self.measures, self.parameters, adjust)
        k = needed(len(self.measures), self.parameters)
        p = sorted(m.p for m in self.measures)[k - 1]
        corrected = "" if adjust(p) == p else f", corrected {adjust(p):.3g}"
        return f"{self.name} {label} ({self.middle():+.1f} %, p {p:.3g}{corrected})"


@dataclass(frozen=True, slots=True)
class Moving(Clause):
    """A series carries either label: it is not STABLE."""

    name: str
    measures: tuple[Measure, ...]
    parameters: Mapping[str, Any]
    key: Hashable = None

    def toward(self, wanted: Label) -> Trend:
        """The same series with one label."""
        return Trend(self.name, wanted, self.measures, self.parameters, self.key)

    def holds(self, adjust: Adjust) -> bool:
        """Whether enough measures carry the same label."""
        return joint_label(self.measures, self.parameters, adjust) != "STABLE"

    def sign(self) -> bool:
        """Whether enough measures move the same way."""
        return self.toward("DIVERGING").sign() or self.toward("CONVERGING").sign()

    def p(self) -> float:
        """Smallest level at which the series is not STABLE."""
        return min(self.toward("DIVERGING").p(), self.toward("CONVERGING").p())

    def mde(self) -> float:
        """Change that enough measures would detect, percent."""
        return self.toward("DIVERGING").mde()

    def text(self, adjust: Adjust) -> str:
        """Name, label, measures behind it."""
        return self.toward("DIVERGING").text(adjust)
