"""How a criterion made of clauses is read: on the baseline, and on a variant.

Readings fixed before any verdict was computed:

* A claim brings the p-value of `support_if` into the correction of its family; where its numbers point the other way, that
  of `contradict_if`.
* A variant has the sign of the claim where the signs satisfy `support_if` and `contradict_if` does not hold; it is
  significant where either holds in full at the raw level.
* Criteria that hang on the absence of a trend have no sign: such a variant goes along with the baseline only where the
  same criterion holds in full.
* A clause of `support_if` that holds alone (PARTLY) is one of its "and" parts; an "at least k of" is one clause. It counts
  only while no part of `contradict_if` holds.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.clauses import Adjust, All, AtLeast, Clause, ends, raw

Direction = Literal["support", "contradict"]


def joined(clause: Clause) -> tuple[Clause, ...]:
    """Clauses joined by "and" at the top of a criterion; anything else is one clause."""
    return clause.members if isinstance(clause, All) and not clause.one else (clause,)


def alternatives(clause: Clause) -> tuple[Clause, ...]:
    """Clauses of a contradiction: those joined by "or", or by "and", at its top."""
    if isinstance(clause, AtLeast) and clause.k == 1:
        return clause.members
    return joined(clause)


@dataclass(frozen=True, slots=True)
class Criterion:
    """`support_if` and `contradict_if` of a claim on one specification.

    Attributes
    ----------
    support, contradict : Clause
    by_sign : bool
        Whether a direction is left when significance is dropped; False for claims that nothing moves.
    p_value : float or None
        What the claim brings into the correction of its family where this is not that of `support`.
    """

    support: Clause
    contradict: Clause
    by_sign: bool = True
    p_value: float | None = None

    def keys(self) -> tuple[Hashable, ...]:
        """What was computed, each once, in the order of the clauses."""
        found = [c.key for side in (self.support, self.contradict) for c, _ in ends(side)]
        return tuple(k for k in dict.fromkeys(found) if k is not None)

    def p(self) -> float | None:
        """Raw p-value for the correction of the family."""
        if self.p_value is not None:
            return self.p_value
        own, against = self.support.p(), self.contradict.p()
        if own is None or (against is not None and not self.support.sign()):
            return against
        return own


def decide(criterion: Criterion, adjust: Adjust) -> Outcome:
    """Read a criterion.

    Parameters
    ----------
    criterion : Criterion
    adjust : callable
        Raw p-value -> p-value after the correction of the family; never smaller.

    Returns
    -------
    Outcome

    Examples
    --------
    >>> from nqpf_spatial.claims.rules.clauses import Significant
    >>> up = Significant("up", True, 0.02, 0.05)
    >>> down = Significant("down", False, 0.98, 0.05)
    >>> decide(Criterion(up, down), raw).support, decide(Criterion(up, down), lambda p: 3 * p).support
    (True, False)
    """
    held = [c for c in joined(criterion.support) if c.holds(adjust)]
    against = [c for c in alternatives(criterion.contradict) if c.holds(adjust)]
    parts = [f"{'holds' if c in held else 'fails'}: {c.text(adjust)}" for c in joined(criterion.support)]
    parts += [f"against: {c.text(adjust)}" for c in against]
    own = criterion.support.mde()
    return Outcome(
        support=criterion.support.holds(adjust),
        contradict=criterion.contradict.holds(adjust),
        reason="; ".join(parts),
        clause=bool(held) and not against,
        mde=criterion.contradict.mde() if own is None else own,
    )


def summary(criterion: Criterion) -> str:
    """Which clauses hold at the raw level, by name; those without parts with their numbers.

    Examples
    --------
    >>> from nqpf_spatial.claims.rules.clauses import Fact
    >>> summary(Criterion(All("x", (Fact("a", True), Fact("b", False))), Fact("c", False)))
    'holds: a; fails: b'
    """

    def named(clauses: list[Clause]) -> str:
        return ", ".join(c.name if c.parts() else c.text(raw) for c in clauses)

    groups = {
        "holds": [c for c in joined(criterion.support) if c.holds(raw)],
        "fails": [c for c in joined(criterion.support) if not c.holds(raw)],
        "against": [c for c in alternatives(criterion.contradict) if c.holds(raw)],
    }
    return "; ".join(f"{head}: {named(clauses)}" for head, clauses in groups.items() if clauses)


def of_variant(criterion: Criterion, direction: Direction) -> tuple[bool, bool]:
    """Read a variant for MULTIVERSE: whether it has the claim's sign, and whether it is significant.

    Parameters
    ----------
    criterion : Criterion
        On the variant's specification; raw p-values.
    direction : {"support", "contradict"}
        What the baseline said.

    Returns
    -------
    bool, bool
    """
    support, contradict = criterion.support.holds(raw), criterion.contradict.holds(raw)
    if criterion.by_sign:
        stated = criterion.support.sign() and not contradict
    else:
        stated = support if direction == "support" else not contradict
    return stated, support or contradict
