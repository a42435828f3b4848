"""Impacts of a dynamic fit: short run, long run and every horizon between, with inference that survives a sum near one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.models.dynamic.bootstrap import recursive_bootstrap
from nqpf_spatial.models.dynamic.effects import Horizon, effects_of, errors_of, phi_of, require_long_run, with_fieller
from nqpf_spatial.models.dynamic.part import part
from nqpf_spatial.models.dynamic.stability import spectrum, stability
from nqpf_spatial.models.impacts.inference import Impacts, impact_table, regressors
from nqpf_spatial.models.impacts.marginal import rows
from nqpf_spatial.models.impacts.samples import normal_draws, vcov_note

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

METHODS = ("delta", "fieller", "simulate", "bootstrap")
#: draws by default: refits cost more than draws from a normal distribution
DRAWS = {"simulate": 10_000, "bootstrap": 1_000}


@dataclass(frozen=True, eq=False)
class DynamicImpacts(Impacts):
    """Impacts of a dynamic fit at one horizon; `short` and `long` are those at its ends.

    Attributes
    ----------
    table : DataFrame
        Indexed by term; columns (direct, indirect, total) x (estimate, se, z, p, lower, upper).
    horizon : int or "long"
        Periods after the change; 0 is the short run, "long" the new equilibrium after a permanent change.
    cumulative : bool
        Summed over the horizons up to this one.
    method : str
    draws : int or None
        Draws or replicates used.
    outside : float or None
        Share of draws left out: roots at or beyond one (long run), rho outside its interval, or replicates without a maximum.
    sets : DataFrame or None
        Fieller sets of the totals: ``shape`` "interval", "complement" (everything except ``lower`` to ``upper``) or "line". Where a
        set is not an interval, the bounds in `table` are infinite.
    """

    horizon: Horizon = 0
    cumulative: bool = False
    sets: pd.DataFrame | None = None
    both: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    sample: NDArray | None = None

    @property
    def short(self) -> DynamicImpacts:
        """Impacts in the period of the change, by the same method and draws."""
        return self.at(0)

    @property
    def long(self) -> DynamicImpacts:
        """Impacts of a permanent change in the new equilibrium, by the same method and draws.

        Raises
        ------
        IdentificationError
            The estimated process is not stable.
        """
        return self.at("long")

    def at(self, horizon: Horizon, cumulative: bool = False) -> DynamicImpacts:
        """Impacts at another horizon, by the same method and draws."""
        if horizon == self.horizon and cumulative == self.cumulative:
            return replace(self, both=False)
        found = _impacts(self.fit, horizon, self.method, cumulative, self.options, self.sample)
        return replace(found, alpha=self.alpha)

    @property
    def runs(self) -> pd.DataFrame:
        """Short and long run below each other: index (run, term). An unstable process has a short run only."""
        parts = {"short": self.short.table}
        if stability(self.fit).stable:
            parts["long"] = self.long.table
        return pd.concat(parts, names=["run", "term"])

    def by_order(self, q: int = 5) -> pd.DataFrame:
        """Impacts by order of neighbourhood at horizon 0 and "long"; see `nqpf_spatial.models.impacts.views.by_order`."""
        from nqpf_spatial.models.impacts.views import by_order

        return by_order(self.fit, q, self.horizon, self.cumulative)

    def by_unit(self, term: str | None = None) -> pd.DataFrame:
        """Who receives and who sends at this horizon; see `nqpf_spatial.models.impacts.views.by_unit`."""
        from nqpf_spatial.models.impacts.views import by_unit

        return by_unit(self.fit, term, self.horizon, self.cumulative)

    def by_block(self, groups: str | Mapping[Any, Any] | pd.Series = "block", alpha: float = 0.05) -> pd.DataFrame:
        """Block to block with intervals at this horizon; see `nqpf_spatial.models.impacts.views.by_block`."""
        from nqpf_spatial.models.impacts.views import by_block

        return by_block(self.fit, groups, alpha, self.horizon, self.cumulative)

    def effect_matrix(self, term: str) -> NDArray:
        """The N x N effects of one regressor column at this horizon; what `by_unit` and `map` show."""
        from nqpf_spatial.models.impacts.views import effect_matrix

        return effect_matrix(self.fit, term, self.horizon, self.cumulative)

    def when(self, lang: str = "en") -> str:
        """The horizon in words."""
        zh, h = lang == "zh", self.horizon
        if h == "long":
            return "长期" if zh else "long run"
        if self.cumulative:
            return f"{h} 期累积" if zh else f"cumulative over {h} periods"
        if h == 0:
            return "短期" if zh else "short run"
        return f"{h} 期之后" if zh else f"{h} periods later"

    def _how(self) -> str:
        how = {
            "delta": "delta method",
            "fieller": "Fieller sets of the totals, delta method elsewhere",
            "simulate": f"{self.draws} draws",
            "bootstrap": f"{self.draws} replicates of the recursive bootstrap",
        }
        lost = f", {self.outside:.1%} of the draws left out" if self.outside else ""
        return how[self.method] + lost

    def _head(self) -> str:
        w = self.fit.w
        where = "" if w is None else f", W = {w.name}"
        when = "short and long run" if self.both else self.when()
        return f"Impacts, {when} ({self._how()}); dynamic {self.fit.model}{where}{vcov_note(self.fit, self.method)}"

    def _notes(self) -> list[str]:
        lines = [stability(self.fit).line()]
        if self.method == "delta" and (self.both or self.horizon == "long"):
            lines[0] += (
                '. Delta intervals of the long run cover too little where persistence is high: compare method="fieller"'
            )
        if self.sets is not None:
            lines += [f"Fieller set of the total of {term}: {_words(row)}" for term, row in self.sets.iterrows()]
        return lines

    def _blocks(self) -> list[tuple[str, DynamicImpacts]]:
        if not self.both:
            return [(self.when(), self)]
        ends = [("short run", self.short)]
        return [*ends, ("long run", self.long)] if stability(self.fit).stable else ends

    def __repr__(self) -> str:
        lines = [self._head()]
        for name, block in self._blocks():
            lines += [f"-- {name}" if self.both else "", block.tidy().to_string(float_format=lambda v: f"{v:.4f}")]
            lines += [line for line in block._notes() if block.sets is not None and "Fieller" in line]
        return "\n".join([line for line in lines if line] + self._notes()[:1])

    def _repr_html_(self) -> str:
        parts = [f"<p>{self._head()}</p>"]
        for name, block in self._blocks():
            parts += [f"<b>{name}</b>" if self.both else "", block.tidy().to_html(float_format=lambda v: f"{v:.4f}")]
            parts += [f"<small>{line}<br></small>" for line in block._notes()[1:]]
        return "".join([*parts, f"<small>{self._notes()[0]}</small>"])


def _words(row: pd.Series) -> str:
    if row["shape"] == "line":
        return "every value, the data exclude none"
    between = f"({row['lower']:.4f}, {row['upper']:.4f})"
    return between if row["shape"] == "interval" else f"every value except {between}"


def dynamic_impacts(
    fit: SpatialFit,
    horizon: Horizon | None = None,
    method: str = "delta",
    *,
    cumulative: bool = False,
    of: list[str] | None = None,
    draws: int | None = None,
    seed: int = 0,
    alpha: float = 0.05,
) -> DynamicImpacts:
    r"""Direct, indirect and total impacts of a dynamic fit at a horizon; what ``fit.impacts()`` calls.

    Parameters
    ----------
    fit : SpatialFit
        With time lags.
    horizon : int or "long", optional
        Periods after a change that lasts one period (0: short run); ``"long"``: new equilibrium after a permanent change. Left out, the
        table is that of the short run, which always exists, and the printed result shows the long run below it (``.long``, ``.runs``).
    method : {"delta", "fieller", "simulate", "bootstrap"}
        ``"fieller"`` inverts the test of the ratio ``(beta + theta) / (1 - tau - rho - eta)`` (short run: ``1 - rho``): its sets
        keep their level as the denominator nears zero, where no bounded interval can (Dufour 1997). For totals with row-stochastic
        W; the other columns carry delta intervals, and z and p of the total are those of the numerator, which the sets invert.
        ``"bootstrap"`` refits recursive samples given y_0.
    cumulative : bool
        Sum over the horizons up to this one: the effect by then of a permanent change.
    of : list of str, optional
        Variables whose average marginal effect is wanted, as in `nqpf_spatial.models.impacts.inference.impacts`.
    draws, seed : int
        By default 10,000 draws ("simulate") or 1,000 replicates ("bootstrap").
    alpha : float

    Raises
    ------
    IdentificationError
        The long run of a process that is not stable (except ``method="fieller"``, whose set does not need the point estimate).

    Notes
    -----
    Draws with a root at or beyond one have no long run and are left out; ``outside`` is their share. Where it is not small, trust
    the Fieller sets or a finite horizon.
    """
    part(fit.estimate)
    chosen: Horizon = 0 if horizon is None else horizon
    number = DRAWS.get(method, 2) if draws is None else draws
    options = {"of": of, "draws": number, "seed": seed, "alpha": alpha}
    _check(fit, chosen, method, number, cumulative)
    sample = None
    if method == "simulate":
        sample = normal_draws(fit, number, seed)
    elif method == "bootstrap":
        sample = recursive_bootstrap(fit.estimate, number, seed)[0]
    found = _impacts(fit, chosen, method, cumulative, options, sample)
    return replace(found, both=horizon is None and not cumulative, alpha=alpha)


def _impacts(
    fit: SpatialFit, horizon: Horizon, method: str, cumulative: bool, options: Mapping[str, Any], sample: NDArray | None
) -> DynamicImpacts:
    _check(fit, horizon, method, options["draws"], cumulative)
    stable = horizon != "long" or stability(fit).stable
    if method != "fieller":
        require_long_run(fit, horizon)
    table_rows = rows(fit.estimate.design, regressors(fit), options["of"])
    if not table_rows:
        raise ValueError("the model has no regressors, so there are no impacts")
    estimate = effects_of(fit, table_rows, fit.params.to_numpy()[None], horizon, cumulative)[0]
    half = float(stats.norm.isf(options["alpha"] / 2))
    names = [row.name for row in table_rows]
    if sample is None:
        se = errors_of(fit, table_rows, horizon, cumulative)
        lower, upper = estimate - half * se, estimate + half * se
        if method == "delta":
            table = impact_table(names, estimate, se, lower, upper)
            return DynamicImpacts(table, method, None, None, fit, horizon, cumulative, options=options)
        table = impact_table(names, estimate, se, lower, upper)
        table, sets = with_fieller(fit, table_rows, table, horizon, half)
        if not stable:
            table.loc[:, ["direct", "indirect"]] = np.nan
            table.loc[:, [("total", "estimate"), ("total", "se")]] = np.nan
        return DynamicImpacts(table, method, None, None, fit, horizon, cumulative, sets, options=options)
    inside = _admissible(fit, sample, horizon)
    values = effects_of(fit, table_rows, sample[inside], horizon, cumulative)
    used, outside = int(inside.sum()), 1.0 - inside.sum() / options["draws"]
    if used < 2:
        raise ValueError(
            f"{used} of {options['draws']} draws have effects at horizon {horizon!r}; choose a finite horizon"
        )
    lower, upper = np.quantile(values, [options["alpha"] / 2, 1 - options["alpha"] / 2], axis=0)
    table = impact_table(names, estimate, values.std(axis=0, ddof=1), lower, upper)
    return DynamicImpacts(table, method, used, outside, fit, horizon, cumulative, None, False, options, sample)


def _check(fit: SpatialFit, horizon: Horizon, method: str, draws: int, cumulative: bool) -> None:
    if method not in METHODS:
        why = "; an exact posterior exists for static models only" if method == "posterior" else ""
        raise ValueError(
            f"method={method!r} is not known for dynamic fits; choose one of {', '.join(map(repr, METHODS))}{why}"
        )
    if not (horizon == "long" or (isinstance(horizon, (int, np.integer)) and horizon >= 0)):
        raise ValueError(f'horizon={horizon!r}: give a number of periods (0 is the short run) or "long"')
    if draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")
    if method != "fieller":
        return
    if cumulative or horizon not in (0, "long"):
        raise ValueError('method="fieller" is for horizon=0 and horizon="long", where the total is a ratio')
    w, weights = fit.estimate.weights.first(), fit.estimate.weights
    if any(v is not None and not v.is_row_stochastic for v in (w, weights.durbin)):
        raise ValueError('method="fieller" needs rows of W that sum to one; use "delta" or "bootstrap"')


def _admissible(fit: SpatialFit, sample: NDArray, horizon: Horizon) -> NDArray:
    phi, logdet = phi_of(fit, sample), fit.estimate.likelihood.rho
    inside = np.ones(sample.shape[0], dtype=bool)
    if logdet is not None:
        inside = (phi[:, 2] > logdet.low) & (phi[:, 2] < logdet.high)
    if horizon == "long":
        omega = spectrum(fit.estimate).omega
        roots = (phi[:, :1] + phi[:, 1:2] * omega) / (1.0 - phi[:, 2:] * omega)
        inside &= np.abs(roots).max(axis=1) < 1.0
    return inside
