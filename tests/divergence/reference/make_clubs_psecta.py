"""Clubs that Stata's psecta finds on simulated panels, by its port in expdpy 0.5.2 (Mendez 2026, MIT licence).

Run with expdpy installed: python make_clubs_psecta.py > clubs_psecta.json
The panels are those of `panel` below; the seeds were chosen because the sieve has to be corrected there.
"""

from __future__ import annotations

import json

import numpy as np

SEEDS = (3, 6, 40, 89, 90, 98)


def panel(seed: int) -> np.ndarray:
    """20 units, 25 periods: levels plus random walks."""
    rng = np.random.default_rng(seed)
    start = 8 + rng.normal(size=(20, 1)) * 0.5
    return start + np.cumsum(rng.normal(size=(20, 25)) * 0.03, axis=1)


def main() -> None:
    """Print the memberships, before and after merging, for both sieves."""
    from expdpy import convergence as peer

    out = []
    for seed in SEEDS:
        y = panel(seed)
        beta, t = peer._log_t_test(y, 0.3)
        for adjust, sieve in ((False, "raise"), (True, "one_by_one")):
            clubs = peer._get_clusters(y, 0.3, -1.65, 0.0, 0.05, 50.0, 0.0, adjust)
            merged = peer._merge_once(y, clubs, 0.3, -1.65)[0]
            row = {"seed": seed, "sieve": sieve, "beta": beta, "tstat": t}
            row["clubs"] = [clubs.get(i, 0) for i in range(len(y))]
            row["merged"] = [merged.get(i, 0) for i in range(len(y))]
            out.append(row)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
