"""The top of the report: every claim as a coloured word, and the statements that pull against each other side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nqpf_spatial.report.html import both, text
from nqpf_spatial.report.words import label

if TYPE_CHECKING:
    from nqpf_spatial.report.index import Entry


@dataclass(frozen=True, slots=True)
class Tension:
    """Statements that pull against each other.

    Attributes
    ----------
    id, text, decided_by : str
        As in the register.
    claims : tuple of str
        Ids, in the order in which they stand side by side.
    """

    id: str
    text: str
    decided_by: str
    claims: tuple[str, ...]


def css_class(verdict: str) -> str:
    """Class of a verdict's colours."""
    return "v-" + verdict.lower().replace(" ", "-")


def badge(verdict: str, shown: str) -> str:
    """A coloured word."""
    return f'<span class="badge {css_class(verdict)}">{both(shown, label(shown, "zh"))}</span>'


def board(entries: Sequence[Entry]) -> str:
    """All claims by family: a chip each, coloured by verdict, that leads to its card.

    Parameters
    ----------
    entries : sequence of Entry

    Returns
    -------
    str
    """
    families = list(dict.fromkeys(e.family for e in sorted(entries, key=lambda e: e.family)))
    rows = "".join(
        f'<tr><th scope="row">{text(family)}</th><td>{"".join(_chip(e) for e in entries if e.family == family)}</td></tr>'
        for family in families
    )
    return f'<table class="board"><tbody>{rows}</tbody></table>'


def _chip(entry: Entry) -> str:
    title = f"{entry.id}: {entry.label}. {entry.says_en} {entry.says_zh}"
    return (
        f'<a class="chip {css_class(entry.verdict)}" href="#{text(entry.id)}" title="{text(title)}">'
        f"{text(entry.id.partition('-')[2])}</a>"
    )


def tension_cards(tensions: Sequence[Tension], entries: Sequence[Entry]) -> str:
    """Statements in a tension side by side with their verdicts; tensions of which fewer than two are shown are left out."""
    by_id = {e.id: e for e in entries}
    parts = []
    for tension in tensions:
        shown = [by_id[claim] for claim in tension.claims if claim in by_id]
        if len(shown) < 2:
            continue
        sides = "".join(
            f'<div class="side"><a href="#{text(e.id)}"><b>{text(e.id)}</b></a> {badge(e.verdict, e.label)}'
            f"<p>{both(e.says_en, e.says_zh)}</p></div>"
            for e in shown
        )
        parts.append(
            f'<section class="tension"><p><b>{text(tension.id)}</b> {text(tension.text)} '
            f'<span class="dim">{both("Decided by", "判据")}: {text(tension.decided_by)}</span></p>'
            f'<div class="sides">{sides}</div></section>'
        )
    return "".join(parts)
