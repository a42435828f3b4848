"""What a variant changes in a claim of R-OWN, and the series a run takes after the change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.variants import MUNICIPALITIES
from nqpf_spatial.claims.register import Claim
from nqpf_spatial.errors import DataSourceError, PanelError

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.indicators.composite_index import CompositeResult


@dataclass(frozen=True, slots=True)
class Setting:
    """A run of a claim; the default is the baseline.

    Attributes
    ----------
    drop : tuple of str
        Provinces left out of everything. Indices are built on all provinces first.
    swap : tuple of (str, str)
        Series and the one that takes its place.
    years : (int, int) or None
        Window in place of that of the claim.
    relabel : tuple of (scheme, province, group)
        Provinces that change their group; the group "" takes a province out of that grouping only.
    weighted : bool
        Population weights.
    """

    drop: tuple[str, ...] = ()
    swap: tuple[tuple[str, str], ...] = ()
    years: tuple[int, int] | None = None
    relabel: tuple[tuple[str, str, str], ...] = ()
    weighted: bool = False

    def name(self, variable: str) -> str:
        """Name of the series that stands for a variable."""
        return dict(self.swap).get(variable, variable)


Runs = list[tuple[str, Setting]]
#: (claim, context) -> label and setting of every run of a variant
Expansion = Callable[[Claim, Context], Runs]

_METHODS: Mapping[str, str] = {"index_equal": "equal", "index_pca": "pca", "index_topsis": "topsis"}


@dataclass(frozen=True, slots=True)
class IndexRecipe:
    """An index of the register made another way: its name, method, and a component left out ("" for none)."""

    index: str
    method: str
    without: str = ""
    label: str = field(default="", compare=False)

    @property
    def column(self) -> str:
        """Name under which a setting asks for it."""
        return f"{self.index}|{self.method}|{self.without}"


def _definition(ctx: Context, index: str) -> Mapping[str, Any]:
    found = [d for d in ctx.register.derived_variables if d["name"] == index]
    if not found:
        raise DataSourceError(f"the register derives no variable {index!r}")
    return found[0]


def components(ctx: Context, index: str) -> tuple[str, ...]:
    """Components of an index of the register."""
    return tuple(_definition(ctx, index)["inputs"])


def recipes(ctx: Context, variant: str, index: str) -> list[IndexRecipe]:
    """List the ways in which a variant makes an index.

    Raises
    ------
    NotInRelease
        If the variant is none of an index.
    """
    if variant in _METHODS:
        return [IndexRecipe(index, _METHODS[variant], label=f"{index}, {_METHODS[variant]}")]
    if variant == "index_drop_one":
        return [IndexRecipe(index, "entropy", c, f"{index} without {c}") for c in components(ctx, index)]
    raise NotInRelease(f"variant {variant} makes no index")


def build_index(ctx: Context, index: str, method: str, without: str = "") -> CompositeResult:
    """Build an index of the register by a method, on all provinces and its own window.

    Returns
    -------
    CompositeResult
        Normalised over all province-years of the window, as the register says.
    """
    from nqpf_spatial import indicators

    def compute() -> CompositeResult:
        first, last = (int(y) for y in str(_definition(ctx, index)["years"]).split("-"))
        kept = [c for c in components(ctx, index) if c != without]
        frame = ctx.panel.loc[(slice(None), slice(first, last)), kept]
        return indicators.composite(frame, method)

    return ctx.once(("own index", index, method, without), compute)


def column_of(ctx: Context, name: str) -> pd.Series:
    """A series of the panel, or an index made another way."""
    index, bar, rest = name.partition("|")
    if bar:
        method, _, without = rest.partition("|")
        return build_index(ctx, index, method, without).scores.rename(name)
    if name not in ctx.panel.columns:
        raise DataSourceError(f"the panel has no variable {name!r}; see nq.data.codebook()")
    return ctx.panel[name]


def series(claim: Claim, ctx: Context, setting: Setting, variable: str) -> pd.Series:
    """Return a variable of a claim, or what stands for it, on the window and the provinces of a setting.

    Parameters
    ----------
    claim : Claim
    ctx : Context
    setting : Setting
    variable : str
        A variable of the claim; its window is the one the register gives it.

    Returns
    -------
    Series
        Index (province, year). Years of the window in which no province has a value (the register's absent years)
        and provinces without any value (its ``provinces``) are not in it.

    Raises
    ------
    PanelError
        If a cell is missing among the others.
    NotInRelease
        If nothing is left.
    """
    first, last = setting.years or claim.years(variable)
    column = column_of(ctx, setting.name(variable))
    year, province = column.index.get_level_values("year"), column.index.get_level_values("province")
    part = column[(year >= first) & (year <= last) & ~province.isin(setting.drop)]
    wide = part.unstack("year").dropna(axis=1, how="all").dropna(axis=0, how="all")
    if wide.empty:
        raise NotInRelease(f"{setting.name(variable)} has no value in {first}-{last}")
    holes = wide.isna().stack()
    if holes.any():
        cells = ", ".join(f"{p} {y}" for p, y in holes.index[holes][:6])
        raise PanelError(f"{part.name} has {int(holes.sum())} missing cells: {cells}")
    kept = part[part.notna()]
    return kept.rename(setting.name(variable))


def year_of(claim: Claim, ctx: Context, setting: Setting, variable: str) -> tuple[int, pd.Series]:
    """Latest year of a variable in its window, and its cross-section over the provinces that have a value then."""
    first, last = setting.years or claim.years(variable)
    column = column_of(ctx, setting.name(variable))
    year, province = column.index.get_level_values("year"), column.index.get_level_values("province")
    part = column[(year >= first) & (year <= last) & ~province.isin(setting.drop)].dropna()
    if part.empty:
        raise NotInRelease(f"{setting.name(variable)} has no value in {first}-{last}")
    latest = int(part.index.get_level_values("year").max())
    return latest, part.xs(latest, level="year").rename(setting.name(variable))


def groups(scheme: str, setting: Setting) -> pd.Series:
    """Group of every province under a scheme, after the changes of a setting.

    Returns
    -------
    Series
        Indexed by province; provinces left out, or taken out of this grouping, are not in it.
    """
    import pandas as pd

    from nqpf_spatial import provinces

    labels = {p: group for group, members in provinces.groups(scheme).items() for p in members}  # type: ignore[arg-type]
    labels |= {p: group for kind, p, group in setting.relabel if kind == scheme}
    kept = {p: g for p, g in labels.items() if g and p not in setting.drop}
    return pd.Series(kept, name=scheme).rename_axis("province")


def _one(label: str, setting: Setting) -> Expansion:
    return lambda claim, ctx: [(label, setting)]


#: variants that mean the same in every claim
SHARED: Mapping[str, Expansion] = {
    "no_tibet": _one("without Tibet", Setting(drop=("Tibet",))),
    "no_municipalities": _one(f"without {', '.join(MUNICIPALITIES)}", Setting(drop=MUNICIPALITIES)),
    "ns_tibet_north": _one("Tibet counted North", Setting(relabel=(("north_south", "Tibet", "North"),))),
    "ns_no_beijing": _one("North without Beijing", Setting(relabel=(("north_south", "Beijing", ""),))),
    "pop_weighted": _one("population weights", Setting(weighted=True)),
}


def index_variants(index: str) -> Mapping[str, Expansion]:
    """Variants of an index of the register: other methods, each component left out in turn."""

    def expansion(variant: str) -> Expansion:
        def expand(claim: Claim, ctx: Context) -> Runs:
            return [(r.label, Setting(swap=((index, r.column),))) for r in recipes(ctx, variant, index)]

        return expand

    return {v: expansion(v) for v in (*_METHODS, "index_drop_one")}


def swapped(variable: str, *others: str, years: Mapping[str, tuple[int, int]] | None = None) -> Expansion:
    """Other series in the place of a variable, each in its own run."""
    windows = years or {}
    return lambda claim, ctx: [
        (f"{other} for {variable}", Setting(swap=((variable, other),), years=windows.get(other))) for other in others
    ]
