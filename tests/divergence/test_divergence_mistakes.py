"""Input that is no panel, no weights or no groups: errors in plain words; what is unambiguous is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError, PanelError

dv = nq.divergence
W = nq.weights.contiguity()


@pytest.fixture
def x() -> pd.Series:
    return nq.load_panel("gdp_real_pc", years=(2012, 2024))["gdp_real_pc"] * 10_000


CHANGES: dict[str, Callable[[Any], Any]] = {
    "clubs": dv.clubs,
    "log_t": dv.log_t,
    "transition_paths": dv.transition_paths,
    "sigma": dv.sigma,
    "beta": dv.beta,
    "markov": dv.markov,
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_year_is_no_change(x: pd.Series, name: str) -> None:
    for one in (x.xs(2015, level="year"), x.xs(2015, level="year", drop_level=False)):
        with pytest.raises(PanelError, match="needs at least two times, gdp_real_pc has 1"):
            CHANGES[name](one)


@pytest.mark.parametrize("call", [dv.gini, dv.sigma, dv.clubs, lambda s: dv.dagum(s, groups="block")])
def test_no_rows(x: pd.Series, call: Callable[[pd.Series], Any]) -> None:
    with pytest.raises(PanelError, match="gdp_real_pc has no rows"):
        call(x.iloc[:0])


def test_a_frame_of_one_column_is_its_column(x: pd.Series) -> None:
    pd.testing.assert_frame_equal(dv.dagum(x.to_frame(), groups="block").table, dv.dagum(x, groups="block").table)
    with pytest.raises(PanelError, match="say which column"):
        dv.gini(x.to_frame().assign(other=1.0))


def test_same_values_everywhere(x: pd.Series) -> None:
    with pytest.raises(PanelError, match="the same in all units in 2012"):
        dv.beta(x * 0 + 5.0)


@pytest.mark.parametrize("call", [dv.spatial_markov, dv.moran_by_year, dv.lisa_by_year])
def test_weights_without_labels(x: pd.Series, call: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"w is a DataFrame; turn it into labelled weights with nq\.weights\.from_any"):
        call(x, w=W.to_frame())


def test_groups_the_wrong_way_round(x: pd.Series) -> None:
    with pytest.raises(AlignmentError, match="maps units to groups, not groups to units"):
        dv.dagum(x, groups={"coast": ["Shanghai"], "rest": ["Tibet"]})
    with pytest.raises(AlignmentError, match="a Series or mapping from unit to group; got a NoneType"):
        dv.dagum(x, groups=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"over='East': give two groups, for instance over=\('East', 'Central'\)"):
        dv.ratio(x, groups="block", over="East")  # type: ignore[arg-type]


@pytest.mark.parametrize("replicates", [-1, 1, 9.5, True])
def test_replicates_are_counts(x: pd.Series, replicates: Any) -> None:
    with pytest.raises(ValueError, match=r"bootstrap=.*: give a whole number of at least 2"):
        dv.dagum(x, groups="block", bootstrap=replicates)


def test_draws_are_the_same_without_a_seed(x: pd.Series) -> None:
    first, again = (dv.dagum(x, groups="block", bootstrap=20, permutations=20) for _ in range(2))
    pd.testing.assert_frame_equal(first.se, again.se)
    other = dv.dagum(x, groups="block", bootstrap=20, seed=1)
    assert not first.se.equals(other.se)
