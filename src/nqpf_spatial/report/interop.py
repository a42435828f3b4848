"""Bridges to the tables of other libraries: maketables' ETable, statsmodels' summary_col."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd

from nqpf_spatial.models.gmm.results import GMMFit
from nqpf_spatial.models.results import SpatialFit


def register_maketables() -> None:
    """Let maketables read our results by its plug-in format, before its reader for statsmodels takes them.

    ``ETable([fit])`` works without: the reader for statsmodels accepts every object with ``params``, ``bse`` and ``pvalues``. It
    knows nothing of fixed effects, W, the n of the likelihood and the labels of the codebook, which the plug-in format
    carries. Calling this twice does nothing more.

    Raises
    ------
    ImportError
        maketables is not installed.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from maketables import ETable
    >>> nq.report.register_maketables()
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> made = ETable([nq.sar("y ~ x | unit + period", data, w)]).df
    >>> made.loc["fe"].index.tolist()
    ['period', 'unit']
    """
    try:
        from maketables import clear_extractors, extractors, register_extractor
    except ImportError as error:
        raise ImportError("maketables is not installed; install the extra: nqpf-spatial[tables]") from error

    known = list(extractors._EXTRACTOR_REGISTRY)
    if any(getattr(reader, "nqpf_spatial", False) for reader in known):
        return

    class Reader(extractors.PluginExtractor):  # type: ignore[misc]
        """The plug-in format, for our fits."""

        nqpf_spatial = True

        def can_handle(self, model: Any) -> bool:
            return isinstance(model, (SpatialFit, GMMFit))

    # readers are asked in their order, and there is no call that puts one first
    clear_extractors()
    for reader in (Reader(), *known):
        register_extractor(reader)


class StatsmodelsView:
    """A fit under the names of statsmodels' results, for `statsmodels.iolib.summary2.summary_col`.

    Made by `nqpf_spatial.report.as_statsmodels`. ``model`` is an object with ``endog_names`` and ``exog_names``, where the fit's
    own ``model`` is its name; everything else is the fit's.
    """

    def __init__(self, fit: SpatialFit | GMMFit) -> None:
        self.fit = fit
        self.model = SimpleNamespace(endog_names=fit.endog_names, exog_names=fit.exog_names)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Intervals with columns 0 and 1."""
        return self.fit.conf_int(alpha).set_axis([0, 1], axis=1)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.fit, name)


def as_statsmodels(fit: SpatialFit | GMMFit) -> StatsmodelsView:
    """A fit as statsmodels' tables expect a result.

    Parameters
    ----------
    fit : SpatialFit or GMMFit

    Returns
    -------
    StatsmodelsView

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from statsmodels.iolib.summary2 import summary_col
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> made = summary_col([nq.report.as_statsmodels(nq.sar("y ~ x | unit + period", data, w))], stars=True)
    >>> made.tables[0].index.tolist()
    ['x', '', 'rho', '']
    """
    if not isinstance(fit, (SpatialFit, GMMFit)):
        raise TypeError(f"a {type(fit).__name__} is no fit of nqpf_spatial")
    return StatsmodelsView(fit)
