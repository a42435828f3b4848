"""R-OSSIFY, R-POLAR and R-CLUB claims: gaps that set hard, polarisation, clubs.

Readings fixed before any verdict was computed, but for the unit of the clubs (more in `rules.ossify`, `rules.polar`,
`rules.club` and `settings`):

* Clubs are those of money per head in yuan. The register does not fix the unit of the logarithms, and the log t test is not
  invariant to it. An earlier look at the packaged series had shown gdp_real_pc of 2013-2024 with 2 clubs in 10,000 yuan and
  5 clubs in yuan: the unit was fixed after both outcomes had been seen, by what Phillips and Sul (2007, Econometrica 75,
  1771-1855; 2009, Journal of Applied Econometrics 24, 1153-1185) do, who take logarithms of incomes in currency units. The
  other unit stands beside and does not decide.
* Estimated TFP is expressed in yuan and persons likewise. An index between 0 and 1 has no unit and negative logarithms: its
  log t test runs on the index itself.
* WU-0.2: clauses are R-POLAR of at least as many innovation variables as support_if says, and R-TREND of the last outcome.
  There are no absolute versions of the polarisation indices.
* WU-0.3: Silverman's test is on the values themselves in the latest year, 999 draws, null of one mode; "bimodality OR two
  clubs" is one clause with two alternatives. R-OSSIFY runs on the four blocks. The claim brings the larger p-value of the
  two alternatives into the correction of its family, or that of the contradiction where the gap narrows.
* WU-1.3: East, Central and West without Northeast (28 provinces), also for ranks and the Markov chain; under three_belts all
  31. "R-TREND diverging or converging for both" is the label of the four gap measures of each variable.
* WU-P7: the criterion is the number of clubs; "1 club" contradicts.
* Clubs do not use weights, R-OSSIFY has no absolute version: such variants are listed as not run where nothing else of the
  criterion changes.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nqpf_spatial.claims.context import Context, NotInRelease
from nqpf_spatial.claims.evaluate import texts
from nqpf_spatial.claims.evaluate.annual import Sample, annual, cells, measures, membership, trend_parameters
from nqpf_spatial.claims.evaluate.assessment import Reading as ClaimReading
from nqpf_spatial.claims.evaluate.columns import column
from nqpf_spatial.claims.evaluate.criteria import assess, baseline_p
from nqpf_spatial.claims.evaluate.trends import DOWN, UP, gap
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.claims.record import Evidence
from nqpf_spatial.claims.rules import club, ossify, polar
from nqpf_spatial.claims.rules.clauses import Adjust, All, AtLeast, Clause, Significant, some
from nqpf_spatial.claims.rules.criterion import Criterion
from nqpf_spatial.claims.rules.trend import Label, Moving, Trend
from nqpf_spatial.errors import PanelError

#: what turns the packaged unit into yuan (and persons) per head
TO_YUAN: Mapping[str, float] = {
    "gdp_real_pc": 1e4,
    "gdp per resident (current prices)": 1e4,
    "gdp_real_per_urban_worker": 1e4,
    "tfp_est (level)": (1e8 / 1e4) ** 0.5,
}
#: draws of Silverman's test; the register fixes the level only
SILVERMAN_DRAWS = 999
DISCLOSURE = (
    "unit fixed after both outcomes had been seen: the register does not fix the currency unit of the logarithms; an "
    "earlier look had shown gdp_real_pc of 2013-2024 with 2 clubs in 10,000 yuan and 5 in yuan. Currency units (yuan) "
    "follow Phillips and Sul (2007, 2009); the other unit stands beside and does not decide"
)
CLUB_MDE = "the number of clubs has no standard error: there is no minimum detectable effect"
THREE = ("East", "Central", "West")
#: groups of the ratio of means in R-OSSIFY (iv)
OVER = ("East", "West")


@dataclass(frozen=True, slots=True)
class ClubSpec:
    """A club search: column, cells, factor on the values, parameters."""

    variable: str
    sample: Sample
    factor: float
    log: bool
    hp_lambda: float
    r: float


@dataclass(frozen=True, slots=True)
class PersistenceSpec:
    """Numbers of R-OSSIFY (ii)-(iv)."""

    variable: str
    sample: Sample


def club_spec(view: View, variable: str) -> ClubSpec:
    """Club search of a variable under the setting of a view."""
    p, name = view.rule("R-CLUB"), view.setting.column(variable)
    index = name.startswith("nqpf_index")
    if not index and name not in TO_YUAN:
        raise NotInRelease(f"R-CLUB: no currency unit is stated for {name}")
    hp = view.setting.hp_lambda or float(p["hp_lambda"])
    r = view.setting.r or float(p["r"])
    sample = replace(view.sample(variable), weights=None)
    return ClubSpec(name, sample, TO_YUAN.get(name, 1.0), not index, hp, r)


def search(ctx: Context, spec: ClubSpec) -> Any:
    """Clubs of a specification, as the library finds them; once per context, its warnings at every call."""

    def find() -> tuple[Any, tuple[Warning, ...]]:
        from nqpf_spatial import divergence

        p = ctx.register.rules["R-CLUB"].parameters
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = divergence.clubs(
                spec.factor * cells(ctx, spec.variable, spec.sample),
                log=spec.log,
                hp_lambda=spec.hp_lambda,
                r=spec.r,
                critical=float(p["reject_t_lt"]),
                indicative_below=int(p["indicative_below_T"]),
            )
        return found, tuple(w.message for w in caught if isinstance(w.message, Warning))

    found, said = ctx.once(spec, find)
    for message in said:
        warnings.warn(message, stacklevel=2)
    return found


def clubs_of(ctx: Context, spec: ClubSpec) -> club.Clubs:
    """Numbers of a club search that R-CLUB looks at."""
    found = search(ctx, spec)
    test = found.log_t
    divergent = tuple(map(str, found.divergent))
    return club.Clubs(found.n_clubs, divergent, float(test.statistic), float(test.pvalue), found.indicative)


def _clubs(view: View, variable: str, stated: int) -> Clause:
    spec = club_spec(view, variable)
    return club.exactly(spec.variable, clubs_of(view.ctx, spec), stated, view.rule("R-CLUB"), spec)


def three_tiers(view: View) -> Criterion:
    """WU-P7: three clubs."""
    (variable,) = view.claim.outcome
    stated, against = (texts.clubs_in(str(text)) for text in (view.claim.support_if, view.claim.contradict_if))
    spec = club_spec(view, variable)
    return Criterion(
        some("clubs", [_clubs(view, variable, stated)]),
        _clubs(view, variable, against),
        by_sign=False,
        p_value=clubs_of(view.ctx, spec).p,
    )


def _between(view: View, variable: str, of: tuple[str, ...] = ()) -> tuple[Moving, ...]:
    """Between-group parts of Dagum and Theil, for R-OSSIFY (i)."""
    return tuple(view.moving(view.series(variable, q, "block", of)) for q in ("dagum", "theil"))


def persistence(ctx: Context, spec: PersistenceSpec) -> ossify.Persistence:
    """Numbers of R-OSSIFY (ii)-(iv) of the library; once per context."""

    def find() -> ossify.Persistence:
        from nqpf_spatial import divergence

        x = cells(ctx, spec.variable, spec.sample)
        groups = membership(spec.sample, x.index.unique("province"))
        rank = divergence.ranks(x).spearman.statistic
        k = int(ctx.register.threshold("R-OSSIFY", "classes"))
        relative, plain = (divergence.markov(x, k=k, relative=r, gaps="skip").shorrocks for r in (True, False))
        weights = None if spec.sample.weights is None else column(ctx, spec.sample.weights)
        ratio = divergence.ratio(x, groups=groups, over=OVER, weights=weights)
        return ossify.Persistence(rank, relative, plain, 100.0 * float(ratio.iloc[-1] / ratio.iloc[0] - 1.0))

    return ctx.once(spec, find)


def _persistence_spec(view: View, variable: str, of: tuple[str, ...]) -> PersistenceSpec:
    return PersistenceSpec(view.setting.column(variable), view.sample(variable, "block", of))


def frozen(view: View, variable: str, of: tuple[str, ...] = ()) -> Clause:
    """R-OSSIFY of a variable."""
    spec = _persistence_spec(view, variable, of)
    found = persistence(view.ctx, spec)
    return ossify.frozen(spec.variable, _between(view, variable, of), found, view.rule("R-OSSIFY"), spec)


def bimodal(view: View, variable: str) -> Significant:
    """Silverman's test against one mode in the latest year."""
    sample = replace(view.sample(variable), weights=None)
    name, year = view.setting.column(variable), sample.years[-1]
    key = ("silverman", name, replace(sample, years=(year,)))

    def find() -> float:
        from nqpf_spatial import divergence

        x = cells(view.ctx, name, replace(sample, years=(year,)))
        return float(divergence.silverman_test(x, draws=SILVERMAN_DRAWS, seed=view.ctx.seed, years=year).pvalue)

    p = view.ctx.once(key, find)
    return Significant(f"{name}: two modes in {year}", True, p, float(view.parameters["silverman_alpha"]), key=key)


def two_poles(view: View) -> Criterion:
    """WU-0.3: frozen between the blocks, and two modes or two clubs."""
    if view.setting.absolute:
        raise NotInRelease("R-OSSIFY, modes and clubs have no absolute version")
    claim = view.claim
    (variable,) = claim.outcome
    modes, clubs = bimodal(view, variable), _clubs(view, variable, int(view.parameters["clubs"]))
    against = gap(view, variable, DOWN)
    larger = max(modes.p_value, clubs_of(view.ctx, club_spec(view, variable)).p)
    return Criterion(
        All(claim.id, (frozen(view, variable), some("two modes or two clubs", [modes, clubs]))),
        against,
        by_sign=False,
        p_value=against.p() if against.sign() else larger,
    )


def innovation_frozen(view: View) -> Criterion:
    """WU-1.3: the innovation gap of East, Central and West has set hard."""
    if view.setting.hp_lambda or view.setting.r:
        raise NotInRelease("the criterion has no clubs")
    claim, of = view.claim, THREE
    moving = tuple(view.moving(view.series(v, "gap", "block", of)) for v in claim.outcome)
    return Criterion(
        All(claim.id, tuple(frozen(view, v, of) for v in claim.outcome)),
        All("both move", moving),
        by_sign=False,
    )


def polarised(view: View, variable: str, wanted: Label) -> Trend:
    """R-POLAR of a variable."""
    series = view.series(variable, "polarisation", "block")
    name = f"polarisation of {series.variable}"
    return polar.polarises(name, wanted, measures(view.ctx, series), trend_parameters(view.ctx), series)


def drifting(view: View) -> Criterion:
    """WU-0.2: innovation polarises and productivity diverges."""
    if view.setting.absolute:
        raise NotInRelease("the polarisation indices have no absolute version")
    claim = view.claim
    *innovation, output = claim.outcome
    (k,) = texts.at_least(str(claim.support_if))
    series = view.series(output, "dispersion")

    def both(wanted: Label) -> All:
        poles = AtLeast(f"polarisation {wanted}", k, tuple(polarised(view, v, wanted) for v in innovation))
        return All(claim.id, (poles, view.trend(series, wanted)))

    return Criterion(both(UP), both(DOWN))


def polar_beside(view: View) -> list[Hashable]:
    """Esteban-Ray with the other alphas, beside the deciding indices."""
    alphas = view.ctx.register.threshold("R-POLAR", "er_alpha_sensitivity")
    return [
        replace(view.series(v, "esteban_ray", "block"), alpha=float(a)) for v in view.claim.outcome[:-1] for a in alphas
    ]


def _egr_rows(view: View, adjust: Adjust) -> tuple[tuple[Evidence, ...], dict[str, Any]]:
    """Esteban-Gradin-Ray of the four blocks, beside; it may be negative, so it has no trend of its logarithm."""
    import pandas as pd

    rows, found = [], {}
    for v in view.claim.outcome[:-1]:
        series = view.series(v, "egr", "block")
        table = annual(view.ctx, series)["egr"]
        found[series.variable] = table
        rows += [
            Evidence(f"Esteban-Gradin-Ray of {series.variable}, {y}", float(table[y]), counted=False)
            for y in (series.sample.years[0], series.sample.years[-1])
        ]
    return tuple(rows), {"egr": pd.DataFrame(found)}


def _club_rows(view: View, adjust: Adjust) -> tuple[tuple[Evidence, ...], dict[str, Any]]:
    """Clubs in yuan (counted) and in the packaged unit (beside), with the members as a table."""
    import pandas as pd

    spec = club_spec(view, view.claim.outcome[0])
    rows: list[Evidence] = []
    members = {}
    for s, unit, counted in ((spec, "yuan", True), (replace(spec, factor=1.0), "10,000 yuan", False)):
        what = f"number of clubs of {s.variable} in {unit}"
        try:
            found = clubs_of(view.ctx, s)
        except PanelError as error:
            if counted:
                raise
            rows.append(Evidence(f"{what}: {error}", None, counted=False))
            continue
        tag = ", indicative" if found.indicative else ""
        rows.append(Evidence(f"{what}{tag}", float(found.number), counted=counted))
        corrected = adjust(found.p) if counted else None
        what = f"log t of {s.variable} in {unit}, null: all provinces converge"
        rows.append(Evidence(what, found.t, p=found.p, p_holm=corrected, counted=counted))
        members[unit] = {p: int(k) for p, k in search(view.ctx, s).membership.items() if pd.notna(k)}
    provinces = search(view.ctx, spec).membership.index
    table = pd.DataFrame(
        {unit: [own.get(p) for p in provinces] for unit, own in members.items()}, index=provinces, dtype=object
    ).rename_axis("province")
    return tuple(rows), {"clubs": table, "transition_paths": search(view.ctx, spec).paths}


def _frozen_rows(view: View, adjust: Adjust) -> tuple[tuple[Evidence, ...], dict[str, Any]]:
    """Numbers of (ii)-(iv) of every variable of a claim under R-OSSIFY."""
    p = view.rule("R-OSSIFY")
    of = THREE if len(view.claim.outcome) > 1 else ()
    rows = []
    for v in view.claim.outcome:
        found = persistence(view.ctx, _persistence_spec(view, v, of))
        checks = (
            ("(ii) Spearman correlation of first and last year", found.spearman, found.spearman >= p["spearman_ge"]),
            ("(iii) Shorrocks mobility, relative values", found.shorrocks, found.shorrocks <= p["shorrocks_le"]),
            (
                "(iv) change of the East/West ratio, percent",
                found.ratio_change_pct,
                abs(found.ratio_change_pct) <= p["ratio_change_within_pct"],
            ),
        )
        rows += [Evidence(f"{what}, {v}", x, reading="support" if ok else "neither") for what, x, ok in checks]
        rows.append(Evidence(f"Shorrocks mobility, plain values, {v}", found.shorrocks_plain, counted=False))
    return tuple(rows), {}


def _poles_rows(view: View, adjust: Adjust) -> tuple[tuple[Evidence, ...], dict[str, Any]]:
    """Everything of WU-0.3 that is no trend."""
    frozen_rows, _ = _frozen_rows(view, adjust)
    club_rows, tables = _club_rows(view, adjust)
    modes = bimodal(view, view.claim.outcome[0])
    silverman = Evidence(
        f"Silverman's test, {modes.name}",
        None,
        p=modes.p_value,
        p_holm=adjust(modes.p_value),
        reading="support" if modes.holds(adjust) else "neither",
    )
    return (*frozen_rows, silverman, *club_rows), tables


def ratio_beside(view: View) -> list[Hashable]:
    """East/Central and East/West ratios of WU-1.3, year by year."""
    return [view.series(v, "ratio", "block", ("East", b)) for v in view.claim.outcome for b in ("Central", "West")]


def _reading(build: Any, **options: Any) -> ClaimReading:
    return ClaimReading(assess, {"build": build, **options}, baseline_p)


#: claims decided here
READINGS: Mapping[str, ClaimReading] = {
    "WU-0.2": _reading(drifting, beside=polar_beside, extra=_egr_rows),
    "WU-0.3": _reading(
        two_poles,
        index="nqpf_index",
        index_replaces=("gdp_real_pc",),
        extra=_poles_rows,
        notes=(DISCLOSURE,),
    ),
    "WU-1.3": _reading(innovation_frozen, extra=_frozen_rows, beside=ratio_beside),
    "WU-P7": _reading(three_tiers, extra=_club_rows, notes=(DISCLOSURE,), mde_note=CLUB_MDE),
}
