"""What a verdict is made of: evidence, variants and the verdict itself, frozen and serialisable.

Floats leave the library rounded to six significant digits (`DIGITS`), so that `verdicts.json` is the same
byte for byte on a rerun and does not hang on the last bits of a linear-algebra library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.claims.display import Card

#: significant digits of every float in verdicts.json
DIGITS = 6
#: below this a float is written as zero: it is rounding noise of the arithmetic
NOISE = 1e-12

Reading = Literal["support", "contradict", "neither"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number a rule looked at.

    Attributes
    ----------
    what : str
        The quantity in words.
    estimate, se, lower, upper : float or None
        Value, standard error and interval at `level`; None where a published or counted figure has none.
    statistic, df, p, p_holm : float or None
        Test of zero: statistic, degrees of freedom (None for a normal reference), raw two-sided p-value,
        and the p-value after the correction inside the family.
    counted : bool
        False for what is shown beside the decision and never decides.
    reading : {"support", "contradict", "neither"}
        How the rule reads this number alone.
    checks : mapping of str to float or None
        Numbers beside it that never decide: delta-method and clustered inference, rho and its sd. Inference is None where the
        likelihood is highest at an end of the interval of rho: there is no covariance there.
    """

    what: str
    estimate: float | str | None
    se: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    p_holm: float | None = None
    mde: float | None = None
    w: str | None = None
    counted: bool = True
    reading: Reading = "neither"
    checks: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def at_boundary(self) -> bool:
        """Whether rho lies at an end of its interval, so that the checks have no inference."""
        return self.checks.get("rho") is not None and None in self.checks.values()


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One specification of one variant, run or not.

    Attributes
    ----------
    variant, specification : str
        Id in the register, and what this run of it changed.
    alternative : str
        Which of the claim's stated alternatives it speaks to ("" where there is one only).
    counts : bool
        Whether it enters the shares of MULTIVERSE.
    ran : bool
        False with a `reason` where it could not be run; it is then in no share.
    stated_sign, significant : bool or None
        Whether the sign is the one the claim states, and whether the number differs from zero at the level
        of the rule. Rules without a sign use: whether `support_if` holds, whether a threshold is crossed.
    """

    variant: str
    specification: str
    counts: bool
    ran: bool
    alternative: str = ""
    stated_sign: bool | None = None
    significant: bool | None = None
    estimate: float | None = None
    se: float | None = None
    p: float | None = None
    n: int | None = None
    w: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Multiverse:
    """Shares of the variants, by variant (deciding) and by specification (shown).

    A variant of several specifications contributes the share of its own that agree, so that a variant with
    six matrices weighs no more than one with a single run.
    """

    direction: Literal["support", "contradict"]
    agrees: bool
    same_share: float | None
    opposite_share: float | None
    same_share_specifications: float | None
    opposite_share_specifications: float | None
    variants_counted: int
    specifications_counted: int
    variants_not_run: tuple[str, ...]
    alternative: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Holm:
    """The correction inside a family.

    Attributes
    ----------
    method : {"holm", "bound"}
        Holm's step-down where every p-value of the family exists; otherwise the bound m * p, which is
        never smaller than Holm's p-value.
    m : int
        Claims of the family that are runnable and whose criterion rests on a p-value.
    missing : tuple of str
        Those of them whose p-value does not exist yet.
    """

    family: str
    method: Literal["holm", "bound"]
    m: int
    members: tuple[str, ...]
    missing: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The record of one claim: the word, and everything it rests on.

    Attributes
    ----------
    verdict : str or None
        One of the seven words of the register, or None where `status` is "not run".
    status : {"decided", "not run"}
        "not run" is not a verdict: the rule, or its reading for this claim, arrives in a later release.
    proxy : bool
        The concept is measured by a stand-in; the label carries the word.
    tables : mapping of str to DataFrame
        Tables behind the verdict, for the report; not part of the JSON record.
    """

    claim: str
    verdict: str | None
    status: Literal["decided", "not run"]
    reason: str
    rule: str
    testability: str
    proxy: bool
    disclosure: str
    parameters: Mapping[str, Any]
    evidence: tuple[Evidence, ...] = ()
    variants: tuple[VariantResult, ...] = ()
    multiverse: tuple[Multiverse, ...] = ()
    holm: Holm | None = None
    mde_note: str = ""
    sample: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    disclosure_note: str | None = None
    data_release: str = ""
    register_checksum: str = ""
    library: str = ""
    seed: int | None = None
    fast: bool = False
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict, compare=False, repr=False)

    @property
    def label(self) -> str:
        """The word as it is shown: "SUPPORTED (proxy)", "not run".

        Examples
        --------
        >>> from nqpf_spatial import claims
        >>> claims.run(["WU-2.9"])[0].label
        'NOT TESTABLE'
        """
        if self.verdict is None:
            return self.status
        return f"{self.verdict} (proxy)" if self.proxy else self.verdict

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, floats rounded to `DIGITS` significant digits."""
        out = {f.name: plain(getattr(self, f.name)) for f in fields(self) if f.name not in ("claim", "tables")}
        return {**out, "label": self.label}

    def evidence_frame(self) -> pd.DataFrame:
        """Return the numbers the rule looked at as a table, one row each."""
        return _frame(self.evidence, Evidence)

    def variants_frame(self) -> pd.DataFrame:
        """Return the variants as a table, one row per specification, those not run included."""
        return _frame(self.variants, VariantResult)

    def card(self) -> Card:
        """Return the readable card of the record."""
        from nqpf_spatial.claims.display import verdict_card

        return verdict_card(self)

    def __repr__(self) -> str:
        return f"<Verdict {self.claim}: {self.label}, rule {self.rule}; print it for the record>"

    def __str__(self) -> str:
        return str(self.card())

    def _repr_html_(self) -> str:
        return self.card()._repr_html_()


def _frame(rows: tuple[Any, ...], kind: type) -> pd.DataFrame:
    """Tabulate frozen rows in the order of their fields; checks become columns of their own."""
    import pandas as pd

    names = [f.name for f in fields(kind) if f.name != "checks"]
    cells = [{**{n: getattr(r, n) for n in names}, **getattr(r, "checks", {})} for r in rows]
    return pd.DataFrame(cells, columns=None if cells else names)


def stable(value: float, digits: int = DIGITS) -> float:
    """Round to significant digits and write rounding noise as zero.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        Significant digits kept.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `value` is not finite: a record has no place for it, and None must be said explicitly.

    Examples
    --------
    >>> stable(0.123456789), stable(-3e-17), stable(1234567.0)
    (0.123457, 0.0, 1234570.0)
    """
    if not math.isfinite(value):
        raise ValueError(f"a verdict record holds finite numbers only, given {value}; use None for what does not exist")
    if abs(value) < NOISE:
        return 0.0
    return float(f"{value:.{digits}g}")


def plain(value: Any) -> Any:
    """Turn a record into what JSON can hold: dicts, lists, str, int, bool, None and rounded floats.

    Examples
    --------
    >>> plain({"a": (1, 2.00000001)})
    {'a': [1, 2.0]}
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return stable(value)
    raise TypeError(f"{type(value).__name__} has no place in a verdict record: {value!r}")
