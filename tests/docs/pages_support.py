"""The code of the documentation, read without running it: which names and keywords of the library it uses.

Values are followed by kind: a module, class or function of the library is itself, the result of a call is the class that its
annotation names. What cannot be followed (columns of frames, other libraries) is left alone.
"""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

import nqpf_spatial

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "reference").glob("*.md")),
]

_FENCE = re.compile(r"^```+\s*(\S*).*?\n(.*?)^```+\s*$", re.M | re.S)
_SPAN = re.compile(r"(`+)(.+?)\1|<code>(.*?)</code>", re.S)


@dataclass(frozen=True)
class Code:
    """A piece of Python of a page; blocks are checked in order, so that names keep their meaning."""

    page: str
    line: int
    text: str
    block: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text.strip().splitlines()[0][:110]}"


def pieces(path: Path) -> Iterator[Code]:
    """Blocks marked as Python and the inline spans of a page, in the order of the page."""
    text, page = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
    found = []
    for match in _FENCE.finditer(text):
        if match[1] in {"python", "{code-cell}"}:
            found.append((match.start(), plain(match[2]), True))
    prose = _FENCE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in _SPAN.finditer(prose):
        found.append((match.start(), html.unescape(match[2] or match[3]).replace(r"\|", "|"), False))
    for start, code, block in sorted(found):
        yield Code(page, text.count("\n", 0, start) + 1, code, block)


def plain(block: str) -> str:
    """The statements of a block: of a doctest the lines after its prompts."""
    if not re.search(r"^>>> ", block, re.M):
        return re.sub(r"^:.*\n", "", block, flags=re.M)
    return "\n".join(line[4:] for line in block.splitlines() if line.startswith((">>> ", "... ")))


def parse(code: Code) -> ast.Module | None:
    """The syntax tree; spans may leave out values (``horizon=``). None if a span is no Python."""
    text = code.text if code.block else re.sub(r"=\s*(?=[,)])", "=...", code.text)
    try:
        return ast.parse(text)
    except SyntaxError:
        if code.block:
            raise
        return None


# -- kinds ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Known:
    """A module, class, function or constant of the library."""

    value: Any
    owner: type | None = None


@dataclass(frozen=True)
class Instance:
    """An object of one of these classes."""

    classes: tuple[type, ...]


Kind = Known | Instance | None


@cache
def classes() -> dict[str, tuple[type, ...]]:
    """Every class of the library by name; modules may share a name."""
    found: dict[str, tuple[type, ...]] = {}
    for info in pkgutil.walk_packages(nqpf_spatial.__path__, "nqpf_spatial."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if inspect.isclass(value) and value.__module__ == info.name:
                found[name] = (*found.get(name, ()), value)
    return found


def family(cls: type) -> tuple[type, ...]:
    """A class and what is derived from it: a method that promises impacts may give dynamic ones."""
    return (cls, *(c for sub in cls.__subclasses__() for c in family(sub)))


def annotated(annotation: Any, module: str) -> Kind:
    """The classes of the library that an annotation in this module names."""
    names = set(re.findall(r"\w+", annotation if isinstance(annotation, str) else ""))
    if not names or names - set(classes()) - {"None"}:
        return None  # a foreign class, a tuple or a mapping says nothing about attributes
    found: list[type] = []
    for name in sorted(names - {"None"}):
        own = getattr(importlib.import_module(module), name, None)
        for cls in (own,) if inspect.isclass(own) else classes()[name]:
            found += family(cls)
    return Instance(tuple(found)) if found else None


def declared(cls: type, name: str) -> tuple[Any, str] | None:
    """Annotation of a field, anywhere in the ancestry, and the module it stands in."""
    for base in cls.__mro__:
        if name in vars(base).get("__annotations__", {}):
            return vars(base)["__annotations__"][name], base.__module__
    return None


def attribute(kind: Kind, name: str) -> Kind:
    """What ``kind.name`` is; AttributeError where the library has no such name."""
    if isinstance(kind, Known):
        if inspect.isclass(kind.value) or inspect.ismodule(kind.value):
            if inspect.ismodule(kind.value) and not kind.value.__name__.startswith("nqpf_spatial"):
                return None
            return Known(getattr(kind.value, name))
        return None
    if kind is None:
        return None
    for cls in kind.classes:
        value = inspect.getattr_static(cls, name, None)
        if value is not None:
            if isinstance(value, property):
                return annotated(inspect.signature(value.fget).return_annotation, value.fget.__module__)
            if isinstance(value, cached_property):
                return annotated(inspect.signature(value.func).return_annotation, value.func.__module__)
            return Known(value, cls)
        field = declared(cls, name)
        if field is not None:
            return annotated(*field)
        if "__getattr__" in dir(cls):
            return None
    raise AttributeError(f"{' | '.join(c.__name__ for c in kind.classes)} has no {name!r}")


# -- signatures ----------------------------------------------------------------------------------------------
def _delegates(name: str) -> tuple[Any, ...]:
    """Where ``**options`` of a function go."""
    models = "nqpf_spatial.models"
    where = {
        "SpatialFit.impacts": (f"{models}.impacts.inference:impacts", f"{models}.dynamic.impacts:dynamic_impacts"),
        "SeveralFit.impacts": (f"{models}.several.impacts:several_impacts",),
        "SpatialFit.diagnose": (f"{models}.diagnostics:diagnose",),
        "SpatialFit.counterfactual": (f"{models}.scenarios.counterfactual:counterfactual",),
        "SpatialFit.forecast": (f"{models}.scenarios.forecast:forecast",),
        "SpatialFit.account": (f"{models}.accounting.divergence:divergence_accounting",),
        "SpatialFit.with_vcov": (),
        "PooledImpacts": (f"{models}.impacts.inference:impacts",),
        "half_panel_jackknife": (f"{models}:fit",),
        "sweep": (f"{models}:fit",),
        "paper": (f"{models}:fit",),
        "FitPictures.plot": tuple(
            f"{models}.pictures.{place}"
            for place in ("coefficients:coefficient_plot", "residuals:residual_map", "residuals:residual_scatter")
        )
        + (f"{models}.profile:profile",),
        "Comparison.to_latex": ("nqpf_spatial.report.grid:Table.to_latex",),
        "Comparison.restyle": ("nqpf_spatial.report:compare",),
        **dict.fromkeys(("ols", "slx", "sar", "sem", "sdm", "sdem", "sac", "gns"), (f"{models}:fit",)),
    }
    found = []
    for target in where.get(name, ()):
        module, function = target.split(":")
        found.append(attrgetter(function)(importlib.import_module(module)))
    return tuple(found)


#: options of `with_vcov`, which checks them by name
_VCOV = {"groups", "lags", "distance", "cutoff"}


def check_call(kind: Known, call: ast.Call) -> Kind:
    """The kind of the result; TypeError for a keyword that the function does not take."""
    function = kind.value
    if isinstance(function, staticmethod | classmethod):
        function = function.__func__
    if not callable(function) or not str(getattr(function, "__module__", "")).startswith("nqpf_spatial"):
        return None
    signature = inspect.signature(function)
    names = [k.arg for k in call.keywords if k.arg is not None]
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    allowed = {n for n, p in signature.parameters.items() if p.kind not in (p.POSITIONAL_ONLY, p.VAR_KEYWORD)}
    qualified = function.__qualname__
    if open_ended:
        # a method may be defined in a base; the table speaks of the class that people have
        owners = [] if kind.owner is None else [f"{cls.__name__}.{function.__name__}" for cls in kind.owner.__mro__]
        for target in next(filter(None, map(_delegates, [*owners, qualified])), ()):
            allowed |= set(inspect.signature(target).parameters)
        allowed |= _VCOV if function.__name__ == "with_vcov" else set()
    wrong = [n for n in names if n not in allowed]
    if wrong:
        raise TypeError(f"{qualified} takes no {', '.join(wrong)}; it takes {', '.join(sorted(allowed))}")
    elided = any((isinstance(a, ast.Constant) and a.value is ...) or isinstance(a, ast.Starred) for a in call.args)
    if not elided:
        positional = [
            p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        bound = 1 if kind.owner is not None and not isinstance(kind.value, staticmethod) else 0
        many = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
        if not many and len(call.args) + bound > len(positional):
            raise TypeError(f"{qualified} takes {len(positional) - bound} positional arguments, not {len(call.args)}")
    if inspect.isclass(function):
        return Instance((function,))
    return annotated(signature.return_annotation, function.__module__)


# -- the walk ------------------------------------------------------------------------------------------------
def roots() -> dict[str, Kind]:
    """What the names of the pages stand for unless a block of the page says otherwise."""
    known: dict[str, Kind] = {"nq": Known(nqpf_spatial), "nqpf_spatial": Known(nqpf_spatial)}
    known |= {name: Known(getattr(nqpf_spatial, name)) for name in ("models", "claims")}
    known |= {"kernels": Known(importlib.import_module("nqpf_spatial.kernels"))}
    stand_for = {"fit": "SpatialFit", "imp": "Impacts", "W": "SpatialWeights", "w": "SpatialWeights"}
    for name, cls in (stand_for | {"paper": "Paper", "pooled": "PooledFit"}).items():
        known[name] = Instance(tuple(sub for c in classes()[cls] for sub in family(c)))
    return known


class Checker:
    """Follows the names of one page and collects what the library does not have."""

    def __init__(self, names: dict[str, Kind]) -> None:
        self.names = dict(names)
        self.faults: list[str] = []
        self.checked = 0
        self.keys: list[object] = []  # what is asked of a Diagnosis in square brackets

    def run(self, code: Code) -> None:
        tree = parse(code)
        for statement in tree.body if tree else ():
            try:
                self._statement(statement)
            except (AttributeError, TypeError, ImportError) as error:
                self.faults.append(f"{code}\n    {error}")

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("nqpf_spatial"):
            module = importlib.import_module(str(statement.module))
            for alias in statement.names:
                self.names[alias.asname or alias.name] = Known(getattr(module, alias.name))
            return
        value = self.kind(statement.value) if isinstance(statement, ast.Assign | ast.Expr) else None
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        self.names[name.id] = value if name is target else None
        elif not isinstance(statement, ast.Expr):
            for node in ast.iter_child_nodes(statement):
                if isinstance(node, ast.expr):
                    self.kind(node)
                elif isinstance(node, ast.stmt):
                    self._statement(node)

    def kind(self, node: ast.AST) -> Kind:
        """The kind of an expression; everything inside is checked on the way."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            inside = self.kind(node.value)
            self.checked += inside is not None
            submodule = inspect.ismodule(getattr(inside, "value", None))
            try:
                return attribute(inside, node.attr)
            except AttributeError:
                if submodule:
                    return Known(importlib.import_module(f"{inside.value.__name__}.{node.attr}"))
                raise
        found: Kind = None
        if isinstance(node, ast.Call):
            function = self.kind(node.func)
            found = check_call(function, node) if isinstance(function, Known) else None
            children = [*node.args, *(k.value for k in node.keywords)]
        elif isinstance(node, ast.Subscript):
            inside, children = self.kind(node.value), [node.slice]
            if isinstance(inside, Instance) and inside.classes[0].__name__ == "Diagnosis":
                self.keys.append(ast.literal_eval(node.slice))
        else:
            children = list(ast.iter_child_nodes(node))
        for child in children:
            self.kind(child)
        return found
