"""Is a level higher in a group? A permutation of labels beside a claim whose criterion is a coefficient."""

from __future__ import annotations

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.parts import Number, evidence
from nqpf_spatial.claims.record import Evidence


def level_beside(ctx: Context, name: str, years: tuple[int, ...], group: str, *, average: bool = False) -> Evidence:
    """Mean of a group minus that of the others, with R-LEVEL's one-sided permutation p; not counted.

    Parameters
    ----------
    ctx : Context
    name : str
        Variable of the panel.
    years : tuple of int
        Window; the last year is compared, or the mean over all of them.
    group : {"North", "South"}
    average : bool

    Returns
    -------
    Evidence
    """
    from nqpf_spatial import divergence

    rule = ctx.register.rules["R-LEVEL"].parameters
    series = ctx.panel[name]
    series = series[series.index.get_level_values("year").isin(years)]
    if average:
        series = series.groupby(level="province", sort=False).mean()
    found = divergence.level_permutation(
        series, group, groups="north_south", permutations=rule["permutations"], alpha=rule["alpha"], seed=ctx.seed
    )
    row = found.table.iloc[-1]
    n = len(ctx.panel.index.unique("province"))
    when = f"mean of {years[0]}-{years[-1]}" if average else str(years[-1])
    what = f"{name} in the {group} minus the others, {when} (one-sided permutation)"
    return evidence(
        what, Number(float(row["difference"]), n, p=float(row["pvalue"])), None, rule["alpha"], counted=False
    )
