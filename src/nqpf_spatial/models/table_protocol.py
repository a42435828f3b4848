"""How results present themselves to other libraries' tables: the plug-in format of maketables, the names of statsmodels.

Nothing here imports either library. maketables asks its own readers first, and that for statsmodels takes every object
with ``params``, ``bse`` and ``pvalues``; it finds ``endog_names`` and ``cov_type`` below. Fixed effects and labels come through
the plug-in format, which `nqpf_spatial.report.register_maketables` puts first.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from nqpf_spatial.models.term_labels import base_of, known_labels, term_label

#: statistic of maketables -> attribute of our results
_STATISTICS = {
    "N": "nobs",
    "n_effective": "n_effective",
    "ll": "llf",
    "aic": "aic",
    "bic": "bic",
    "sigma2": "sigma2",
    "se_type": "vcov",
    "model": "model",
    "correction": "correction",
    "estimator": "estimator",
}
_LABELS = {"n_effective": "n of the likelihood", "sigma2": "σ²", "model": "Model", "w": "W", "estimator": "Estimator"}


class TableProtocol:
    """Attributes that maketables and statsmodels look for, computed from ``params``, ``bse`` and their kin."""

    __slots__ = ()

    @property
    def tvalues(self) -> pd.Series:
        """Estimates over standard errors, under statsmodels' name; the reference distribution is normal."""
        return self.zvalues.rename("t")  # type: ignore[attr-defined]

    @property
    def endog_names(self) -> str:
        """Name of the dependent variable."""
        return str(self.estimate.design.outcome)  # type: ignore[attr-defined]

    @property
    def exog_names(self) -> list[str]:
        """Names of the parameters."""
        return [str(name) for name in self.params.index]  # type: ignore[attr-defined]

    @property
    def cov_type(self) -> str:
        """Covariance in use, under statsmodels' name."""
        return str(self.vcov)  # type: ignore[attr-defined]

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Columns b, se, t, p and intervals at 95 and 90 %."""
        return coef_table(self)

    @property
    def __maketables_depvar__(self) -> str:
        """Name of the dependent variable."""
        return self.endog_names

    @property
    def __maketables_fixef_string__(self) -> str | None:
        """Fixed effects as ``"province+year"``; None without any."""
        return "+".join(self.effects) or None  # type: ignore[attr-defined]

    @property
    def __maketables_vcov_info__(self) -> dict[str, Any]:
        """Kind of covariance."""
        return {"vcov_type": self.cov_type, "clustervar": None}

    @property
    def __maketables_var_labels__(self) -> dict[str, str] | None:
        """Labels of the codebook for the variables of the packaged panel."""
        return variable_labels(self)

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """Statistics to show unless the user says otherwise."""
        likelihood = ["ll", "aic", "bic"] if hasattr(self, "llf") else []
        return ["w", "N", "n_effective", "sigma2", *likelihood, "se_type"]

    @property
    def __maketables_stat_labels__(self) -> dict[str, str]:
        """Labels of the statistics that maketables does not know."""
        return dict(_LABELS)

    def __maketables_stat__(self, key: str) -> Any:
        """A statistic by its key; None where there is none."""
        return statistic(self, key)


def coef_table(result: Any) -> pd.DataFrame:
    """Columns ``b, se, t, p, ci95l, ci95u, ci90l, ci90u``, indexed by term."""
    table = pd.DataFrame({"b": result.params, "se": result.bse, "t": result.zvalues, "p": result.pvalues})
    for alpha, level in ((0.05, "95"), (0.10, "90")):
        interval = result.conf_int(alpha)
        table[f"ci{level}l"], table[f"ci{level}u"] = interval["lower"], interval["upper"]
    return table.rename_axis("Coefficient")


def statistic(result: Any, key: str) -> Any:
    """Value of a statistic, None where the result has none."""
    if key == "w":
        return None if result.w is None else result.w.name
    return getattr(result, _STATISTICS[key], None) if key in _STATISTICS else None


def variable_labels(result: Any) -> dict[str, str] | None:
    """Labels of the variables of a fit on the packaged panel; None for other data. maketables splits terms at ``:`` itself."""
    if result.release is None:
        return None
    known, outcome = known_labels("en"), result.endog_names
    names = {outcome, *(base_of(name, outcome) for name in result.exog_names)}
    return {name: label for name in sorted(names) if (label := term_label(name, known, "en", outcome)) != name}


class ImpactProtocol:
    """The plug-in format of maketables for impacts: one row per term and effect, named ``"x (direct)"``."""

    __slots__ = ()

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Columns b, se, t, p, lower, upper; the last two at the level the impacts were made with."""
        tidy = self.tidy()  # type: ignore[attr-defined]
        tidy.index = pd.Index([f"{term} ({effect})" for term, effect in tidy.index], name="Coefficient")
        return tidy.rename(columns={"estimate": "b", "z": "t"})

    @property
    def __maketables_depvar__(self) -> str:
        """Name of the dependent variable."""
        return self.fit.endog_names  # type: ignore[attr-defined, no-any-return]

    @property
    def __maketables_fixef_string__(self) -> str | None:
        """Fixed effects of the fit."""
        return "+".join(self.fit.effects) or None  # type: ignore[attr-defined]

    @property
    def __maketables_var_labels__(self) -> dict[str, str] | None:
        """Labels of the codebook, for each effect."""
        found = variable_labels(self.fit)  # type: ignore[attr-defined]
        if found is None:
            return None
        effects = ("direct", "indirect", "total")
        return found | {
            f"{name} ({effect})": f"{label} ({effect})" for name, label in found.items() for effect in effects
        }

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """Statistics to show unless the user says otherwise."""
        return ["model", "w", "N"]

    @property
    def __maketables_stat_labels__(self) -> dict[str, str]:
        """Labels of the statistics that maketables does not know."""
        return dict(_LABELS)

    def __maketables_stat__(self, key: str) -> Any:
        """A statistic of the fit by its key; None where there is none."""
        return statistic(self.fit, key)  # type: ignore[attr-defined]
