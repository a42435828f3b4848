"""One coefficient of a panel regression, as R-COEF and R-MOD read it.

Readings fixed before any verdict was computed:

* A claim that names a W is read in the spatial Durbin model of R-MECH (province and year effects, Lee-Yu transformation, baseline W);
  one that names none in least squares with the same effects, unless the hypothesis names others. Regressors enter as the register
  writes them; effects, lags and logarithms are those the hypothesis states.
* "Coefficient" and "effect" in a spatial model: the direct effect, the response of a province to its own regressor, which is what the
  coefficient is where there is no W. The coefficient itself, indirect and total effect stand beside and do not decide.
* An interaction is the column of the product, factors in deviations from their sample mean (which moves the main effects and leaves
  the product as it is). The direct effect of that column is the average of the second derivative of the own outcome with respect to
  the two own factors: the effect of the product has no other meaning in a model with spatial lags, where it is not its coefficient.
* The register fixes no covariance for R-COEF and R-MOD. The conservative standard: clustered by province with the small-sample factor of
  :func:`nqpf_spatial.fit`, delta method, and a t reference with the number of provinces less one degrees of freedom. Inference with iid
  errors and a wild cluster bootstrap stand beside. In a cross-section clusters are single provinces (heteroskedasticity only) and the
  degrees of freedom are observations less coefficients.
* A W that R-MECH would call weakly identified is shown, not counted, here as there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.parts import Component, LeftOut, Number
from nqpf_spatial.claims.evaluate.specification import REPLICATES, Specification, data_of, noted, optional_matrix_of
from nqpf_spatial.claims.evaluate.windows import text
from nqpf_spatial.claims.rules import mech

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.models import SpatialFit

#: replicates of the wild cluster bootstrap shown beside
WILD = 999


def fitted(ctx: Context, spec: Specification) -> tuple[SpatialFit, tuple[str, ...]]:
    """Fit a specification with clustered covariance, and the warnings it gave (once per context)."""

    def fit() -> tuple[SpatialFit, tuple[str, ...]]:
        import nqpf_spatial as nq

        notes: list[str] = []
        with noted(notes):
            w = optional_matrix_of(ctx, spec)
            model = "OLS" if w is None else "SDM"
            found = nq.fit(spec.formula, data_of(ctx, spec), w, model=model, correction=spec.correction, vcov="cluster")
            found.cov_params()
        return found, tuple(notes)

    return ctx.once(("fit", spec), fit)


def degrees(fit: SpatialFit, long: bool) -> int:
    """Degrees of freedom of the t reference."""
    units = fit.estimate.design.shape[1]
    return units - len(fit.params) if long else units - 1


def _impacts(ctx: Context, spec: Specification) -> tuple[pd.DataFrame, pd.DataFrame, float | None]:
    """Clustered and iid impacts by the delta method, and the sd of rho."""

    def compute() -> tuple[pd.DataFrame, pd.DataFrame, float | None]:
        fit, _ = fitted(ctx, spec)
        sd_rho = None
        if fit.rho is not None:
            draws = fit.bootstrap("parametric", replicates=REPLICATES, seed=ctx.seed).params["rho"]
            sd_rho = float(draws.std(ddof=1))
        with noted([]):
            return fit.impacts().table, fit.with_vcov("observed").impacts().table, sd_rho

    return ctx.once(("impacts", spec), compute)


def coefficient(ctx: Context, spec: Specification, position: int) -> Number:
    """Direct effect (coefficient without W) of one of the regressors or products of the focus.

    Parameters
    ----------
    ctx : Context
    spec : Specification
    position : int
        In the focus.

    Returns
    -------
    Number

    Raises
    ------
    LeftOut
        If the specification has left the regressor out.
    """
    term = spec.focus[position]
    if not term:
        raise LeftOut("")
    fit, notes = fitted(ctx, spec)
    clustered, plain, sd_rho = _impacts(ctx, spec)
    estimate, se = (float(clustered.loc[term, ("direct", k)]) for k in ("estimate", "se"))
    w = fit.w
    end = bool(fit.estimate.fit.boundary)
    checks: dict[str, float | None] = {
        f"{k}_observed": None if end else float(plain.loc[term, ("direct", k)]) for k in ("se", "p")
    }
    if w is not None and fit.rho is not None and sd_rho is not None:
        more = {e: float(clustered.loc[term, (e, "estimate")]) for e in ("indirect", "total")}
        checks |= {"coefficient": float(fit.params[term]), **more, "rho": fit.rho, "sd_rho": sd_rho}
    return student(
        estimate,
        se,
        degrees(fit, spec.long),
        int(fit.nobs),
        ctx.register.threshold("R-COEF", "alpha"),
        sd_rho=sd_rho,
        weights={} if w is None else {str(spec.w): w.checksum},
        checks=checks,
        boundary=end,
        notes=notes,
    )


def student(estimate: float, se: float, df: int, n: int, alpha: float, **more: Any) -> Number:
    """A number with a t reference.

    Examples
    --------
    >>> round(student(2.0, 1.0, 30, 403, 0.05).p, 4)
    0.0546
    """
    from scipy import stats

    statistic = estimate / se
    half = float(stats.t.isf(alpha / 2, df)) * se
    return Number(
        estimate=estimate,
        n=n,
        se=se,
        statistic=statistic,
        df=float(df),
        p=float(2 * stats.t.sf(abs(statistic), df)),
        lower=estimate - half,
        upper=estimate + half,
        mde=mech.minimum_detectable_effect(se, alpha, df=df),
        **more,
    )


def wild_se(ctx: Context, spec: Specification, position: int) -> dict[str, float]:
    """Standard error of the direct effect by a wild bootstrap over provinces, for the baseline."""
    fit, _ = fitted(ctx, spec)
    table = fit.impacts(method="bootstrap", kind="wild-cluster", draws=WILD, seed=ctx.seed).table
    return {"se_wild": float(table.loc[spec.focus[position], ("direct", "se")])}


def component(spec: Specification, position: int, sign: int, name: str = "") -> Component:
    """A coefficient as a part of a criterion."""
    kind = "coefficient" if spec.w is None else "direct effect"
    what = f"{kind} of {spec.focus[position]} on {spec.outcome}"
    return Component(name or what, what, spec, partial(coefficient, position=position), sign)


def described(ctx: Context, specs: tuple[Specification, ...]) -> dict[str, Any]:
    """Sample of the baselines, for the record."""
    fits = [fitted(ctx, s)[0] for s in specs]
    spans = dict.fromkeys(text(s.years) for s in specs)
    return {
        "formula": "; ".join(s.formula for s in specs),
        "model": " / ".join(dict.fromkeys(f.model for f in fits)),
        "years": "; ".join(spans),
        "provinces": fits[0].estimate.design.shape[1],
        "n": ", ".join(str(int(f.nobs)) for f in fits) if len(fits) > 1 else int(fits[0].nobs),
        "covariance": "clustered by province, t reference with provinces - 1 degrees of freedom",
        "left_out": ", ".join(specs[0].drop),
    }


def table_of(ctx: Context, spec: Specification) -> pd.DataFrame:
    """Coefficients of a fit with clustered inference, for the report."""
    import pandas as pd
    from scipy import stats

    fit, _ = fitted(ctx, spec)
    df = degrees(fit, spec.long)
    p = 2 * stats.t.sf((fit.params / fit.bse).abs(), df)
    return pd.DataFrame({"estimate": fit.params, "se": fit.bse, "t": fit.params / fit.bse, "p": p})
