"""Comparison of matrices over the same units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nqpf_spatial.weights._report import effective_neighbours
from nqpf_spatial.weights.combine import aligned
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import require_weights


@dataclass(frozen=True, eq=False)
class WeightsComparison:
    """How alike some matrices are.

    Attributes
    ----------
    summary : DataFrame
        One row per matrix: links, density, neighbours, symmetry, eigenvalues, interval of rho, checksum.
    correlation : DataFrame
        Pearson correlation of the off-diagonal weights as they are (zeros included).
    shared_links : DataFrame
        Links in both over links in either (Jaccard).
    spectra : DataFrame
        Real parts of the eigenvalues, descending, one column per matrix.
    """

    summary: pd.DataFrame
    correlation: pd.DataFrame
    shared_links: pd.DataFrame
    spectra: pd.DataFrame

    def __repr__(self) -> str:
        parts = (("", self.summary), ("correlation", self.correlation), ("shared links", self.shared_links))
        return "\n\n".join(
            f"{title}\n{frame.to_string(float_format='{:.3f}'.format)}".strip() for title, frame in parts
        )

    def _repr_html_(self) -> str:
        parts = (
            ("Matrices", self.summary),
            ("Correlation of weights", self.correlation),
            ("Shared links (Jaccard)", self.shared_links),
        )
        return "".join(f"<h4>{title}</h4>{frame.to_html(float_format='{:.3f}'.format)}" for title, frame in parts)


def compare(weights: Sequence[SpatialWeights] | Mapping[str, SpatialWeights]) -> WeightsComparison:
    """Compare matrices over the same units.

    Parameters
    ----------
    weights : sequence or mapping
        Two or more matrices; the keys of a mapping name them.

    Returns
    -------
    WeightsComparison

    Raises
    ------
    AlignmentError
        If the units differ.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> c = nq.weights.compare([nq.weights.contiguity(), nq.weights.knn(4)])
    >>> c.shared_links.round(2).loc["queen", "knn 4"]
    np.float64(0.51)
    """
    named = by_name(weights)
    if len(named) < 2:
        raise ValueError(f"give at least two matrices to compare, got {len(named)}")
    first = next(iter(named.values()))
    named = {name: aligned(w, first.ids, first.name) for name, w in named.items()}
    names = list(named)
    pairs = {(a, b): _alike(named[a], named[b]) for a in names for b in names}
    correlation, shared = (
        pd.DataFrame([[pairs[a, b][k] for b in names] for a in names], index=names, columns=names) for k in (0, 1)
    )
    spectra = pd.DataFrame({name: np.sort(w.eigenvalues().real)[::-1] for name, w in named.items()})
    summary = pd.DataFrame({name: _summary(w) for name, w in named.items()}).T
    return WeightsComparison(summary, correlation, shared, spectra.rename_axis("rank"))


def by_name(
    weights: SpatialWeights | Sequence[SpatialWeights] | Mapping[str, SpatialWeights],
) -> dict[str, SpatialWeights]:
    """One matrix, several or a mapping as a mapping from names; anything that is no weights is an error."""
    if isinstance(weights, Mapping):
        for name, w in weights.items():
            require_weights(w, f"weights[{name!r}]")
        return dict(weights)
    if isinstance(weights, SpatialWeights | pd.DataFrame | str):
        weights = [weights]  # type: ignore[list-item]
    given = list(weights)
    for k, w in enumerate(given):
        require_weights(w, f"weights[{k}]" if len(given) > 1 else "weights")
    names = [w.name for w in given]
    double = sorted({n for n in names if names.count(n) > 1})
    if double:
        raise ValueError(f"several matrices are called {', '.join(double)}: give a mapping name -> matrix")
    return dict(zip(names, given, strict=True))


def _alike(a: SpatialWeights, b: SpatialWeights) -> tuple[float, float]:
    """Correlation of the off-diagonal elements, and the share of common links."""
    cells = a.n * (a.n - 1)
    mean_a, mean_b = a.sparse.sum() / cells, b.sparse.sum() / cells
    cross = a.sparse.multiply(b.sparse).sum() / cells - mean_a * mean_b
    spread_a, spread_b = (
        np.sqrt(max(w.sparse.power(2).sum() / cells - mean**2, 0.0)) for w, mean in ((a, mean_a), (b, mean_b))
    )
    both = a.sparse.sign().multiply(b.sparse.sign()).nnz
    either = a.sparse.nnz + b.sparse.nnz - both
    constant = min(spread_a, spread_b) <= 1e-12 * max(mean_a, mean_b)
    return float("nan") if constant else float(cross / (spread_a * spread_b)), both / either if either else 1.0


def _summary(w: SpatialWeights) -> dict[str, object]:
    low, high = w.rho_interval()
    values = w.eigenvalues()
    return {
        "date": w.date,
        "links": w.sparse.nnz,
        "density": w.sparse.nnz / (w.n * (w.n - 1)),
        "effective neighbours": float(effective_neighbours(w).mean()),
        "symmetric": w.is_symmetric,
        "real spectrum": w.spectrum().symmetric_similar,
        "smallest eigenvalue": float(values.real.min()),
        "rho low": low,
        "rho high": high,
        "checksum": w.checksum[:12],
    }
