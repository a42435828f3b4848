"""Panel threshold regression: where does a slope change, and does it change at all (Hansen 1999)?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError
from nqpf_spatial.kernels import threshold as kernel
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.models.design import Design, build_design
from nqpf_spatial.models.fit import fit
from nqpf_spatial.models.results import SpatialFit, check_alpha
from nqpf_spatial.models.spec import parse_formula
from nqpf_spatial.weights.core import SpatialWeights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: prefix of a threshold variable that is the spatial lag of a column
LAGGED = "W:"
_LEVELS = (0.10, 0.05, 0.01)
_MOST = 3


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdTest:
    """One more threshold or not: the bootstrap F test of Hansen (1999, section 3.4).

    Attributes
    ----------
    statistic : float
        ``F = (S0 - S1) / s2``.
    df : None
        The distribution is that of the bootstrap: under the null the threshold is not identified.
    pvalue : float
        Share of replicates, the data included, with an F at least as large.
    null : str
    threshold : float
        Estimate at this step.
    critical : Series
        Critical values at 10, 5 and 1 percent.
    replicates : int
    """

    statistic: float
    df: None
    pvalue: float
    null: str
    threshold: float
    critical: pd.Series
    replicates: int


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdFit:
    """Result of `threshold`.

    Attributes
    ----------
    thresholds : tuple of float
        Estimates, ascending.
    tests : tuple of ThresholdTest
        None against one, one against two, ...
    fit : SpatialFit
        Least squares with the slopes by regime, ``name_regime1`` (lowest values of the threshold variable) and so on. Its
        inference takes the thresholds as known, which is asymptotically right (Hansen 1999, section 4.3).
    sets : DataFrame
        Per threshold: estimate, lower, upper of the confidence set, members and candidates.
    profiles : tuple of Series
        Likelihood ratio of every candidate, per threshold, indexed by the candidate.
    variable : str
        Threshold variable.
    switching : tuple of str
    shares : Series
        Share of the observations in each regime.
    alpha : float
        Level of the confidence sets.
    trim : float
    seed : int
    """

    thresholds: tuple[float, ...]
    tests: tuple[ThresholdTest, ...]
    fit: SpatialFit
    sets: pd.DataFrame
    profiles: tuple[pd.Series, ...]
    variable: str
    switching: tuple[str, ...]
    shares: pd.Series
    alpha: float
    trim: float
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """Tests of the number of thresholds, one row each."""
        rows = [
            {"threshold": t.threshold, "F": t.statistic, "p": t.pvalue, **{f"crit {level}": v for level, v in t.critical.items()}}
            for t in self.tests
        ]  # fmt: skip
        index = pd.Index([f"{i} against {i + 1}" for i in range(len(rows))], name="thresholds")
        return pd.DataFrame(rows, index=index)

    def plot(self, ax: Axes | None = None, which: int = 0, lang: str = "en") -> Axes:
        """Likelihood ratio over the candidates; see `nqpf_spatial.models.plots.threshold_plot`."""
        from nqpf_spatial.models.plots import threshold_plot

        return threshold_plot(self, ax, which, lang)

    def _blocks(self) -> tuple[str, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.shares.items())
        head = (
            f"Threshold regression, {len(self.thresholds)} threshold(s) in {self.variable}; slopes of "
            f"{', '.join(self.switching)} by regime ({shares}); {self.tests[0].replicates} replicates, seed {self.seed}"
        )
        return head, self.table, self.sets, self.fit.tidy()

    def summary(self) -> str:
        """Plain text: tests, confidence sets, slopes."""
        head, *frames = self._blocks()
        return "\n\n".join([head, *(f.to_string(float_format=lambda v: f"{v:.4g}") for f in frames)])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        head, *frames = self._blocks()
        return f"<p>{head}</p>" + "".join(f.to_html(float_format=lambda v: f"{v:.4g}") for f in frames)


def threshold(
    formula: str,
    data: pd.DataFrame,
    variable: str,
    w: SpatialWeights | None = None,
    *,
    switching: Sequence[str] | None = None,
    count: int = 1,
    years: tuple[object, object] | None = None,
    trim: float = 0.05,
    grid: int = 400,
    replicates: int = 999,
    seed: int = 0,
    alpha: float = 0.05,
    vcov: str = "cluster",
) -> ThresholdFit:
    r"""Fit a panel threshold regression with fixed effects and test the number of thresholds.

    .. math::
       y_{it} = \mu_i + \alpha_t + z_{it}'\delta + x_{it}'\beta_1 1\{q_{it} \le \gamma\} + x_{it}'\beta_2 1\{q_{it} > \gamma\} + e_{it}

    Parameters
    ----------
    formula : str
        As in `nqpf_spatial.fit`: all regressors, and the effects after ``|``. Hansen (1999) has unit effects; time effects may be
        added.
    data : DataFrame
        Index (unit, period); a cross-section, index (unit), works too.
    variable : str
        Threshold variable q: a column, or ``"W:name"`` for its spatial lag by `w`.
    w : SpatialWeights, optional
        Only for ``"W:name"``.
    switching : list of str, optional
        Regressors whose slope changes; all by default. Bare columns of the formula.
    count : {1, 2, 3}
        Thresholds in the model; each is tested against one fewer. Found one after the other, the earlier ones then again given
        the later (Bai 1997; Hansen 1999, section 5.2).
    trim : float
        Smallest share of observations in a regime.
    grid : int
        At most so many candidates per search.
    replicates, seed : int
        Bootstrap of the tests: residual paths of units drawn with replacement, regressors fixed.
    alpha : float
        Level of the confidence sets, which invert the likelihood ratio: all gamma with
        ``LR(gamma) <= -2 ln(1 - sqrt(1 - alpha))``.
    vcov : str
        Covariance of the slopes, see `nqpf_spatial.fit`.

    Returns
    -------
    ThresholdFit

    Raises
    ------
    ValueError
        Options out of range, regressors or a threshold variable that do not exist.
    IdentificationError
        No candidate leaves enough observations in every regime, or none splits the columns.
    PanelError, AlignmentError
        As for `nqpf_spatial.fit`.

    Notes
    -----
    The model must be linear in a predetermined x: with a lagged outcome the F test is not valid (Hansen 1999, p. 347). The
    confidence set rests on errors that are independent over time and on a small change of slope; with a large one it is too wide.
    Its coverage, and the size of the test, are measured in the tests of this package.

    References
    ----------
    Hansen, B. E. (1999). Threshold effects in non-dynamic panels. Journal of Econometrics 93, 345-368. Hansen, B. E. (2000).
    Sample splitting and threshold estimation. Econometrica 68, 575-603. Bai, J. (1997). Estimating multiple breaks one at a time.
    Econometric Theory 13, 315-352.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from nqpf_spatial.models import threshold
    >>> rng = np.random.default_rng(1)
    >>> index = pd.MultiIndex.from_product([range(40), range(8)], names=["unit", "year"])
    >>> x, q = rng.standard_normal((2, 320))
    >>> data = pd.DataFrame({"y": x + 2 * x * (q > 0.3) + rng.standard_normal(320), "x": x, "q": q}, index=index)
    >>> res = threshold("y ~ x | unit + year", data, "q", replicates=199, seed=1)
    >>> round(res.thresholds[0], 1), res.tests[0].pvalue < 0.01
    (0.3, True)
    >>> res.fit.params.round(1).to_dict()
    {'x_regime1': 0.9, 'x_regime2': 3.0}
    """
    _check(count, trim, grid, replicates, alpha)
    design, q = _design(formula, data, variable, w, years)
    names = _switching(design, switching)
    x = design.x[[design.names.index(n) for n in names]]
    z = design.x[[i for i, n in enumerate(design.names) if n not in names and n != "Intercept"]]
    effects = (design.unit, design.time)
    rng = np.random.default_rng(seed)
    found: tuple[float, ...] = ()
    tests = []
    for _ in range(count):
        options, best = _best(design.y, x, z, q, effects, (trim, grid), found)
        tests.append(_test(design.y, x, z, q, effects, options, best, found, replicates, rng))
        found = _refined(design.y, x, z, q, effects, (trim, grid), (*found, best.gamma))
    profiles = []
    for g in found:
        options, best = _best(design.y, x, z, q, effects, (trim, grid), tuple(o for o in found if o != g))
        profiles.append(pd.Series(best.profile, index=pd.Index(options.gamma, name=variable), name="LR"))
    slopes, shares = _slopes(formula, data, design, q, names, found, vcov)
    sets = _sets(profiles, found, alpha)
    return ThresholdFit(
        found, tuple(tests), slopes, sets, tuple(profiles), variable, tuple(names), shares, alpha, trim, seed
    )


def _check(count: int, trim: float, grid: int, replicates: int, alpha: float) -> None:
    if not 1 <= count <= _MOST:
        raise ValueError(f"count={count}: choose 1 to {_MOST} thresholds")
    if not 0.0 < trim < 1.0 / (count + 1):
        raise ValueError(
            f"trim={trim}: the share of a regime lies between 0 and 1/{count + 1} with {count} threshold(s)"
        )
    if grid < 2:
        raise ValueError(f"grid={grid}: at least two candidates are needed, some hundreds are usual")
    if replicates < 99:
        raise ValueError(f"replicates={replicates}: at least 99 are needed, 999 are usual")
    check_alpha(alpha)


def _design(
    formula: str, data: pd.DataFrame, variable: str, w: SpatialWeights | None, years: tuple[object, object] | None
) -> tuple[Design, NDArray]:
    """The design of the formula and the threshold variable (T, N)."""
    if not isinstance(variable, str):
        raise ValueError(
            f"variable= is a {type(variable).__name__}: it names the threshold variable, threshold(formula, data, variable, w)"
        )
    lagged = variable.startswith(LAGGED)
    if lagged and w is None:
        raise ValueError(
            f'the threshold variable "{variable}" is a spatial lag: pass w, for instance nq.weights.contiguity()'
        )
    if w is not None and not lagged:
        raise ValueError(f'w is only used for a spatial lag; write variable="{LAGGED}{variable}", or leave w out')
    column = variable.removeprefix(LAGGED)
    main, bar, effects = formula.partition("|")
    ids = None if w is None else w.ids
    design = build_design(parse_formula(formula), data, ids, years)
    whole = build_design(parse_formula(f"{main} + {column} {bar}{effects}"), data, ids, years)
    if column not in whole.names:
        raise ValueError(f"variable={variable!r} must be one numeric column")
    q = whole.x[whole.names.index(column)]
    return design, q if w is None else spatial_lag(w.dense(), q)  # the design has the order of W


def _switching(design: Design, switching: Sequence[str] | None) -> list[str]:
    regressors = [n for n in design.names if n != "Intercept"]
    names = regressors if switching is None else list(switching)
    unknown = [n for n in names if n not in regressors or n not in design.frame.columns]
    if unknown or not names:
        raise ValueError(
            f"switching={names}: choose regressors of the formula that are bare columns, of {', '.join(regressors)}"
            + (f" (not {', '.join(unknown)})" if unknown else "")
        )
    return names


def _best(
    y: NDArray, x: NDArray, z: NDArray, q: NDArray, effects: tuple[bool, bool], how: tuple[float, int],
    others: tuple[float, ...],
) -> tuple[kernel.Candidates, kernel.Search]:  # fmt: skip
    """Search one threshold given others."""
    gamma = kernel.grid(q, how[0], how[1], others)
    if not gamma.size:
        raise IdentificationError(
            f"no value of the threshold variable leaves {how[0]:.0%} of the observations in every regime"
            + (f" beside {len(others)} other threshold(s): use fewer with count=, or a smaller trim=" if others else "")
        )
    options = kernel.candidates(x, z, q, effects, gamma, others)
    if not options.basis.any():
        raise IdentificationError(
            "no candidate threshold adds anything to the columns: the switching regressors do not vary"
        )
    return options, kernel.search(y, options, effects)


def _refined(
    y: NDArray, x: NDArray, z: NDArray, q: NDArray, effects: tuple[bool, bool], how: tuple[float, int],
    found: tuple[float, ...],
) -> tuple[float, ...]:  # fmt: skip
    """Earlier thresholds searched again given the later ones; ascending."""
    for i in range(len(found) - 1):
        others = tuple(g for j, g in enumerate(found) if j != i)
        found = (*found[:i], _best(y, x, z, q, effects, how, others)[1].gamma, *found[i + 1 :])
    return tuple(sorted(found))


def _test(
    y: NDArray, x: NDArray, z: NDArray, q: NDArray, effects: tuple[bool, bool], options: kernel.Candidates,
    best: kernel.Search, found: tuple[float, ...], replicates: int, rng: np.random.Generator,
) -> ThresholdTest:  # fmt: skip
    """One more threshold against those found, by bootstrap."""
    residual = _residual(y, x, z, q, effects, (*found, best.gamma))
    signal = y - _residual(y, x, z, q, effects, found) if found else np.zeros_like(y)
    draws = kernel.bootstrap_statistics(signal, residual, options, effects, replicates, rng)
    pvalue = (1.0 + float((draws >= best.statistic).sum())) / (1.0 + replicates)
    critical = pd.Series({f"{level:.0%}": float(np.quantile(draws, 1.0 - level)) for level in _LEVELS})
    null = f"{len(found)} threshold(s), not {len(found) + 1}"
    return ThresholdTest(best.statistic, None, pvalue, null, best.gamma, critical, replicates)


def _residual(
    y: NDArray, x: NDArray, z: NDArray, q: NDArray, effects: tuple[bool, bool], thresholds: tuple[float, ...]
) -> NDArray:
    """Residuals (T, N) of the model with given thresholds, effects removed."""
    columns = np.concatenate([z, *kernel.regimes(x, q, thresholds)])
    return kernel.residual(y, columns, effects)


def _sets(profiles: list[pd.Series], found: tuple[float, ...], alpha: float) -> pd.DataFrame:
    """Confidence sets by inversion of the likelihood ratio."""
    critical = kernel.critical_ratio(alpha)
    rows = []
    for estimate, profile in zip(found, profiles, strict=True):
        inside = profile.index[profile <= critical]
        rows.append(
            {
                "estimate": estimate,
                "lower": inside.min(),
                "upper": inside.max(),
                "members": len(inside),
                "candidates": len(profile),
            }
        )
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="threshold"))


def _slopes(
    formula: str, data: pd.DataFrame, design: Design, q: NDArray, names: list[str], found: tuple[float, ...], vcov: str
) -> tuple[SpatialFit, pd.Series]:
    """Least squares with slopes by regime, and the shares of the regimes."""
    place = design.series(np.searchsorted(np.asarray(found), q, side="left"), "regime")
    rows = data.loc[data.index.isin(place.index)]
    regime = place.reindex(rows.index)
    count = len(found) + 1
    new = {f"{n}_regime{r + 1}": rows[n].where(regime == r, 0.0) for n in names for r in range(count)}
    clash = [n for n in new if n in rows.columns]
    if clash:
        raise ValueError(f"the data have columns {', '.join(clash)}, the names of the slopes by regime: rename them")
    parsed = parse_formula(formula)
    kept = [str(term) for term in parsed.formula.rhs if str(term) not in ("1", *names)]
    outcome = formula.partition("~")[0]
    text = f"{outcome}~ {' + '.join([*kept, *new])}" + ("" if parsed.intercept else " - 1")
    effects = f" | {' + '.join(parsed.effects)}" if parsed.effects else ""
    frame = rows.assign(**new)
    frame.attrs = {k: v for k, v in data.attrs.items() if k == "release"}
    shares = pd.Series(
        [float((regime == r).mean()) for r in range(count)], index=[f"regime{r + 1}" for r in range(count)]
    )
    options: dict[str, Any] = {"model": "OLS", "vcov": vcov}
    return fit(text + effects, frame, **options), shares
