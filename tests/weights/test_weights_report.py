"""Report, comparison, Moran's I."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq
from nqpf_spatial.errors import AlignmentError
from nqpf_spatial.weights import SpatialWeights


def test_report_of_the_baseline() -> None:
    table = nq.weights.contiguity().report()
    value = table["value"]
    assert list(table.columns) == ["value", "flag"] and table.index.is_unique
    assert (value["units"], value["links"], value["components"]) == (31, 138, 1)
    assert value["density"] == pytest.approx(138 / 930) and value["neighbours, mean"] == pytest.approx(138 / 31)
    assert value["neighbours, range"] == "1 to 8" and value["islands"] == "none"
    assert value["rho interval"] == "(-1.61265, 1)" and value["complex eigenvalues"] == 0
    assert value["symmetric"] is False and value["row-stochastic"] is True and value["similar to symmetric"] is True
    assert value["checksum"] == nq.weights.contiguity().checksum and value["date"] == "provinces since 1997"
    assert (table["flag"] == "").all()
    pd.testing.assert_frame_equal(table, nq.weights.report(nq.weights.contiguity()))


def test_every_danger_has_its_flag() -> None:
    def flag(w: SpatialWeights, item: str) -> str:
        return str(w.report().loc[item, "flag"])

    full = nq.weights.inverse_distance()
    assert "near-complete" in flag(full, "density") and flag(full, "effective neighbours, mean") == ""
    equal = nq.weights.from_any(np.ones((5, 5)) - np.eye(5), ids="abcde")
    assert "near-equal" in flag(equal, "effective neighbours, mean")
    assert equal.report().loc["effective neighbours, mean", "value"] == pytest.approx(4)
    island = nq.weights.contiguity(hainan="island")
    assert flag(island, "islands") == "their lag is zero" and "disconnected" in flag(island, "components")
    assert island.report().loc["islands", "value"] == "Hainan"
    assert "never send" in flag(island, "nobody's neighbours")
    ring = nq.weights.from_any(np.roll(np.eye(5), 1, axis=1), ids="abcde")
    assert "complex" in flag(ring, "complex eigenvalues") and ring.report().loc["complex eigenvalues", "value"] == 4
    assert "asymmetric" in flag(nq.weights.migration(), "similar to symmetric")
    assert "differ in sum" in flag(nq.weights.contiguity(transform="spectral"), "row sums")
    economic = nq.weights.economic()
    assert (
        "must start after 2010" in flag(economic, "data of") and "Qu and Lee" in economic.report().loc["note", "value"]
    )


def test_report_of_a_large_matrix_skips_the_spectrum() -> None:
    w = nq.weights.lattice(50, 50)
    assert "not computed" in w.report().loc["eigenvalues", "value"]
    small = nq.weights.lattice(5, 5)
    assert "rho interval" not in nq.weights.report(small, eigenvalues=False).index


def test_html_is_escaped_and_complete() -> None:
    w = nq.weights.from_any(np.ones((2, 2)) - np.eye(2), ids=["<b>", "c"], name="<script>")
    text = w._repr_html_()
    assert "<script>" not in text and "&lt;script&gt;" in text and w.checksum in text and text.startswith("<table>")


def test_compare_against_numpy() -> None:
    parts = {name: nq.weights.registered(name) for name in ("queen", "inv_distance", "migration_flow")}
    result = nq.weights.compare(parts)
    off = ~np.eye(31, dtype=bool)
    flat = np.array([w.dense()[off] for w in parts.values()])
    np.testing.assert_allclose(result.correlation.to_numpy(), np.corrcoef(flat), atol=1e-12)
    np.testing.assert_allclose(result.shared_links.loc["queen"], [1, 138 / 930, 138 / 930])
    np.testing.assert_allclose(result.spectra["queen"], np.sort(parts["queen"].eigenvalues())[::-1])
    assert result.summary.loc["queen", "rho low"] == parts["queen"].rho_interval()[0]
    assert "correlation" in repr(result) and "<h4>" in result._repr_html_()


def test_compare_aligns_by_label_and_checks() -> None:
    w, knn = nq.weights.contiguity(), nq.weights.knn(4)
    mixed = nq.weights.compare([w, knn.with_names("zh").reorder(knn.with_names("zh").ids[::-1])])
    pd.testing.assert_frame_equal(mixed.correlation, nq.weights.compare([w, knn]).correlation)
    with pytest.raises(ValueError, match="several matrices are called queen"):
        nq.weights.compare([w, w])
    with pytest.raises(ValueError, match="at least two"):
        nq.weights.compare([w])
    with pytest.raises(AlignmentError, match="Hainan"):
        nq.weights.compare({"a": w, "b": nq.weights.contiguity(hainan="drop")})
    equal = nq.weights.from_any(np.ones((5, 5)) - np.eye(5), ids="abcde")
    ring = nq.weights.from_any(np.roll(np.eye(5), 1, axis=1), ids="abcde")
    assert np.isnan(nq.weights.compare({"equal": equal, "ring": ring}).correlation.loc["equal", "ring"])


@pytest.fixture
def income() -> pd.Series:
    panel = nq.load_panel(["ln_gdp_real_pc"])
    return panel.xs(2012, level="year")["ln_gdp_real_pc"]


def test_moran_by_hand(income: pd.Series) -> None:
    weights = [nq.weights.contiguity(), nq.weights.inverse_distance(transform="spectral")]
    table = nq.weights.moran(income, weights, permutations=499, seed=3)
    for w in weights:
        z = (income - income.mean()).loc[list(w.ids)].to_numpy()
        expected = 31 / w.dense().sum() * (z @ w.dense() @ z) / (z @ z)
        assert table.loc[w.name, "statistic"] == pytest.approx(expected, rel=1e-12)
        assert table.loc[w.name, "expected"] == pytest.approx(-1 / 30)
    assert table.attrs["permutations"] == 499 and "exchangeable" in table.attrs["null"]


def test_moran_p_values_against_an_own_permutation(income: pd.Series) -> None:
    w = nq.weights.contiguity()
    noise = pd.Series(np.random.default_rng(1).standard_normal(31), index=income.index)
    z = (noise - noise.mean()).loc[list(w.ids)].to_numpy()
    draws = np.array([np.random.default_rng(9).permutation(z)] + [_shuffle(z, s) for s in range(19_999)])
    sims = np.einsum("ri,ij,rj->r", draws, w.dense(), draws) * 31 / w.dense().sum() / (z @ z)
    observed = 31 / w.dense().sum() * (z @ w.dense() @ z) / (z @ z)
    upper, lower = (sims >= observed).mean(), (sims <= observed).mean()
    expected = {"greater": upper, "less": lower, "two-sided": 2 * min(upper, lower)}
    for alternative, p in expected.items():
        table = nq.weights.moran(noise, w, permutations=4999, alternative=alternative)
        assert table.loc["queen", "pvalue"] == pytest.approx(p, abs=0.03)
    assert table.loc["queen", "mean"] == pytest.approx(sims.mean(), abs=0.01)
    assert table.loc["queen", "sd"] == pytest.approx(sims.std(), rel=0.05)


def _shuffle(z: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng([7, seed]).permutation(z)


def test_two_sided_size_is_what_it_says() -> None:
    w = nq.weights.contiguity()
    rng = np.random.default_rng(11)
    p = [
        nq.weights.moran(pd.Series(rng.standard_normal(31), index=w.ids), w, permutations=99, seed=k).loc[
            "queen", "pvalue"
        ]
        for k in range(300)
    ]
    rejected = np.mean(np.array(p) <= 0.10)
    assert 0.05 < rejected < 0.15  # esda's p_sim would give about 0.2


def test_moran_is_reproducible_and_leaves_the_global_generator_alone(income: pd.Series) -> None:
    np.random.seed(123)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = nq.weights.moran(income, nq.weights.w7(), permutations=199, seed=5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    again = nq.weights.moran(income.sample(frac=1, random_state=1), nq.weights.w7(), permutations=199, seed=5)
    pd.testing.assert_frame_equal(first, again)
    assert list(first.index) == list(nq.weights.REGISTERED)
    assert not first.equals(nq.weights.moran(income, nq.weights.w7(), permutations=199, seed=6))


def test_moran_defects(income: pd.Series) -> None:
    w = nq.weights.contiguity()
    with pytest.raises(AlignmentError, match="missing from ln_gdp_real_pc: Xinjiang"):
        nq.weights.moran(income.iloc[:-1], w)
    with pytest.raises(AlignmentError, match="missing or infinite for Beijing"):
        nq.weights.moran(income.where(income.index != "Beijing"), w)
    panel = nq.load_panel(["ln_gdp_real_pc"])["ln_gdp_real_pc"]
    with pytest.raises(AlignmentError, match="takes one period"):
        nq.weights.moran(panel, w)
    with pytest.raises(ValueError, match="constant"):
        nq.weights.moran(income * 0, w)
    with pytest.raises(ValueError, match="'upper' is not known"):
        nq.weights.moran(income, w, alternative="upper")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 99"):
        nq.weights.moran(income, w, permutations=10)
    with pytest.raises(AlignmentError, match="got ndarray"):
        nq.weights.moran(income.to_numpy(), w)  # type: ignore[arg-type]
