"""Three new users from their files to a table: one of Stata, one of R, a student with exports of the NBS database.

All figures are invented or simulated; only the layouts of the files are real.
"""

import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import nqpf_spatial as nq
from nqpf_spatial import cli
from nqpf_spatial.errors import AlignmentError, DataSourceError, PanelError

TRUE = {"x1": 1.0, "x2": -0.5, "W:x1": 0.5, "rho": 0.4}


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()
    return lambda *arguments: runner.invoke(cli.app, [str(a) for a in arguments])


def check_estimates(fit, data, a, names):
    """The slopes solve the normal equations at the estimated rho, the effects are those of (I - rho W)^-1.

    `data` is indexed by (unit, period) in the order of the rows of `a`; fixed effects of both kinds.
    """
    n = len(a)

    def within(column):
        m = column.unstack().to_numpy() if isinstance(column, pd.Series) else column
        return (m - m.mean(axis=0) - m.mean(axis=1)[:, None] + m.mean()).ravel()

    wide = {name: data[name].unstack().reindex(data.index.unique(level=0)).to_numpy() for name in data}
    y, *xs = (wide[name] for name in names)
    columns = np.column_stack([*(within(x) for x in xs), *(within(a @ x) for x in xs)])
    slopes = np.linalg.lstsq(columns, within(y) - fit.rho * within(a @ y), rcond=None)[0]
    terms = [*names[1:], *(f"W:{x}" for x in names[1:])]
    np.testing.assert_allclose(fit.params[terms], slopes, rtol=1e-8, atol=1e-10)
    inverse = np.linalg.inv(np.eye(n) - fit.rho * a)
    table = fit.impacts().table
    for x in names[1:]:
        s = inverse @ (fit.params[x] * np.eye(n) + fit.params[f"W:{x}"] * a)
        direct, total = np.trace(s) / n, s.sum() / n
        found = table.loc[x].xs("estimate", level=-1)
        np.testing.assert_allclose(found[["direct", "indirect", "total"]], [direct, total - direct, total], rtol=1e-9)


def labelled_lattice(labels):
    """A 4 x 5 lattice of named units, standardised by rows."""
    return nq.weights.from_any(nq.weights.lattice(4, 5, transform="none").dense(), ids=labels)


# ---- a user of Stata ---------------------------------------------------------------------------------------------


@pytest.fixture
def stata(tmp_path):
    """Panel with a labelled numeric id (`encode city, gen(id)`), and W as spatwmat saves it: w1 ... w20, no labels."""
    labels = [f"City {k:02d}" for k in np.random.default_rng(7).permutation(20) + 1]
    w = labelled_lattice(labels)
    data = nq.simulate("SDM", w, T=6, params=TRUE, seed=5)
    flat = data.reset_index().sample(frac=1, random_state=1).assign(period=lambda f: f["period"] + 2014)
    flat = flat.assign(id=pd.Categorical(flat["unit"])).drop(columns="unit").rename(columns={"period": "year"})
    flat.to_stata(tmp_path / "panel.dta", write_index=False)
    binary = w.with_transform("none").to_frame().loc[labels, labels].to_numpy()
    pd.DataFrame(binary, columns=[f"w{k}" for k in range(1, 21)]).to_stata(tmp_path / "W.dta", write_index=False)
    (tmp_path / "ids.txt").write_text("\n".join(labels), encoding="utf-8")
    return tmp_path, labels, binary / binary.sum(axis=1, keepdims=True)


FORMULA = "y ~ x1 + x2 | id + year"


def test_a_user_of_stata(stata, run):
    folder, labels, a = stata
    panel = nq.data.read_table(folder / "panel.dta", unit="id", time="year", provinces="allow")
    assert panel.index.names == ["id", "year"] and len(panel) == 120
    w = nq.weights.read(folder / "W.dta", ids=folder / "ids.txt")
    assert sorted(w.ids) == sorted(labels)
    fit = nq.sdm(FORMULA, panel, w)
    ordered = panel.loc[[(u, t) for u in labels for t in range(2015, 2021)]]
    check_estimates(fit, ordered, a, ["y", "x1", "x2"])
    assert "City 01" in str(fit.fixed_effects()["id"].index.tolist())
    other = nq.sar(FORMULA, panel, w)
    shown = nq.compare({"SDM": fit, "SAR": other}).to_text()
    assert f"{fit.rho:.4f}" in shown and f"{other.rho:.4f}" in shown

    done = run("fit", FORMULA, "--data", folder / "panel.dta", "--unit", "id", "--weights", folder / "W.dta",
               "--ids", folder / "ids.txt", "--model", "SDM", "--model", "SAR", "--diagnose")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert f"{fit.rho:.4f}" in done.output and f"{other.rho:.4f}" in done.output


def test_what_a_user_of_stata_gets_wrong(stata, run):
    folder, labels, _ = stata
    with pytest.raises(AlignmentError, match=r"W\.dta carries no labels: give ids="):
        nq.weights.read(folder / "W.dta")
    with pytest.raises(AlignmentError, match="20"):
        nq.weights.read(folder / "W.dta", ids=labels[:-1])
    with pytest.raises(DataSourceError, match="provinces='allow' takes units of any kind"):
        nq.data.read_table(folder / "panel.dta", unit="id", time="year")
    with pytest.raises(DataSourceError, match=r"has no column province; it has .*id.*unit, time"):
        nq.data.read_table(folder / "panel.dta")
    panel = nq.data.read_table(folder / "panel.dta", unit="id", time="year", provinces="allow")
    numbered = nq.weights.read(folder / "W.dta", ids=range(1, 21))  # the codes behind the value labels
    with pytest.raises(AlignmentError, match=r"Only in the panel: City .*Only in W: 1, 2"):
        nq.sdm(FORMULA, panel, numbered)
    w = nq.weights.read(folder / "W.dta", ids=folder / "ids.txt")
    with pytest.raises(PanelError, match="'id', 'year'"):
        nq.sdm("y ~ x1 | city + year", panel, w)
    done = run("fit", FORMULA, "--data", folder / "panel.dta", "--unit", "id", "--weights", folder / "W.dta")
    assert done.exit_code == 2 and "carries no labels: give ids=" in done.output
    done = run("fit", FORMULA, "--data", folder / "panel.dta", "--weights", folder / "W.dta")
    assert done.exit_code == 2 and "has no column province; it has" in done.output


# ---- a user of R -------------------------------------------------------------------------------------------------


@pytest.fixture
def r_files(tmp_path):
    """A csv of write.csv(row.names = FALSE) and a gal of spdep's write.nb.gal, whose regions come in another order."""
    labels = [f"R{k:02d}" for k in np.random.default_rng(8).permutation(20)]
    w = labelled_lattice(labels)
    data = nq.simulate("SDM", w, T=6, params=TRUE, seed=6)
    flat = data.reset_index().rename(columns={"unit": "region", "period": "year"}).sample(frac=1, random_state=2)
    flat.to_csv(tmp_path / "panel.csv", index=False, quoting=2)
    links = w.with_transform("none").to_frame()
    lines = ["0 20 regions region"]
    for unit in sorted(labels, reverse=True):
        near = [u for u in sorted(labels) if links.loc[unit, u] > 0]
        lines += [f"{unit} {len(near)}", " ".join(near)]
    (tmp_path / "regions.gal").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path, labels, w.to_frame().loc[labels, labels].to_numpy(), flat


def test_a_user_of_r(r_files, run):
    folder, labels, a, _ = r_files
    panel = nq.data.read_table(folder / "panel.csv", unit="region", provinces="allow")
    w = nq.weights.read(folder / "regions.gal")
    np.testing.assert_allclose(w.to_frame().loc[labels, labels], a, rtol=0, atol=1e-15)
    formula = "y ~ x1 + x2 | region + year"
    fit = nq.sdm(formula, panel, w)
    check_estimates(fit, panel.loc[[(u, t) for u in labels for t in range(1, 7)]], a, ["y", "x1", "x2"])
    table = nq.compare([fit, nq.ols(formula, panel)])
    assert f"{fit.rho:.4f}" in table.to_text() and "tabular" in table.to_latex()
    out = folder / "table.tex"
    done = run("fit", formula, "--data", folder / "panel.csv", "--unit", "region", "--weights",
               folder / "regions.gal", "--out", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    for text in (done.output, out.read_text(encoding="utf-8").replace("$", "")):
        assert f"{fit.rho:.4f}" in text
        assert f"{fit.impacts().table.loc['x1', ('total', 'estimate')]:.4f}" in text


def test_what_a_user_of_r_gets_wrong(r_files, run):
    folder, _, _, flat = r_files
    flat.reset_index(drop=True).to_csv(folder / "rows.csv")
    with pytest.raises(DataSourceError, match=r"no heading.*row\.names = FALSE"):
        nq.data.read_table(folder / "rows.csv", unit="region", provinces="allow")
    gaps = flat.reset_index(drop=True)
    place = f"{gaps.loc[3, 'region']} {gaps.loc[3, 'year']}"
    gaps.loc[3, "x1"] = np.nan
    gaps.to_csv(folder / "na.csv", index=False, na_rep="NA")
    with pytest.raises(DataSourceError, match=rf'x1 is no number in {place}: \'NA\'.*empty cell, in R .*na = ""'):
        nq.data.read_table(folder / "na.csv", unit="region", provinces="allow")
    gaps.to_csv(folder / "na.csv", index=False)
    panel = nq.data.read_table(folder / "na.csv", unit="region", provinces="allow")
    w = nq.weights.read(folder / "regions.gal")
    with pytest.raises(PanelError, match=place.split()[0]):
        nq.sdm("y ~ x1 + x2 | region + year", panel, w)
    text = (folder / "regions.gal").read_text(encoding="utf-8")
    (folder / "short.gal").write_text(text.replace("0 20 ", "0 21 "), encoding="utf-8")
    done = run("fit", "y ~ x1 | region + year", "--data", folder / "panel.csv", "--unit", "region", "--weights",
               folder / "short.gal")  # fmt: skip
    assert done.exit_code == 2 and "the first line says 21 units, the file has 20" in done.output
    done = run("fit", "y ~ x1 | region + year", "--data", folder / "panel.csv", "--unit", "region")
    assert done.exit_code == 2 and "Only in W" in done.output  # provinces by default


# ---- a student with exports of the NBS database ------------------------------------------------------------------


YEARS = range(2015, 2021)


def nbs_export(indicator, values, order, encoding, path):
    """The layout of the site: heading lines, provinces by years with the last year first, notes."""
    lines = ["数据库：分省年度数据", f"指标：{indicator}", "时间：最近6年"]
    lines.append(",".join(["地区", *(f"{t}年" for t in reversed(YEARS))]))
    for place in order:
        lines.append(",".join([place, *(repr(float(values[place, t])) for t in reversed(YEARS))]))
    lines += ["注：测试用数据，不是真实数字。", "数据来源：国家统计局"]
    path.write_bytes("\r\n".join(lines).encode(encoding))


@pytest.fixture
def student(tmp_path):
    """Two exports in GBK, provinces under their full names in two orders, and what is in them."""
    w = nq.weights.contiguity(names="zh")
    data = nq.simulate("SDM", w, T=6, params={"x": 0.6, "W:x": 0.2, "rho": 0.4}, seed=9)
    level = np.exp(data * 0.2 + 8)
    full = {unit: nq.provinces.resolve(unit) for unit in w.ids}
    names = {
        unit: {"北京": "北京市", "内蒙古": "内蒙古自治区", "陕西": "陕西省", "山西": "山西省"}.get(unit, unit)
        for unit in full
    }
    rng = np.random.default_rng(1)
    for column, indicator, file in (("y", "人均示例产值(元)", "a.csv"), ("x", "示例研发经费(亿元)", "b.csv")):
        values = {(names[u], t): level.loc[(u, k + 1), column] for u in w.ids for k, t in enumerate(YEARS)}
        nbs_export(indicator, values, rng.permutation([names[u] for u in w.ids]), "gbk", tmp_path / file)
    return tmp_path, np.log(level), w


STUDENT = "np.log(人均示例产值) ~ np.log(示例研发经费) | province + year"


def test_a_student_with_chinese_exports(student, run):
    folder, logs, w = student
    panel = nq.data.combine([nq.data.read_nbs(folder / file, names="zh") for file in ("a.csv", "b.csv")])
    assert panel.attrs["units"] == {"人均示例产值": "元", "示例研发经费": "亿元"}
    fit = nq.sdm(STUDENT, panel, w)
    named = logs.set_axis(["np.log(人均示例产值)", "np.log(示例研发经费)"], axis=1)
    check_estimates(fit, named.loc[[(u, k) for u in w.ids for k in range(1, 7)]], w.dense(), list(named))
    assert nq.sdm(STUDENT, panel, nq.weights.contiguity()).rho == fit.rho  # W under English names
    assert "空间" in str(fit.diagnose().with_lang("zh"))
    table = nq.report.table(fit, lang="zh").to_text()
    assert f"{fit.rho:.4f}" in table and "空间参数" in table

    panel.reset_index().rename(columns={"province": "地区", "year": "年份"}).to_csv(
        folder / "panel.csv", index=False, encoding="gbk"
    )
    out = folder / "表.docx"
    formula = STUDENT.replace("province + year", "地区 + 年份")
    done = run("fit", formula, "--data", folder / "panel.csv", "--unit", "地区", "--time", "年份", "--lang", "zh",
               "--out", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert f"{fit.rho:.4f}" in done.output and "空间参数" in done.output
    assert out.stat().st_size > 1000


def test_what_a_student_gets_wrong(student, run):
    folder, _, _ = student
    frames = [nq.data.read_nbs(folder / file) for file in ("a.csv", "b.csv")]
    with pytest.raises(DataSourceError, match=r"a\.csv"):
        nq.data.read_nbs(folder / "a.csv", encoding="utf-8")
    text = (folder / "a.csv").read_bytes().decode("gbk")
    (folder / "country.csv").write_bytes(text.replace("注：", "全国,1,1,1,1,1,1\n注：", 1).encode("gbk"))
    with pytest.raises(DataSourceError, match=r"country\.csv, row \d+: .*全国"):
        nq.data.read_nbs(folder / "country.csv")
    (folder / "cell.csv").write_bytes(re.sub(r"(山西省),[\d.]+", r"\1,…", text).encode("gbk"))
    with pytest.raises(DataSourceError, match=r"'…' is not a number \(山西省, .*2020\)"):
        nq.data.read_nbs(folder / "cell.csv")
    with pytest.raises(DataSourceError, match="two values"):
        nq.data.combine([frames[0], frames[0] * 2])
    panel = nq.data.combine(frames)
    w = nq.weights.contiguity()
    with pytest.raises(PanelError, match="index has 'province', 'year'"):
        nq.sdm(STUDENT.replace("province + year", "地区 + 年份"), panel, w)
    with pytest.raises(AlignmentError, match=r"Only in W: .*w\.subset"):
        nq.sdm(STUDENT, panel.drop(index="Tibet", level=0), w)
    done = run("fit", STUDENT, "--data", folder / "a.csv")  # the export itself is no table
    assert done.exit_code == 2 and "a.csv" in done.output
