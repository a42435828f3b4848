"""What every rule returns about one specification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """The reading of a rule before MULTIVERSE and VERDICTS.

    Attributes
    ----------
    support, contradict : bool
        `support_if` holds in full; `contradict_if` holds.
    clause : bool
        A clause of `support_if` that can be run holds (PARTLY looks at it).
    blocked : str
        Why the rule says "not yet testable" ("" where it does not).
    reason : str
        The comparison in words, with its numbers.
    mde : float or None
        Minimum detectable effect where the rule rests on a standard error.
    """

    support: bool
    contradict: bool
    reason: str
    clause: bool = False
    blocked: str = ""
    mde: float | None = None
