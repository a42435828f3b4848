"""A claim under one setting: windows, samples, and the clauses that builders put together.

Builders ask for clauses by variable ("the gap of this variable converges"); the view knows the claim's window, the column
that stands for the variable, the provinces and the weights of the setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.annual import Sample, Series, measures, trend_parameters
from nqpf_spatial.claims.evaluate.columns import base_of, column
from nqpf_spatial.claims.evaluate.comparisons import Comparison, difference
from nqpf_spatial.claims.evaluate.settings import Setting
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.claims.rules.level import Difference
from nqpf_spatial.claims.rules.trend import Label, Moving, Trend
from nqpf_spatial.errors import DataSourceError


@dataclass(frozen=True, slots=True)
class View:
    """A claim, its inputs and one setting."""

    claim: Claim
    ctx: Context
    setting: Setting

    @property
    def parameters(self) -> dict[str, Any]:
        """Numbers of the claim's rule and of the claim."""
        return {**self.ctx.register.rules[self.claim.rule].parameters, **self.claim.parameters}

    def rule(self, rule: str) -> dict[str, Any]:
        """Numbers of a rule."""
        return dict(self.ctx.register.rules[rule].parameters)

    def absent(self, variable: str) -> tuple[str, ...]:
        """Provinces without the variable, as many as the register says; any other number is an error."""
        stated = self.claim.provinces.get(variable)
        if stated is None:
            return ()
        first, last = self.claim.years(variable)
        years = column(self.ctx, variable).unstack("year")
        have = years.loc[:, [y for y in years if first <= y <= last]].notna().all(axis=1)
        if int(have.sum()) != stated:
            raise DataSourceError(
                f"claim {self.claim.id} states {stated} provinces for {variable}; {int(have.sum())} have every year"
            )
        return tuple(have.index[~have])

    def window(self, variable: str) -> tuple[int, ...]:
        """Years of a variable under the setting.

        Raises
        ------
        NotInRelease
            If no year is left.
        """
        name = self.setting.column(variable)
        first, last = self._span(variable, name)
        gaps = self.claim.absent_years.get(variable, ())
        if name == variable and self.setting.start is None and self.setting.end is None:
            return tuple(y for y in range(first, last + 1) if y not in gaps)
        start = self.setting.start or first
        end = self.setting.end or last
        present = self._complete(name, self.absent(variable))
        years = tuple(y for y in range(start, end + 1) if y in present)
        if not years:
            raise NotInRelease(f"{name} exists in no year of {start}-{end} for every province")
        return years

    def _span(self, variable: str, name: str) -> tuple[int, int]:
        """Window of the claim; the hull of several where one column stands for them."""
        group = self.setting.stands_for(name) or (variable,)
        spans = [self.claim.years(v) if v in self._windows() else self.claim.years(variable) for v in group]
        return min(a for a, _ in spans), max(b for _, b in spans)

    def _windows(self) -> tuple[str, ...]:
        """Variables with a window of their own; all where the claim has one for all."""
        period = self.claim.period
        if isinstance(period, str):
            return (*self.claim.outcome, *self.claim.regressors)
        return tuple(period or ())

    def _complete(self, name: str, absent: tuple[str, ...]) -> frozenset[int]:
        """Years in which every province (but the absent ones) has the column."""

        def find() -> frozenset[int]:
            table = column(self.ctx, name).unstack("province").drop(columns=list(absent))
            return frozenset(int(y) for y in table.index[table.notna().all(axis=1)])

        return self.ctx.once(("complete", name, absent), find)

    def sample(self, variable: str, groups: str = "", of: tuple[str, ...] = ()) -> Sample:
        """Cells of a variable under the setting."""
        drop = tuple(dict.fromkeys((*self.setting.drop, *self.absent(variable))))
        moved = self.setting.moved if groups else ()
        return Sample(self.window(variable), drop, groups, of, moved, self.setting.weights)

    def series(self, variable: str, quantity: str, groups: str = "", of: tuple[str, ...] = ()) -> Series:
        """Annual series of a variable under the setting."""
        name = self.setting.column(variable)
        if quantity in ("share", "relative"):
            name = base_of(self.ctx, name)
        absolute = self.setting.absolute and quantity in ("dispersion", "gap")
        alpha = None
        if quantity in ("polarisation", "esteban_ray", "egr"):
            alpha = self.setting.er_alpha or float(self.ctx.register.threshold("R-POLAR", "er_alpha"))
        return Series(name, quantity, self.sample(variable, groups, of), absolute, alpha)

    def trend(self, series: Series, wanted: Label) -> Trend:
        """A series carries a label of R-TREND."""
        found = measures(self.ctx, series)
        return Trend(describe(series), wanted, found, trend_parameters(self.ctx), series)

    def moving(self, series: Series) -> Moving:
        """A series carries either label of R-TREND."""
        return Moving(describe(series), measures(self.ctx, series), trend_parameters(self.ctx), series)

    def difference(
        self,
        variable: str,
        above: tuple[str, ...],
        below: tuple[str, ...] = (),
        groups: str = "block",
        *,
        window_mean: bool = False,
    ) -> Difference:
        """One group of provinces against another under the setting."""
        if variable in self.setting.reverse:
            if not below:
                raise NotInRelease(f"the direction of {variable} cannot be turned against all others")
            above, below = below, above
        sample = self.sample(variable, groups)
        return difference(
            self.ctx, Comparison(self.setting.column(variable), above, below, sample, window_mean=window_mean)
        )


def describe(series: Series) -> str:
    """A series in words.

    Examples
    --------
    >>> describe(Series("gdp_real_pc", "gap", Sample((2013, 2024), groups="block", of=("East", "West"))))
    'gap between East, West of gdp_real_pc'
    >>> describe(Series("gdp_real_pc", "dispersion", Sample((2013, 2024))))
    'dispersion of gdp_real_pc'
    """
    of = ", ".join(series.sample.of)
    kind = f"absolute {series.quantity}" if series.absolute else series.quantity
    if series.quantity == "gap":
        return f"{kind} between {of or series.sample.groups.replace('_', '-') + ' groups'} of {series.variable}"
    if series.quantity in ("share", "relative") or (series.quantity in ("dispersion", "mean") and of):
        return f"{kind} of {of} in {series.variable}"
    if series.quantity == "ratio":
        return f"ratio {' / '.join(series.sample.of)} of {series.variable}"
    if series.quantity in ("dagum", "theil"):
        return f"between part ({series.quantity.title()}) of {series.variable}{f' for {of}' if of else ''}"
    if series.quantity in ("polarisation", "esteban_ray", "egr"):
        return f"{series.quantity} of {series.variable} (alpha {series.alpha:g})"
    return f"{kind} of {series.variable}"
