"""Criteria of several parts: "both", "at least 3 of 4", "either", and what they do to variants.

Readings fixed before any verdict was computed:

* `support_if` is a conjunction of clauses: what it joins by "and". "Both", "all" and "at least k of n" stand inside one clause, unless
  the register itself speaks of clauses. A clause is a list of sets of parts; it holds where all parts of one set do.
* The subject of `contradict_if` is that of `support_if` unless it says "either", "a" or "any": "both > 0" against "< 0" needs both.
* PARTLY needs a clause that holds in the baseline after HOLM, passes MULTIVERSE on its own, and no part of `contradict_if`. A clause of
  guards or states alone ("not converging", "largest share") does not earn it: a test that finds nothing would.
* "Negative on neither": a significantly opposite part at the raw p-value blocks support, and the mirror blocks contradiction.
* A variant is judged as a whole: it has the stated sign where the parts that carried the baseline (all parts where the baseline does
  not support) have it; it is significantly opposite where it meets `contradict_if` at the raw p-value. A baseline that contradicts is
  mirrored on the parts that contradicted. A part that a variant does not concern stays at its baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from nqpf_spatial.claims.rules.base import Outcome
from nqpf_spatial.claims.rules.coef import Part

#: sets of parts, any one of which is enough
Sets = tuple[frozenset[str], ...]


def all_of(names: Iterable[str]) -> Sets:
    """All parts.

    Examples
    --------
    >>> [sorted(s) for s in all_of(["a", "b"])]
    [['a', 'b']]
    """
    return (frozenset(names),)


def any_of(names: Iterable[str]) -> Sets:
    """One of the parts.

    Examples
    --------
    >>> [sorted(s) for s in any_of(["a", "b"])]
    [['a'], ['b']]
    """
    return tuple(frozenset([n]) for n in names)


def at_least(k: int, names: Sequence[str]) -> Sets:
    """At least k of the parts.

    Examples
    --------
    >>> [sorted(s) for s in at_least(2, ["a", "b", "c"])]
    [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    if not 1 <= k <= len(names):
        raise ValueError(f"at least {k} of {len(names)} parts cannot be asked for")
    return tuple(frozenset(chosen) for chosen in combinations(names, k))


@dataclass(frozen=True, slots=True)
class Criterion:
    """`support_if` and `contradict_if` of a claim over named parts.

    Attributes
    ----------
    clauses : tuple of Sets
        All of them must hold.
    contradict : Sets
    unopposed : bool
        Support needs no part significantly opposite at the raw p, contradiction none significantly along.
    alternatives : bool
        The sets of a clause are alternatives that the claim names ("or"): it brings the larger p-value of them into its family.
    """

    clauses: tuple[Sets, ...]
    contradict: Sets
    unopposed: bool = False
    alternatives: bool = False

    def only(self, clause: int) -> Criterion:
        """The criterion with one of its clauses."""
        return Criterion((self.clauses[clause],), self.contradict, self.unopposed, self.alternatives)


def fired(sets: Sets, names: frozenset[str]) -> Sets:
    """Sets whose parts are all among the names."""
    return tuple(s for s in sets if s <= names)


def decide(criterion: Criterion, parts: Mapping[str, Part]) -> Outcome:
    """Apply a criterion to its parts.

    Parameters
    ----------
    criterion : Criterion
    parts : mapping of str to Part

    Returns
    -------
    Outcome
        ``clause`` is left to the variants: see :func:`clauses_that_hold`.
    """
    contradicts = bool(_contradicting(criterion, parts))
    holding = clauses_that_hold(criterion, parts)
    several = len(parts) > 1
    reason = "; ".join(_named(name, part) if several else part.reason for name, part in parts.items())
    detectable = [part.mde for part in parts.values() if part.mde is not None]
    return Outcome(
        support=len(holding) == len(criterion.clauses),
        contradict=contradicts,
        reason=reason,
        mde=detectable[0] if len(detectable) == 1 else None,
    )


def _named(name: str, part: Part) -> str:
    """Reason of one of several parts, with its detectable effect."""
    return f"{name}: {part.reason}" + ("" if part.mde is None else f", detectable {part.mde:.4g}")


def clauses_that_hold(criterion: Criterion, parts: Mapping[str, Part]) -> tuple[int, ...]:
    """Positions of the clauses that hold in the baseline."""
    if criterion.unopposed and any(p.against for p in parts.values()):
        return ()
    supporting = frozenset(n for n, p in parts.items() if p.support)
    return tuple(i for i, sets in enumerate(criterion.clauses) if fired(sets, supporting))


def _contradicting(criterion: Criterion, parts: Mapping[str, Part]) -> Sets:
    if criterion.unopposed and any(p.along for p in parts.values()):
        return ()
    return fired(criterion.contradict, frozenset(n for n, p in parts.items() if p.contradict))


def carried(criterion: Criterion, parts: Mapping[str, Part], contradict: bool) -> Criterion:
    """Narrow a criterion to the sets that carried the baseline's reading; variants are judged on them."""
    if contradict:
        return Criterion(
            criterion.clauses, _contradicting(criterion, parts) or criterion.contradict, criterion.unopposed
        )
    supporting = frozenset(n for n, p in parts.items() if p.support)
    clauses = tuple(fired(sets, supporting) or sets for sets in criterion.clauses)
    return Criterion(clauses, criterion.contradict, criterion.unopposed)


def flags(
    criterion: Criterion, signs: Mapping[str, bool], significant: Mapping[str, bool], contradict: bool
) -> tuple[bool, bool]:
    """Whether a variant has the stated sign, and whether what it says is significant.

    Parameters
    ----------
    criterion : Criterion
        As :func:`carried` returns it.
    signs, significant : mapping of str to bool
        Per part of the variant; parts it has not are absent and not asked for.
    contradict : bool
        Whether the baseline contradicted.

    Returns
    -------
    (bool, bool)
    """
    present = frozenset(signs)
    along = frozenset(n for n in present if signs[n])
    strong = frozenset(n for n in present if significant[n])
    opposite = _present(criterion.contradict, present)
    if contradict:
        if fired(opposite, present - along):
            return False, bool(fired(opposite, (present - along) & strong))
        return True, all(s & along & strong for s in opposite)
    clauses = [c for sets in criterion.clauses if (c := _present(sets, present))]
    if all(fired(sets, along) for sets in clauses):
        return True, all(fired(sets, along & strong) for sets in clauses)
    return False, bool(fired(opposite, (present - along) & strong))


def _present(sets: Sets, present: frozenset[str]) -> Sets:
    """Sets without the parts a variant does not have."""
    return tuple(dict.fromkeys(s & present for s in sets if s & present))


def family_p(criterion: Criterion, p: Mapping[str, float | None]) -> float | None:
    """p-value a criterion brings into the correction of its family.

    Parameters
    ----------
    criterion : Criterion
    p : mapping of str to float or None
        Raw, two-sided; None for parts without one.

    Returns
    -------
    float or None
        The largest over clauses; inside a clause the smallest over its sets of the largest in each set (the k-th smallest of "at
        least k"), or the largest where the sets are stated alternatives. None where no part has a p-value.

    Examples
    --------
    >>> family_p(Criterion((at_least(2, ["a", "b", "c"]),), ()), {"a": 0.3, "b": 0.01, "c": 0.04})
    0.04
    """
    found = []
    for sets in criterion.clauses:
        largest = [max(own) for s in sets if (own := [v for n in s if (v := p[n]) is not None])]
        if largest:
            found.append(max(largest) if criterion.alternatives else min(largest))
    return max(found) if found else None
