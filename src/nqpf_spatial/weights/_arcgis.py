"""Spatial weights of ArcGIS, ``.swm``.

The reader is that of libpysal. Its writer is not used: it adds a sum of weights to units without neighbours, which its own
reader does not expect.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.weights._text import number_codes, translate

if TYPE_CHECKING:
    from nqpf_spatial.weights.core import SpatialWeights


def read_swm(file: Path, encoding: str) -> tuple[csr_array, list[Any]]:
    """Links of an ``.swm`` file in the order of its units, which it names by numbers.

    They are not in a particular order, so that labels cannot be given by position; a file ``.ids.csv`` beside it translates them.
    """
    from libpysal.io.iohandlers.arcgis_swm import ArcGISSwmIO

    handler = ArcGISSwmIO(str(file), "r")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # units without neighbours are for islands= to judge
            links = handler.read()
        if handler.file.read(1):
            raise ValueError("it goes on after the last unit")
    except (ValueError, KeyError, IndexError, OverflowError, MemoryError, struct.error) as error:
        raise DataSourceError(f"{file.name} is no ArcGIS file of spatial weights: {error}") from error
    finally:
        handler.close()
    units = list(links.neighbors)
    place = {unit: k for k, unit in enumerate(units)}
    strangers = sorted({j for near in links.neighbors.values() for j in near} - set(place))
    if strangers:
        raise DataSourceError(f"{file.name}: units {strangers[:5]} are neighbours, but have no rows of their own")
    rows = np.repeat(np.arange(len(units)), [len(links.neighbors[unit]) for unit in units])
    columns = [place[j] for unit in units for j in links.neighbors[unit]]
    values = np.array([value for unit in units for value in links.weights[unit]], dtype=float)
    matrix = coo_array((values, (rows, np.array(columns, dtype=int))), shape=(len(units),) * 2)
    return matrix.tocsr(), translate(file, [str(unit) for unit in units])


def write_swm(w: SpatialWeights, file: Path) -> None:
    """Units under their adcode or number, weights to the last bit."""
    codes = number_codes(w)
    records = [b"unit;Unknown\n", struct.pack("<2l", w.n, w.is_row_stochastic)]
    for code, start, end in zip(codes, w.sparse.indptr[:-1], w.sparse.indptr[1:], strict=True):
        near, values = [codes[j] for j in w.sparse.indices[start:end]], w.sparse.data[start:end].tolist()
        records.append(struct.pack("<2l", code, len(near)))
        if near:
            records.append(struct.pack(f"<{len(near)}l{len(near) + 1}d", *near, *values, sum(values)))
    file.write_bytes(b"".join(records))
