"""Weight files: reading and writing by format, with the labels of the units."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from nqpf_spatial.errors import AlignmentError, DataSourceError
from nqpf_spatial.weights import _arcgis, _labels, _tables, _text
from nqpf_spatial.weights._standardise import Transform
from nqpf_spatial.weights.core import Islands, SpatialWeights, check_islands
from nqpf_spatial.weights.guards import require_weights
from nqpf_spatial.weights.interop import Diagonal, without_diagonal

Format = Literal["gal", "gwt", "swm", "mtx", "mat", "dta", "txt", "csv", "xlsx"]


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one format is read and written."""

    read: Callable[..., tuple[Any, list[Any] | None]]
    write: Callable[[SpatialWeights, Path], None]
    keeps_labels: bool = True
    bare: Callable[[Path, str, int], Any] | None = None


_CODECS: dict[str, _Codec] = {
    "gal": _Codec(_text.read_gal, _text.write_gal),
    "gwt": _Codec(_text.read_gwt, _text.write_gwt),
    "swm": _Codec(_arcgis.read_swm, _arcgis.write_swm),
    "txt": _Codec(_text.read_spmatrix, _text.write_spmatrix, keeps_labels=False),
    "mtx": _Codec(_text.read_mtx, _text.write_mtx),
    "csv": _Codec(_tables.read_csv, _tables.write_csv, bare=_tables.bare_csv),
    "xlsx": _Codec(_tables.read_xlsx, _tables.write_xlsx, bare=_tables.bare_xlsx),
    "dta": _Codec(_tables.read_dta, _tables.write_dta),
    "mat": _Codec(_tables.read_mat, _tables.write_mat),
}


def read(
    path: str | os.PathLike[str],
    ids: Iterable[Any] | str | os.PathLike[str] | None = None,
    transform: Transform | None = None,
    *,
    format: Format | None = None,
    islands: Islands = "error",
    diagonal: Diagonal = "error",
    name: str | None = None,
    encoding: str = "utf-8-sig",
) -> SpatialWeights:
    """Read weights from a file.

    Parameters
    ----------
    path : str or Path
        ``.gal`` and ``.gwt`` (GeoDa, PySAL, spdep), ``.swm`` (ArcGIS, units by number), ``.mtx`` (Matrix Market), ``.mat`` (MATLAB up
        to version 7), ``.dta`` (spatwmat and spmat matrices, wide or long tables), ``.txt`` (Stata ``spmatrix
        import``), ``.csv`` and ``.xlsx`` (square with labels, square without any and with ``ids=``, or long: origin,
        destination, weight).
    ids : iterable or path, optional
        Labels in the order of the rows, for files that carry none; or the ``.ids.csv`` that :func:`write`
        put beside, or a ``.txt`` with one label per line. A file ``<name>.ids.csv`` beside the file is found
        without being named.
    transform : {"row", "spectral", "minmax", "none"}, optional
        Standardisation; default "row". A row-standardised matrix read back keeps every bit.
    format : str, optional
        Default: by the extension.
    islands, diagonal
        See :func:`from_any`.
    name : str, optional
        Default: the name of the file.
    encoding : str
        Of text files; Chinese exports of Excel are often ``"gb18030"``.

    Returns
    -------
    SpatialWeights

    Raises
    ------
    DataSourceError
        If the file is not what its format says; the message names file and line or cell.
    AlignmentError
        If labels are missing, double or do not agree.
    ValueError
        If a weight is negative, missing or not a number.

    Examples
    --------
    >>> import nqpf_spatial as nq, tempfile, pathlib
    >>> w = nq.weights.contiguity()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = nq.weights.write(w, pathlib.Path(folder) / "queen.gal")[0]
    ...     nq.weights.read(path) == w
    True
    """
    file = Path(path)
    if not file.is_file():
        raise DataSourceError(f"there is no file {file.name} in {file.parent.name or 'this folder'}")
    codec = _codec(file, format)
    given = _given_ids(ids)
    try:
        bare = None if given is None or codec.bare is None else codec.bare(file, encoding, len(given))
        matrix, own = codec.read(file, encoding) if bare is None else (bare, None)
    except UnicodeDecodeError as error:
        raise DataSourceError(
            f"{file.name} is not text in {encoding} (byte {error.start}); try encoding='gb18030'"
        ) from error
    if own is not None and given is not None and not codec.keeps_labels and _labels.province_codes(own) is None:
        own = None  # numbers of the file that stand for nothing; the labels are those given
    labels = _choose_ids(file, given, own, matrix)
    if diagonal == "drop":
        matrix = without_diagonal(matrix)
    elif diagonal != "error":
        raise ValueError(f"diagonal={diagonal!r} is not known; choose 'error' or 'drop'")
    return SpatialWeights(
        tuple(labels),
        matrix,
        transform=transform or "row",
        name=name or file.stem,
        formula="as in the file",
        source=f"file {file.name}",
        islands_allowed=check_islands(islands),
    )


def write(
    w: SpatialWeights,
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,
    what: Literal["weights", "base"] = "weights",
) -> list[Path]:
    """Write weights to a file, with the order of the units beside it.

    Parameters
    ----------
    w : SpatialWeights
    path : str or Path
    format : str, optional
        Default: by the extension. ``.gal`` holds links without weights and takes only matrices that are a
        standardisation of their links; ``.gwt``, ``.swm``, ``.mtx``, ``.mat``, ``.dta``, ``.csv``, ``.xlsx`` and
        ``.txt`` (Stata ``spmatrix import``) hold every bit of the weights.
    what : {"weights", "base"}
        The standardised weights, or those before standardisation.

    Returns
    -------
    list of Path
        The file, and ``<name>.ids.csv`` with position, label and the text that stands for it in the file.

    Raises
    ------
    ValueError
        If the format cannot hold the matrix.
    """
    require_weights(w)
    if what not in ("weights", "base"):
        raise ValueError(f"what={what!r} is not known; choose 'weights' or 'base'")
    file = Path(path)
    codec = _codec(file, format)
    codec.write(w if what == "weights" else replace(w, transform="none"), file)
    beside = ids_path(file)
    ids_table(w).to_csv(beside, index=False, lineterminator="\n")
    return [file, beside]


def ids_path(file: Path) -> Path:
    """Where the order of the units is written."""
    return file.with_name(f"{file.name}.ids.csv")


def ids_table(w: SpatialWeights) -> pd.DataFrame:
    """Order of the units: position from 1, label, text in files, and the codes and names of provinces."""
    from nqpf_spatial import provinces

    table = pd.DataFrame(
        {
            "position": range(1, w.n + 1),
            "label": [str(x) for x in w.ids],
            "token": [_text.encode(x) for x in w.ids],
            "code": _text.number_codes(w),
        }
    )
    if _labels.province_codes(w.ids) is not None:
        for column, form in (("name_en", "en"), ("name_zh", "zh")):
            table[column] = [provinces.label(x, form) for x in w.ids]  # type: ignore[arg-type]
    return table


def _codec(file: Path, format: str | None) -> _Codec:
    kind = format or file.suffix.lower().lstrip(".")
    if kind not in _CODECS:
        raise DataSourceError(
            f"{file.name}: the format {kind or '(none)'!r} is not known; "
            f"give format= as one of {', '.join(get_args(Format))}"
        )
    return _CODECS[kind]


def _given_ids(ids: Iterable[Any] | str | os.PathLike[str] | None) -> list[Any] | None:
    if ids is None:
        return None
    return _read_ids(Path(ids)) if isinstance(ids, str | os.PathLike) else list(ids)


def _choose_ids(file: Path, given: list[Any] | None, own: list[Any] | None, matrix: Any) -> list[Any]:
    """Labels of the file itself, those given, or those written beside; never a guess."""
    if own is not None:
        if given is not None:
            _labels.locate(_labels.check_ids(own), given, "ids")
        return own
    if given is None and ids_path(file).is_file():
        given = _read_ids(ids_path(file))
    if given is None:
        raise AlignmentError(
            f"{file.name} carries no labels: give ids=[...] in the order of its {matrix.shape[0]} rows"
        )
    return given


def _read_ids(path: Path) -> list[Any]:
    if not path.is_file():
        raise DataSourceError(f"there is no file {path.name} with the order of the units")
    if path.suffix.lower() == ".txt":
        lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
        return _text.decode_all([line for line in lines if line], escaped=False)
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    if not {"position", "label"} <= set(table.columns):
        raise DataSourceError(
            f"{path.name} needs the columns position and label, has {list(table.columns)}; labels alone, one per line "
            "in the order of the rows, go into a file that ends in .txt"
        )
    if table["position"].tolist() != [str(k + 1) for k in range(len(table))]:
        raise DataSourceError(f"{path.name}: positions do not run from 1 to {len(table)}")
    return _text.decode_all(table["label"].tolist(), escaped=False)


_LOADERS = {
    "stata": """* Weights for Stata 15 or later; the codes are those of {stem}.txt.ids.csv
spmatrix import W using "{stem}.txt", replace
* older commands (xsmle, spatwmat): rows and columns in the order of {stem}.txt.ids.csv
* use "{stem}.dta", clear
* mkmat w1-w{n}, matrix(W)
""",
    "r": """# Weights for spdep / splm / spatialreg; rows in the order of {stem}.csv.ids.csv
ids <- read.csv("{stem}.csv.ids.csv", encoding = "UTF-8", colClasses = c(label = "character"))
triplets <- read.csv("{stem}.triplets.csv")
W <- matrix(0, nrow(ids), nrow(ids), dimnames = list(ids$label, ids$label))
W[as.matrix(triplets[, c("from", "to")])] <- triplets$weights
listw <- spdep::mat2listw(W, style = "{style}")
""",
    "matlab": """% Weights for the toolboxes of Elhorst and LeSage; ids{{k}} is the unit of row k
load('{stem}.mat');  % W (sparse), ids
""",
}
_ENDINGS = {"stata": ("txt", "dta"), "r": ("csv",), "matlab": ("mat",)}
_SCRIPTS = {"stata": "do", "r": "R", "matlab": "m"}


def export(
    w: SpatialWeights,
    folder: str | os.PathLike[str],
    target: Literal["stata", "r", "matlab"],
    stem: str = "W",
) -> list[Path]:
    """Write weights for another program: the matrix, the order of its units, and the lines that load it.

    Parameters
    ----------
    w : SpatialWeights
    folder : str or Path
        Made if it does not exist.
    target : {"stata", "r", "matlab"}
        stata: ``.txt`` for ``spmatrix import`` and ``.dta``; r: ``.csv`` and triplets; matlab: ``.mat``.
    stem : str
        Name of the files.

    Returns
    -------
    list of Path

    Notes
    -----
    These programs match weights and data by position. Sort the data in the order of the ``.ids.csv``
    (for provinces: ascending adcode) before any estimation; a different order gives other estimates without
    any message.
    """
    require_weights(w)
    if target not in _LOADERS:
        raise ValueError(f"target={target!r} is not known; choose one of {', '.join(_LOADERS)}")
    root = Path(folder)
    if root.exists() and not root.is_dir():
        raise DataSourceError(f"{root.name} is a file; export() needs the name of a folder")
    root.mkdir(parents=True, exist_ok=True)
    paths = [p for ending in _ENDINGS[target] for p in write(w, root / f"{stem}.{ending}")]
    if target == "r":
        links = w.sparse.tocoo()
        triplets = pd.DataFrame({"from": links.row + 1, "to": links.col + 1, "weights": links.data})
        triplets.to_csv(root / f"{stem}.triplets.csv", index=False, lineterminator="\n")
        paths.append(root / f"{stem}.triplets.csv")
    script = root / f"{stem}.{_SCRIPTS[target]}"
    style = "W" if w.is_row_stochastic else "M"
    script.write_text(_LOADERS[target].format(stem=stem, n=w.n, style=style), encoding="utf-8", newline="\n")
    return [*paths, script]
