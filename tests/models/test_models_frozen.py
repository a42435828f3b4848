"""Results are frozen: frames that they hand out are copies; signatures and comparison of results."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

import nqpf_spatial as nq

W = nq.weights.contiguity()
DATA = nq.simulate("SDM", W, T=6, params={"x": 1.0, "W:x": 0.5, "rho": 0.3}, seed=1)
FORMULA = "y ~ x | unit + period"


def _results() -> dict[str, Any]:
    fit = nq.sdm(FORMULA, DATA, W)
    return {
        "impacts": fit.impacts(),
        "dynamic impacts": nq.sdm(FORMULA, DATA, W, dynamic="lag_y").impacts(),
        "several impacts": nq.sar(FORMULA, DATA, {"a": W, "b": nq.weights.knn(k=3)}).impacts(),
        "probabilities": nq.model_probabilities(FORMULA, DATA, [W], models=["SAR", "SDM"]),
        "sweep": nq.sweep(FORMULA, DATA, [W], progress=False),
    }


RESULTS = _results()


@pytest.mark.parametrize("name", RESULTS)
def test_tables_are_copies(name: str) -> None:
    result = RESULTS[name]
    before, text = result.table, repr(result)
    mine = result.table
    del mine[mine.columns[0]]
    assert result.table.equals(before) and repr(result) == text
    with pytest.raises(FrozenInstanceError):
        result.table = before


@pytest.mark.parametrize("name", RESULTS)
def test_results_can_be_copied_hashed_and_compared(name: str) -> None:
    result = RESULTS[name]
    for again in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):  # noqa: S301
        assert again.table.equals(result.table) and repr(again) == repr(result)
        assert (again == result) in (True, False)
    assert result == result and hash(result) == hash(result)


@pytest.mark.parametrize(
    "make", [lambda: nq.sdm(FORMULA, DATA, W).posterior(draws=50), lambda: nq.gmm(FORMULA, DATA, W)]
)
def test_results_without_tables_can_be_compared(make: Any) -> None:
    found = make()
    assert found == found and found != copy.deepcopy(found) and hash(found) is not None


@pytest.mark.parametrize("front", ["ols", "slx", "sar", "sdm", "sem", "sdem", "sac", "gns"])
def test_fronts_show_the_options_of_fit(front: str) -> None:
    shown = inspect.signature(getattr(nq, front)).parameters
    options = [p.name for p in inspect.signature(nq.fit).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert [name for name, p in shown.items() if p.kind is p.KEYWORD_ONLY] == [n for n in options if n != "model"]
    assert shown["vcov"].default == "observed" and shown["correction"].default == "transform"


@pytest.mark.parametrize("q", [-1, 2.5, "3", True])
@pytest.mark.parametrize("name", ["impacts", "several impacts"])
def test_orders_are_counts(name: str, q: Any) -> None:
    with pytest.raises(ValueError, match=r"q=.*: the highest order is a whole number, zero or more"):
        RESULTS[name].by_order(q=q)
