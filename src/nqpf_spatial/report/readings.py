"""Results of any kind read into plain numbers: the columns of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from nqpf_spatial.models.bayes.averaging import likelihood_facts
from nqpf_spatial.models.bayes.posterior import Posterior
from nqpf_spatial.models.dynamic.impacts import DynamicImpacts
from nqpf_spatial.models.dynamic.part import part
from nqpf_spatial.models.gmm.results import GMMFit
from nqpf_spatial.models.impacts.inference import EFFECTS, STATISTICS, Impacts, sign_probability
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.several.results import SeveralFit
from nqpf_spatial.models.term_labels import BLOCKS, block_of

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Reading:
    """One result in numbers.

    Attributes
    ----------
    model : str
        SDM, SAR, ... or the class of a foreign result.
    outcome : str
    coefficients : DataFrame
        Indexed by (block, term); columns estimate, se, z, p, lower, upper.
    effects : DataFrame
        The same for impacts, blocks direct, indirect, total (of the short and the long run in dynamic models).
    facts : mapping
        What the rows below the coefficients and the notes are made of.
    levels : mapping
        Name of an index level -> "fixed", "random", "mundlak" or "no".
    packaged : bool
        The data are the packaged panel, whose codebook has labels.
    likelihood : mapping or None
        What must agree before two likelihoods may be compared; None without a likelihood.
    """

    model: str
    outcome: str
    coefficients: pd.DataFrame
    effects: pd.DataFrame
    facts: Mapping[str, Any]
    levels: Mapping[str, str] = field(default_factory=dict)
    packaged: bool = False
    likelihood: Mapping[str, object] | None = None


def read(result: Any, show: str, alpha: float) -> Reading:
    """Read a result.

    Parameters
    ----------
    result : SpatialFit, GMMFit, Impacts, Posterior, or a result that maketables can read
    show : {"coefficients", "impacts", "both"}
    alpha : float

    Raises
    ------
    TypeError
        Nothing known about this kind of object.
    ValueError
        Effects are asked for that the result does not have.
    """
    if isinstance(result, (SpatialFit, GMMFit)):
        return _read_fit(result, show, alpha)
    if isinstance(result, Impacts):
        fit = result.fit
        if show != "impacts":
            raise ValueError(f'impacts have no coefficients: use show="impacts", or the fits with show={show!r}')
        if result.alpha != alpha:
            raise ValueError(
                f"the impacts have intervals for alpha={result.alpha}; pass alpha={result.alpha}, not {alpha}"
            )
        facts = _facts_of(fit) | {"effects by": (result.method, result.draws)}
        if result.method in ("bootstrap", "posterior"):
            del facts["vcov"]  # it has no part in these intervals
        if isinstance(result, DynamicImpacts) and not result.both:
            facts["when"] = result.when
        return _assemble(fit, _none(), _effects(result), facts)
    if isinstance(result, Posterior):
        return _read_posterior(result, show, alpha)
    if show != "coefficients":
        raise ValueError(f"a {type(result).__name__} has no impacts; compare it with show='coefficients'")
    return _read_foreign(result, alpha)


def _none() -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([[], []], names=["block", "term"])
    return pd.DataFrame(columns=list(STATISTICS), index=index, dtype=float)


def _read_fit(fit: SpatialFit | GMMFit, show: str, alpha: float) -> Reading:
    facts = _facts_of(fit)
    effects = _none()
    if show in ("impacts", "both"):
        effects, facts["effects by"] = _effects(fit.impacts(alpha=alpha)), ("delta", None)
    return _assemble(fit, _none() if show == "impacts" else _coefficients(fit, alpha), effects, facts)


def _read_posterior(found: Posterior, show: str, alpha: float) -> Reading:
    """Means and standard deviations of the samples; p is twice the smaller probability of a sign, as for posterior impacts."""
    fit, draws = found.fit, len(found.draws)
    facts = {k: v for k, v in _facts_of(fit).items() if k not in ("llf", "aic", "bic", "vcov")}
    facts |= {"estimator": "Bayes", "log marginal": found.log_marginal, "posterior": (found.prior.beta, draws)}
    effects, rows = _none(), _none()
    if show in ("impacts", "both"):
        effects, facts["effects by"] = _effects(found.impacts(alpha=alpha)), ("posterior", draws)
    if show != "impacts":
        table = found.summary(alpha)
        rows = table.rename(columns={"mean": "estimate", "sd": "se"}).reindex(columns=list(STATISTICS))
        rows["p"] = sign_probability(found.draws.to_numpy().reshape(draws, -1)).tolist() + [_NAN]
        rows = _in_blocks(fit, rows)
    made = _assemble(fit, rows, effects, facts)
    return replace(made, likelihood=None)


def same_runs(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Effects at different horizons in the same rows.

    Effects of the short and of the long run have blocks of their own. Where a column is about another horizon, or every column
    about one horizon, they stand side by side in plain blocks, and the notes say which horizon they are of.
    """
    timed = [r for r in readings if "when" in r.facts]
    apart = len(timed) == len(readings) and len({r.facts["when"]() for r in timed}) > 1
    if not apart and not any(map(_plain, timed)):
        return tuple(readings)
    return tuple(_without_run(r) if "when" in r.facts else r for r in readings)


def _plain(reading: Reading) -> bool:
    return any(block in EFFECTS for block in reading.effects.index.get_level_values("block"))


def _without_run(reading: Reading) -> Reading:
    blocks = [block.rpartition(" ")[2] for block in reading.effects.index.get_level_values("block")]
    terms = reading.effects.index.get_level_values("term")
    index = pd.MultiIndex.from_arrays([blocks, terms], names=["block", "term"])
    return replace(reading, effects=reading.effects.set_axis(index))


def _assemble(fit: SpatialFit | GMMFit, rows: pd.DataFrame, effects: pd.DataFrame, facts: dict[str, Any]) -> Reading:
    likelihood = None
    if isinstance(fit, SpatialFit):
        likelihood = likelihood_facts(fit) | {"counts": "nqpf_spatial"}
    return Reading(fit.model, fit.endog_names, rows, effects, facts, _levels(fit), fit.release is not None, likelihood)


def _coefficients(fit: SpatialFit | GMMFit, alpha: float) -> pd.DataFrame:
    """Every parameter of a fit in its block, variances at the end."""
    rows = _blocked(fit, fit.tidy(alpha)[list(STATISTICS)])
    variances = {"sigma2": (fit.sigma2, fit.sigma2_se if isinstance(fit, SpatialFit) else _NAN)}
    if isinstance(fit, SpatialFit) and fit.sigma2_mu is not None:
        variances["sigma2_mu"] = (fit.sigma2_mu, _NAN)
    for name, (value, se) in variances.items():
        rows.loc[("Variance", name), ["estimate", "se"]] = [value, se]
    return _ordered(rows)


def _in_blocks(fit: SpatialFit | GMMFit, rows: pd.DataFrame) -> pd.DataFrame:
    return _ordered(_blocked(fit, rows))


def _blocked(fit: SpatialFit | GMMFit, rows: pd.DataFrame) -> pd.DataFrame:
    """The block of every parameter in front of its name."""
    outcome, matrices = fit.endog_names, _matrix_terms(fit)
    terms = [str(term) for term in rows.index]
    blocks = ["Spatial" if matrices.get(t, ("W",))[0] != "W" else block_of(t, outcome) for t in terms]
    return rows.set_axis(pd.MultiIndex.from_arrays([blocks, terms], names=["block", "term"]))


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    order = sorted(range(len(rows)), key=lambda i: BLOCKS.index(rows.index[i][0]))
    return rows.iloc[order]


def _matrix_terms(fit: SpatialFit | GMMFit) -> dict[str, tuple[str, str, str]]:
    """Parameters that belong to one of several matrices."""
    return fit.several.matrix_terms() if isinstance(fit, SeveralFit) else {}


def _effects(impacts: Impacts) -> pd.DataFrame:
    """Rows of impacts; those of a dynamic fit are about the short run, the long run or both."""
    if not isinstance(impacts, DynamicImpacts):
        return _effect_rows(impacts.table, "")
    if impacts.both:
        runs = impacts.runs
        return pd.concat([_effect_rows(runs.loc[run], f"{run} ") for run in runs.index.unique("run")])
    if impacts.cumulative or impacts.horizon not in (0, "long"):
        return _effect_rows(impacts.table, "")
    return _effect_rows(impacts.table, "long " if impacts.horizon == "long" else "short ")


def _effect_rows(table: pd.DataFrame, run: str) -> pd.DataFrame:
    parts = {run + effect: table[effect][list(STATISTICS)] for effect in EFFECTS}
    found = pd.concat(parts, names=["block", "term"])
    found.columns = list(STATISTICS)
    return found


def _levels(fit: SpatialFit | GMMFit) -> dict[str, str]:
    levels = fit.estimate.design.levels
    if len(levels) == 1:
        return {}
    found = {level: "fixed" if level in fit.effects else "no" for level in levels}
    if isinstance(fit, SpatialFit) and fit.random is not None:
        found[levels[0]] = fit.random
    return found


def _facts_of(fit: SpatialFit | GMMFit) -> dict[str, Any]:
    t, n = fit.estimate.design.shape
    periods = fit.estimate.design.periods
    described = fit.estimate.weights.described()
    facts: dict[str, Any] = {
        "w": described,
        "w names": list(dict.fromkeys(name for name, _ in described)),
        "units": n,
        "periods": t,
        "window": None if periods[0] is None else (periods[0], periods[-1]),
        "nobs": fit.nobs,
        "n": fit.n_effective,
        "lag": fit.estimate.model.lag,
        "vcov": (fit.vcov, _vcov_detail(fit)),
        "matrix terms": _matrix_terms(fit),
    }
    if isinstance(fit, SpatialFit):
        correction = fit.correction if fit.effects else "not needed"
        facts |= {"estimator": "ML", "correction": correction, "llf": fit.llf, "aic": fit.aic, "bic": fit.bic}
        if fit.dropped:
            facts["missing"] = fit.dropped
        if fit.dynamic:
            facts |= {
                "correction": f"dynamic {correction}",
                "dynamic": (part(fit.estimate).first_period, fit.stability()),
            }
        return facts
    facts |= {"estimator": fit.estimator, "correction": "within" if fit.effects else "not needed"}
    if fit.instruments:
        facts["instruments"] = len(fit.instruments)
    if "rho" in fit.endogenous:
        facts["first stage"] = float(fit.first_stage()["f"]["Wy"])
    return facts


def _vcov_detail(fit: SpatialFit | GMMFit) -> dict[str, object]:
    """Options of the covariance that fit into a line; clusters by their level."""
    options = dict(getattr(fit, "vcov_options", {}))
    detail: dict[str, object] = {k: v for k, v in options.items() if isinstance(v, (int, float, str))}
    if fit.vcov == "cluster":
        groups = options.get("groups")
        named = groups if isinstance(groups, str) else getattr(groups, "name", None)
        detail = {"by": fit.estimate.design.levels[0] if groups is None else str(named or "groups")}
    return detail


def _read_foreign(result: Any, alpha: float) -> Reading:
    """A result of statsmodels, linearmodels, pyfixest or any with the plug-in format, through maketables' reader."""
    try:
        from maketables import get_extractor
    except ImportError as error:
        raise ImportError(
            f"a {type(result).__name__} is read by maketables; install the extra: nqpf-spatial[tables]"
        ) from error
    try:
        reader = get_extractor(result)
    except TypeError as error:
        raise TypeError(
            f"a {type(result).__name__} cannot be compared: pass fits of nqpf_spatial, their impacts, or results of "
            "statsmodels, linearmodels or pyfixest"
        ) from error
    raw = reader.coef_table(result)
    level = f"ci{100 * (1 - alpha):g}"
    columns = {"b": "estimate", "se": "se", "t": "z", "p": "p", f"{level}l": "lower", f"{level}u": "upper"}
    rows = raw.rename(columns=columns).reindex(columns=list(STATISTICS)).astype(float)
    terms = ["Intercept" if term == "const" else str(term) for term in rows.index]
    rows.index = pd.MultiIndex.from_product([["Main"], terms], names=["block", "term"])
    keys = {"nobs": "N", "llf": "ll", "aic": "aic", "bic": "bic", "r2": "r2"}
    facts = {name: value for name, key in keys.items() if (value := reader.stat(result, key)) is not None}
    vcov = (reader.vcov_info(result) or {}).get("vcov_type")
    facts |= {"w": [], "w names": [], "vcov": (str(vcov or "not stated"), {}), "lag": False, "foreign": True}
    facts["estimator"] = type(getattr(result, "model", result)).__name__
    outcome = str(reader.depvar(result))
    levels = {name.strip(): "fixed" for name in (reader.fixef_string(result) or "").split("+") if name.strip()}
    likelihood = None
    if "llf" in facts:
        likelihood = {"n": int(facts["nobs"]), "outcome": outcome, "counts": type(result).__module__.split(".")[0]}
    return Reading(facts["estimator"], outcome, rows, _none(), facts, levels, False, likelihood)
