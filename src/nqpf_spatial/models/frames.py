"""Frames of frozen results are handed out as copies: what a reader does to one does not reach the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)


class _Copied:
    """Attribute of a frozen result that keeps a frame to itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, result: Any, owner: type) -> Any:
        return self if result is None else result.__dict__[self.name].copy()

    def __set__(self, result: Any, frame: Any) -> None:
        result.__dict__[self.name] = frame


def copies(*names: str) -> Callable[[Class], Class]:
    """Decorator of a frozen dataclass: every reading of the fields `names` gives a copy."""

    def decorate(result: Class) -> Class:
        for name in names:
            setattr(result, name, _Copied(name))
        return result

    return decorate
