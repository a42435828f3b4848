"""VERDICTS: the seven words and the order in which they are decided.

The order is the register's. Readings fixed before any verdict was computed:

* "Baseline" in MULTIVERSE and MIXED means the rule of the claim, in full, on the baseline specification.
* CONTRADICTED needs MULTIVERSE not to turn it, that is, the mirrored shares must hold; where they do not,
  the verdict is MIXED ("otherwise" of MULTIVERSE).
* A claim with stated alternatives ("direct or total") is decided for each, and the first word in the order
  that any of them reaches is the word of the claim: a contradiction of one outranks the support of another.
* A claim with testability partial that would be SUPPORTED is PARTLY (`partial_cap`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nqpf_spatial.claims.record import Multiverse
from nqpf_spatial.claims.register import Register
from nqpf_spatial.claims.rules.base import Outcome

#: the words in the order of decision (a test compares it with the register's)
ORDER = (
    "NOT TESTABLE",
    "NOT YET TESTABLE",
    "CONTRADICTED",
    "SUPPORTED",
    "MIXED",
    "PARTLY",
    "INCONCLUSIVE",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A word of the vocabulary and why."""

    word: str
    reason: str


def without_data(rule: str, testability: str) -> str | None:
    """Return the word that follows from the register alone, or None where the data must speak.

    Examples
    --------
    >>> without_data("R-NONE", "not-testable"), without_data("R-DID", "needs-data")
    ('NOT TESTABLE', 'NOT YET TESTABLE')
    """
    if rule == "R-NONE":
        return "NOT TESTABLE"
    return "NOT YET TESTABLE" if testability == "needs-data" else None


def decide(outcome: Outcome, multiverse: Multiverse, testability: str, register: Register) -> Decision:
    """Turn the outcome of a rule and its variants into a word.

    Parameters
    ----------
    outcome : Outcome
        Of the rule on the baseline.
    multiverse : Multiverse
        Shares of the variants, in the direction of the baseline.
    testability : str
        Of the claim: "partial" caps the word.
    register : Register
        Holds the cap.

    Returns
    -------
    Decision
    """
    if outcome.blocked:
        return Decision("NOT YET TESTABLE", outcome.blocked)
    both = f"{outcome.reason}. Variants: {multiverse.reason}"
    if outcome.contradict and multiverse.agrees:
        return Decision("CONTRADICTED", both)
    if outcome.support and multiverse.agrees:
        if testability == "partial":
            return Decision(register.threshold("VERDICTS", "partial_cap"), f"{both}. Some clauses have no data")
        return Decision("SUPPORTED", both)
    if outcome.support or outcome.contradict:
        return Decision("MIXED", both)
    if outcome.clause:
        return Decision("PARTLY", both)
    detectable = "" if outcome.mde is None else f". Minimum detectable effect {outcome.mde:.4g}"
    return Decision("INCONCLUSIVE", both + detectable)


def first(decisions: Sequence[tuple[str, Decision]]) -> Decision:
    """Return the decision that comes first in the order, among the alternatives of a claim.

    Parameters
    ----------
    decisions : sequence of (str, Decision)
        Name of the alternative and its decision; the reason of all is kept.

    Returns
    -------
    Decision

    Examples
    --------
    >>> first([("direct", Decision("INCONCLUSIVE", "a")), ("total", Decision("SUPPORTED", "b"))])
    Decision(word='SUPPORTED', reason='direct: INCONCLUSIVE (a) | total: SUPPORTED (b)')
    """
    if not decisions:
        raise ValueError("a claim has at least one alternative to decide")
    if len(decisions) == 1:
        return decisions[0][1]
    word = min((d.word for _, d in decisions), key=ORDER.index)
    return Decision(word, " | ".join(f"{name}: {d.word} ({d.reason})" for name, d in decisions))
