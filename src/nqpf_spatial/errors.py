"""Errors and warnings of the library: few, classed, each naming the units or cells it is about."""

from __future__ import annotations

import sys
import warnings


class AlignmentError(ValueError):
    """Identifiers of two labelled objects (panel, weights, flows) do not match; the message names the units."""


class PanelError(ValueError):
    """The panel cannot be used as given: missing cells, duplicates, non-numeric or constant columns."""


class IdentificationError(ValueError):
    """A parameter is not identified from this data and these weights (collinear, absorbed, outside the interval)."""


class ConvergenceError(RuntimeError):
    """An optimisation did not reach its tolerance; the message states where it stopped."""


class DataSourceError(ValueError):
    """A file, table or variable is not what it should be (unknown name, checksum, layout)."""


class IdentificationWarning(UserWarning):
    """The estimate exists but the data carry little information on it."""


class DataBreakWarning(UserWarning):
    """A requested series or window crosses a documented break (vintage, census step, survey change)."""


class EndogeneityWarning(UserWarning):
    """Weights built from data that the model is meant to explain."""


class FewClustersWarning(UserWarning):
    """Too few clusters or periods for the asymptotics of a robust covariance; the message points to the bootstrap."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line that called the library: the first one up the stack that is not its own.

    Parameters
    ----------
    message : str
    category : type of Warning
    """
    ours = (__package__, "functools")  # results keep what they compute by functools.cached_property
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ours:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
