"""Differences between groups of provinces that R-LEVEL looks at, specified as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context
from nqpf_spatial.claims.evaluate.annual import Sample, cells, membership
from nqpf_spatial.claims.evaluate.columns import column
from nqpf_spatial.claims.rules.level import Difference, random_sd

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean of some groups (or named provinces) against others.

    Attributes
    ----------
    variable : str
        Column of the panel, or one of :mod:`nqpf_spatial.claims.evaluate.columns`.
    above, below : tuple of str
        Groups of the sample's scheme, or provinces where the sample has no scheme; an empty `below` stands for all others.
    sample : Sample
        Its last year decides.
    window_mean : bool
        The mean over the window decides instead; the sign is still looked at year by year.
    """

    variable: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    sample: Sample
    window_mean: bool = False

    @property
    def name(self) -> str:
        """The comparison in words."""
        mean = "mean " if self.window_mean else ""
        return f"{', '.join(self.above)} above {', '.join(self.below) or 'others'} in {mean}{self.variable}"


def sides(comparison: Comparison, provinces: Any) -> dict[str, str]:
    """Side of every province that is compared: "above" or "below"."""
    names = list(provinces)
    groups = membership(comparison.sample, names) if comparison.sample.groups else {p: p for p in names}
    out = {}
    for p in names:
        if groups[p] in comparison.above:
            out[p] = "above"
        elif not comparison.below or groups[p] in comparison.below:
            out[p] = "below"
    return out


def difference(ctx: Context, comparison: Comparison) -> Difference:
    """Compute a comparison, once per context.

    Parameters
    ----------
    ctx : Context
    comparison : Comparison

    Returns
    -------
    Difference

    Raises
    ------
    PanelError
        Missing cells, named.
    """
    return ctx.once(("difference", comparison), lambda: _difference(ctx, comparison))


def by_year(ctx: Context, comparison: Comparison) -> pd.Series:
    """Difference of the means in every year of the window."""
    found: pd.Series = _test(ctx, comparison, window_mean=False).evidence.iloc[:, 0]
    return found


def _test(ctx: Context, comparison: Comparison, *, window_mean: bool) -> Any:
    """Permutation test of the library on the provinces that are compared; once per context."""
    return ctx.once(("level", comparison, window_mean), lambda: _permute(ctx, comparison, window_mean=window_mean))


def _permute(ctx: Context, comparison: Comparison, *, window_mean: bool) -> Any:
    from nqpf_spatial import divergence

    p = ctx.register.rules["R-LEVEL"].parameters
    x = _rows(ctx, comparison)
    weights = None if comparison.sample.weights is None else column(ctx, comparison.sample.weights)
    if window_mean:
        x = x.groupby("province").mean()
        weights = None if weights is None else weights.reindex(_rows(ctx, comparison).index).groupby("province").mean()
    return divergence.level_permutation(
        x,
        "above",
        "below",
        groups=sides(comparison, x.index.unique("province")),
        permutations=int(p["permutations"]),
        alpha=float(p["alpha"]),
        sides=int(p["sides"]),
        same_sign_every_year=bool(p["same_sign_every_year"]),
        seed=ctx.seed,
        weights=weights,
    )


def _rows(ctx: Context, comparison: Comparison) -> pd.Series:
    """Cells of the provinces that are compared."""
    x = cells(ctx, comparison.variable, comparison.sample, only_of=False)
    of = sides(comparison, x.index.unique("province"))
    return x.loc[x.index.get_level_values("province").isin(of)]


def _difference(ctx: Context, comparison: Comparison) -> Difference:
    found = _test(ctx, comparison, window_mean=comparison.window_mean)
    row = found.table.iloc[0]
    years = comparison.sample.years
    signs = by_year(ctx, comparison)
    x = _rows(ctx, comparison)
    values = x.groupby("province").mean() if comparison.window_mean else x.xs(years[-1], level="year")
    of = sides(comparison, values.index)
    above = sum(side == "above" for side in of.values())
    sd, spread = random_sd(values.tolist(), above)
    estimate = float(row["difference"])
    return Difference(
        name=comparison.name,
        estimate=estimate,
        p_above=float(row["pvalue"]),
        p_below=float(row["pvalue_below"]),
        same_sign=bool(((signs > 0) == (estimate > 0)).all() and (signs != 0).all()),
        sd=sd,
        spread=spread,
        year=f"{years[0]}-{years[-1]}" if comparison.window_mean else str(years[-1]),
        above=above,
        below=len(of) - above,
        key=comparison,
    )
