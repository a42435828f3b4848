"""Powers that have the same bits on every processor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def raised(values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """``values ** power``; whole powers by multiplication and one division.

    Numpy chooses its routine for ``**`` by the processor, and routines differ in the last bit, which would change the
    checksum of a matrix from machine to machine. Products and quotients are exact to the last bit everywhere.

    >>> raised(np.array([2.0, 10.0]), -2).tolist()
    [0.25, 0.01]
    """
    if power != int(power):
        return np.power(values, power)
    product = np.ones_like(values)
    for _ in range(abs(int(power))):
        product = product * values
    return 1 / product if power < 0 else product
