"""Arguments of the estimators, checked: words with few allowed values, and one matrix of weights per role."""

from __future__ import annotations

from nqpf_spatial.models.estimate import Weights
from nqpf_spatial.models.labels import canonical, match
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.combine import WeightsSequence
from nqpf_spatial.weights.core import SpatialWeights


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is none of the allowed ones."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, allowed))}")


def check_durbin(spec: Model, durbin: object) -> None:
    """Refuse durbin= in models without lags of the regressors, and a name that is not in a list."""
    if durbin is not None and not spec.durbin:
        raise ValueError(f"durbin= has no meaning in a {spec.name} model; use SLX, SDM, SDEM or GNS")
    if isinstance(durbin, str):
        raise ValueError(f"durbin={durbin!r}: give a list of names, durbin=[{durbin!r}]")


def given_weights(spec: Model, w: object, w_durbin: object, w_error: object) -> Weights:
    """One matrix per role out of what `nqpf_spatial.fit` was given, in the canonical order of units.

    Raises
    ------
    TypeError, ValueError
        Objects that are no weights; weights that the model needs and lacks, or has no use for.
    AlignmentError
        Units that differ between the matrices.
    """
    _check_kinds(w=w, w_durbin=w_durbin, w_error=w_error)
    chosen = {
        "lag": w if spec.lag else None,
        "durbin": (w_durbin or w) if spec.durbin else None,
        "error": (w_error or w) if spec.error else None,
        "tests": None if spec.lag or spec.durbin or spec.error else w,
    }
    wanted = {"lag": spec.lag, "durbin": spec.durbin, "error": spec.error}
    absent = [role for role, needed in wanted.items() if needed and chosen[role] is None]
    if absent:
        raise ValueError(f"a {spec.name} model needs spatial weights: pass w, for instance nq.weights.contiguity()")
    unused = [f"w_{r}" for r, v in (("durbin", w_durbin), ("error", w_error)) if v is not None and not wanted[r]]
    if unused:
        raise ValueError(f"{', '.join(unused)} has no meaning in a {spec.name} model")
    aligned = {role: _canonical(v) if isinstance(v, SpatialWeights) else None for role, v in chosen.items()}
    present = [v for v in aligned.values() if v is not None]
    for other in present[1:]:
        match(present[0].ids, other.ids, ("weights " + repr(present[0].name), "weights " + repr(other.name)))
    return Weights(**aligned)


def _check_kinds(**given: object) -> None:
    for name, value in given.items():
        if isinstance(value, WeightsSequence):
            raise TypeError(
                f"{name} is a sequence of weights; one matrix is needed here, {name}[year] (nq.fit takes sequences as w and w_durbin)"
            )
        if value is not None and not isinstance(value, SpatialWeights):
            raise TypeError(
                f"{name} is a {type(value).__name__}; turn it into labelled weights with nq.weights.from_any({name}, ids=...)"
            )


def _canonical(w: SpatialWeights) -> SpatialWeights:
    """W in the one order of the library, so that the bits of a fit do not depend on the order W came in."""
    order = canonical(list(w.ids))
    return w if list(w.ids) == order else w.reorder(order)
