r"""Impacts with several or changing weights.

.. math:: S_{kt} = A_t^{-1}\big(\beta_k I + \sum_j \theta_{kj} W^d_{jt}\big), \qquad A_t = I - \sum_m r_m W_{mt}

Direct is the mean of the diagonals, total the mean of the row sums, over units and periods (LeSage and Pace 2009, eqs. 2.46-2.48, period
by period; Lee and Yu 2012, section 3.3; Debarsy and LeSage 2018 for combinations).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from nqpf_spatial.kernels import several_impacts as kernel
from nqpf_spatial.kernels.impacts import decompose, multiplier
from nqpf_spatial.models.covariance import check_alpha
from nqpf_spatial.models.impacts.inference import Impacts, impact_table
from nqpf_spatial.models.impacts.marginal import Row, rows
from nqpf_spatial.models.impacts.samples import root, vcov_note
from nqpf_spatial.models.impacts.views import _frame, check_order, membership
from nqpf_spatial.models.several.bootstrap import bootstrap
from nqpf_spatial.models.several.estimate import SeveralEstimate
from nqpf_spatial.models.several.weights import Stack, stack

if TYPE_CHECKING:
    from nqpf_spatial.models.several.results import SeveralFit

METHODS = ("delta", "simulate", "bootstrap")


@dataclass(frozen=True, eq=False, repr=False)
class SeveralImpacts(Impacts):
    """`Impacts` averaged over the patterns of weights; views of them likewise."""

    of: tuple[str, ...] | None = None

    def by_period(self) -> pd.DataFrame:
        """Impacts of every period with its own W, by the delta method: index (period, term), columns as in `table`."""
        fit = _several(self)
        design = fit.estimate.design
        if design.periods == (None,):
            raise ValueError("the data are a cross-section: there are no periods")
        lifted = Lifted.of(fit)
        parts = {}
        for t, period in enumerate(design.periods):
            estimate, se = lifted.delta(_rows(fit, self.of), t)
            half = stats.norm.isf(self.alpha / 2) * se
            names = [row.name for row in _rows(fit, self.of)]
            parts[period] = impact_table(names, estimate, se, estimate - half, estimate + half)
        return pd.concat(parts, names=[design.levels[1]])

    def by_order(self, q: int = 5) -> pd.DataFrame:
        """Impacts by order of neighbourhood, ``(sum r_m W_mt)^p`` times the first round, averaged over periods."""
        check_order(q)
        fit = _several(self)
        lifted, found = Lifted.of(fit), []
        n = fit.estimate.design.shape[1]
        for term in lifted.terms:
            matrix = lifted.first_round(term)
            left = lifted.multiplier() @ matrix
            for order in [*range(q + 1), "rest"]:
                part = left if order == "rest" else matrix
                direct = lifted.share @ np.trace(part, axis1=1, axis2=2) / n
                total = lifted.share @ part.sum(axis=(1, 2)) / n
                found.append((term, order, direct, total - direct, total))
                left, matrix = left - matrix, lifted.mixed @ matrix
        frame = pd.DataFrame(found, columns=["term", "order", "direct", "indirect", "total"])
        return frame.set_index(["term", "order"])

    def by_unit(self, term: str | None = None) -> pd.DataFrame:
        """Who receives and who sends, averaged over periods; as `nqpf_spatial.models.impacts.views.by_unit`."""
        fit = _several(self)
        design = fit.estimate.design
        if term is not None:
            units = list(design.units)
            return pd.DataFrame(
                effect_matrix(fit, term), index=pd.Index(units, name="to"), columns=pd.Index(units, name="from")
            )
        parts = {}
        for name in Lifted.of(fit).terms:
            s = effect_matrix(fit, name)
            own = np.diag(s)
            parts[name] = pd.DataFrame(
                {"own": own, "received": s.sum(axis=1) - own, "sent": s.sum(axis=0) - own},
                index=pd.Index(design.units, name=design.levels[0]),
            )
        return pd.concat(parts, axis=1, names=["term", "effect"])

    def effect_matrix(self, term: str) -> NDArray:
        """(N, N) effects of one regressor column, averaged over periods."""
        return effect_matrix(_several(self), term)

    def by_block(self, groups: str | Mapping[Any, Any] | pd.Series = "block", alpha: float = 0.05) -> pd.DataFrame:
        """Block to block, averaged over periods, by the delta method; as `nqpf_spatial.models.impacts.views.by_block`."""
        fit = _several(self)
        names, member = membership(fit, groups)
        average = member / member.sum(axis=0)
        lifted = Lifted.of(fit)
        covariance = fit.cov_params().to_numpy()
        inverse = lifted.multiplier()
        views = inverse[:, None] @ lifted.basis()  # (P, 1 + D, N, N)
        by_coef = np.einsum("p,na,pxnk,kb->abx", lifted.share, average, views, member, optimize=True)
        parts = {}
        for c, term in enumerate(lifted.terms):
            first = inverse @ lifted.first_round(term)
            slopes = inverse[:, None] @ lifted.lag.w @ first[:, None]  # (P, M, N, N)
            by_r = np.einsum("p,na,pmnk,kb->abm", lifted.share, average, slopes, member, optimize=True)
            gradient = by_coef @ lifted.d_coef[c] + by_r @ lifted.d_r
            se = np.sqrt(np.einsum("abi,ij,abj->ab", gradient, covariance, gradient))
            parts[term] = _frame(by_coef @ lifted.coef[0, c], se, names, alpha)
        return pd.concat(parts, names=["term"])

    def _head(self) -> str:
        how = {"delta": "delta method", "simulate": f"{self.draws} draws", "bootstrap": f"{self.draws} replicates"}
        lost = f", {self.outside:.1%} of the draws outside the admissible set" if self.outside else ""
        fit = _several(self)
        averaged = "; averages over the periods" if fit.several.changing else ""
        return (
            f"Impacts ({how[self.method]}{lost}); {fit.model}, W = {fit.w.name}{averaged}{vcov_note(fit, self.method)}"
        )


def _several(impacts_: SeveralImpacts) -> SeveralFit:
    return impacts_.fit  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Lifted:
    """A fit in the coefficients that impacts are about: beta and theta per Durbin matrix, and r per lag.

    Attributes
    ----------
    terms : list of str
        Regressor columns.
    coef, r : (1, C, 1 + D), (1, M) ndarray
        At the estimates.
    d_coef, d_r : (C, 1 + D, p), (M, p) ndarray
        Their derivatives with respect to the parameters.
    lag, durbin : Stack
        Matrices on the same patterns.
    mixed : (P, N, N) ndarray
        ``sum_m r_m W_m``.
    """

    fit: SeveralFit
    terms: list[str]
    coef: NDArray
    r: NDArray
    d_coef: NDArray
    d_r: NDArray
    lag: Stack
    durbin: Stack
    mixed: NDArray

    @classmethod
    def of(cls, fit: SeveralFit) -> Lifted:
        """Lift a fit at its estimates."""
        return cls.on(fit, *stacks(fit.several))

    @classmethod
    def on(cls, fit: SeveralFit, lag: Stack, durbin: Stack) -> Lifted:
        """The same with matrices that are there already."""
        est, params = fit.several, fit.params.to_numpy()[None]
        coef, r = lift(est, params)
        d_coef, d_r = _lift_derivatives(est, params[0])
        mixed = np.tensordot(lag.w, r[0], axes=(1, 0))
        return cls(fit, columns_of(est), coef, r, d_coef, d_r, lag, durbin, mixed)

    @property
    def share(self) -> NDArray:
        """Shares of the periods."""
        return self.lag.share

    def multiplier(self) -> NDArray:
        """``A_p^-1`` (P, N, N)."""
        return np.linalg.inv(np.eye(self.mixed.shape[-1]) - self.mixed)

    def basis(self) -> NDArray:
        """I and the Durbin matrices, (P, 1 + D, N, N)."""
        p, n = self.mixed.shape[:2]
        return np.concatenate([np.broadcast_to(np.eye(n), (p, 1, n, n)), self.durbin.w], axis=1)

    def first_round(self, term: str) -> NDArray:
        """``beta I + sum theta_j W_j`` (P, N, N)."""
        return np.tensordot(self.basis(), self.coef[0, self.terms.index(term)], axes=(1, 0))

    def delta(self, table_rows: list[Row], period: int | None = None) -> tuple[NDArray, NDArray]:
        """Estimates and standard errors (rows, 3), averaged over periods or of one."""
        covariance = self.fit.cov_params().to_numpy()
        values = kernel.unit_values(self.r, self.lag.w, self.durbin.w)
        slopes = kernel.unit_slopes(self.r[0], self.lag.w, self.durbin.w)
        share = self.share
        if period is not None:
            p = int(self.lag.pattern[period])
            values, slopes, share = values[:, p : p + 1], slopes[:, p : p + 1], np.ones(1)
        estimate, se = np.empty((len(table_rows), 3)), np.empty((len(table_rows), 3))
        for i, row in enumerate(table_rows):
            c = [self.terms.index(name) for name in row.columns]
            derivative = self._derivative(row, period)
            estimate[i] = kernel.effects(self.coef[:, c], values, derivative, share)[0]
            by_coef, by_r = kernel.gradient(self.coef[0, c], values[0], slopes, derivative, share)
            gradient = np.einsum("scx,cxp->sp", by_coef, self.d_coef[c]) + by_r @ self.d_r
            se[i] = np.sqrt(np.einsum("ip,pq,iq->i", gradient, covariance, gradient))
        return estimate, se

    def at(self, table_rows: list[Row], params: NDArray) -> NDArray:
        """(R, rows, 3) impacts at R parameter vectors, averaged over periods."""
        coef, r = lift(self.fit.several, params)
        out = np.empty((params.shape[0], len(table_rows), 3))
        plain = all(row.by_period is None for row in table_rows)
        if plain:
            values = self._mean_values(r)
            for i, row in enumerate(table_rows):
                out[:, i] = kernel.split(np.einsum("rx,rsx->rs", coef[:, self.terms.index(row.name)], values))
            return out
        for start in range(0, params.shape[0], 500):
            part = slice(start, start + 500)
            values = kernel.unit_values(r[part], self.lag.w, self.durbin.w)
            for i, row in enumerate(table_rows):
                c = [self.terms.index(name) for name in row.columns]
                out[part, i] = kernel.effects(coef[part][:, c], values, self._derivative(row, None), self.share)
        return out

    def _mean_values(self, r: NDArray) -> NDArray:
        """Mean diagonals and row sums (R, 2, 1 + D): by Schur forms with one lag, by inverses with several."""
        lagged = self.durbin.w.shape[1]
        if r.shape[1] != 1 or lagged > 1:
            return kernel.mean_values(r, self.lag.w, self.durbin.w, self.share)
        total = np.zeros((r.shape[0], 2, 1 + lagged))
        for p, share in enumerate(self.share):
            w = self.lag.w[p, 0]
            other = self.durbin.w[p, 0] if lagged and not np.array_equal(self.durbin.w[p, 0], w) else None
            total += share * multiplier(r[:, 0], decompose(w, other)).value[..., : 1 + lagged]
        return total

    def _derivative(self, row: Row, period: int | None) -> NDArray:
        """(C, P, N) derivatives of the columns of a row: ones, or means over the periods of each pattern."""
        patterns = self.share.size if period is None else 1
        if row.by_period is None:
            return np.ones((1, patterns, self.mixed.shape[-1]))
        return self.lag.mean(row.by_period) if period is None else row.by_period[:, period : period + 1]


def _labels(est: SeveralEstimate) -> list[str]:
    """Prefixes of the columns lagged by each Durbin matrix."""
    terms = est.several.durbin_terms
    if not terms:
        return ["W:"] if est.model.durbin else []
    return [f"W:{term.name}:" if term.name else "W:" for term in terms]


def columns_of(est: SeveralEstimate) -> list[str]:
    """Regressor columns, own or lagged, without the intercept."""
    used, labels = set(est.columns.names), ["", *_labels(est)]
    return [name for name in est.design.names if name != "Intercept" and any(label + name in used for label in labels)]


def impacts(
    fit: SeveralFit,
    method: str = "delta",
    *,
    of: list[str] | None = None,
    draws: int | None = None,
    seed: int = 0,
    alpha: float = 0.05,
    kind: str | None = None,
) -> SeveralImpacts:
    """Direct, indirect and total impacts, averaged over periods where weights change.

    Parameters
    ----------
    fit : SeveralFit
    method : {"delta", "simulate", "bootstrap"}
        As in `nqpf_spatial.models.impacts.inference.impacts`. Draws with coefficients outside the admissible set, or shares outside the
        simplex, are left out and counted; shares held at zero stay there.
    of, draws, seed, alpha, kind
        As there.
    """
    if method not in METHODS:
        raise ValueError(
            f"method={method!r} is not available with several or changing weights; choose one of {', '.join(map(repr, METHODS))}"
        )
    check_alpha(alpha)
    draws = 10_000 if draws is None else draws
    if draws < 2:
        raise ValueError(f"draws={draws}: at least two are needed, some thousands are sensible")
    lifted = Lifted.of(fit)
    if not lifted.terms:
        raise ValueError("the model has no regressors, so there are no impacts")
    table_rows = _rows(fit, None if of is None else tuple(of))
    estimate, se = lifted.delta(table_rows)
    used: int | None = None
    outside: float | None = None
    half = stats.norm.isf(alpha / 2) * se
    lower, upper = estimate - half, estimate + half
    if method != "delta":
        sample = (
            _draws(fit, draws, seed)
            if method == "simulate"
            else bootstrap(fit.several, kind or "residual", draws, seed)[0]
        )
        inside = admissible(fit.several, sample)
        values = lifted.at(table_rows, sample[inside])
        used, outside = int(inside.sum()), float(1.0 - inside.mean())
        se = values.std(axis=0, ddof=1)
        lower, upper = np.quantile(values, [alpha / 2, 1 - alpha / 2], axis=0)
    table = impact_table([row.name for row in table_rows], estimate, se, lower, upper)
    return SeveralImpacts(table, method, used, outside, fit, None if of is None else tuple(of), alpha=alpha)


def _rows(fit: SeveralFit, of: tuple[str, ...] | None) -> list[Row]:
    return rows(fit.estimate.design, columns_of(fit.several), None if of is None else list(of))


def stacks(est: SeveralEstimate) -> tuple[Stack, Stack]:
    """Lag and Durbin matrices on common patterns of periods."""
    weights, (_, n) = est.several, est.design.shape
    durbin = weights.durbin_terms or (weights.terms if est.model.durbin else ())
    both = stack((*weights.terms, *durbin), est.design.periods, n)
    m = len(weights.terms)
    return (
        Stack(both.w[:, :m], both.share, both.pattern, both.stochastic),
        Stack(both.w[:, m:], both.share, both.pattern, both.stochastic),
    )


def _places(est: SeveralEstimate) -> tuple[NDArray, int]:
    """Positions (C, 1 + D) of beta and theta in the parameters, -1 where absent, and of the first spatial parameter."""
    names, labels = {name: i for i, name in enumerate(est.columns.names)}, _labels(est)
    place = [[names.get(c, -1), *(names.get(label + c, -1) for label in labels)] for c in columns_of(est)]
    return np.array(place, dtype=int).reshape(-1, 1 + len(labels)), len(names)


def lift(est: SeveralEstimate, params: NDArray) -> tuple[NDArray, NDArray]:
    """(R, C, 1 + D) coefficients and (R, M) lag coefficients out of (R, p) parameters."""
    place, k = _places(est)
    coef = np.where(place >= 0, params[:, place], 0.0)
    if est.ml.shares is None:
        return coef, params[:, k:]
    shares = params[:, k + 1 :]
    if not est.several.durbin_terms and est.model.durbin:
        coef = np.concatenate([coef[..., :1], coef[..., 1:] * shares[:, None]], axis=-1)
    return coef, params[:, k : k + 1] * shares


def _lift_derivatives(est: SeveralEstimate, params: NDArray) -> tuple[NDArray, NDArray]:
    """Derivatives (C, 1 + D, p) and (M, p) of `lift` at one point."""
    place, k = _places(est)
    p = params.size
    plain = np.where((place >= 0)[..., None], np.arange(p) == place[..., None], False).astype(float)
    if est.ml.shares is None:
        return plain, np.eye(p)[k:]
    shares, rho, m = params[k + 1 :], params[k], params.size - k - 1
    d_r = np.zeros((m, p))
    d_r[:, k], d_r[:, k + 1 :] = shares, rho * np.eye(m)
    if est.several.durbin_terms or not est.model.durbin:
        return plain, d_r
    theta = np.where(place[:, 1] >= 0, params[place[:, 1]], 0.0)
    lagged = shares[None, :, None] * plain[:, 1:2]
    lagged[:, :, k + 1 :] += theta[:, None, None] * np.eye(m)
    return np.concatenate([plain[:, :1], lagged], axis=1), d_r


def _draws(fit: SeveralFit, draws: int, seed: int) -> NDArray:
    """Normal draws of the parameters; shares sum to one, so that it is the free ones that are drawn."""
    est, rng = fit.several, np.random.default_rng(seed)
    params, tangent = fit.params.to_numpy(), est.ml.tangent
    if tangent is None:
        factor = root(fit.cov_params().to_numpy())
        return params + rng.standard_normal((draws, params.size)) @ factor.T
    factor = root(fit.free_cov()[:-1, :-1])
    return params + rng.standard_normal((draws, factor.shape[0])) @ factor.T @ tangent[:-1, :-1].T


def admissible(est: SeveralEstimate, params: NDArray) -> NDArray:
    """Which parameter vectors (R, p) lie inside the admissible set and the simplex."""
    assert est.joint is not None
    logdet = est.joint.logdet
    if logdet is None:
        return np.ones(params.shape[0], dtype=bool)
    _, r = lift(est, params)
    inside = np.array([logdet.admissible(one) for one in r])
    if est.ml.shares is not None:
        shares = params[:, -est.ml.shares.size :]
        inside &= ((shares >= -1e-12) & (shares <= 1 + 1e-12)).all(axis=1)
    return inside


def effect_matrix(fit: SeveralFit, term: str) -> NDArray:
    """``A_t^-1 (beta I + sum theta_j W_jt)`` of one regressor column, averaged over periods."""
    lifted = Lifted.of(fit)
    if term not in lifted.terms:
        raise ValueError(f"term={term!r} is no regressor; the regressors are {', '.join(lifted.terms)}")
    return np.tensordot(lifted.share, lifted.multiplier() @ lifted.first_round(term), axes=1)
