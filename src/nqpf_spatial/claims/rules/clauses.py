"""Clauses: what the criteria of the register are made of.

A criterion (`support_if`, `contradict_if`) is a tree: significant comparisons and trends at its ends, "all of", "at
least k of" and "not" above them. `criterion` reads such trees.

Readings fixed before any verdict was computed:

* What must be significant is judged by the corrected p-value, for and against the claim. What must *not* be significant
  (stable, not converging, none of) is judged by the raw one: a correction must not make a guard easier to pass.
* The p-value of a clause is the smallest level at which it holds; 1 where its sign, its size or its guard fails, since
  it then holds at no level. "All of" brings the largest of its parts, "at least k of" the k-th smallest.
* The sign of a clause drops significance and size and keeps the direction.
* Minimum detectable effects combine like p-values: the largest where all must hold, the k-th smallest where k must.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from nqpf_spatial.claims.rules.holm import step_down

Adjust = Callable[[float], float]


def raw(p: float) -> float:
    """Leave a p-value as it is."""
    return p


class Clause:
    """A statement that holds or not, given how p-values are corrected."""

    __slots__ = ()
    name: str
    #: what was computed, so that records find it again; None where nothing was
    key: Hashable

    def holds(self, adjust: Adjust) -> bool:
        """Whether the statement holds with corrected p-values."""
        raise NotImplementedError

    def sign(self) -> bool:
        """Whether its numbers point the stated way, significant or not."""
        raise NotImplementedError

    def p(self) -> float | None:
        """Smallest level at which it holds (1: at none; None: no test)."""
        return None

    def mde(self) -> float | None:
        """Minimum detectable effect, None where there is no standard error."""
        return None

    def parts(self) -> tuple[Clause, ...]:
        """Clauses it is made of."""
        return ()

    def text(self, adjust: Adjust) -> str:
        """The comparison in words."""
        return self.name


@dataclass(frozen=True, slots=True)
class Significant(Clause):
    """A test whose sign is stated.

    Attributes
    ----------
    stated : bool
        The number has the stated sign.
    p_value, alpha : float
        One- or two-sided, as the rule says.
    guard : bool
        What the rule asks for besides (the same sign in every year).
    detectable : float or None
    found : str
        The number in words.
    key : hashable
        What was computed, so that records find it again.
    """

    name: str
    stated: bool
    p_value: float
    alpha: float
    guard: bool = True
    detectable: float | None = None
    found: str = ""
    key: Hashable = None

    def holds(self, adjust: Adjust) -> bool:
        """Stated sign, guard, and significance."""
        return self.stated and self.guard and adjust(self.p_value) < self.alpha

    def sign(self) -> bool:
        """Whether the number has the stated sign."""
        return self.stated

    def p(self) -> float:
        """The p-value; 1 where sign or guard fails."""
        return self.p_value if self.stated and self.guard else 1.0

    def mde(self) -> float | None:
        """Minimum detectable effect."""
        return self.detectable

    def text(self, adjust: Adjust) -> str:
        """Name, number, p-values."""
        found = f" {self.found}," if self.found else ""
        return f"{self.name}:{found} p {self.p_value:.3g}, corrected {adjust(self.p_value):.3g}"


@dataclass(frozen=True, slots=True)
class Fact(Clause):
    """A comparison without a test: a share above another, a correlation above a threshold.

    Attributes
    ----------
    true : bool
    points : bool or None
        The direction alone, where the statement also asks for a size; by default the statement itself.
    """

    name: str
    true: bool
    points: bool | None = None
    key: Hashable = None

    def holds(self, adjust: Adjust) -> bool:
        """Whether the comparison holds."""
        return self.true

    def sign(self) -> bool:
        """Whether its direction holds."""
        return self.true if self.points is None else self.points


@dataclass(frozen=True, slots=True)
class Not(Clause):
    """The absence of something that would be significant; judged by raw p-values."""

    name: str
    part: Clause
    key: Hashable = None

    def holds(self, adjust: Adjust) -> bool:
        """Whether the part fails at the raw level."""
        return not self.part.holds(raw)

    def sign(self) -> bool:
        """The same: an absence has no direction."""
        return not self.part.holds(raw)

    def parts(self) -> tuple[Clause, ...]:
        """What must be absent."""
        return (self.part,)

    def text(self, adjust: Adjust) -> str:
        """Name and what must be absent, with raw p-values."""
        return f"{self.name} [{self.part.text(raw)}]"


@dataclass(frozen=True, slots=True)
class AtLeast(Clause):
    """At least k of several clauses."""

    name: str
    k: int
    members: tuple[Clause, ...]
    key: Hashable = None

    def __post_init__(self) -> None:
        """Refuse a count that no outcome can meet."""
        if not 1 <= self.k <= len(self.members):
            raise ValueError(f"{self.name}: at least {self.k} of {len(self.members)} clauses cannot be asked for")

    def holds(self, adjust: Adjust) -> bool:
        """Whether enough members hold."""
        return sum(m.holds(adjust) for m in self.members) >= self.k

    def sign(self) -> bool:
        """Whether enough members point the stated way."""
        return sum(m.sign() for m in self.members) >= self.k

    def p(self) -> float | None:
        """The k-th smallest; None where fewer members have one."""
        return _kth([m.p() for m in self.members], self.k)

    def mde(self) -> float | None:
        """The k-th smallest; None where fewer members have one."""
        return _kth([m.mde() for m in self.members], self.k)

    def parts(self) -> tuple[Clause, ...]:
        """The members."""
        return self.members

    def text(self, adjust: Adjust) -> str:
        """Count and members."""
        held = sum(m.holds(adjust) for m in self.members)
        inside = "; ".join(m.text(adjust) for m in self.members)
        return f"{self.name}: {held} of {len(self.members)}, at least {self.k} needed [{inside}]"


@dataclass(frozen=True, slots=True)
class All(Clause):
    """All of several clauses.

    Attributes
    ----------
    one : bool
        The members are one clause of the criterion: none of them counts alone.
    """

    name: str
    members: tuple[Clause, ...]
    one: bool = False
    key: Hashable = None

    def holds(self, adjust: Adjust) -> bool:
        """Whether every member holds."""
        return all(m.holds(adjust) for m in self.members)

    def sign(self) -> bool:
        """Whether every member points the stated way."""
        return all(m.sign() for m in self.members)

    def p(self) -> float | None:
        """The largest of those that exist."""
        return max((p for m in self.members if (p := m.p()) is not None), default=None)

    def mde(self) -> float | None:
        """The largest of those that exist."""
        return max((e for m in self.members if (e := m.mde()) is not None), default=None)

    def parts(self) -> tuple[Clause, ...]:
        """The members."""
        return self.members

    def text(self, adjust: Adjust) -> str:
        """Members, joined."""
        return f"{self.name} [{'; '.join(m.text(adjust) for m in self.members)}]"


@dataclass(frozen=True, slots=True)
class Corrected(Clause):
    """A clause whose p-value was corrected inside the claim before the family's correction.

    Attributes
    ----------
    part : Clause
    p_value : float
        After the inner correction; 1 where the part holds at no level.
    alpha : float
    """

    name: str
    part: Clause
    p_value: float
    alpha: float
    key: Hashable = None

    def holds(self, adjust: Adjust) -> bool:
        """Whether it is significant after both corrections."""
        return adjust(self.p_value) < self.alpha

    def sign(self) -> bool:
        """Whether the part points the stated way."""
        return self.part.sign()

    def p(self) -> float:
        """The p-value after the inner correction."""
        return self.p_value

    def mde(self) -> float | None:
        """That of the part."""
        return self.part.mde()

    def parts(self) -> tuple[Clause, ...]:
        """The clause that was corrected."""
        return (self.part,)

    def text(self, adjust: Adjust) -> str:
        """Name, p-value after the inner and after both corrections."""
        p = f"p {self.p_value:.3g} inside the claim, corrected {adjust(self.p_value):.3g}"
        return f"{self.name}: {p} [{self.part.text(raw)}]"


def holm_within(
    up: Sequence[Clause], down: Sequence[Clause], alpha: float
) -> tuple[tuple[Corrected, ...], tuple[Corrected, ...]]:
    """Correct the parts of a claim among themselves (Holm 1979), each part two-sided.

    Parameters
    ----------
    up, down : sequence of Clause
        The two directions of each part, in the same order.
    alpha : float

    Returns
    -------
    tuple of Corrected, tuple of Corrected
        A part brings its smaller p-value; the other direction is at no level.

    Examples
    --------
    >>> ups = [Significant(n, True, p, 0.05) for n, p in (("a", 0.01), ("b", 0.03))]
    >>> downs = [Significant(n, False, 1.0, 0.05) for n in ("a", "b")]
    >>> [round(c.p(), 4) for c in holm_within(ups, downs, 0.05)[0]]
    [0.02, 0.03]
    """
    pairs = [(u.p(), d.p()) for u, d in zip(up, down, strict=True)]
    one = [(1.0 if u is None else u, 1.0 if d is None else d) for u, d in pairs]
    inner = step_down([min(pair) for pair in one])
    upward = tuple(
        Corrected(c.name, c, q if u < d else 1.0, alpha) for c, q, (u, d) in zip(up, inner, one, strict=True)
    )
    downward = tuple(
        Corrected(c.name, c, q if d < u else 1.0, alpha) for c, q, (u, d) in zip(down, inner, one, strict=True)
    )
    return upward, downward


def some(name: str, members: Sequence[Clause]) -> AtLeast:
    """At least one of several clauses.

    Examples
    --------
    >>> some("one", [Fact("a", False), Fact("b", True)]).holds(raw)
    True
    """
    return AtLeast(name, 1, tuple(members))


def _kth(values: Sequence[float | None], k: int) -> float | None:
    present = sorted(v for v in values if v is not None)
    return present[k - 1] if len(present) >= k else None


def ends(clause: Clause, positive: bool = True) -> Iterator[tuple[Clause, bool]]:
    """Clauses that are made of no others, each with whether it must hold (True) or must be absent."""
    if isinstance(clause, Not):
        yield from ends(clause.part, not positive)
    elif clause.parts():
        for part in clause.parts():
            yield from ends(part, positive)
    else:
        yield clause, positive
