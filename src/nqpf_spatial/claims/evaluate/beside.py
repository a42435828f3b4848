"""What stands beside a coefficient and never decides: other inference, other estimators, the model without the product."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.parts import Component, Number, evidence
from nqpf_spatial.claims.evaluate.regression import WILD, coefficient, data_of, fitted, student
from nqpf_spatial.claims.evaluate.specification import Specification, has_levels, noted, optional_matrix_of, product
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.rules import mech


def beside(component: Component, ctx: Context) -> list[Evidence]:
    """Versions of a coefficient: wild bootstrap, without W, and those against the bias of a lagged level.

    Parameters
    ----------
    component : Component
        With a :class:`Specification` whose measure is :func:`nqpf_spatial.claims.evaluate.regression.coefficient`.
    ctx : Context

    Returns
    -------
    list of Evidence
        Not counted.
    """
    spec, alpha = component.spec, ctx.register.threshold("R-COEF", "alpha")
    assert isinstance(component.measure, partial)
    position = component.measure.keywords["position"]
    found = [(f"{component.what}, wild bootstrap over provinces", wild(ctx, spec, position), spec.w)]
    if spec.w is not None:
        plain = replace(spec, w=None)
        found.append((f"coefficient of {spec.focus[position]} without W", coefficient(ctx, plain, position), None))
    if has_levels(spec.outcome):
        found += _against_bias(ctx, spec, position)
    return [evidence(what, number, w, alpha, counted=False) for what, number, w in found]


def _against_bias(ctx: Context, spec: Specification, position: int) -> list[tuple[str, Number, str | None]]:
    """Bias-corrected and long-difference versions of an annual model with a lagged level, as R-MOD asks."""
    term = spec.focus[position]
    ends = replace(spec, years=(spec.years[0], spec.years[-1]), long=True)
    found = [
        (f"direct effect of {term}, half-panel jackknife", half_panel(ctx, spec, position), spec.w),
        (f"direct effect of {term}, change {ends.years[0]}-{ends.years[1]}", coefficient(ctx, ends, position), spec.w),
    ]
    if spec.products:
        deviations = coefficient(ctx, replace(spec, within_products=True), position)
        found.append(
            (f"direct effect of {term}, factors in deviations from province and year means", deviations, spec.w)
        )
    return found


def wild(ctx: Context, spec: Specification, position: int) -> Number:
    """The direct effect with the standard error of a wild bootstrap over provinces, normal reference."""
    fit, _ = fitted(ctx, spec)
    table = fit.impacts(method="bootstrap", kind="wild-cluster", draws=WILD, seed=ctx.seed).table
    row = {
        k: float(table.loc[spec.focus[position], ("direct", k)]) for k in ("estimate", "se", "z", "p", "lower", "upper")
    }
    return Number(
        estimate=row["estimate"],
        n=int(fit.nobs),
        se=row["se"],
        statistic=row["z"],
        p=row["p"],
        lower=row["lower"],
        upper=row["upper"],
        mde=mech.minimum_detectable_effect(row["se"], ctx.register.threshold("R-COEF", "alpha")),
    )


def half_panel(ctx: Context, spec: Specification, position: int) -> Number:
    """The direct effect corrected by the half-panel jackknife; clustered standard error of the whole panel."""
    from nqpf_spatial.models import half_panel_jackknife

    w = optional_matrix_of(ctx, spec)
    with noted([]):
        found = half_panel_jackknife(
            spec.formula, data_of(ctx, spec), w, model="OLS" if w is None else "SDM", effect="direct", vcov="cluster"
        )
    row = found.table.loc[spec.focus[position]]
    units = found.fit.estimate.design.shape[1]
    alpha = ctx.register.threshold("R-COEF", "alpha")
    return student(float(row["corrected"]), float(row["se"]), units - 1, int(found.fit.nobs), alpha)


def without_products(ctx: Context, spec: Specification) -> list[Evidence]:
    """The model without the interaction: effects of its factors, not counted."""
    factors = tuple(dict.fromkeys(f for pair in spec.products for f in pair if f in spec.regressors))
    plain = replace(spec, products=(), focus=factors)
    alpha = ctx.register.threshold("R-MOD", "alpha")
    kind = "direct effect" if spec.w is not None else "coefficient"
    return [
        evidence(
            f"{kind} of {f} on {spec.outcome} without {', '.join(product(*p) for p in spec.products)}",
            coefficient(ctx, plain, i),
            spec.w,
            alpha,
            counted=False,
        )
        for i, f in enumerate(factors)
    ]
