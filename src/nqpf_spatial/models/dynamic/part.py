"""What a dynamic estimate has beyond a static one, and what is refused for it in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from nqpf_spatial.errors import IdentificationError, PanelError
from nqpf_spatial.kernels import dynamic as kernel
from nqpf_spatial.kernels.ml import MLFit
from nqpf_spatial.models.estimate import Estimate

if TYPE_CHECKING:
    from nqpf_spatial.models.results import SpatialFit

TERMS = ("lag_y", "lag_wy")
CORRECTIONS = ("transform", "score", "bias", "direct", "none")
#: prefixes of the time lags in `params`: ``L:y`` and ``L:W:y`` with the name of the outcome
LAG, LAG_W = "L:", "L:W:"


@dataclass(frozen=True)
class DynamicPart:
    """What a dynamic estimate has beyond a static one.

    Attributes
    ----------
    terms : tuple of str
        Of ``("lag_y", "lag_wy")``.
    names : tuple of str
        Their names in ``params``.
    phi : (3,) ndarray
        (tau, eta, rho), zero where absent.
    free : tuple of int
        Positions of those that are estimated.
    first : (N,) ndarray
        y_0.
    first_period : hashable
        The period that supplies it.
    roots : (N,) ndarray
        Eigenvalues of ``(I - rho W)^{-1}(tau I + eta W)``; with transformed time effects without that of the unit vector.
    qml : MLFit
        The estimate before correction.
    adjustment : Adjustment
    hessian, variance : ndarray or None
        H and J of the adjusted score; None for the other corrections.
    """

    terms: tuple[str, ...]
    names: tuple[str, ...]
    phi: NDArray
    free: tuple[int, ...]
    first: NDArray
    first_period: object
    roots: NDArray
    qml: MLFit
    adjustment: kernel.Adjustment
    hessian: NDArray | None = None
    variance: NDArray | None = None


@dataclass(frozen=True)
class DynamicEstimate(Estimate):
    """An `Estimate` whose last columns of Z are the time lags."""

    dynamic: DynamicPart | None = None


def part(est: Estimate) -> DynamicPart:
    """The dynamic part of an estimate; an error for static ones."""
    found = getattr(est, "dynamic", None)
    if found is None:
        raise ValueError('the fit is static; estimate a dynamic model with dynamic=("lag_y", "lag_wy")')
    assert isinstance(found, DynamicPart)
    return found


def dynamic_terms(est: object) -> tuple[str, ...]:
    """Time lags of an estimate, of ``("lag_y", "lag_wy")``; empty for static ones."""
    found = getattr(est, "dynamic", None)
    return () if found is None else found.terms


def lag_names(est: Estimate) -> tuple[str, ...]:
    """Names of the time lags among the columns; empty for static estimates."""
    found = getattr(est, "dynamic", None)
    return () if found is None else found.names


def parse_terms(dynamic: str | Sequence[str] | None) -> tuple[str, ...]:
    """``dynamic=`` of `nqpf_spatial.fit` as a tuple of terms; empty for a static model."""
    if dynamic is None:
        return ()
    given = (TERMS if dynamic == "both" else (dynamic,)) if isinstance(dynamic, str) else tuple(dynamic)
    if not given or len(set(given)) != len(given) or set(given) - set(TERMS):
        raise ValueError(
            f'dynamic={dynamic!r}: choose "lag_y" (y of the period before), "lag_wy" (its spatial lag) or "both"; None is static'
        )
    return tuple(term for term in TERMS if term in given)


def static_only(est: object, what: str, instead: str) -> None:
    """Refuse for dynamic estimates what is derived for static ones."""
    if dynamic_terms(est):
        raise IdentificationError(f"{what} is not available for a fit with time lags: {instead}")


def check_dynamic_vcov(est: Estimate, vcov: str) -> None:
    """The covariances that hold for a dynamic estimate; an error names them."""
    terms = dynamic_terms(est)
    if not terms:
        return
    adjusted = est.design.unit and est.correction in ("transform", "score")
    allowed = ("observed",) if adjusted else ("observed", "expected")
    if vcov not in allowed:
        raise ValueError(
            f"vcov={vcov!r} is not available for a fit with time lags and correction={est.correction!r}; use "
            f"{' or '.join(map(repr, allowed))}. The time lags need errors that are independent over time and have one variance; for "
            "errors that are not normal see bootstrap()"
        )


def check_same_sample(*fits: SpatialFit) -> tuple[object, object]:
    """First and last period of fits that are to be compared; an error if units, periods or outcome differ.

    A dynamic fit on 2012-2024 is about 2013-2024: fit the static model with ``years=check_same_sample(dynamic)``.
    """
    samples = [(f.estimate.design.outcome, f.estimate.design.units, f.estimate.design.periods) for f in fits]
    for outcome, units, periods in samples[1:]:
        if (outcome, set(units), periods) != (samples[0][0], set(samples[0][1]), samples[0][2]):
            raise PanelError(
                f"fits of different samples: {_sample(samples[0])} and {_sample((outcome, units, periods))}. A dynamic model loses its "
                "first period; fit the static one with years= without it"
            )
    return samples[0][2][0], samples[0][2][-1]


def _sample(sample: tuple[str, tuple, tuple]) -> str:
    outcome, units, periods = sample
    return f"{outcome}, {len(units)} units, {periods[0]}-{periods[-1]}"
