"""What a variant of the register changes in the baseline of a claim about trends, levels, polarisation or clubs.

A `Setting` is the baseline with small changes: provinces left out, groups moved, another window, another column in the
place of a variable, weights. `expand` turns a variant id into its settings.

Readings fixed before any variant was run:

* A series that takes the place of another runs on the claim's window, cut to the years in which it exists for every
  province. Several variables replaced by one index run on the hull of their windows.
* ``from_*`` and ``to_*`` move one end of every window, as far as a series reaches. A window that ends before it begins, or
  is too short for its rule, is a variant that cannot run.
* ``from_2010`` is the first year of the R&D series, for every variable that reaches it.
* A variant that names a series the claim does not have cannot run. One that changes nothing in the criterion (a series
  shown beside, a window a series does not reach) cannot either: it would agree with the baseline by construction.
* Index variants rebuild the index the claim has (the human-development index), or else put an index in the place of a
  variable: the digital index for broadband, ``nqpf_index`` where ``alt_nqpf`` does the same for output. In WU-4.5 the
  index takes the place of all five series.
* ``alt_market`` in a claim on the state share turns the direction: the private share is its counterpart.
* ``alt_tfp`` and ``alt_solow`` replace output per head by the level, growth per head by the growth of productivity; growth
  of total output stays.
* ``alt_schooling`` has two runs: the share with college education (in the index too), and census years of schooling,
  which has two dates and is listed as not run where a trend is asked for.
* ``three_belts`` moves Liaoning to the East, Jilin and Heilongjiang to the Central block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate.columns import index_variants
from nqpf_spatial.claims.evaluate.variants import MUNICIPALITIES
from nqpf_spatial.claims.register import Claim

#: variants of several index runs or club searches, and those that never count: left out by a fast run
HEAVY = frozenset(
    {"index_pca", "index_topsis", "index_drop_one", "club_sens", "from_2000", "pop_weighted", "absolute_gap"}
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Changes to the baseline of a claim.

    Attributes
    ----------
    label : str
        What is changed, in words.
    drop : tuple of str
        Provinces left out.
    moved : tuple of (province, group)
        Provinces counted in another group, under whichever scheme has that group.
    start, end : int or None
        First and last year in the place of the claim's.
    swap : tuple of (variable, column)
    reverse : tuple of str
        Variables whose direction is turned.
    weights : str or None
        Column that weighs the provinces.
    absolute : bool
        Absolute gaps in the place of relative dispersion.
    er_alpha, hp_lambda, r : float or None
        Parameters of R-POLAR and R-CLUB in the place of the baseline's.
    """

    label: str = "baseline"
    drop: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    start: int | None = None
    end: int | None = None
    swap: tuple[tuple[str, str], ...] = ()
    reverse: tuple[str, ...] = ()
    weights: str | None = None
    absolute: bool = False
    er_alpha: float | None = None
    hp_lambda: float | None = None
    r: float | None = None

    def column(self, variable: str) -> str:
        """Column that stands for a variable."""
        return dict(self.swap).get(variable, variable)

    def stands_for(self, column: str) -> tuple[str, ...]:
        """Variables a column takes the place of."""
        return tuple(old for old, new in self.swap if new == column)


Expand = Callable[[Claim, Context, Mapping[str, Any]], list[Setting]]

#: variable -> columns that may take its place, by variant; several columns are several runs
SWAPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "alt_innovation": {"rd_intensity": ("patents_inv_pc", "rd_fte_pc")},
    "alt_tfp": {"gdp_real_pc": ("tfp_est (level)",), "gdp_pc_growth": ("tfp_growth_est",)},
    "alt_solow": {"gdp_real_pc": ("solow_residual (level)",), "gdp_pc_growth": ("tfp_solow_growth",)},
    "alt_urban_labour": {"gdp_real_pc": ("gdp_real_per_urban_worker",)},
    "alt_vintage": {"gdp_real_pc": ("gdp per resident (current prices)",)},
    "alt_nqpf": {"gdp_real_pc": ("nqpf_index",)},
    "alt_fie": {"ln_fie_ratio": ("ln_fie_ratio (registered capital)",)},
    "alt_transport": {"transport_density": ("rail_density",)},
    "alt_industry": {"hitech_mfg_revenue": ("va_industry",)},
    "nine_sectors": {"krugman3": ("krugman9",)},
}

#: variables of a claim that may have another column, in the order in which they are looked for
_MARKET = {"private_asset_share": False, "soe_asset_share": True}
_DIGITAL = ("ln_broadband_pc", "broadband_pc")
_FIRST_PUBLISHED = {
    "gdp_growth": "gdp_growth (first published)",
    "gdp_pc_growth": "gdp_pc_growth (first published)",
}
_BELTS = (("Liaoning", "East"), ("Jilin", "Central"), ("Heilongjiang", "Central"))


def variables(claim: Claim) -> tuple[str, ...]:
    """Variables a claim is about: outcomes, then regressors."""
    return (*claim.outcome, *claim.regressors)


class NothingToReplace(NotInRelease):
    """The register lists a variant that replaces a series the claim does not use."""


def _absent(claim: Claim, *names: str) -> NotInRelease:
    return NothingToReplace(f"listed for the claim, which has no {' or '.join(names)} to replace")


def _swaps(variant: str) -> Expand:
    """Runs of a variant of `SWAPS`, one per replacing column."""

    def expand(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
        known = SWAPS[variant]
        for old, columns in known.items():
            if old in variables(claim):
                return [Setting(f"{new} for {old}", swap=((old, new),)) for new in columns]
        raise _absent(claim, *known)

    return expand


def _digital(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    """The digital alternatives R-MECH lists, in the place of broadband."""
    columns = ctx.register.threshold("R-MECH", "baseline")["alternatives"]["digital"]
    for old in _DIGITAL:
        if old in variables(claim):
            return [Setting(f"{new} for {old}", swap=((old, new),)) for new in columns]
    raise _absent(claim, *_DIGITAL)


def _market(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    new = "private_corporate_share"
    for old, turned in _MARKET.items():
        if old in variables(claim):
            label = f"{new} for {old}{', direction turned' if turned else ''}"
            return [Setting(label, swap=((old, new),), reverse=(old,) if turned else ())]
    raise _absent(claim, *_MARKET)


def _schooling(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    """College share (in the index too), and census schooling."""
    own = [v for v in ("schooling_years", "schooling_rel") if v in variables(claim)]
    if not own:
        raise _absent(claim, "schooling_years", "schooling_rel")
    index = options.get("index")
    runs = []
    for new in ("college_share", "mean_years_schooling"):
        swap = [(v, new) for v in own]
        if index and new == "college_share":
            swap.append((index, f"{index} ({new} for schooling_years)"))
        runs.append(Setting(f"{new} for {own[0]}", swap=tuple(swap)))
    return runs


def _index(variant: str) -> Expand:
    """An index made another way, in the place of the variables the claim's reading names."""

    def expand(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
        if "index" not in options:
            raise NotInRelease("the claim has no index and no variable an index stands for")
        index = options["index"]
        replaced = options.get("index_replaces", (index,))
        columns = index_variants(index)[variant]
        return [Setting(f"{c} for {', '.join(replaced)}", swap=tuple((v, c) for v in replaced)) for c in columns]

    return expand


def _indices(*columns: str) -> Expand:
    """Packaged indices in the place of the variables the claim's reading names."""

    def expand(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
        if "index_replaces" not in options:
            raise NotInRelease("the claim has no variable an index stands for")
        replaced = options["index_replaces"]
        return [Setting(f"{c} for {', '.join(replaced)}", swap=tuple((v, c) for v in replaced)) for c in columns]

    return expand


def _first_published(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    swap = tuple((old, new) for old, new in _FIRST_PUBLISHED.items() if old in variables(claim))
    if not swap:
        raise _absent(claim, *_FIRST_PUBLISHED)
    return [Setting("growth as first published", swap=swap)]


def _alphas(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    alphas = ctx.register.threshold("R-POLAR", "er_alpha_sensitivity")
    return [Setting(f"Esteban-Ray alpha {a:g}", er_alpha=float(a)) for a in alphas]


def _clubs(claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    hp, r = (ctx.register.threshold("R-CLUB", k) for k in ("hp_lambda_sensitivity", "r_sensitivity"))
    return [
        Setting(f"Hodrick-Prescott lambda {hp:g}", hp_lambda=float(hp)),
        Setting(f"first share left out r = {r:g}", r=float(r)),
    ]


def _same(setting: Setting) -> Expand:
    return lambda claim, ctx, options: [setting]


#: variant id -> its settings
VARIANTS: Mapping[str, Expand] = {
    "no_tibet": _same(Setting("without Tibet", drop=("Tibet",))),
    "no_municipalities": _same(Setting(f"without {', '.join(MUNICIPALITIES)}", drop=MUNICIPALITIES)),
    "from_2000": _same(Setting("from 2000", start=2000)),
    "from_2005": _same(Setting("from 2005", start=2005)),
    "from_2010": _same(Setting("from 2010", start=2010)),
    "from_2012": _same(Setting("from 2012", start=2012)),
    "from_2016": _same(Setting("from 2016", start=2016)),
    "to_2019": _same(Setting("to 2019", end=2019)),
    "ns_tibet_north": _same(Setting("Tibet counted North", moved=(("Tibet", "North"),))),
    "ns_no_beijing": _same(Setting("without Beijing", drop=("Beijing",))),
    "three_belts": _same(Setting("Liaoning East, Jilin and Heilongjiang Central", moved=_BELTS)),
    "pop_weighted": _same(Setting("weighted by population", weights="population")),
    "absolute_gap": _same(Setting("absolute gaps", absolute=True)),
    **{variant: _swaps(variant) for variant in SWAPS},
    "alt_digital": _digital,
    "alt_market": _market,
    "alt_schooling": _schooling,
    "firstpub_growth": _first_published,
    "er_alpha": _alphas,
    "club_sens": _clubs,
    "index_broad": _indices("digital_index_broad"),
    "index_candidates": _indices("digital_index_net", "digital_index_use"),
    **{v: _index(v) for v in ("index_equal", "index_pca", "index_topsis", "index_drop_one")},
}


def expand(variant: str, claim: Claim, ctx: Context, options: Mapping[str, Any]) -> list[Setting]:
    """List the settings of a variant.

    Parameters
    ----------
    variant : str
        Id in the register.
    claim : Claim
    ctx : Context
    options : mapping
        Of the claim's reading: ``index`` (name of its index) and ``index_replaces`` (variables an index stands for).

    Returns
    -------
    list of Setting

    Raises
    ------
    NotInRelease
        If the variant has no meaning for the claim, or is left out by a fast run; the message is the reason shown.
    """
    if variant not in VARIANTS:
        raise NotInRelease(f"variant {variant} is not written for {claim.rule} yet")
    if ctx.fast and variant in HEAVY:
        raise NotInRelease("left out by the fast run")
    return VARIANTS[variant](claim, ctx, options)
