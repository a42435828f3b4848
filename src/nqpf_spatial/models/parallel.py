"""Many small computations through joblib: the same bits whatever runs them, warnings kept beside their task, a progress bar."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

Task = TypeVar("Task")
Answer = TypeVar("Answer")
_QUIET = (DeprecationWarning, PendingDeprecationWarning, ResourceWarning, ImportWarning)


@dataclass
class _Settings:
    """What is set for the whole process while tasks run: the first to come sets it, the last to go puts it back."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    undo: ExitStack | None = None
    show: Callable[..., None] = warnings.showwarning


_SETTINGS = _Settings()
_TASK = threading.local()


@contextmanager
def session() -> Iterator[None]:
    """One thread for linear algebra, whose sums depend on their number, and every warning collected, by `collected`."""
    with _SETTINGS.lock:
        if not _SETTINGS.users:
            stack = ExitStack()
            stack.enter_context(threadpool_limits(1))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("always")
            for category in _QUIET:
                warnings.simplefilter("ignore", category)
            _SETTINGS.show, warnings.showwarning = warnings.showwarning, _note
            _SETTINGS.undo = stack
        _SETTINGS.users += 1
    try:
        yield
    finally:
        with _SETTINGS.lock:
            _SETTINGS.users -= 1
            if not _SETTINGS.users and _SETTINGS.undo is not None:
                _SETTINGS.undo.close()
                _SETTINGS.undo = None


def _note(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
    """Into the list of the task this thread works on; warnings of other threads take their usual way."""
    found = getattr(_TASK, "found", None)
    if found is None:
        _SETTINGS.show(message, category, *rest, **named)
    else:
        found.append((category.__name__, str(message)))


@contextmanager
def collected() -> Iterator[list[tuple[str, str]]]:
    """(category, message) of the warnings of this thread inside the block."""
    with session():
        found: list[tuple[str, str]] = []
        _TASK.found = found
        try:
            yield found
        finally:
            _TASK.found = None


def run(
    work: Callable[[Task], Answer],
    tasks: Sequence[Task],
    n_jobs: int | None = None,
    progress: bool | None = None,
    title: str = "",
) -> list[Answer]:
    """`work` on every task, answers in the order of the tasks.

    Parameters
    ----------
    work : callable
        A function of a module, so that other processes find it.
    tasks : sequence
    n_jobs : int, optional
        As in joblib. None: one, or what ``joblib.parallel_config`` says, which also chooses the backend (loky, threading, dask).
    progress : bool, optional
        Bar on the error stream. None: in terminals only.
    title : str
        Text before the bar.
    """
    with session(), _bar(progress, title, len(tasks)) as advance:
        # threads begin at once: inside the session
        answers = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(work)(task) for task in tasks)
        found = []
        for answer in answers:
            found.append(answer)
            advance()
    return found


@contextmanager
def _bar(progress: bool | None, title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar that vanishes from terminals at the end; without clock times, which would make outputs differ."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    shown = console.is_terminal and not console.is_jupyter if progress is None else progress
    if not shown:
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)
