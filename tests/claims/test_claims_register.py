"""The packaged register: integrity, immutability, display, and the script that builds it."""

import dataclasses
import importlib.util
from importlib import resources
from pathlib import Path

import pytest
import yaml

import nqpf_spatial as nq
from nqpf_spatial import claims
from nqpf_spatial.claims.register import freeze, parse
from nqpf_spatial.errors import DataSourceError

REGISTER = claims.load()
TEXT = (resources.files("nqpf_spatial.claims") / "files" / "register.yaml").read_text(encoding="utf-8")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("build_register", ROOT / "scripts" / "build_register.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_packaged_register_is_sound(builder):
    assert builder.problems(REGISTER) == []
    assert len(REGISTER.claims) == REGISTER.meta["counts"]["total"] == 111


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("total: 111", "total: 110", "111 claims, meta says 110"),
        ("outcome: [ln_gdp_real_pc]\n    regressors: [ln_broadband_pc,", "outcome: [ln_gdp]\n    regressors: [ln_broadband_pc,", "WU-M4: unknown variable ln_gdp"),
        ("variants: [hub_narrow]\n", "variants: [hub_wide]\n", "WU-P8: unknown variant hub_wide"),
        ("    disclosure_note: The list had been read.\n", "", "WU-P8: outcome-seen without a note"),
        ("decides: [WU-P8,", "decides: [WU-P9,", "WU-P8: 01-data-and-provinces.ipynb does not list it"),
    ],
)  # fmt: skip
def test_the_builder_finds_defects(builder, old, new, message):
    assert old in TEXT
    assert message in builder.problems(parse(TEXT.replace(old, new)))


def test_the_builder_writes_nothing_when_a_check_fails(builder, tmp_path, monkeypatch):
    (tmp_path / "register.yaml").write_text(TEXT.replace("total: 111", "total: 1"), encoding="utf-8")
    target = tmp_path / "out.yaml"
    monkeypatch.setattr(builder, "TARGET", target)
    monkeypatch.setattr("sys.argv", ["build_register.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="meta says 1"):
        builder.main()
    assert not target.exists()
    (tmp_path / "register.yaml").write_text(TEXT, encoding="utf-8")
    builder.main()
    assert target.read_text(encoding="utf-8") == TEXT


def test_both_safe_loaders_agree():
    assert yaml.load(TEXT, Loader=yaml.SafeLoader) == yaml.load(TEXT, Loader=yaml.CSafeLoader)


def test_it_is_read_once_and_frozen():
    assert claims.load() is REGISTER
    claim = REGISTER.claim("WU-M4")
    with pytest.raises(dataclasses.FrozenInstanceError):
        claim.rule = "R-NONE"
    with pytest.raises(TypeError):
        REGISTER.rules["R-MECH"].parameters["alpha"] = 0.5
    with pytest.raises(TypeError):
        REGISTER.rules["R-MECH"].parameters["baseline"]["period"] = "1990-2024"
    with pytest.raises(TypeError):
        REGISTER.claims["X"] = claim
    assert freeze([{"a": [1]}]) == ({"a": (1,)},)


def test_every_variable_of_a_claim_can_be_loaded():
    known = set(nq.load_panel().columns)
    provinces = {"compute_hub"}  # a column of the provinces table
    for c in REGISTER.claims.values():
        assert {*c.outcome, *c.regressors} - known <= provinces, c.id


def test_windows_are_inside_the_data_and_gaps_are_declared():
    panel = nq.load_panel()
    for c in REGISTER.claims.values():
        for v in {*c.outcome, *c.regressors} & set(panel.columns):
            if c.rule in ("R-MECH", "R-COEF", "R-MOD") or c.period is None:
                continue
            first, last = c.years(v) if not isinstance(c.period, str) else c.years()
            years = panel[v].unstack("year").notna().any()
            absent = {y for y in range(first, last + 1) if not years[y]}
            undeclared = absent - set(c.absent_years.get(v, ()))
            derived = {d["name"]: d for d in REGISTER.derived_variables}.get(v, {})
            assert undeclared <= set(derived.get("absent_years", ())), (c.id, v)


def test_years():
    assert REGISTER.claim("WU-M4").years() == (2012, 2024)
    assert REGISTER.claim("WU-1.3").years("rd_intensity") == (2013, 2024)
    with pytest.raises(DataSourceError, match="name one of rd_intensity, patents_inv_pc"):
        REGISTER.claim("WU-1.3").years()
    with pytest.raises(DataSourceError, match="no period"):
        REGISTER.claim("WU-2.9").years()


def test_unknown_ids_show_the_nearest():
    with pytest.raises(DataSourceError, match=r"'WU-M44'.*WU-M4"):
        claims.show("WU-M44")
    with pytest.raises(DataSourceError, match="no 'beta' for 'R-MECH'"):
        REGISTER.threshold("R-MECH", "beta")
    with pytest.raises(DataSourceError, match="'R-XYZ'"):
        REGISTER.threshold("R-XYZ", "alpha")
    with pytest.raises(DataSourceError, match=r"no notebook '77'.*05-spatial-durbin"):
        REGISTER.decided_in("77")


def test_repeated_ids_and_unknown_fields_are_errors():
    with pytest.raises(DataSourceError, match="'WU-P8' appears twice"):
        parse(TEXT.replace("- id: WU-P9\n", "- id: WU-P8\n"))
    with pytest.raises(DataSourceError, match=r"'WU-P8' has fields \['notes'\]"):
        parse(TEXT.replace("    note: compute_hub is a column", "    notes: compute_hub is a column"))


def test_notebooks_are_found_by_number_and_name():
    assert REGISTER.decided_in("05") == REGISTER.decided_in("05-spatial-durbin.ipynb")
    assert "WU-M4" in REGISTER.decided_in("05-spatial-durbin")


@pytest.mark.parametrize("claim", REGISTER.claims, ids=str)
def test_every_claim_shows_itself_in_text_and_html(claim):
    card = claims.show(claim)
    c = REGISTER.claim(claim)
    text = " ".join(str(card).split())
    assert " ".join(c.says_en.split()) in text
    assert c.says_zh in text
    assert c.rule in text
    assert c.says_zh in card._repr_html_()
    assert "<script" not in card._repr_html_()


def test_cards_escape_html():
    card = claims.Card("a<b", (("x", "p<0.05 & y"),))
    assert "p&lt;0.05 &amp; y" in card._repr_html_()
    assert "a&lt;b" in card._repr_html_()


def test_the_table_has_one_row_per_claim_in_both_languages():
    table = REGISTER.table()
    assert table.index.tolist() == list(REGISTER.claims)
    assert table.loc["WU-P8", "says"] == "There are eight core computing hubs."
    assert REGISTER.table(lang="zh").loc["WU-P8", "says"] == REGISTER.claim("WU-P8").says_zh
    with pytest.raises(DataSourceError, match="'fr'"):
        REGISTER.table(lang="fr")
