"""Output lost because capital is not where its marginal product is highest.

With output of province i ``y_i = b_i k_i^a`` (labour and efficiency in b_i stay where they are), moving capital until
marginal products are equal gives ``k_i* = K b_i^{1/(1-a)} / sum_j b_j^{1/(1-a)}`` and the loss ``1 - sum y / sum y*``
(Hsieh and Klenow 2009, Quarterly Journal of Economics 124, 1403-1448; between Chinese provinces Brandt, Tombe and Zhu 2013,
Review of Economic Dynamics 16, 39-58; here with output as a plain sum).

Reading fixed before any verdict was computed: one elasticity for all provinces and years, one minus the unweighted mean of
``labour_share`` over the provinces and years of the window, as the register's ``solow_residual`` has it. Elasticities of
each province and year would let changes of income accounting pass for misallocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def annual_loss(output: pd.DataFrame, capital: pd.DataFrame, elasticity: float) -> pd.Series:
    """Share of output lost in each year.

    Parameters
    ----------
    output, capital : DataFrame
        Positive, years in rows, the same provinces in columns.
    elasticity : float
        Of output with respect to capital, in (0, 1).

    Returns
    -------
    Series
        In [0, 1), by year.

    Examples
    --------
    >>> import pandas as pd
    >>> y, k = pd.DataFrame({"A": [1.0], "B": [1.0]}), pd.DataFrame({"A": [1.0], "B": [1.0]})
    >>> annual_loss(y, k, 0.5).tolist()
    [0.0]
    """
    if not 0.0 < elasticity < 1.0:
        raise ValueError(f"the capital elasticity lies in (0, 1), given {elasticity}")
    if not output.columns.equals(capital.columns) or not output.index.equals(capital.index):
        raise ValueError("output and capital need the same provinces and years")
    if (output <= 0).any(axis=None) or (capital <= 0).any(axis=None):
        raise ValueError("output and capital must be positive")
    efficiency = output / capital**elasticity
    pull = efficiency ** (1.0 / (1.0 - elasticity))
    moved = pull.mul(capital.sum(axis=1) / pull.sum(axis=1), axis=0)
    best = (efficiency * moved**elasticity).sum(axis=1)
    loss = 1.0 - output.sum(axis=1) / best
    return loss.where(loss > np.finfo(float).eps * 8, 0.0)
