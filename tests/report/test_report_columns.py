"""Columns of other kinds: effects at horizons, posteriors, shares of a combined W; LaTeX over several pages."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import nqpf_spatial as nq

FORMULA = "y ~ x + z | unit + period"
EFFECTS = ("direct", "indirect", "total")


@pytest.fixture(scope="module")
def world():
    w = nq.weights.contiguity()
    return w, nq.simulate("SDM", w, T=8, params={"x": 1.0, "z": -0.5, "W:x": 0.5, "rho": 0.4}, seed=1)


@pytest.fixture(scope="module")
def static(world):
    return nq.sdm(FORMULA, world[1], world[0])


@pytest.fixture(scope="module")
def dynamic(world):
    return nq.sdm(FORMULA, world[1], world[0], dynamic="both")


@pytest.fixture(scope="module")
def combined(world):
    w, data = world
    return nq.sdm(FORMULA, data, {"near": w, "far": nq.weights.inverse_distance(power=2)}, combine=True)


# -- horizons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizons", [(0, 2, "long"), (0, "long"), (1, 2)])
def test_horizons_stand_side_by_side(dynamic, horizons):
    found = {str(h): dynamic.impacts(horizon=h) for h in horizons}
    made = nq.compare(found, show="impacts")
    assert list(made.frame.index.unique("block")) == list(EFFECTS)
    for name, imp in found.items():
        for effect in EFFECTS:
            column = made.frame.loc[effect][name]
            np.testing.assert_array_equal(column.loc[imp.table.index], imp.table[effect])
    note = next(line for line in made.table.notes if line.startswith("Horizon of the effects"))
    assert all(imp.when() in note for imp in found.values())


def test_a_horizon_beside_a_static_model_and_in_chinese(dynamic, static):
    imp = dynamic.impacts(horizon=3, cumulative=True)
    made = nq.compare({"s": static, "d": imp}, show="impacts", lang="zh")
    assert list(made.frame.index.unique("block")) == list(EFFECTS)
    assert made.frame.loc[("total", "x"), ("d", "se")] == imp.table.loc["x", ("total", "se")]
    assert "效应的时点：3 期累积（d）。" in made.table.notes


def test_both_runs_of_a_fit_keep_their_blocks_beside_a_horizon(dynamic):
    made = nq.compare({"both": dynamic.impacts(), "2": dynamic.impacts(horizon=2)}, show="impacts").frame
    assert {"short total", "long total", "total"} <= set(made.index.unique("block"))


# -- posteriors ----------------------------------------------------------------------------------------------------


def test_a_posterior_is_a_column(static):
    post = static.posterior(draws=500, seed=3)
    made = nq.compare({"ML": static, "post": post}, show="both")
    summary, rows = post.summary(), made.frame["post"].droplevel("block")
    for term in [*static.params.index, "sigma2"]:
        wanted = summary.loc[term, ["mean", "sd", "lower", "upper"]]
        np.testing.assert_array_equal(_first(rows.loc[term]), wanted)
    imp = post.impacts().table
    for effect in EFFECTS:
        np.testing.assert_array_equal(made.frame.loc[effect]["post"].loc[imp.index], imp[effect])
    main = made.frame.loc["Main"]["post"]
    p = post.summary().loc[["x", "z"], "p_positive"]
    np.testing.assert_allclose(main.loc[["x", "z"], "p"], 2 * np.minimum(p, 1 - p), atol=1e-12)
    assert made.statistics.loc["llf", "ML"] == static.llf and pd.isna(made.statistics.loc["llf", "post"])
    assert f"{post.log_marginal:.2f}" in made.to_text() and "flat prior, 500 samples (post)" in made.to_text()
    assert "Covariance: observed information (ML)." in made.table.notes
    with pytest.raises(ValueError, match="post have no likelihood"):
        made.rank()


def _first(rows):
    """The row of the coefficient; effects of a regressor have its name too."""
    row = rows.iloc[0] if rows.ndim > 1 else rows
    return row[["estimate", "se", "lower", "upper"]]


def test_the_table_of_a_posterior(static):
    post = static.posterior(draws=500)
    text = nq.report.table(post, lang="zh").to_text()
    assert "后验均值与后验标准差" in text and f"{post.summary().loc['x', 'mean']:.4f}" in text
    effects = nq.compare({"p": post}, show="impacts").frame
    assert set(effects.index.unique("block")) == set(EFFECTS)


# -- shares --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("brackets", ["se", "t", "p", "ci"])
def test_shares_have_neither_stars_nor_tests(combined, static, brackets):
    made = nq.compare({"c": combined, "s": static}, brackets=brackets, stars={"*": 0.999999})
    rows = list(made.table.rows)
    at = [i for i, row in enumerate(rows) if row.label.startswith("share of")]
    assert len(at) == 2
    for i in at:
        assert rows[i].cells[0].stars == "" and rows[i].cells[0].text == f"{combined.params[_term(rows[i])]:.4f}"
        below = rows[i + 1] if rows[i + 1].label == "" else None
        assert (below is not None) == (brackets == "se" and bool(np.isfinite(combined.bse[_term(rows[i])])))
    rho = next(row for row in rows if row.label == "ρ")
    assert rho.cells[0].stars == "*"
    assert any(note.startswith("Shares of W have no stars") for note in made.table.notes)
    assert np.isfinite(made.frame.loc[("Spatial", "rho"), ("c", "p")])


def _term(row):
    return "share:" + row.label.removeprefix("share of ")


def test_shares_in_the_table_of_one_fit(combined):
    made = nq.report.table(combined, stars=True)
    cells = next(row for row in made.rows if row.label == "share of near").cells
    assert [c.text for c in cells[2:]] == [""] * 4 and cells[0].stars == ""
    plain = nq.compare({"c": combined}, show="impacts")
    assert not any("Shares of W" in note for note in plain.table.notes)


# -- LaTeX over several pages --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long():
    pytest.importorskip("maketables")
    index = pd.MultiIndex.from_product([["A", "B"], [f"r_{i}" for i in range(60)]])
    return nq.report.table(pd.DataFrame({"u %": range(120), "v": range(120)}, index=index), notes=["a & b"])


def test_longtable_repeats_its_heads(long, static):
    made = long.to_latex(caption="x_1", label="tab:x", longtable=True)
    assert made.count(r"u \% & v") == 2 and made.count(r"\caption") == 2
    order = [r"\caption{x\_1}\label{tab:x}", r"\endfirsthead", r"\caption[]{x\_1 (continued)}", r"\endhead",
             "continued on the next page", r"\endfoot", r"\endlastfoot", "r\\_0 ", "r\\_59 ", r"\end{longtable}", r"a \& b"]  # fmt: skip
    places = [made.index(part) for part in order]
    assert places == sorted(places)
    assert r"\begin{table}" not in made and "tabular" not in made and "threeparttable" not in made
    body = made.partition(r"\endlastfoot")[2].partition(r"\end{longtable}")[0]
    plain = re.search(r"\\midrule\n(.*?)\\bottomrule", long.to_latex(), re.S)[1]
    assert body.replace("\\\\*", "\\\\").strip() == plain.strip()
    both = nq.compare({"a": static}).to_latex(longtable=True)
    assert r"\emph{Main} \\*" in both and re.search(r"^x & .*\\\\\*$", both, re.M)
    assert "续表" in nq.compare({"a": static}, lang="zh").to_latex(caption="模型", longtable=True)
    with pytest.raises(ValueError, match="caption= only"):
        long.to_latex(label="tab:x", longtable=True)
    assert long.to_latex() == long.to_latex(longtable=False)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_longtable_compiles(long, tmp_path):
    packages = "booktabs,threeparttable,makecell,longtable"
    text = long.to_latex(caption="x", longtable=True)
    page = f"\\documentclass{{article}}\\usepackage{{{packages}}}\\begin{{document}}{text}\\end{{document}}"
    (tmp_path / "t.tex").write_text(page, encoding="utf-8")
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=tmp_path, capture_output=True,
                          text=True)  # fmt: skip
    if "not found" in done.stdout:
        pytest.skip("packages of LaTeX are missing")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "(3 pages" in done.stdout or "(4 pages" in done.stdout
