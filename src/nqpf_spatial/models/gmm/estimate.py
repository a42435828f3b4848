"""``gmm``: spatial two-stage least squares and generalised moments, on the formulas, designs and weights of ``fit``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.linalg as sla
from numpy.typing import NDArray

from nqpf_spatial.data import check_vintages
from nqpf_spatial.errors import IdentificationError, IdentificationWarning, warn
from nqpf_spatial.kernels import gmm as kernel
from nqpf_spatial.kernels import gmm_error
from nqpf_spatial.kernels.moments import reduce_columns, remove_effects, spatial_lag
from nqpf_spatial.models.arguments import check_choice, check_durbin, given_weights
from nqpf_spatial.models.design import Design, build_design
from nqpf_spatial.models.estimate import Columns, Weights, build_columns, check_absorbed, check_explained, matrix
from nqpf_spatial.models.gmm.results import GMMEstimate, GMMFit
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.models.spec import Model, get_model, parse_formula
from nqpf_spatial.weights.core import SpatialWeights

VCOV = ("classical", "white", "cluster")
MOMENTS = ("2010", "1999")
DIVISORS = ("n-k", "n")
_EIGENVALUES_UP_TO = 4000


def gmm(
    formula: str,
    data: pd.DataFrame,
    w: SpatialWeights | None = None,
    *,
    model: str = "SAR",
    endogenous: list[str] | tuple[str, ...] = (),
    instruments: list[str] | tuple[str, ...] = (),
    lag_order: int = 2,
    lag_instruments: bool = True,
    without: list[str] | tuple[str, ...] = (),
    vcov: str = "classical",
    divisor: str = "n-k",
    moments: str = "2010",
    years: tuple[object, object] | None = None,
    durbin: list[str] | tuple[str, ...] | None = None,
    w_durbin: SpatialWeights | None = None,
    w_error: SpatialWeights | None = None,
) -> GMMFit:
    r"""Fit a spatial model by instrumental variables: no likelihood, no normality, endogenous regressors allowed.

    .. math::
       y_t = \rho W y_t + X_t\beta + Y_t\gamma + W(X_t, Y_t)\theta + \mu + \alpha_t\iota + u_t, \qquad u_t = \lambda W u_t + e_t

    Parameters
    ----------
    formula : str
        As in `nqpf_spatial.fit`: ``"y ~ x1 + x2 | province + year"``.
    data : DataFrame
        Index (unit, period) for a panel, (unit) for a cross-section. Row order does not matter.
    w : SpatialWeights
        Spatial weights with the same units.
    model : {"SAR", "SDM", "SLX", "OLS", "SEM", "SDEM", "SAC", "GNS"}
        Which of rho, theta and lambda the model has.
    endogenous : list of str
        Regressors of the formula that are correlated with the error; their Durbin lags are endogenous too.
    instruments : list of str
        Terms outside the formula that instrument them (columns or expressions such as ``log(z)``).
    lag_order : int
        Highest power p of W in the spatial instruments ``W^p X`` (Kelejian and Prucha 1998: 2). Durbin terms count as
        X, so that an SDM has instruments up to the power p + 1.
    lag_instruments : bool
        Whether the user's instruments enter with their spatial lags too.
    without : list of str
        Instruments to leave out, by the names the result shows (``W2:x1``): collinear ones, for instance.
    vcov : {"classical", "white", "cluster"}
        iid errors; heteroskedasticity-robust (White 1980; with a spatial error Kelejian and Prucha 2010); independent units
        with any dependence over time.
    divisor : {"n-k", "n"}
        sigma2 is SSE over observations left by the fixed effects, less the coefficients (R) or not (spreg). For robust
        covariances "n-k" applies the corresponding factor, "n" none (HC0).
    moments : {"2010", "1999"}
        For models with a spatial error: Drukker, Egger and Prucha (2013) / Kelejian and Prucha (2010), or the three moments
        of Kelejian and Prucha (1999), which give lambda no standard error (NaN).
    years, durbin, w_durbin, w_error
        As in `nqpf_spatial.fit`. With other weights for the Durbin terms, ``V:x1``, ``V2:x1`` name the instruments lagged by `w`.

    Returns
    -------
    GMMFit
        Frozen result in the vocabulary of `SpatialFit`, with ``first_stage()`` and ``overid()``.

    Raises
    ------
    AlignmentError, PanelError
        As in `nqpf_spatial.fit`; cells of instruments are checked and named like those of regressors.
    IdentificationError
        Too few instruments, collinear or absorbed ones (named), no admissible lambda.

    Warns
    -----
    IdentificationWarning
        The estimate of rho lies outside its admissible interval.

    Notes
    -----
    With fixed effects all columns are freed from the effects after lagging, Q(Wy); with a spatial error the data are
    transformed to (N-1)(T-1) observations and W to ``F'WF`` (Lee and Yu 2010), so that the moments have expectation zero.

    References
    ----------
    Kelejian, H. H. and I. R. Prucha (1998). Journal of Real Estate Finance and Economics 17, 99-121; (1999) International
    Economic Review 40, 509-533; (2010) Journal of Econometrics 157, 53-67. Drukker, D., P. Egger and I. R. Prucha (2013).
    Econometric Reviews 32, 686-733.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> from nqpf_spatial.models.gmm.estimate import gmm
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=10, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> res = gmm("y ~ x | unit + period", data, w)
    >>> res.params.round(2).to_dict(), res.instruments
    ({'x': 0.85, 'rho': 0.33}, ('W:x', 'W2:x'))
    """
    spec = get_model(model)
    for name, value, allowed in (("vcov", vcov, VCOV), ("divisor", divisor, DIVISORS), ("moments", moments, MOMENTS)):
        check_choice(name, value, allowed)
    if isinstance(lag_order, bool) or not isinstance(lag_order, int) or lag_order < 0:
        raise ValueError(f"lag_order={lag_order!r}: give a whole number, 0 or more; 2 is usual")
    weights = given_weights(spec, w, w_durbin, w_error)
    parsed = parse_formula(formula)
    if parsed.plain is None and "release" in data.attrs:
        check_vintages(formula.partition("|")[0])
    first = weights.first()
    ids = None if first is None else first.ids
    design = build_design(parsed, data, ids, years)
    check_durbin(spec, durbin)
    _check_error_options(spec, design, vcov, moments)
    columns = build_columns(design, spec, weights, None if durbin is None else tuple(durbin))
    check_absorbed(columns, design)
    base = np.concatenate([columns.z, design.y[None], columns.wy[None]])
    check_explained(reduce_columns(base, None, design.unit, design.time), columns)
    endogenous, instruments = _names("endogenous", endogenous), _names("instruments", instruments)
    _check_endogenous(design, endogenous, instruments)
    user = _user_instruments(formula, instruments, data, ids, years)
    pool = _Pool(design, columns, weights, endogenous, user, lag_order, lag_instruments)
    est = _estimate(
        spec, design, weights, columns, pool.build(spec, _names("without", without)), moments, vcov, divisor
    )
    _warn_outside(est)
    release = data.attrs.get("release")
    options = {"vcov": vcov, "divisor": divisor, "moments": moments if spec.error else None}
    return GMMFit(est, parsed, options, None if release is None else str(release))


def _names(option: str, value: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError(f"{option}={value!r} must be a list of names: {option}=[{value!r}]")
    return tuple(value)


def _check_error_options(spec: Model, design: Design, vcov: str, moments: str) -> None:
    if not spec.error:
        return
    if vcov == "cluster":
        raise ValueError('vcov="cluster" has no meaning with a modelled spatial error; use a model without one')
    if vcov == "white" and (design.unit or design.time):
        raise ValueError(
            'vcov="white" with a spatial error needs data without fixed effects: transformed errors of unequal variance are '
            'correlated. Use vcov="classical", or a model without spatial error and vcov="cluster"'
        )
    if vcov == "white" and moments == "1999":
        raise ValueError('moments="1999" assume equal variances; use moments="2010" with vcov="white"')


def _check_endogenous(design: Design, endogenous: tuple[str, ...], instruments: tuple[str, ...]) -> None:
    unknown = [name for name in endogenous if name not in design.names]
    if unknown:
        raise ValueError(
            f"endogenous= names {enumerate_some(unknown)}, which are no regressors; the regressors are "
            f"{', '.join(design.names)}"
        )
    inside = [name for name in instruments if name in design.names]
    if inside:
        raise ValueError(
            f"instruments= names {enumerate_some(inside)}, which are regressors; instruments must be outside the formula"
        )
    if len(instruments) < len(endogenous):
        raise IdentificationError(
            f"{len(instruments)} instruments ({', '.join(instruments) or 'none'}) for {len(endogenous)} endogenous regressors "
            f"({', '.join(endogenous)}): pass at least as many with instruments=[...]"
        )


def _user_instruments(
    formula: str,
    instruments: tuple[str, ...],
    data: pd.DataFrame,
    ids: tuple[object, ...] | None,
    years: tuple[object, object] | None,
) -> tuple[tuple[str, ...], NDArray]:
    """Names and (q, T, N) columns through the same formula machinery; the constant is dropped."""
    if not instruments:
        return (), np.empty((0, 0, 0))
    main, bar, tail = formula.partition("|")
    text = f"{main.partition('~')[0]}~ {' + '.join(instruments)} {bar}{tail}"
    design = build_design(parse_formula(text), data, ids, years)
    keep = [i for i, name in enumerate(design.names) if name != "Intercept"]
    return tuple(design.names[i] for i in keep), design.x[keep]


@dataclass(frozen=True)
class _Pool:
    """What instruments are made of."""

    design: Design
    columns: Columns
    weights: Weights
    endogenous: tuple[str, ...]
    user: tuple[tuple[str, ...], NDArray]
    order: int
    lag_user: bool

    def build(self, spec: Model, without: tuple[str, ...]) -> tuple[NDArray, NDArray, tuple[str, ...]]:
        """Positions of endogenous columns of Z, excluded instruments (q, T, N) and their names."""
        suspect = {*self.endogenous, *(f"W:{name}" for name in self.endogenous)}
        names = self.columns.names
        outside = np.array([i for i, name in enumerate(names) if name in suspect], dtype=int)
        inside = [i for i, name in enumerate(names) if name not in suspect]
        found: dict[str, NDArray] = dict(zip(self.user[0], self.user[1], strict=True))
        own = {names[i]: self.columns.z[i] for i in inside if not names[i].startswith("W:")}
        order = self.order if spec.lag or spec.error else 0
        if spec.durbin:
            order += 1
        weights = self.weights.lag or self.weights.durbin or self.weights.error
        lagged = {**(own if spec.lag or spec.error else {}), **(dict(found) if self.lag_user else {})}
        if outside.size == 0 and not spec.lag:
            return outside, np.empty((0, *self.design.shape)), ()
        durbin = self.weights.durbin
        other = durbin is not None and weights is not None and durbin.checksum != weights.checksum
        if other and durbin is not None and self.lag_user:
            found |= self._powers(dict(found), durbin, 1)
        if weights is not None:
            found |= self._powers(lagged, weights, order, "V" if other else "W")
        found = {name: column for name, column in found.items() if name not in names}
        unknown = [name for name in without if name not in found]
        if unknown:
            raise ValueError(f"without= names {enumerate_some(unknown)}; the instruments are {', '.join(found)}")
        found = {name: column for name, column in found.items() if name not in without}
        stacked = np.stack(list(found.values())) if found else np.empty((0, *self.design.shape))
        return outside, stacked, tuple(found)

    def _powers(self, base: dict[str, NDArray], w: SpatialWeights, order: int, letter: str = "W") -> dict[str, NDArray]:
        """``W^p x`` for p up to `order`; a constant has lags of its own unless the rows of W sum to one."""
        array = matrix(w)
        found: dict[str, NDArray] = {}
        current = {n: c for n, c in base.items() if n != "Intercept" or not w.is_row_stochastic}
        for power in range(1, order + 1):
            current = {name: spatial_lag(array, column) for name, column in current.items()}
            prefix = f"{letter}:" if power == 1 else f"{letter}{power}:"
            found |= {prefix + name: column for name, column in current.items()}
        return found


def _estimate(
    spec: Model,
    design: Design,
    weights: Weights,
    columns: Columns,
    pool: tuple[NDArray, NDArray, tuple[str, ...]],
    moments: str,
    vcov: str,
    divisor: str,
) -> GMMEstimate:
    suspect, excluded, excluded_names = pool
    z = np.concatenate([columns.z, columns.wy[None]]) if spec.lag else columns.z
    names = (*columns.names, "rho") if spec.lag else columns.names
    endogenous = np.append(suspect, len(columns.names)) if spec.lag else suspect
    exogenous = np.setdiff1d(np.arange(len(names)), endogenous)
    h = np.concatenate([z[exogenous], excluded])
    h_names = (*(names[i] for i in exogenous), *excluded_names)
    z_flat, h_flat, y_flat = (_within(part, design) for part in (z, h, design.y[None]))
    t, n = design.shape
    effective = (t - design.unit) * (n - design.time)
    if effective <= h_flat.shape[1]:
        raise IdentificationError(f"{effective} effective observations for {h_flat.shape[1]} instruments: use fewer")
    _check_instruments(h_flat, h_names, [names[i] for i in endogenous], excluded_names)
    _check_regressors(z_flat, names)
    stage = kernel.two_stage(y_flat[:, 0], z_flat, h_flat)
    error = None
    if spec.error:
        lost = len(names) if divisor == "n-k" else 0
        error = _error_fit(design, weights, z, (exogenous, excluded), moments, vcov, lost)
    return GMMEstimate(
        spec,
        design,
        weights,
        columns,
        names,
        endogenous,
        exogenous,
        excluded_names,
        (y_flat[:, 0], z_flat, h_flat),
        stage,
        error,
    )


def _within(columns: NDArray, design: Design) -> NDArray:
    """(n, k) columns freed from the effects."""
    return remove_effects(columns, design.unit, design.time).reshape(columns.shape[0], design.y.size).T


def _check_regressors(z: NDArray, names: tuple[str, ...]) -> None:
    bad = kernel.dependent_columns(z)
    if bad.size:
        raise IdentificationError(
            f"linear combinations of the regressors before them: {enumerate_some([names[i] for i in bad])}. Leave them out"
        )


def _check_instruments(h: NDArray, names: tuple[str, ...], endogenous: list[str], excluded: tuple[str, ...]) -> None:
    if len(excluded) < len(endogenous):
        raise IdentificationError(
            f"{len(excluded)} excluded instruments ({', '.join(excluded) or 'none'}) for {len(endogenous)} endogenous columns "
            f"({', '.join(endogenous)}): raise lag_order, add instruments=[...] or regressors whose lags can serve"
        )
    bad = [names[i] for i in kernel.dependent_columns(h)]
    if not bad:
        return
    advice = "Leave them out" if any(name not in excluded for name in bad) else f"Leave them out with without={bad}"
    raise IdentificationError(
        f"instruments that are linear combinations of those before them (after removal of the effects): {enumerate_some(bad)}. "
        f"{advice}"
    )


def _error_fit(
    design: Design, weights: Weights, z: NDArray, h: tuple[NDArray, NDArray], moments: str, vcov: str, lost: int
) -> tuple[gmm_error.ErrorData, gmm_error.ErrorFit]:
    assert weights.error is not None
    if design.time and not weights.error.is_row_stochastic:
        raise IdentificationError(
            f"the error weights {weights.error.name!r} do not have rows that sum to one, so the error filter changes the time "
            'effects. Use row-standardised error weights, or write the time effects as a factor, "+ C(year)"'
        )
    effects = design.unit or design.time
    w = weights.error.dense()
    if design.time:
        basis = _basis(weights.error.n, True)
        w = basis @ w @ basis.T
    data = gmm_error.ErrorData(
        _transform(design.y[None], design)[0],
        _transform(z, design),
        h[0],
        _transform(h[1], design),
        w,
        normal=effects,
    )
    interval = _interval(weights.error)
    if moments == "1999":
        return data, gmm_error.fit_1999(data, interval, lost)
    return data, gmm_error.fit_2010(data, interval, vcov == "white")


def _basis(size: int, on: bool) -> NDArray:
    """Orthonormal rows orthogonal to the constant, or the identity."""
    return sla.helmert(size) if on else np.eye(size)


def _transform(columns: NDArray, design: Design) -> NDArray:
    """Orthonormal transformation that removes the effects together with the dimensions they take (Lee and Yu 2010)."""
    t, n = design.shape
    out = np.einsum("st,ktn->ksn", _basis(t, design.unit), columns) if design.unit else columns
    return out @ _basis(n, design.time).T if design.time else out


def _interval(w: SpatialWeights) -> tuple[float, float]:
    """Exact bounds where all eigenvalues can be had; beyond, inner ones: no eigenvalue exceeds the largest row sum."""
    if w.n <= _EIGENVALUES_UP_TO:
        return w.rho_interval()
    norm = float(abs(w.sparse).sum(axis=1).max())
    return -1.0 / norm, 1.0 / norm


def _warn_outside(est: GMMEstimate) -> None:
    if est.weights.lag is None:
        return
    low, high = _interval(est.weights.lag)
    rho = est.delta[-1]
    if not low < rho < high:
        warn(
            f"rho = {rho:.4f} lies outside its admissible interval ({low:.4g}, {high:.4g}): impacts are not defined; "
            "instruments may be weak, see first_stage()",
            IdentificationWarning,
        )
