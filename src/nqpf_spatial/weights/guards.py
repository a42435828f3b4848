"""Guards against weights that explain themselves: the pre-sample rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.errors import EndogeneityWarning, warn

if TYPE_CHECKING:
    from nqpf_spatial.weights.core import SpatialWeights

#: Note carried by every matrix built from economic data.
ENDOGENEITY_NOTE = (
    "built from data of {years}: exogenous only for a sample that starts later; weights from in-sample "
    "data of the outcome or its causes bias rho (Qu and Lee 2015)"
)


def check_number(value: object, name: str) -> None:
    """Raise unless an option is a number, so that text does not end in an error of arithmetic."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.integer | np.floating)
        or not np.isfinite(value)
    ):
        raise ValueError(f"{name}={value!r} must be a number, for instance {name}=2")


def require_weights(w: object, name: str = "w") -> None:
    """Raise unless an argument is labelled weights, and say how to make them.

    Raises
    ------
    TypeError
    """
    from nqpf_spatial.weights.core import SpatialWeights

    if not isinstance(w, SpatialWeights):
        raise TypeError(
            f"{name} is a {type(w).__name__}; turn it into labelled weights with nq.weights.from_any({name}, ids=...)"
        )


def warn_if_in_sample(name: str, data_years: tuple[int, int] | None, sample_start: int | None) -> None:
    """Warn if the data of a matrix reach into the sample."""
    if sample_start is None or data_years is None or data_years[1] < sample_start:
        return
    first, last = data_years
    warn(
        f"{name} uses data of {first}-{last}, but the sample starts in {sample_start}: "
        f"W is not predetermined. Use years before {sample_start}",
        EndogeneityWarning,
    )


def check_presample(w: SpatialWeights, sample_start: int) -> None:
    """Warn if a matrix was built from economic data of the sample itself.

    Parameters
    ----------
    w : SpatialWeights
    sample_start : int
        First year of the outcome.

    Warns
    -----
    EndogeneityWarning
        If the data of ``w`` do not all precede ``sample_start``.

    Notes
    -----
    An economic W of in-sample outcomes is a function of the errors; the estimators take W as given (Qu and
    Lee 2015, Journal of Econometrics 184). Means of pre-sample years are predetermined.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.weights.check_presample(nq.weights.economic(years=(2005, 2010)), 2012)
    """
    require_weights(w)
    warn_if_in_sample(w.name, w.data_years, sample_start)


def endogeneity_note(years: str) -> str:
    """Note for a matrix built from economic data."""
    return ENDOGENEITY_NOTE.format(years=years or "unstated years")
