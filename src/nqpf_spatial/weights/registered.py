"""The seven frozen matrices of the register of claims (block ``weights``)."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from nqpf_spatial.provinces import Names
from nqpf_spatial.weights.combine import nested
from nqpf_spatial.weights.contiguity import contiguity
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.distance import inverse_distance
from nqpf_spatial.weights.economic import economic, similarity
from nqpf_spatial.weights.flows import migration

#: Years that precede every outcome year of the register (2012-2024).
_INCOME_YEARS = (2005, 2010)
_DIGITAL_YEAR = 2011
_FLOOR = 0.05
_FIRST_OUTCOME_YEAR = 2012


def _economic(names: Names) -> SpatialWeights:
    return economic("gdp_real_pc", _INCOME_YEARS, floor=_FLOOR, sample_start=_FIRST_OUTCOME_YEAR, names=names)


def _digital(names: Names) -> SpatialWeights:
    return similarity("ln_broadband_pc", _DIGITAL_YEAR, floor=_FLOOR, sample_start=_FIRST_OUTCOME_YEAR, names=names)


def _migration(names: Names) -> SpatialWeights:
    return migration("5yr_2010", "in", sample_start=_FIRST_OUTCOME_YEAR, names=names)


_BUILDERS: MappingProxyType[str, Callable[[Names], SpatialWeights]] = MappingProxyType(
    {
        "queen": lambda names: contiguity(names=names),
        "inv_distance": lambda names: inverse_distance(names=names),
        "inv_distance_sq": lambda names: inverse_distance(power=2, names=names),
        "economic": _economic,
        "econ_geo_nested": lambda names: nested(inverse_distance(names=names), _economic(names)),
        "migration_flow": _migration,
        "digital": _digital,
    }
)

#: Names of the seven matrices, in the order of the register.
REGISTERED = tuple(_BUILDERS)


def registered(name: str, names: Names = "en") -> SpatialWeights:
    """One of the matrices of the register of claims, exactly as written there.

    Parameters
    ----------
    name : str
        queen: 68 land borders and Guangdong-Hainan; inv_distance, inv_distance_sq: great-circle km between
        capitals; economic: 1 / max(gap, 5 % of the mean gap) of mean real GDP per resident 2005-2010;
        econ_geo_nested: half inv_distance, half economic; migration_flow: persons living in i in 2010 who
        lived in j in 2005; digital: 1 / max(gap, 5 % of the mean gap) of log broadband per head in 2011. All
        row-standardised.
    names : {"en", "zh", "adcode", "iso"}
        Labels of the provinces.

    Returns
    -------
    SpatialWeights
        Named as in the register.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.weights.registered("migration_flow").date
    '2005-2010'
    """
    if name not in _BUILDERS:
        raise ValueError(f"{name!r} is no matrix of the register; there are {', '.join(REGISTERED)}")
    return _BUILDERS[name](names).renamed(name)


def w7(names: Names = "en") -> dict[str, SpatialWeights]:
    """All seven matrices of the register (its set W7), by name and in its order.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> list(nq.weights.w7())
    ['queen', 'inv_distance', 'inv_distance_sq', 'economic', 'econ_geo_nested', 'migration_flow', 'digital']
    """
    return {name: registered(name, names) for name in REGISTERED}
