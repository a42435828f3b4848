"""The threshold of a claim: Hansen's test on the regression of a specification."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.parts import Number
from nqpf_spatial.claims.evaluate.specification import Specification, data_of, matrix_of, noted

if TYPE_CHECKING:
    import pandas as pd

#: bootstrap replicates; the register asks for threshold_bootstrap_ge at least
REPLICATES = 999
#: prefix of the spatial lags among the regressors
LAGGED = "neighbours_"
#: smallest share of observations in a regime (Hansen 1999 uses 1 and 5 percent)
TRIM = 0.05


def threshold_number(ctx: Context, spec: Specification, position: int) -> Number:
    """None against one threshold in the spatial lag of a regressor of the focus.

    Parameters
    ----------
    ctx : Context
    spec : Specification
    position : int
        In the focus; all regressors of the focus switch.

    Returns
    -------
    Number
        ``estimate`` is the threshold, ``statistic`` the F, ``p`` that of the bootstrap; no standard error.
    """
    return _tests(ctx, spec, position, 1)[0][0]


def threshold_profile(ctx: Context, spec: Specification, position: int) -> pd.DataFrame:
    """Likelihood ratio of every candidate for the single threshold."""
    return _tests(ctx, spec, position, 1)[1]


def threshold_tests(ctx: Context, spec: Specification, position: int) -> tuple[Number, ...]:
    """None against one, and one against two thresholds, for the baseline."""
    return _tests(ctx, spec, position, 2)[0]


Found = tuple[tuple[Number, ...], "pd.DataFrame"]


def _tests(ctx: Context, spec: Specification, position: int, count: int) -> Found:
    key = replace(spec, correction="transform")  # the correction of the likelihood does not enter least squares
    return ctx.once(("threshold", key, position, count), lambda: _fit(ctx, spec, position, count))


def _fit(ctx: Context, spec: Specification, position: int, count: int) -> Found:
    from nqpf_spatial.models import threshold

    notes: list[str] = []
    w = matrix_of(ctx, spec)
    rows = data_of(ctx, spec)
    lagged = w.lag(rows[list(spec.regressors)]).add_prefix(LAGGED)
    formula = spec.formula.replace(" | ", f" + {' + '.join(lagged.columns)} | ")
    with noted(notes):
        found = threshold(
            formula,
            rows.join(lagged),
            f"{LAGGED}{spec.focus[position]}",
            switching=[f for f in spec.focus if f],
            count=count,
            trim=TRIM,
            replicates=REPLICATES,
            seed=ctx.seed,
        )
    n = int(found.fit.nobs)
    bounds = {"set_lower": float(found.sets["lower"].iloc[0]), "set_upper": float(found.sets["upper"].iloc[0])}
    numbers = tuple(
        Number(
            t.threshold,
            n,
            statistic=t.statistic,
            p=t.pvalue,
            weights={str(spec.w): w.checksum},
            checks={
                **{f"critical_{k.rstrip('%')}": float(v) for k, v in t.critical.items()},
                **(bounds if count == 1 else {}),
            },
            notes=tuple(notes),
        )
        for t in found.tests
    )
    return numbers, found.profiles[0].to_frame()
