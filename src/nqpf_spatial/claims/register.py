"""The claims register: what two articles say, and the rule that decides each statement, as frozen data.

The packaged file ``claims/files/register.yaml`` is the single source. It is parsed once per process with
libyaml's safe loader where PyYAML was built with it (40 ms), with the pure Python one otherwise (0.4 s, same
result). Thresholds are read from here by every rule; none is typed in code.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nqpf_spatial.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

    from nqpf_spatial.claims.display import Card


def freeze(value: Any) -> Any:
    """Make plain parsed data read-only: mappings become proxies, lists become tuples, at every depth.

    Parameters
    ----------
    value : object
        Scalars, lists and mappings as a YAML or JSON parser returns them.

    Returns
    -------
    object

    Examples
    --------
    >>> freeze({"a": [1, 2]})["a"]
    (1, 2)
    """
    if isinstance(value, Mapping):
        return MappingProxyType({k: freeze(v) for k, v in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(v) for v in value)
    return value


def _no_entries() -> Mapping[str, Any]:
    """Return an empty read-only mapping (a dataclass default may not be shared and mutable)."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rule:
    """A pre-stated decision rule: its text, its numbers and what each outcome means."""

    id: str
    text: str
    parameters: Mapping[str, Any]
    verdict_mapping: Mapping[str, str]
    adaptation: tuple[Mapping[str, str], ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an article, in our words, with everything that decides it.

    Attributes
    ----------
    says_en, says_zh : str
        Paraphrases; `where` leads to the passage.
    testability : {"direct", "proxy", "partial", "needs-data", "not-testable"}
        What the shipped data allow.
    rule, parameters : str, mapping
        Rule that decides, and numbers the claim adds to those of the rule.
    W : tuple of str
        Ids of weight matrices; a named set is written out.
    period : str, mapping or None
        ``"2012-2024"``, or one such window per variable.
    """

    id: str
    article: str
    where: str
    says_en: str
    says_zh: str
    kind: str
    family: str
    priority: str
    testability: str
    rule: str
    parameters: Mapping[str, Any]
    outcome: tuple[str, ...]
    regressors: tuple[str, ...]
    W: tuple[str, ...]
    variants: tuple[str, ...]
    tension: tuple[str, ...]
    disclosure: str
    period: str | Mapping[str, str] | None = None
    hypothesis: str | None = None
    support_if: str | None = None
    contradict_if: str | None = None
    cannot_test: str | None = None
    notebook: str | None = None
    adaptation: str | None = None
    needs: tuple[str, ...] = ()
    provinces: Mapping[str, int] = field(default_factory=_no_entries)
    absent_years: Mapping[str, tuple[int, ...]] = field(default_factory=_no_entries)
    disclosure_note: str | None = None
    note: str | None = None

    def years(self, variable: str | None = None) -> tuple[int, int]:
        """Return the first and last year of the claim, or of one of its variables.

        Raises
        ------
        DataSourceError
            If the claim has no period, or one per variable and none was named.
        """
        period = self.period
        if isinstance(period, Mapping):
            if variable is None or variable not in period:
                raise DataSourceError(
                    f"claim {self.id} has a window per variable, none for {variable!r}; name one of {', '.join(period)}"
                )
            period = period[variable]
        if period is None:
            raise DataSourceError(f"claim {self.id} has no period: it is {self.testability}")
        first, last = period.split("-")
        return int(first), int(last)


@dataclass(frozen=True, slots=True)
class Register:
    """The whole register, read-only.

    Attributes
    ----------
    claims, rules, variants : mapping
        By id, in the order of the file.
    checksum : str
        sha256 of the register's text; every verdict carries it.
    """

    meta: Mapping[str, Any]
    conventions: Mapping[str, Any]
    rules: Mapping[str, Rule]
    weights: Mapping[str, Any]
    derived_variables: tuple[Mapping[str, Any], ...]
    variants: Mapping[str, Mapping[str, Any]]
    tensions: tuple[Mapping[str, Any], ...]
    notebooks: tuple[Mapping[str, Any], ...]
    claims: Mapping[str, Claim]
    checksum: str

    def claim(self, claim_id: str) -> Claim:
        """Return one claim; an unknown id is an error that shows the nearest ones.

        Examples
        --------
        >>> from nqpf_spatial import claims
        >>> claims.load().claim("WU-P8").rule
        'R-FACT'
        """
        if claim_id not in self.claims:
            near = difflib.get_close_matches(str(claim_id), self.claims, n=5, cutoff=0.4)
            hint = f"nearest: {', '.join(near)}" if near else "see load().table() for the ids"
            raise DataSourceError(f"no claim {claim_id!r} in the register; {hint}")
        return self.claims[claim_id]

    def threshold(self, rule: str, name: str) -> Any:
        """Return one number of a rule, so that none is typed in code.

        Examples
        --------
        >>> from nqpf_spatial import claims
        >>> claims.load().threshold("R-SHARE", "support_share_gt_pct")
        50
        """
        if rule not in self.rules or name not in self.rules[rule].parameters:
            known = self.rules[rule].parameters if rule in self.rules else self.rules
            raise DataSourceError(f"the register states no {name!r} for {rule!r}; it has {', '.join(known)}")
        return self.rules[rule].parameters[name]

    def family(self, family: str) -> tuple[Claim, ...]:
        """Return the claims of one family, the unit of the multiple-testing correction."""
        return tuple(c for c in self.claims.values() if c.family == family)

    def decided_in(self, notebook: str) -> tuple[str, ...]:
        """Return the ids a notebook decides, given its file name or its number ("05")."""
        for entry in self.notebooks:
            if notebook in (entry["file"], entry["file"].removesuffix(".ipynb"), entry["file"].split("-")[0]):
                return entry["decides"]
        known = ", ".join(e["file"] for e in self.notebooks)
        raise DataSourceError(f"no notebook {notebook!r} in the register; it lists {known}")

    def show(self, claim_id: str) -> Card:
        """Return a readable card of one claim: text in a terminal, a table in Jupyter."""
        from nqpf_spatial.claims.display import claim_card

        return claim_card(self, self.claim(claim_id))

    def table(self, *, lang: str = "en") -> pd.DataFrame:
        """Return the claims as a table, one row each, indexed by id.

        Parameters
        ----------
        lang : {"en", "zh"}
            Language of the paraphrase in column ``says``.
        """
        import pandas as pd

        if lang not in ("en", "zh"):
            raise DataSourceError(f"lang={lang!r}: choose 'en' or 'zh'")
        columns = ("article", "family", "priority", "testability", "rule", "notebook", "disclosure")
        rows = {
            c.id: {**{k: getattr(c, k) for k in columns}, "says": c.says_en if lang == "en" else c.says_zh}
            for c in self.claims.values()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("claim")


def _make_claim(raw: Mapping[str, Any], sets: Mapping[str, tuple[str, ...]]) -> Claim:
    """Build a claim; a named set of weights is written out, an unknown field is an error."""
    known = {f.name for f in fields(Claim)}
    if unknown := set(raw) - known:
        raise DataSourceError(f"claim {raw.get('id')!r} has fields {sorted(unknown)} the library does not know")
    weights = raw["W"]
    return Claim(**{**raw, "W": sets[weights] if isinstance(weights, str) else weights})


def _index(entries: Iterable[Any], what: str) -> Mapping[str, Any]:
    """Key entries by their id; a repeated id is an error."""
    out: dict[str, Any] = {}
    for entry in entries:
        key = entry["id"] if isinstance(entry, Mapping) else entry.id
        if key in out:
            raise DataSourceError(f"{what} {key!r} appears twice in the register")
        out[key] = entry
    return MappingProxyType(out)


def parse(text: str) -> Register:
    """Parse the text of a register file.

    Parameters
    ----------
    text : str
        YAML with the blocks meta, conventions, rules, weights, derived_variables, variants, tensions,
        notebooks and claims.

    Returns
    -------
    Register

    Raises
    ------
    DataSourceError
        If an id is repeated or a field is unknown.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = freeze(yaml.load(text, Loader=loader))  # noqa: S506 (both are safe loaders)
    sets = raw["weights"]["sets"]
    rule_fields = [f.name for f in fields(Rule)]
    return Register(
        meta=raw["meta"],
        conventions=raw["conventions"],
        rules=_index((Rule(**{k: r[k] for k in rule_fields}) for r in raw["rules"]), "rule"),
        weights=raw["weights"],
        derived_variables=raw["derived_variables"],
        variants=_index(raw["variants"], "variant"),
        tensions=raw["tensions"],
        notebooks=raw["notebooks"],
        claims=_index((_make_claim(c, sets) for c in raw["claims"]), "claim"),
        checksum=hashlib.sha256(text.encode("utf-8")).hexdigest(),
    )


@cache
def load() -> Register:
    """Load the packaged register (once per process).

    Returns
    -------
    Register

    Examples
    --------
    >>> from nqpf_spatial import claims
    >>> register = claims.load()
    >>> len(register.claims), register.claim("WU-M4").rule
    (111, 'R-MECH')
    """
    file = resources.files("nqpf_spatial.claims") / "files" / "register.yaml"
    return parse(file.read_text(encoding="utf-8"))
