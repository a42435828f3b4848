"""The twelve tables: each holds the numbers of the function behind it; what is missing is said; every format holds the cells."""

import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.outliers_influence import variance_inflation_factor

import nqpf_spatial as nq
from nqpf_spatial import fonts
from nqpf_spatial.report.paper import words

docx = pytest.importorskip("docx")
lxml_html = pytest.importorskip("lxml.html")
pytest.importorskip("maketables")
pytest.importorskip("frykit")

FORMULA = "ln_gdp_real_pc ~ ln_rd_intensity + pop_growth | province + year"
YEARS = (2018, 2024)
FEW = {"permutations": 99, "replicates": 50}


@pytest.fixture(scope="module")
def panel():
    return nq.load_panel()


@pytest.fixture(scope="module")
def w():
    return nq.weights.contiguity()


def make(panel, w, lang="en", **more):
    other = nq.weights.knn(k=4)
    given = {"weights": {"knn": other}, "mechanism": {"mediator": "urbanization_rate"}, **FEW, **more}
    return nq.paper(FORMULA, panel, w, years=YEARS, lang=lang, **given)


@pytest.fixture(scope="module")
def papers(panel, w):
    return {lang: make(panel, w, lang) for lang in ("en", "zh")}


@pytest.fixture(scope="module", params=["en", "zh"])
def paper(request, papers):
    return papers[request.param]


@pytest.fixture(scope="module")
def fit(panel, w):
    return nq.sdm(FORMULA, panel, w, years=YEARS)


@pytest.fixture(scope="module")
def cross():
    """A cross-section of units that are no provinces: neighbours on a ring."""
    n = 60
    names = [f"county {i}" for i in range(n)]
    ring = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
    counties = nq.weights.from_any(ring, ids=names)
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)}, index=pd.Index(names, name="unit"))
    signal = 1 + 2 * data["x"] + data["z"] + ring @ data["x"] + 0.5 * rng.normal(size=n)
    data["y"] = np.linalg.solve(np.eye(n) - 0.4 * counties.dense(), signal)
    return nq.paper("y ~ x + z", data, counties, **FEW)


# -- the pieces ----------------------------------------------------------------------------------------------------


def test_all_twelve_are_there_in_their_order(paper):
    assert tuple(paper.tables) == words.PIECES
    assert tuple(paper.frames) == words.PIECES
    assert list(paper.figures) == ["moran", "lisa", "decomposition", "robustness"]
    assert dict(paper.missing) == {}


def test_both_languages_hold_the_same_numbers(papers):
    for name in words.PIECES:
        en, zh = (papers[lang].frames[name] for lang in ("en", "zh"))
        assert en.shape == zh.shape
        a, b = (frame.select_dtypes("number").to_numpy(dtype=float) for frame in (en, zh))
        np.testing.assert_array_equal(a, b)
        assert papers["en"].tables[name].title != papers["zh"].tables[name].title


def test_descriptive_statistics_are_those_of_pandas_and_statsmodels(paper, panel):
    rows = panel.loc[(slice(None), slice(*YEARS)), :]
    found = paper.frames["descriptive"]
    for name in ("ln_gdp_real_pc", "ln_rd_intensity", "pop_growth"):
        want = rows[name].describe()
        got = found.loc[name, ["N", "mean", "sd", "min", "p50", "max"]].to_numpy(dtype=float)
        np.testing.assert_allclose(got, want[["count", "mean", "std", "min", "50%", "max"]], rtol=1e-12)
    x = rows[["ln_rd_intensity", "pop_growth"]]
    pooled = x.assign(const=1.0).to_numpy()
    np.testing.assert_allclose(
        found["VIF"].dropna(), [variance_inflation_factor(pooled, i) for i in (0, 1)], rtol=1e-10
    )
    # two regressors: 1 / (1 - r^2) of the columns without effects
    within = x - x.groupby(level=0).transform("mean") - x.groupby(level=1).transform("mean") + x.mean()
    r = np.corrcoef(within.to_numpy().T)[0, 1]
    np.testing.assert_allclose(found["VIF within"].dropna(), 1 / (1 - r**2), rtol=1e-10)
    assert np.isnan(found.loc["ln_gdp_real_pc", "VIF"])


def test_moran_and_lisa_are_those_of_divergence(paper, panel, w):
    y = panel["ln_gdp_real_pc"]
    want = nq.divergence.moran_by_year(y, w, years=YEARS, permutations=99)
    pd.testing.assert_frame_equal(paper.frames["moran"], want.table)
    lisa = nq.divergence.lisa_by_year(y, w, years=YEARS, permutations=99)
    cells = paper.frames["lisa"]
    assert cells.index.equals(lisa.cells.index)
    pd.testing.assert_frame_equal(cells, lisa.cells)
    counts = [int(row.cells[0].value) for row in paper.tables["lisa"].rows]
    assert counts == lisa.table["significant"].tolist()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("hausman", {"hausman", "mundlak"}),
        ("effects", {"lr_unit", "lr_time"}),
        ("degeneration", {"lr", "wald"}),
        ("lm", None),
    ],
)
def test_tests_are_the_rows_of_the_battery(paper, fit, name, keys):
    battery = fit.diagnose(replicates=50).table.reset_index(drop=True)
    group = battery["group"] == "Which spatial terms (LM)"
    want = battery[group if keys is None else battery["key"].isin(keys)]
    found = paper.frames[name].reset_index(drop=True)
    assert len(want) == len(found) > 0
    numbers = ["statistic", "df", "pvalue"]
    np.testing.assert_array_equal(found[numbers].to_numpy(dtype=float), want[numbers].to_numpy(dtype=float))
    printed = [row.cells for row in paper.tables[name].rows]
    assert len(printed) == len(want)


def test_baseline_has_ols_sar_and_sem_beside(paper, panel, w, fit):
    found = paper.frames["baseline"]
    assert list(found.columns.unique(0)) == ["OLS", "SAR", "SEM", "SDM"]
    for model, front in (("SAR", nq.sar), ("SEM", nq.sem), ("SDM", nq.sdm)):
        own = front(FORMULA, panel, w, years=YEARS)
        column = found[model, "estimate"].dropna().droplevel(0).drop("sigma2")
        np.testing.assert_array_equal(column.to_numpy(), own.params.reindex(column.index).to_numpy())
    ols = nq.ols(FORMULA, panel, years=YEARS)
    assert found.loc[("Main", "pop_growth"), ("OLS", "se")] == ols.bse["pop_growth"]


def test_decomposition_is_that_of_impacts(paper, fit):
    want = fit.impacts().table
    found = paper.frames["decomposition"]
    for effect in ("direct", "indirect", "total"):
        for term in want.index:
            assert found.loc[(effect, term), "estimate"] == want.loc[term, (effect, "estimate")]
            assert found.loc[(effect, term), "p"] == want.loc[term, (effect, "p")]


def test_robustness_columns_are_fits_of_changed_data(papers, panel, w):
    paper = papers["en"]
    found = paper.frames["robustness"]
    assert list(found.columns.unique(0)) == ["Baseline", "knn", "Lagged 1", "Winsorised 1%", "No municipalities"]
    # lagged by hand, by label
    moved = panel.copy()
    x = ["ln_rd_intensity", "pop_growth"]
    wide = panel[x].unstack(0)
    moved[x] = wide.shift(1).stack(1, future_stack=True).swaplevel().reindex(panel.index)
    # winsorised by hand
    cut = panel.loc[(slice(None), slice(*YEARS)), :].copy()
    for name in [*x, "ln_gdp_real_pc"]:
        low, high = np.quantile(cut[name], [0.01, 0.99])
        cut[name] = np.minimum(np.maximum(cut[name], low), high)
    cities = ["Beijing", "Tianjin", "Shanghai", "Chongqing"]
    rest = panel.drop(index=cities, level=0)
    want = {
        "knn": nq.sdm(FORMULA, panel, nq.weights.knn(k=4), years=YEARS),
        "Lagged 1": nq.sdm(FORMULA, moved, w, years=YEARS),
        "Winsorised 1%": nq.sdm(FORMULA, cut, w, years=YEARS),
        "No municipalities": nq.sdm(FORMULA, rest, w.subset([i for i in w.ids if i not in cities]), years=YEARS),
    }
    for name, fit in want.items():
        assert found.loc[("Spatial", "rho"), (name, "estimate")] == pytest.approx(fit.rho, rel=1e-10), name
        total = fit.impacts().table.loc["pop_growth", ("total", "estimate")]
        assert found.loc[("total", "pop_growth"), (name, "estimate")] == pytest.approx(total, rel=1e-9), name
    assert len({fit.rho for fit in want.values()}) == 4
    notes = "\n".join(paper.tables["robustness"].notes)
    changed = (panel.loc[cut.index, "pop_growth"] != cut["pop_growth"]).sum()
    assert f"Population growth, log points {changed}" in notes
    assert "no period is lost" in notes
    assert "without Beijing, Tianjin, Shanghai, Chongqing" in notes


def test_a_lag_without_earlier_data_loses_the_first_period_and_says_so(panel, w):
    rows = panel.loc[(slice(None), slice(*YEARS)), :]
    made = nq.paper(FORMULA, rows, w, mechanism=None, heterogeneity=None, **FEW)
    head = made.frames["robustness"]["Lagged 1"]
    moved = rows.copy()
    x = ["ln_rd_intensity", "pop_growth"]
    moved[x] = rows[x].groupby(level=0).shift(1)
    want = nq.sdm(FORMULA, moved, w, years=(YEARS[0] + 1, YEARS[1]))
    assert head.loc[("Spatial", "rho"), "estimate"] == pytest.approx(want.rho, rel=1e-10)
    said = "\n".join(made.tables["robustness"].notes)
    assert f"the sample starts in {YEARS[0] + 1}, 1 period(s) at its beginning are lost" in said


def test_rows_in_any_order_give_the_same_document(panel, w, papers):
    shuffled = panel.sample(frac=1, random_state=4)
    shuffled.attrs = panel.attrs
    turned = w.reorder(list(w.ids)[::-1])
    again = make(shuffled, turned)
    assert again.to_html() == papers["en"].to_html()


def test_heterogeneity_is_one_fit_with_a_slope_per_group(papers, panel, w, fit):
    paper = papers["en"]
    found = paper.frames["heterogeneity"]["By group", "estimate"].dropna()
    block = panel.index.get_level_values(0).map(lambda p: nq.provinces.group_of(p, "block"))
    data = panel.copy()
    for group in ("East", "Central", "West", "Northeast"):
        data[f"slope_{group}"] = data["ln_rd_intensity"].where(block == group, 0.0)
    formula = (
        "ln_gdp_real_pc ~ pop_growth + slope_East + slope_Central + slope_West + slope_Northeast | province + year"
    )
    apart = nq.sdm(formula, data, w, years=YEARS)
    for group in ("East", "Central", "West", "Northeast"):
        got = found[("direct", f"ln_rd_intensity_{group}")]
        assert got == pytest.approx(apart.impacts().table.loc[f"slope_{group}", ("direct", "estimate")], rel=1e-6)
    statistic = 2 * (apart.llf - fit.llf)
    note = next(n for n in paper.tables["heterogeneity"].notes if n.startswith("LR test"))
    shown = float(re.search(r"spillover: ([\d.]+)", note)[1])
    assert shown == pytest.approx(statistic, abs=6e-5)
    assert "on 6 df" in note
    p = stats.chi2.sf(statistic, 6)
    assert ("p < 0.0001" if p < 1e-4 else f"p = {p:.4f}") in note


def test_groups_given_by_a_mapping(panel, w):
    coast = {u: "coast" if nq.provinces.group_of(u, "block") == "East" else "inland" for u in w.ids}
    made = nq.paper(
        FORMULA, panel, w, years=YEARS, heterogeneity=coast, focus="pop_growth", lag=0, winsorize=0, drop={}, **FEW
    )
    terms = set(made.frames["heterogeneity"].index.get_level_values("term"))
    assert {"pop_growth_coast", "pop_growth_inland"} <= terms
    assert set(made.missing) == {
        "robustness",
        "robustness: other weights",
        "robustness: lagged regressors",
        "robustness: winsorising",
        "robustness: without some units",
        "mechanism",
    }
    with pytest.raises(ValueError, match=r"heterogeneity= has no group for .*Tibet"):
        nq.paper(FORMULA, panel, w, years=YEARS, heterogeneity={u: g for u, g in coast.items() if u != "Tibet"}, **FEW)


def test_mechanism_is_three_fits(papers, panel, w, fit):
    found = papers["en"].frames["mechanism"]
    middle = nq.sdm(FORMULA.replace("ln_gdp_real_pc", "urbanization_rate"), panel, w, years=YEARS)
    both = nq.sdm(FORMULA.replace(" | ", " + urbanization_rate | "), panel, w, years=YEARS)
    for head, own in (("(1) Total", fit), ("(2) Mediator", middle), ("(3) With mediator", both)):
        assert found.loc[("Spatial", "rho"), (head, "estimate")] == own.rho
        total = own.impacts().table.loc["ln_rd_intensity", ("total", "estimate")]
        assert found.loc[("total", "ln_rd_intensity"), (head, "estimate")] == total
    with pytest.raises(ValueError, match="in the formula already"):
        make(panel, w, mechanism={"mediator": "pop_growth"})
    with pytest.raises(ValueError, match="takes 'mediator'"):
        make(panel, w, mechanism={"moderator": "urbanization_rate"})
    with pytest.raises(ValueError, match="no column 'nothing'"):
        make(panel, w, mechanism={"mediator": "nothing"})


# -- what is missing is said ---------------------------------------------------------------------------------------


def test_a_cross_section_of_counties_says_what_it_lacks(cross):
    assert set(cross.tables) == set(words.PIECES) - {"hausman", "effects", "heterogeneity", "mechanism"}
    missing = cross.missing
    assert "cross-section" in missing["hausman"]
    assert "cross-section" in missing["effects"]
    assert "not the Chinese provinces" in missing["lisa: map"]
    assert "not the Chinese provinces" in missing["heterogeneity"]
    assert "not the Chinese provinces" in missing["robustness: without some units"]
    assert "nothing comes before" in missing["robustness: lagged regressors"]
    assert "lisa" not in cross.figures
    page = lxml_html.fromstring(cross.to_html()).text_content()
    for why in missing.values():
        assert why in page
    # at its place: between the headings of tables 5 and 6
    after = page[page.index("Table 5. ") : page.index("Table 6. ")]
    assert missing["hausman"] in after


def test_missing_pieces_stand_in_word_and_latex(cross, tmp_path):
    cross.to_word(tmp_path / "a.docx")
    cross.to_latex(tmp_path / "a.tex")
    said = "\n".join(p.text for p in docx.Document(tmp_path / "a.docx").paragraphs)
    tex = (tmp_path / "a.tex").read_text(encoding="utf-8")
    for name in ("hausman", "effects"):
        assert cross.missing[name] in said
        assert cross.missing[name] in tex


def test_a_column_that_cannot_be_fitted_is_said(panel, w):
    everyone = nq.weights.from_any(
        1.0 - np.eye(w.n), ids=list(w.ids)
    )  # equal weights identify nothing with time effects
    made = make(panel, w, weights={"equal": everyone}, mechanism=None, heterogeneity=None)
    assert "linear combinations" in made.missing["robustness: equal"]
    assert "equal" not in made.frames["robustness"].columns.unique(0)


def test_the_smallest_model_has_no_simpler_one(panel, w):
    made = make(panel, w, model="OLS", weights=None, mechanism=None, heterogeneity=None)
    assert made.missing["degeneration"] == "OLS contains no simpler model."
    assert "lm" in made.tables


def test_wrong_arguments_are_refused(panel, w):
    for wrong, message in (
        ({"lag": -1}, "lag=-1"),
        ({"winsorize": 0.5}, "winsorize=0.5"),
        ({"focus": "nothing"}, "focus='nothing' is no regressor"),
        ({"heterogeneity": "planet"}, "heterogeneity='planet' is no grouping"),
        ({"dynamic": "lag_y"}, "dynamic= is not available"),
    ):
        with pytest.raises(ValueError, match=message):
            make(panel, w, **wrong)
    with pytest.raises(TypeError, match="weights= 'a'"):
        make(panel, w, weights={"a": w.dense()})
    with pytest.raises(nq.errors.AlignmentError, match="Atlantis"):
        make(panel, w, drop={"no Atlantis": ["Atlantis"]})


# -- formats -------------------------------------------------------------------------------------------------------


def cells_of(table):
    """Printed cells of rows that have a label or a number, in order."""
    return [cell.printed for row in table.rows for cell in row.cells if cell.printed]


def test_html_holds_every_cell_and_picture(paper):
    text = paper.to_html()
    page = lxml_html.fromstring(text)
    assert len(page.xpath("//section")) == 12
    for name, table in paper.tables.items():
        section = page.get_element_by_id(name)
        got = [c.text_content() for c in section.iter("td")][0:]
        assert [c for c in cells_of(table) if c not in got] == []
        for note in table.notes:
            assert note in section.text_content()
    assert len(page.xpath("//img")) == 4
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert ("@font-face" in text) == (paper.lang == "zh")


def test_every_chinese_character_is_in_the_packaged_font(papers):
    assert fonts.missing_characters(lxml_html.fromstring(papers["zh"].to_html()).body.text_content()) == ""


def test_word_holds_every_cell_and_picture(paper, tmp_path):
    paper.to_word(tmp_path / "a.docx")
    document = docx.Document(tmp_path / "a.docx")
    assert len(document.tables) == 12
    assert len(document.inline_shapes) == 4
    for made, table in zip(document.tables, paper.tables.values(), strict=True):
        got = {part for row in made.rows for cell in row.cells for part in cell.text.split("\n")}
        assert set(cells_of(table)) <= got
    for section in document.sections:
        inside = section.page_width - section.left_margin - section.right_margin
        assert inside > 0
    wide = max(sum(c.width for c in made.columns) for made in document.tables)
    assert wide <= max(s.page_width - s.left_margin - s.right_margin for s in document.sections) + 2000
    with zipfile.ZipFile(tmp_path / "a.docx") as archive:
        xml = archive.read("word/document.xml").decode()
    assert "宋体" in xml


def test_latex_is_one_document_with_every_table(paper, tmp_path):
    paper.to_latex(tmp_path / "a.tex")
    text = (tmp_path / "a.tex").read_text(encoding="utf-8")
    assert text.startswith(
        "\\documentclass[UTF8,11pt]{ctexart}" if paper.lang == "zh" else "\\documentclass[11pt]{article}"
    )
    assert text.count(r"\begin{adjustbox}") + text.count(r"\begin{longtable}") == 12
    tall = paper.tables["heterogeneity"]  # in its own size, over pages
    assert len(tall.rows) > 45 and text.count(r"\begin{longtable}") == 1
    assert text.count(r"\begin{") == text.count(r"\end{")
    rho = paper.tables["baseline"].frame.loc[("Spatial" if paper.lang == "en" else "空间参数", "ρ")]
    assert rho.iloc[-1].rstrip("*") in text
    shown = re.findall(r"\{(a-figures/[\w.]+)\}", text)
    assert len(shown) == 4
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in shown)


def test_save_writes_everything_and_the_same_bytes_again(panel, w, papers, tmp_path):
    papers["zh"].save(tmp_path / "one")
    make(panel, w, "zh").save(tmp_path / "two")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert len(files) == 3 + 4 + 12
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    back = pd.read_csv(io.BytesIO((tmp_path / "one/tables/02-moran.csv").read_bytes()), index_col=0)
    np.testing.assert_allclose(back["I"], papers["zh"].frames["moran"]["I"], rtol=1e-15)


def test_it_shows_itself(paper):
    assert "Table 1. " in paper._repr_html_() or "表1 " in paper._repr_html_()
    assert "<h1" not in paper._repr_html_() and "<h4>" in paper._repr_html_()
    assert repr(paper).splitlines()[0] == paper.title
    frame = paper.frames["moran"]
    frame.iloc[0, 0] = 99.0
    assert paper.frames["moran"].iloc[0, 0] != 99.0
