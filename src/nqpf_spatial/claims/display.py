"""Readable cards of claims and verdicts: plain text in a terminal, tables in Jupyter."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nqpf_spatial.claims.record import Verdict
    from nqpf_spatial.claims.register import Claim, Register

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Card:
    """A titled list of (name, text) rows that prints itself.

    Examples
    --------
    >>> print(Card("WU-0.0", (("says", "a short text"),)))
    WU-0.0
      says  a short text
    """

    title: str
    rows: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        margin = 2 + max((len(name) for name, _ in self.rows), default=0) + 2
        lines = [self.title]
        for name, text in self.rows:
            head = f"  {name:<{margin - 4}}  "
            lines += textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * margin) or [head.rstrip()]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><th style="text-align:left;vertical-align:top">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(text)}</td></tr>'
            for name, text in self.rows
        )
        return f"<table><caption><b>{html.escape(self.title)}</b></caption><tbody>{cells}</tbody></table>"


def _words(value: Any) -> str:
    """Write plain register data as text.

    Examples
    --------
    >>> _words({"a": (1, 2), "b": None, "c": {}})
    'a: 1, 2; b: none; c: none'
    """
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_words(v) or 'none'}" for k, v in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(_words(v) for v in value)
    return str(value)


def claim_card(register: Register, claim: Claim) -> Card:
    """Show a claim: what the article says, how it is read, which rule decides it.

    Parameters
    ----------
    register : Register
    claim : Claim

    Returns
    -------
    Card
    """
    rule = register.rules[claim.rule]
    rows = [
        ("says", claim.says_en),
        ("says (zh)", claim.says_zh),
        ("where", claim.where),
        ("testability", claim.testability),
        ("hypothesis", _words(claim.hypothesis)),
        ("outcome", _words(claim.outcome) or "none"),
        ("regressors", _words(claim.regressors) or "none"),
        ("W", _words(claim.W) or "none"),
        ("period", _words(claim.period)),
        ("rule", f"{rule.id}: {rule.text}"),
        ("parameters", _words({**rule.parameters, **claim.parameters}) or "none"),
        ("supported if", _words(claim.support_if)),
        ("contradicted if", _words(claim.contradict_if)),
        ("variants", _words(claim.variants) or "none"),
        ("cannot test", _words(claim.cannot_test)),
        ("needs", "; ".join(claim.needs)),
        ("adaptation", claim.adaptation or ""),
        ("note", claim.note or ""),
        ("tension", _words(claim.tension)),
        ("notebook", claim.notebook or "none"),
        ("disclosure", f"{claim.disclosure}{': ' + claim.disclosure_note if claim.disclosure_note else ''}"),
    ]
    article = register.meta["articles"][claim.article]
    title = f"{claim.id} ({article['authors']}, {article['date'][:4]}; {claim.priority}, {claim.kind})"
    return Card(title, tuple((name, text) for name, text in rows if text))


def verdict_card(verdict: Verdict) -> Card:
    """Show a verdict with what it rests on.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    Card
    """
    ran = sum(v.ran for v in verdict.variants)
    rows = [("rule", verdict.rule), ("testability", verdict.testability), ("reason", verdict.reason)]
    if verdict.evidence:
        rows.append(("evidence", f"{len(verdict.evidence)} figures, see evidence_frame()"))
    if verdict.variants:
        rows.append(("variants", f"{ran} of {len(verdict.variants)} runs done, see variants_frame()"))
    if verdict.holm is not None:
        rows.append(("correction", verdict.holm.reason))
    if verdict.sample:
        rows.append(("sample", _words(verdict.sample)))
    if verdict.mde_note:
        rows.append(("detectable", verdict.mde_note))
    rows += [("note", note) for note in verdict.notes]
    disclosed = f": {verdict.disclosure_note}" if verdict.disclosure_note else ""
    rows.append(("disclosure", f"{verdict.disclosure}{disclosed}"))
    seed = "" if verdict.seed is None else f", seed {verdict.seed}"
    rows.append(("from", f"data release {verdict.data_release}, register {verdict.register_checksum[:12]}{seed}"))
    return Card(f"{verdict.claim}: {verdict.label}", tuple(rows))
