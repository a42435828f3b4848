"""What two articles assert about new quality productive forces and regions, put to the test.

``load()`` returns the register, ``show("WU-1.3")`` one claim, ``run(["WU-M4"])`` its verdict. The rules were
fixed in the register before the data were looked at; see ``load().meta["disclosure"]`` for the exceptions.
"""

from __future__ import annotations

from nqpf_spatial.claims.context import SEED
from nqpf_spatial.claims.display import Card
from nqpf_spatial.claims.evaluate import READINGS
from nqpf_spatial.claims.exhibits import figures, reason_zh, tables
from nqpf_spatial.claims.record import Evidence, Holm, Multiverse, VariantResult, Verdict
from nqpf_spatial.claims.register import Claim, Register, Rule, load
from nqpf_spatial.claims.runner import run

__all__ = [
    "READINGS",
    "SEED",
    "Card",
    "Claim",
    "Evidence",
    "Holm",
    "Multiverse",
    "Register",
    "Rule",
    "VariantResult",
    "Verdict",
    "figures",
    "load",
    "reason_zh",
    "run",
    "show",
    "tables",
]


def show(claim_id: str) -> Card:
    """Show one claim of the register.

    Parameters
    ----------
    claim_id : str
        For instance "WU-1.3".

    Returns
    -------
    Card

    Examples
    --------
    >>> from nqpf_spatial import claims
    >>> print(claims.show("WU-P8"))
    WU-P8 (Wu Haijin, 2024; core, policy-fact)
      says             There are eight core computing hubs.
      ...
    """
    return load().show(claim_id)
