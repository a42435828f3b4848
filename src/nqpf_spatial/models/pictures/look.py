"""What the pictures of this room share: colours, names of terms, fonts of the texts of an axes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nqpf_spatial.models.naming import variable_name
from nqpf_spatial.models.term_labels import known_labels, matrix_label, term_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito (2008)
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A8F98"
#: of the tick labels of long names
_WIDTH = 34


def term_names(fit: Any, terms: Iterable[Any], lang: str) -> dict[str, str]:
    """Labels of parameters: those of the codebook for the packaged panel, else the names themselves."""
    known = known_labels(lang) if fit.release is not None else {}
    several = getattr(fit, "several", None)
    matrices = {} if several is None else several.matrix_terms()
    found = {}
    for term in map(str, terms):
        if term in matrices:
            kind, matrix, regressor = matrices[term]
            found[term] = matrix_label(kind, matrix, regressor, known, lang)
        else:
            found[term] = term_label(term, known, lang, fit.endog_names)
    return found


def wrapped(names: Iterable[str]) -> list[str]:
    """Long names on several lines."""
    return [textwrap.fill(name, _WIDTH) for name in names]


def outcome_name(fit: Any, lang: str) -> str:
    """The outcome by its label in the codebook, for the packaged panel."""
    return variable_name(fit.endog_names, lang) if fit.release is not None else fit.endog_names


def finish(ax: Axes, lang: str, frame: bool = False) -> Axes:
    """Take the upper and the right line away; give the texts of an axes that was there before the Chinese font."""
    from matplotlib.text import Text

    from nqpf_spatial.fonts import FAMILY

    if not frame:
        ax.spines[["top", "right"]].set_visible(False)
    if lang == "zh":
        for text in ax.findobj(Text):
            text.set_fontfamily([FAMILY, "DejaVu Sans"])  # type: ignore[attr-defined]
    return ax
