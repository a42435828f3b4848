"""A warning at fit time where data and W say next to nothing about the spatial parameter."""

from __future__ import annotations

import numpy as np

from nqpf_spatial.errors import IdentificationError, IdentificationWarning, PanelError, warn
from nqpf_spatial.kernels import scaled
from nqpf_spatial.kernels.logdet import LogDet
from nqpf_spatial.models.estimate import Estimate
from nqpf_spatial.weights._report import NEAR_COMPLETE

REPLICATES, SEED = 500, 0
#: standard error of the information from which the simulation is worth its time: the simulated sd is rarely larger by a half
_SUSPECT = 0.18
#: next to an end of the interval the information says little, and the simulation decides from this standard error on
_SUSPECT_AT_END = 0.08


def warn_weak(est: Estimate) -> None:
    """Warn with the parametric-bootstrap sd of rho (or lambda) if that exceeds the threshold of `identification`.

    Near-complete weights give every unit almost the same neighbours, and time effects take up what is common: next to nothing of Wy is
    left. Few units or periods are weak too, but everybody sees those; `diagnose` and the summary mention them.

    The information gives a cheap first look; only where its standard error is suspicious are data sets drawn, with the replicates and
    the seed of the identification row of `diagnose`, so that both say the same. Models with both parameters, random effects and more
    units than eigenvalues are computed for have no such simulation.
    """
    w, logdet = (est.weights.lag, est.likelihood.rho) if est.model.lag else (est.weights.error, est.likelihood.lambda_)
    if est.model.lag == est.model.error or est.random is not None or not isinstance(logdet, LogDet):
        return
    if w is None or not est.design.time or w.sparse.nnz < NEAR_COMPLETE * w.n * (w.n - 1):
        return
    position = len(est.columns.names)
    se = float(np.sqrt(scaled.inverse(est.fit.information)[position, position]))
    name, value = ("rho", est.fit.rho) if est.model.lag else ("lambda", est.fit.lambda_)
    at_end = min(value - logdet.low, logdet.high - value) < 2.0 * se
    if se < (_SUSPECT_AT_END if at_end else _SUSPECT):
        return
    from nqpf_spatial.models.diagnostics._identification import WEAK, spatial_draws, weak_message

    simulated = True
    try:
        sd = float(np.std(spatial_draws(est, REPLICATES, SEED), ddof=1))
    except IdentificationError:  # too many observations to simulate, or a correction that replicates do not repeat
        return
    except PanelError:  # no simulation where outcomes are integrated out, or an error lag meets sub-networks
        sd, simulated = se, False
    if sd > WEAK:
        warn(weak_message(name, value, sd, simulated), IdentificationWarning)
