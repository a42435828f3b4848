"""A fit as text and as HTML: one block structure, two renderings."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from nqpf_spatial.models.dynamic.part import lag_names
from nqpf_spatial.models.dynamic.part import part as dynamic_part
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.missing.choices import cell_name
from nqpf_spatial.models.several.estimate import SeveralEstimate
from nqpf_spatial.models.several.notes import several_notes

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.models.results import SpatialFit

#: standard error of rho or lambda above which a fit says so, as in the claims register
WEAK = 0.25
_COLUMNS = ("estimate", "se", "z", "p", "lower", "upper")
_HEADS = ("estimate", "std. err.", "z", "p", "[0.025", "0.975]")


_COVARIANCES = {
    "observed": "observed information",
    "expected": "expected information",
    "sandwich": "QML sandwich with third and fourth moments",
    "cluster": "clustered",
    "driscoll-kraay": "Driscoll-Kraay",
    "conley": "Conley, by distance",
}


def blocks(fit: SpatialFit) -> list[tuple[str, pd.DataFrame]]:
    """Main, Wx, Time and Spatial blocks of the coefficient table; empty ones are left out."""
    table = fit.tidy()
    spatial = np.arange(len(table)) >= len(fit.estimate.columns.names)
    time = table.index.isin(lag_names(fit.estimate))
    lagged = table.index.str.startswith("W:") & ~time
    main = ~spatial & ~lagged & ~time
    parts = [("Main", table[main]), ("Wx", table[lagged]), ("Time", table[time]), ("Spatial", table[spatial])]
    return [(name, part) for name, part in parts if len(part)]


def notes(fit: SpatialFit) -> list[str]:
    """What a reader must know beside the numbers."""
    t, n = fit.estimate.design.shape
    periods = fit.estimate.design.periods
    window = "" if periods[0] is None else f" ({periods[0]}-{periods[-1]})"
    lines = [f"N = {n}, T = {t}{window}, observations {fit.nobs}, of the likelihood {fit.n_effective}"]
    if fit.dropped:
        lines.append(fit.dropped.line())
    if fit.estimate.networks is not None and fit.estimate.networks.islands:
        lone = [cell_name(*cell) for cell in fit.estimate.networks.islands]
        lines.append(f"without neighbours in their period, spatial lag zero: {enumerate_some(lone, 8)}")
    if fit.dynamic:
        lines.append(
            f"first period {dynamic_part(fit.estimate).first_period} lost to the time lags; {fit.stability().line()}"
        )
    if fit.estimate.random is not None:
        error = {"none": "", "kkp": ", error filter on both (KKP)", "baltagi": ", error filter on e (Baltagi)"}[
            fit.estimate.random.error
        ]
        at = "; sigma2_mu is at its boundary 0" if "phi" in fit.estimate.random.boundary else ""
        lines.append(f"random unit effects: sigma2_mu = {fit.sigma2_mu:.5g}, phi = {fit.phi:.5g}{error}{at}")
    lines.append(f"fixed effects: {' + '.join(fit.effects) or 'none'}; {_correction(fit)}")
    adjusted = fit.dynamic and fit.vcov == "observed" and fit.effects[:1] == fit.estimate.design.levels[:1]
    of_score = ", sandwich of the adjusted score" if adjusted and fit.correction in ("transform", "score") else ""
    lines.append(f"covariance: {_COVARIANCES[fit.vcov]}{of_score}")
    if isinstance(fit.estimate, SeveralEstimate):
        lines += several_notes(fit)  # type: ignore[arg-type]
    else:
        lines += [f"W: {w.name}, transform {w.transform}, checksum {w.checksum[:12]}" for w in [fit.w] if w is not None]
        unused = fit.estimate.weights.tests
        lines += [f"W of the tests alone: {w.name}, checksum {w.checksum[:12]}" for w in [unused] if w is not None]
        lines += [
            f"{name} is weakly identified (standard error {fit.bse[name]:.2f}): see .diagnose() and a sparser W"
            for name in ("rho", "lambda")
            if name in fit.params.index and fit.bse[name] > WEAK
        ]
    if fit.model != "OLS":
        lines.append("coefficients are not effects: see .impacts()")
    return lines


def _name(fit: SpatialFit) -> str:
    return f"dynamic {fit.model}" if fit.dynamic else fit.model


def _correction(fit: SpatialFit) -> str:
    if not fit.effects:
        return "no incidental parameters"
    if fit.dynamic:
        return _dynamic_correction(fit)
    return {
        "transform": "Lee-Yu (2010) transformation",
        "score": "score adjusted for the fixed effects",
        "none": "dummy-variable ML, no correction of the incidental-parameter bias",
        "bias": "dummy-variable ML with the analytic bias correction of Lee and Yu (2010)",
        "bootstrap": "dummy-variable ML with bootstrap bias correction",
    }[fit.correction]


def _dynamic_correction(fit: SpatialFit) -> str:
    unit, time = fit.estimate.design.unit, fit.estimate.design.time
    if fit.correction == "none":
        return "dummy-variable QML, no correction" + (" of the bias of order 1/T" if unit else "")
    parts = []
    if time:
        shared = {
            "score": "score adjusted for the time effects",
            "direct": "time dummies with the bias correction of Lee and Yu (2010)",
        }
        parts.append(shared.get(fit.correction, "Lee-Yu (2010) transformation of the time effects"))
    if unit:
        one_step = fit.correction in ("bias", "direct")
        exact = "score adjusted for the unit effects, exact for this T"
        parts.append(
            "one-step bias correction of Yu, de Jong and Lee (2008) for the unit effects" if one_step else exact
        )
    return ", ".join(parts)


def _numbers(row: pd.Series) -> list[str]:
    return [f"{row[c]:.3f}" if c in ("z", "p") else f"{row[c]:.5g}" for c in _COLUMNS]


def text(fit: SpatialFit) -> str:
    """The table in fixed width."""
    table = blocks(fit)
    width = max([len("sigma2"), *(len(str(term)) for _, part in table for term in part.index)]) + 2
    head = f"{_name(fit)}  {fit.formula}"
    lines = [head, "=" * max(len(head), width + 72), " " * width + "".join(f"{h:>12}" for h in _HEADS)]
    for name, part in table:
        lines.append(name)
        for term, row in part.iterrows():
            lines.append(f"  {term!s:<{width - 2}}" + "".join(f"{v:>12}" for v in _numbers(row)))
    lines.append("Variance")
    lines.append(f"  {'sigma2':<{width - 2}}{fit.sigma2:>12.5g}{fit.sigma2_se:>12.5g}")
    lines.append("-" * (width + 72))
    lines.append(f"log-likelihood {fit.llf:.4f}   AIC {fit.aic:.3f}   BIC {fit.bic:.3f}")
    return "\n".join([*lines, *notes(fit)])


def html(fit: SpatialFit) -> str:
    """The table for Jupyter."""
    rows = []
    for name, part in blocks(fit):
        rows.append(f'<tr><th colspan="7" style="text-align:left">{name}</th></tr>')
        for term, row in part.iterrows():
            cells = "".join(f"<td>{v}</td>" for v in _numbers(row))
            rows.append(f'<tr><td style="text-align:left">{escape(str(term))}</td>{cells}</tr>')
    rows.append('<tr><th colspan="7" style="text-align:left">Variance</th></tr>')
    rows.append(
        f'<tr><td style="text-align:left">sigma2</td><td>{fit.sigma2:.5g}</td><td>{fit.sigma2_se:.5g}</td>'
        '<td colspan="4"></td></tr>'
    )
    head = "".join(f"<th>{h}</th>" for h in _HEADS)
    foot = "<br>".join(escape(line) for line in notes(fit))
    return (
        f"<table><caption style='text-align:left'><b>{_name(fit)}</b> <code>{escape(fit.formula)}</code></caption>"
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<small>log-likelihood {fit.llf:.4f}, AIC {fit.aic:.3f}, BIC {fit.bic:.3f}<br>{foot}</small>"
    )
