"""Migration matrices against their totals, the tabulated margins and each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import DataBreakWarning, DataSourceError
from nqpf_spatial.provinces import PROVINCES

INDEX = nq.data.flows_index()
SOUND = [name for name in INDEX.index if name != "5yr_2005"]


def load(name: str, **options: object) -> pd.DataFrame:
    """A matrix; the experimental one warns."""
    if name != "5yr_2005":
        return nq.load_flows(name, **options)  # type: ignore[arg-type]
    with pytest.warns(DataBreakWarning, match="experimental"):
        return nq.load_flows(name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", INDEX.index)
def test_shape_labels_and_total(name: str) -> None:
    flows = load(name)
    labels = [p.name_en for p in PROVINCES]
    assert flows.index.tolist() == labels
    assert flows.columns.tolist() == labels
    assert (flows.index.name, flows.columns.name) == ("origin", "destination")
    assert not np.diag(flows).any()
    assert flows.to_numpy().sum() == INDEX.at[name, "persons_tabulated"]
    assert (flows.to_numpy() >= 0).all()
    zeros = int((flows.to_numpy() == 0).sum()) - 31
    assert zeros == (15 if name == "5yr_2005" else zeros)


@pytest.mark.parametrize("year", [2000, 2005, 2010, 2015, 2020])
def test_margins_equal_the_tabulated_ones(year: int) -> None:
    flows = load(f"5yr_{year}")
    panel = nq.load_panel(["inflow_5yr", "outflow_5yr"]).xs(year, level="year")
    inflow, outflow = flows.sum(axis=0), flows.sum(axis=1)
    # the 2015 table is rounded: margins agree to 3e-5
    rel = 1e-4 if year == 2015 else 0
    np.testing.assert_allclose(inflow[panel.index], panel["inflow_5yr"], rtol=rel)
    np.testing.assert_allclose(outflow[panel.index], panel["outflow_5yr"], rtol=rel)


def test_known_directions() -> None:
    flows = nq.load_flows("5yr_2010")
    assert flows.loc["Hunan", "Guangdong"] == flows.to_numpy().max()
    assert flows.loc["Anhui", "Jiangsu"] > 10 * flows.loc["Jiangsu", "Tibet"]


def test_expansion_is_explicit() -> None:
    plain, expanded = nq.load_flows("5yr_2015"), nq.load_flows("5yr_2015", expanded=True)
    np.testing.assert_allclose(expanded, 64.5161 * plain, rtol=1e-12)
    assert (plain.attrs["expanded"], expanded.attrs["expanded"]) == (False, True)
    assert plain.attrs["expansion_factor"] == expanded.attrs["expansion_factor"] == 64.5161


def test_expanded_totals_are_of_one_magnitude() -> None:
    millions = {name: load(name, expanded=True).to_numpy().sum() / 1e6 for name in INDEX.index if "5yr" in name}
    assert all(30 < m < 60 for m in millions.values()), millions


def test_metadata() -> None:
    attrs = nq.load_flows("5yr_2010").attrs
    assert attrs["period"] == "2005-2010"
    assert attrs["source_id"] in nq.data.sources().index
    assert attrs["release"] == nq.data.release()["release"]
    assert "2010 census" in attrs["instrument"]


@pytest.mark.parametrize("names", ["zh", "adcode", "iso"])
def test_names(names: str) -> None:
    flows = nq.load_flows("5yr_2010", names=names)  # type: ignore[arg-type]
    assert flows.index.tolist() == [nq.provinces.label(p, names) for p in PROVINCES]  # type: ignore[arg-type]
    assert np.array_equal(flows, nq.load_flows("5yr_2010"))


def test_the_frame_is_the_callers_own() -> None:
    flows = nq.load_flows()
    flows.iloc[:, :] = 0
    assert nq.load_flows().to_numpy().sum() == 5499391
    index = nq.data.flows_index()
    index.loc[:, "status"] = "x"
    assert nq.data.flows_index().at["5yr_2010", "status"] != "x"


def test_unknown_matrix() -> None:
    with pytest.raises(DataSourceError, match=r"no migration matrix '5yr_2011'.*5yr_2010.*birthplace_2010"):
        nq.load_flows("5yr_2011")
