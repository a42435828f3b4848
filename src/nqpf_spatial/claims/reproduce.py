"""``nqpf-spatial reproduce``: every notebook, every verdict, one report.

The verdicts are computed by the library in this process and do not depend on the notebooks, which call the same
function and show what it returns. A notebook that fails is reported and stops nothing else.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING

from nqpf_spatial.claims import exhibits, notebooks, verdict_file, verdict_tables
from nqpf_spatial.claims.context import SEED, Context
from nqpf_spatial.claims.notebooks import Executed
from nqpf_spatial.claims.record import Verdict
from nqpf_spatial.claims.register import Claim, Register, load
from nqpf_spatial.claims.runner import decide
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.report.figures import png
from nqpf_spatial.report.index import NOT_RUN, Entry, index_page
from nqpf_spatial.report.notebook_page import notebook_page
from nqpf_spatial.report.overview import Tension

if TYPE_CHECKING:
    import pandas as pd

DPI, DPI_FAST = 130, 70
FLOAT_FORMAT = "%.6g"

Progress = Callable[[str], None]
#: of one claim: what a picture shows, PNG in English, PNG in Chinese
Pictures = tuple[tuple[str, bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run covers: notebooks by file name and claims by id."""

    notebooks: frozenset[str]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run produced."""

    verdicts: tuple[Verdict, ...]
    executed: tuple[Executed, ...]
    out: Path

    @property
    def failures(self) -> tuple[Executed, ...]:
        """Notebooks that did not run through."""
        return tuple(e for e in self.executed if not e.ok)


def select(register: Register, available: Iterable[str], only: Sequence[str] = ()) -> Selection:
    """Turn ``--only`` into notebooks and claims.

    Parameters
    ----------
    register : Register
    available : iterable of str
        File names of the notebooks at hand.
    only : sequence of str
        Numbers or names of notebooks ("05") and ids of claims ("WU-M4"); everything where empty.

    Returns
    -------
    Selection

    Raises
    ------
    DataSourceError
        If an entry is neither.
    """
    files = frozenset(available)
    if not only:
        return Selection(files, tuple(register.claims))
    books: set[str] = set()
    claims: list[str] = []
    listed = {key: e["file"] for e in register.notebooks for key in _names(e["file"])}
    for entry in only:
        if entry in register.claims:
            claims.append(entry)
            books.update({register.claim(entry).notebook or ""} & files)
        elif entry in listed:
            claims += register.decided_in(entry)
            books.add(listed[entry])
        else:
            raise DataSourceError(f"--only {entry}: neither a claim id nor one of {', '.join(listed)}")
    if absent := sorted(books - files):
        raise DataSourceError(
            f"{', '.join(absent)}: in the register, not written yet; at hand: {', '.join(sorted(files))}"
        )
    return Selection(frozenset(books), tuple(dict.fromkeys(claims)))


def _names(file: str) -> tuple[str, str, str]:
    """The names a notebook can be asked for by."""
    return file.split("-")[0], file.removesuffix(".ipynb"), file


def run_all(
    folder: Path,
    out: Path,
    *,
    only: Sequence[str] = (),
    fast: bool = False,
    jobs: int = 2,
    progress: Progress | None = None,
) -> Result:
    """Execute the notebooks, decide the claims, write the report.

    Parameters
    ----------
    folder : Path
        Folder of the notebooks.
    out : Path
        Folder of the report; created, and its previous tables, figures and notebooks replaced.
    only : sequence of str
        See :func:`select`.
    fast : bool
        Leave out heavy variants and draw coarser figures; every record says so.
    jobs : int
        Processes at a time: notebooks, and this one while it decides claims and draws.
    progress : callable, optional
        Called with the name of each step that is done.

    Returns
    -------
    Result
    """
    register = load()
    paths = notebooks.find(folder)
    chosen = select(register, [p.name for p in paths], only)
    paths = [p for p in paths if p.name in chosen.notebooks]
    done = progress or (lambda step: None)
    context = Context(register=register, seed=SEED, fast=fast)
    verdicts: list[Verdict] = []
    drawn: dict[str, Pictures] = {}
    executed: dict[str, Executed] = {}
    empty(out)
    # the longest first, so that none is left alone at the end
    by_length = sorted(paths, key=lambda p: p.stat().st_size, reverse=True)
    slots = Semaphore(max(1, jobs - 1))

    def execute(path: Path) -> Executed:
        with slots:
            return notebooks.execute(path, fast=fast)

    with _rarer_collections(), ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        running = {pool.submit(execute, path): path.name for path in by_length}
        for claim in chosen.claims:
            verdicts.append(decide(register.claim(claim), context))
            drawn[claim] = pictures(verdicts[-1], out, DPI_FAST if fast else DPI)
            done(claim)
        if jobs > 1:
            slots.release()
        for future in as_completed(running):
            executed[running[future]] = future.result()
            done(running[future])
    result = Result(tuple(verdicts), tuple(executed[p.name] for p in paths), out)
    write(result, register, drawn, fast=fast)
    done("report")
    return result


@contextmanager
def _rarer_collections() -> Iterator[None]:
    """Look for cyclic garbage less often: pictures and frames make so many objects that the search takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(20_000, 15, 15)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def steps(register: Register, available: Iterable[str], only: Sequence[str] = ()) -> int:
    """Count the steps of a run, for a progress bar."""
    chosen = select(register, available, only)
    return len(chosen.claims) + len(chosen.notebooks) + 1


def empty(out: Path) -> None:
    """Make the folders of a report anew, so that nothing of an earlier one stays."""
    for name in ("tables", "figures", "notebooks"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)


def write(result: Result, register: Register, drawn: Mapping[str, Pictures], *, fast: bool) -> None:
    """Write all files of the report but its pictures, which are drawn while notebooks run.

    Parameters
    ----------
    result : Result
    register : Register
    drawn : mapping of str to Pictures
        By claim.
    fast : bool
    """
    out = result.out
    _text(out / "verdicts.json", verdict_file.to_json(result.verdicts))
    _text(out / "verdicts.csv", verdict_file.to_csv(result.verdicts))
    for lang in ("en", "zh"):
        _text(out / f"verdicts-{lang}.tex", verdict_tables.to_latex(result.verdicts, register, lang))
        verdict_tables.to_word(result.verdicts, register, out / f"verdicts-{lang}.docx", lang)
    for e in result.executed:
        _write_notebook(out / "notebooks", e)
    entries = [_entry(v, register, result, drawn[v.claim]) for v in _in_order(result.verdicts, register)]
    books = [(e.name, f"notebooks/{e.name}.html", e.ok) for e in result.executed]
    _text(
        out / "index.html",
        index_page(entries, facts=_facts(result, register), notebooks=books, fast=fast, tensions=_tensions(register)),
    )


def _tensions(register: Register) -> list[Tension]:
    return [Tension(t["id"], t["text"], t["decided_by"], tuple(t["claims"])) for t in register.tensions]


def _text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8", newline="\n")


def _write_notebook(folder: Path, executed: Executed) -> None:
    """The executed notebook, as a notebook and as a page."""
    import nbformat

    _text(folder / f"{executed.name}.ipynb", nbformat.writes(executed.notebook) + "\n")
    _text(folder / f"{executed.name}.html", notebook_page(executed.notebook, executed.name))


def _in_order(verdicts: Sequence[Verdict], register: Register) -> list[Verdict]:
    """Decided on data first (by notebook), then from the register, then not run; each in register order."""

    place = {claim: i for i, claim in enumerate(register.claims)}

    def rank(v: Verdict) -> tuple[int, str, int]:
        kind = 0 if v.evidence else 1 if v.verdict else 2
        book = register.claim(v.claim).notebook or "~"
        return kind, book if kind == 0 else "", place[v.claim]

    return sorted(verdicts, key=rank)


def _facts(result: Result, register: Register) -> dict[str, str]:
    """Foot of the page."""
    first = result.verdicts[0]
    articles = "; ".join(f"{a['authors']}: {a['venue']}, {a['date']}" for a in register.meta["articles"].values())
    return {
        "articles / 文章": articles,
        "data release / 数据版本": first.data_release,
        "register / 登记册": f"version {register.meta['version']}, sha256 {register.checksum}",
        "library / 程序": f"nqpf_spatial {first.library}",
        "seed / 随机种子": str(SEED),
        "disclosure / 披露": register.meta["disclosure"]["text"],
    }


def _entry(verdict: Verdict, register: Register, result: Result, drawn: Pictures) -> Entry:
    """Collect a card; its tables are written to files too."""
    claim = register.claim(verdict.claim)
    tables = exhibits.tables(verdict)
    for name, frame in tables.items():
        frame.to_csv(result.out / "tables" / f"{claim.id}-{name}.csv", float_format=FLOAT_FORMAT, lineterminator="\n")
    return Entry(
        id=claim.id,
        article=claim.article,
        family=claim.family,
        says_en=claim.says_en,
        says_zh=claim.says_zh,
        where=claim.where,
        priority=claim.priority,
        testability=claim.testability,
        verdict=verdict.verdict or NOT_RUN,
        label=verdict.label,
        disclosure=claim.disclosure,
        reason_en=verdict.reason,
        reason_zh=exhibits.reason_zh(verdict),
        facts=_card_facts(claim, verdict, register),
        pictures=drawn,
        tables={
            (name.replace("_", " "), exhibits.table_title_zh(verdict, name)): _readable(name, frame)
            for name, frame in tables.items()
        },
        links=_links(claim, result),
    )


def pictures(verdict: Verdict, out: Path, dpi: int) -> Pictures:
    """Draw what is behind a verdict in both languages and write the files.

    Parameters
    ----------
    verdict : Verdict
    out : Path
        Folder of the report.
    dpi : int

    Returns
    -------
    Pictures
    """
    drawn: dict[str, dict[str, bytes]] = {}
    for lang in ("en", "zh"):
        for name, figure in exhibits.figures(verdict, lang).items():
            data = png(figure, dpi, palette=True)
            (out / "figures" / f"{verdict.claim}-{name}-{lang}.png").write_bytes(data)
            drawn.setdefault(name, {})[lang] = data
    return tuple((name, both["en"], both["zh"]) for name, both in drawn.items())


def _readable(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns a reader of the page does not need; the file has them all."""
    hidden = {"evidence": ["level", "df", "statistic", "p_delta"], "variants": ["w"]}.get(name, [])
    kept = frame.drop(columns=[c for c in hidden if c in frame.columns])
    return kept.replace("", None).dropna(axis=1, how="all")


def _links(claim: Claim, result: Result) -> tuple[tuple[str, str, str], ...]:
    """Links of a card: its notebook, if it was executed."""
    executed = {f"{e.name}.ipynb" for e in result.executed}
    if claim.notebook not in executed:
        return ()
    name = str(claim.notebook).removesuffix(".ipynb")
    return ((f"notebook {name}", f"笔记本 {name}", f"notebooks/{name}.html"),)


def _card_facts(claim: Claim, verdict: Verdict, register: Register) -> list[tuple[str, str, str]]:
    """The register's fields and the provenance of the verdict."""
    rule = register.rules[claim.rule]
    holm = verdict.holm.reason if verdict.holm else ""
    checks = "; ".join(f"{w} {c[:12]}" for w, c in verdict.weights.items())
    disclosed = claim.disclosure + (f": {claim.disclosure_note}" if claim.disclosure_note else "")
    sample = "; ".join(f"{k}: {v}" for k, v in verdict.sample.items() if v)
    return [
        ("hypothesis", "假设", claim.hypothesis or ""),
        ("rule", "规则", f"{rule.id}: {rule.text}"),
        ("supported if", "支持条件", claim.support_if or ""),
        ("contradicted if", "相悖条件", claim.contradict_if or ""),
        ("cannot test", "无法检验之处", claim.cannot_test or ""),
        ("needs", "所需数据", "; ".join(claim.needs)),
        ("adaptation", "对数据的调整", claim.adaptation or ""),
        ("correction", "多重检验校正", holm),
        ("detectable effect", "最小可检测效应", verdict.mde_note),
        ("sample", "样本", sample),
        ("W, sha256", "权重校验和", checks),
        ("notes", "备注", "; ".join(verdict.notes)),
        ("tension", "相互矛盾的陈述", ", ".join(claim.tension)),
        ("disclosure", "披露", disclosed),
    ]
