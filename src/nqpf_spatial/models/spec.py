"""What to estimate: the models as switches, and the formula with its fixed effects after ``|``."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from formulaic import Formula
from formulaic.errors import FormulaParsingError

from nqpf_spatial.errors import PanelError


@dataclass(frozen=True, slots=True)
class Model:
    """Which spatial terms a model has: lag of y (rho), lags of X (theta), lag of the error (lambda)."""

    name: str
    lag: bool
    durbin: bool
    error: bool


#: every static model is one row of switches of the general nesting spatial model (Elhorst 2014, figure 2.1)
MODELS = {
    m.name: m
    for m in (
        Model("OLS", False, False, False),
        Model("SLX", False, True, False),
        Model("SAR", True, False, False),
        Model("SEM", False, False, True),
        Model("SDM", True, True, False),
        Model("SDEM", False, True, True),
        Model("SAC", True, False, True),
        Model("GNS", True, True, True),
    )
}


def get_model(name: str) -> Model:
    """The switches of a model by its name, case-insensitive."""
    model = MODELS.get(str(name).upper())
    if model is None:
        raise ValueError(f"model={name!r} is not known; choose one of {', '.join(MODELS)}")
    return model


@dataclass(frozen=True, slots=True)
class ParsedFormula:
    """A formula split into the regression part and the names after ``|``.

    `plain` holds outcome and regressors when all are bare column names: nothing is left to evaluate then.
    """

    text: str
    formula: Formula
    effects: tuple[str, ...]
    variables: tuple[str, ...]
    plain: tuple[str, ...] | None
    intercept: bool
    words: tuple[str, ...]


def parse_formula(text: str) -> ParsedFormula:
    """Parse ``"y ~ x1 + x2 | province + year"``; the part after ``|`` names levels of the index.

    Raises
    ------
    ValueError
        If the text is not a formula with one outcome.
    """
    if not isinstance(text, str):
        raise ValueError(f"formula={text!r} is no text; write 'y ~ x1 + x2 | province + year'")
    return _parse(text)


@lru_cache(maxsize=256)
def _parse(text: str) -> ParsedFormula:
    main, bar, tail = text.partition("|")
    if "|" in tail:
        raise ValueError(f"formula {text!r} has more than one '|'; write 'y ~ x1 + x2 | province + year'")
    effects = tuple(part.strip() for part in tail.split("+") if part.strip()) if bar else ()
    if bar and not effects:
        raise ValueError(f"formula {text!r} names no effects after '|'; write '| province + year' or leave '|' out")
    if len(set(effects)) != len(effects):
        raise ValueError(f"formula {text!r} names an effect twice after '|'")
    _check_meanings(text, main)
    try:
        formula = Formula(main)
    except (FormulaParsingError, SyntaxError) as error:
        raise ValueError(f"formula {text!r} cannot be read: {_plain(error)}") from error
    if not hasattr(formula, "lhs") or len(formula.lhs) != 1:
        raise ValueError(f"formula {text!r} needs exactly one outcome left of '~'")
    variables = tuple(sorted(str(v) for v in formula.required_variables))
    regressors = [str(term) for term in formula.rhs if str(term) != "1"]
    outcome = str(next(iter(formula.lhs)))
    plain = (outcome, *regressors) if {outcome, *regressors} <= set(variables) else None
    intercept = len(regressors) < len(formula.rhs)
    # formulaic does not list the arguments of its stateful transforms, poly(x, 2) and the like
    words = tuple(dict.fromkeys(re.findall(r"[^\W\d]\w*", main)))
    return ParsedFormula(" ".join(text.split()), formula, effects, variables, plain, intercept, words)


def _check_meanings(text: str, main: str) -> None:
    """Refuse what can be read, but as something else than is meant."""
    crossing = re.search(r"\b(lag|lead|shift|diff|roll|cumsum|cumprod)\s*\(", main)
    if crossing:
        raise ValueError(
            f"{crossing[1]}() in a formula runs over rows, from one unit into the next; make the column first, for instance "
            'data["x_lag"] = data["x"].groupby(level=0).shift(1)'
        )
    inside, outside = _split_calls(re.sub(r"`[^`]*`", "`", main))  # names in backquotes may hold any character
    if "^" in inside:
        raise ValueError(f"formula {text!r}: inside a function ^ is no power; write **, as in I(x**2)")
    power = re.search(r"([^\W\d]\w*|`)\s*(\^|\*\*)\s*\d", outside)
    if power:
        raise ValueError(
            f"formula {text!r}: {power[0]!r} stands for interactions of a variable with itself, which leave the variable as it "
            "is; write I(x**2) for the square of x"
        )
    if re.search(r"(^|[\s~+])\.($|[\s+-])", outside):
        raise ValueError(f"formula {text!r} has '.' for all other columns; name the regressors one by one")


def _split_calls(main: str) -> tuple[str, str]:
    """The characters inside the brackets of function calls, and the others."""
    parts: tuple[list[str], list[str]] = ([], [])
    depth = start = 0
    for place, character in enumerate(main):
        if character == "(":
            depth += 1
            if not start and re.search(r"\w$", main[:place]):
                start = depth
        parts[not start].append(character)
        if character == ")":
            start = 0 if depth == start else start
            depth -= 1
    return "".join(parts[0]), "".join(parts[1])


def _plain(error: Exception) -> str:
    """What the parser says, without the colours in which it shows the place."""
    return " ".join(re.sub("\x1b\\[[0-9;]*m|[\u29da\u29db]", "", str(error)).split())


def effect_flags(
    effects: tuple[str, ...], levels: tuple[str, ...], columns: Collection[object] = ()
) -> tuple[bool, bool]:
    """(unit, time) switches from effect names; they must be the names of the index levels, not of `columns`."""
    if not effects:
        return False, False
    unknown = [e for e in effects if e not in levels]
    if unknown and set(effects) <= set(columns):
        raise PanelError(
            f"fixed effects {', '.join(map(repr, unknown))} are columns, not levels of the index: make the index of unit and "
            f"period first, data.set_index({list(effects) if len(effects) == 2 else '[unit, period]'})"
        )
    if unknown:
        raise PanelError(
            f"fixed effects {', '.join(map(repr, unknown))} are not levels of the index; the index has "
            f"{', '.join(map(repr, levels)) or 'no named levels'}. Set the index with data.set_index([unit, period]), or name "
            "its levels with data.index.names = [...]"
        )
    if len(levels) == 1:
        raise PanelError("a cross-section has no fixed effects: leave out the part after '|'")
    return levels[0] in effects, levels[1] in effects


def check_functions(unknown: list[str], text: str) -> None:
    """Functions that a formula does not have are named as such, with what other programs' are called here."""
    called = [name for name in unknown if re.search(rf"(?<![\w.]){re.escape(name)}\s*\(", text)]
    if called:
        known = {"ln": "log", "factor": "C", "i": "C", "sqrt": "np.sqrt", "abs": "np.abs", "sq": "I(x**2)"}
        hint = f"; here it is {known[called[0]]}" if called[0] in known else ""
        raise PanelError(f"formulas have no function {', '.join(called)}{hint}; log, exp, C, I and np. are there")
