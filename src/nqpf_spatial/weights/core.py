"""The frozen, labelled spatial weight matrix."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.kernels import spectrum as _spectrum
from nqpf_spatial.provinces import Names, label
from nqpf_spatial.weights import _labels
from nqpf_spatial.weights._matrix import canonical_csr, freeze, permuted
from nqpf_spatial.weights._standardise import Transform, check_transform, row_sums, standardise

if TYPE_CHECKING:
    from libpysal.graph import Graph
    from libpysal.weights import W
    from matplotlib.axes import Axes

Islands = Literal["error", "keep"]
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False, repr=False)
class SpatialWeights:
    """A spatial weight matrix that knows its units.

    Build it with the functions of `nqpf_spatial.weights`; every one of them ends here, where the
    matrix is validated once: square, one unique label per row, finite, non-negative, zero diagonal.

    Parameters
    ----------
    ids : sequence of hashable
        One label per row of ``base``, in the order of its rows.
    base : sparse array, ndarray (N, N)
        Weights before standardisation; ``base[i, j]`` is the weight of unit j in the lag of unit i.
    transform : {"row", "spectral", "minmax", "none"}
        Standardisation that makes ``sparse`` out of ``base``.
    name, date, formula, note, source : str
        What the matrix is called, the date its data refer to, how an element is computed, what to beware of,
        where the idea or the data come from.
    data_years : (int, int) or None
        First and last year of economic data used in it; None for pure geography.
    facts : mapping or tuple of pairs
        Further lines for :meth:`report` (policies, floors, ties, zero flows).
    islands_allowed : bool
        Whether units without neighbours are accepted; their rows stay zero and their lag is zero.
    order : {"canonical", "given"}
        Order of the units. Canonical: provinces by adcode, other labels in natural order of their text.

    Notes
    -----
    Equality and hash go by ``checksum``: SHA-256 over the identifiers (the adcode of a province in
    whatever language it is written) and the weights in canonical order. The order of the rows and the
    language of the names do not enter it; one changed bit of a weight does.

    Examples
    --------
    >>> import numpy as np
    >>> w = SpatialWeights(["b", "a", "c"], np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))
    >>> w.ids, w.dense().tolist()
    (('a', 'b', 'c'), [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]])
    """

    ids: tuple[Hashable, ...]
    base: csr_array
    transform: Transform = "row"
    name: str = "W"
    date: str = ""
    formula: str = ""
    note: str = ""
    source: str = ""
    data_years: tuple[int, int] | None = None
    facts: Mapping[str, Any] | tuple[tuple[str, Any], ...] = ()
    islands_allowed: bool = False
    order: Literal["canonical", "given"] = "canonical"
    sparse: csr_array = field(init=False)
    _cache: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Validate, put into canonical order, standardise."""
        check_transform(self.transform)
        ids = _labels.check_ids(self.ids)
        base = canonical_csr(self.base, ids)
        rank = _labels.canonical_positions(ids)
        if not np.array_equal(rank, np.arange(len(ids))):
            base, ids = permuted(base, rank), tuple(ids[k] for k in rank)
        alone = [ids[k] for k in np.flatnonzero(np.diff(base.indptr) == 0)]
        if alone and not self.islands_allowed:
            raise AlignmentError(
                f"{self.name}: {len(alone)} of {len(ids)} units have no neighbours: "
                f"{_labels.shorten(alone)}. Give them a link, drop them with subset(), or say "
                "islands='keep' (their lag is then zero)"
            )
        weights = standardise(base, self.transform)
        self._cache["checksum"] = _checksum(ids, weights)
        if self.order == "given":
            back = np.argsort(rank)
            base, weights, ids = permuted(base, back), permuted(weights, back), tuple(ids[k] for k in back)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "base", freeze(base))
        object.__setattr__(self, "sparse", freeze(weights))
        object.__setattr__(self, "facts", tuple(dict(self.facts).items()))

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.ids)

    @property
    def checksum(self) -> str:
        """SHA-256 (hex) of identifiers and weights in canonical order."""
        return str(self._cache["checksum"])

    @property
    def islands(self) -> tuple[Hashable, ...]:
        """Units without neighbours (rows of zeros)."""
        return tuple(self.ids[k] for k in np.flatnonzero(np.diff(self.sparse.indptr) == 0))

    @property
    def is_row_stochastic(self) -> bool:
        """Whether every row sums to one."""
        return self._once("stochastic", lambda: bool(np.all(np.abs(row_sums(self.sparse) - 1) <= 1e-10)))

    @property
    def is_symmetric(self) -> bool:
        """Whether w_ij = w_ji exactly, in the matrix as it is (after standardisation)."""
        return self._once("symmetric", lambda: _is_symmetric(self.sparse))

    def dense(self) -> NDArray[np.float64]:
        """Weights as a fresh (N, N) array, rows and columns in the order of ``ids``."""
        return self.sparse.toarray()

    def to_frame(self) -> pd.DataFrame:
        """Weights as a labelled (N, N) frame."""
        index = pd.Index(list(self.ids), tupleize_cols=False)
        return pd.DataFrame(self.dense(), index=index, columns=index)

    # -- spectrum --------------------------------------------------------------------------------------

    def spectrum(self) -> _spectrum.Spectrum:
        """All eigenvalues with what follows from them (N up to 4,000)."""
        return self._once("spectrum", lambda: _spectrum.spectrum(self.sparse))

    def eigenvalues(self) -> NDArray[np.float64] | NDArray[np.complex128]:
        """All eigenvalues (N,), exact; real when W is similar to a symmetric matrix, else complex."""
        return self.spectrum().values

    def rho_interval(self) -> tuple[float, float]:
        """Admissible interval of rho: reciprocals of the smallest and the largest real eigenvalue.

        Returns
        -------
        low, high : float
            Infinite on a side on which no real eigenvalue bounds rho.

        Raises
        ------
        ValueError
            Beyond 4,000 units if W is not similar to a symmetric matrix.

        Examples
        --------
        >>> import nqpf_spatial as nq
        >>> low, high = nq.weights.contiguity().rho_interval()
        >>> round(high, 12), low < -1
        (1.0, True)
        """
        if self.n > _spectrum.MAX_DENSE:
            stochastic = self.is_row_stochastic
            return self._once("interval", lambda: _spectrum.extreme_interval(self.sparse, row_stochastic=stochastic))
        s = self.spectrum()
        # The Perron root of a row-stochastic matrix is one, not one up to rounding.
        return s.low, 1.0 if self.is_row_stochastic else s.high

    # -- derived matrices ------------------------------------------------------------------------------

    def with_transform(self, transform: Transform) -> SpatialWeights:
        """Same links, standardised differently (from the weights before standardisation)."""
        return replace(self, transform=transform)

    def subset(
        self, ids: Iterable[Any], transform: Transform | None = None, islands: Islands = "error"
    ) -> SpatialWeights:
        """Matrix among some of the units, standardised anew.

        Parameters
        ----------
        ids : iterable
            Units to keep; provinces under any form of name.
        transform : str, optional
            Standardisation of the result; default: the present one.
        islands : {"error", "keep"}
            What to do with units that lose all their neighbours.

        Returns
        -------
        SpatialWeights
            In canonical order, whatever the order of ``ids``.

        Raises
        ------
        AlignmentError
            If a unit is not in the matrix, or is left without neighbours.
        """
        keep = np.sort(_labels.locate(self.ids, ids, "subset", complete=False))
        chosen = check_islands(islands)
        return replace(
            self,
            ids=tuple(self.ids[k] for k in keep),
            base=self.base[keep, :][:, keep],
            transform=transform or self.transform,
            islands_allowed=chosen,
            order="canonical",
        )

    def reorder(self, ids: Iterable[Any]) -> SpatialWeights:
        """Same matrix with its units in the given order (same checksum, same weights bit for bit).

        Raises
        ------
        AlignmentError
            If ``ids`` are not exactly the units of the matrix.
        """
        place = _labels.locate(self.ids, ids, "the order")
        own = tuple(self.ids[k] for k in place)
        return replace(self, ids=own, base=permuted(self.base, place), order="given")

    def with_names(self, names: Names) -> SpatialWeights:
        """Same matrix with its provinces labelled in another form ("en", "zh", "adcode", "iso").

        Raises
        ------
        AlignmentError
            If the units are not provinces.
        """
        if _labels.province_codes(self.ids) is None:
            raise AlignmentError(f"{self.name}: names= is for provinces, the units are {_labels.shorten(self.ids, 4)}")
        return replace(self, ids=tuple(label(x, names) for x in self.ids))

    def renamed(self, name: str, **text: Any) -> SpatialWeights:
        """Same matrix under another name (and date, formula, note, source)."""
        return replace(self, name=name, **text)

    def lag(self, data: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
        """Spatial lag W x by label.

        Parameters
        ----------
        data : Series or DataFrame
            Indexed by unit, or by (unit, year), which is lagged year by year.

        Returns
        -------
        Series or DataFrame
            With the index of ``data``.

        Raises
        ------
        AlignmentError
            If the units differ, or a value is missing (a lag of a missing value is not defined).

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> w = SpatialWeights(["a", "b", "c"], np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))
        >>> w.lag(pd.Series({"c": 4.0, "a": 1.0, "b": 2.0})).to_dict()
        {'c': 1.0, 'a': 3.0, 'b': 1.0}
        """
        from nqpf_spatial.weights._lag import lag

        return lag(self, data)

    # -- other libraries, pictures, report -------------------------------------------------------------

    def to_graph(self) -> Graph:
        """Weights as a `libpysal.graph.Graph` with the same labels, order and values."""
        from nqpf_spatial.weights.interop import to_graph

        return to_graph(self)

    def to_W(self) -> W:
        """Weights as a classic `libpysal.weights.W`, for spreg and older code."""
        from nqpf_spatial.weights.interop import to_w

        return to_w(self)

    def report(self) -> pd.DataFrame:
        """What the matrix is and what is dangerous in it, as one table (see :func:`nqpf_spatial.weights.report`)."""
        from nqpf_spatial.weights._report import report

        return report(self)

    def plot(
        self,
        kind: Literal["network", "heatmap", "degree"] = "network",
        lang: Literal["en", "zh"] = "en",
        ax: Axes | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the matrix (see :func:`nqpf_spatial.weights.plot`)."""
        from nqpf_spatial.weights._plots import plot

        return plot(self, kind, lang=lang, ax=ax, **options)

    def _once(self, key: str, compute: Callable[[], _T]) -> _T:
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpatialWeights) and self.checksum == other.checksum

    def __hash__(self) -> int:
        return hash(self.checksum)

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        date = f", {self.date}" if self.date else ""
        return (
            f"<SpatialWeights {self.name}{date}: {self.n} units, {self.sparse.nnz} links, "
            f"transform={self.transform}, checksum {self.checksum[:12]}>"
        )

    def _repr_html_(self) -> str:
        from nqpf_spatial.weights._report import html

        return html(self)


def check_islands(islands: str) -> bool:
    """Whether islands are accepted; raise for an unknown word."""
    if islands not in ("error", "keep"):
        raise ValueError(f"islands={islands!r} is not known; choose 'error' or 'keep'")
    return islands == "keep"


def _is_symmetric(w: csr_array) -> bool:
    back = csr_array(w.T)
    back.sort_indices()
    return bool(
        np.array_equal(w.indptr, back.indptr)
        and np.array_equal(w.indices, back.indices)
        and np.array_equal(w.data, back.data)
    )


def _checksum(ids: tuple[Hashable, ...], w: csr_array) -> str:
    """SHA-256 of the canonical form; integers as int64, weights as float64, both little-endian."""
    digest = hashlib.sha256("\n".join(["nqpf weights 1", *_labels.tokens(ids), ""]).encode())
    for part, kind in ((w.indptr, "<i8"), (w.indices, "<i8"), (w.data, "<f8")):
        digest.update(np.ascontiguousarray(part, dtype=kind).tobytes())
    return digest.hexdigest()
