"""Sweeps: every row is the fit somebody would have made by hand, whatever computed it; nothing is lost on the way."""

import threading
import warnings
from itertools import product

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import nqpf_spatial as nq
from nqpf_spatial.models import parallel
from nqpf_spatial.models.sweep.choices import write_formula
from nqpf_spatial.models.sweep.curve import _limits

FORMULA = "y ~ x + z | unit + period"
NUMBERS = ["estimate", "se", "z", "p", "lower", "upper"]


@pytest.fixture(scope="module")
def world():
    w, other = nq.weights.contiguity(), nq.weights.knn(k=4)
    data = nq.simulate("SDM", w, T=7, params={"x": 1.0, "z": -0.5, "W:x": 0.5, "rho": 0.4}, seed=1)
    rng = np.random.default_rng(4)
    data = data.assign(v=data["x"] + 0.3 * rng.normal(size=len(data)), c=rng.normal(size=len(data)))
    data["q"] = data["y"] + 0.1 * data["c"]
    data["constant"] = 1.0
    return w, other, data


def same(rows, fit, terms, alpha=0.05):
    """Rows of one specification are the impacts of a fit."""
    table = fit.impacts(alpha=alpha).table
    assert len(rows) == 3 * len(terms) == 3 * len(table)
    for (slot, variable), effect in product(terms.items(), ("direct", "indirect", "total")):
        got = rows[(rows["term"] == slot) & (rows["effect"] == effect)]
        assert len(got) == 1
        np.testing.assert_array_equal(got[NUMBERS].to_numpy()[0], table.loc[variable, effect][NUMBERS].to_numpy())
    assert (rows["llf"] == fit.llf).all()
    assert (rows["n"] == fit.n_effective).all()
    assert (rows["nobs"] == fit.nobs).all()


# -- numbers -------------------------------------------------------------------------------------------------------


def test_every_combination_is_the_fit_made_by_hand(world):
    w, other, data = world
    found = nq.sweep(
        FORMULA, data, [w, other], ["SDM", "SEM"], years=[(1, 7), (2, 6)], outcomes=["q"], swap={"x": ["v"]}, add=["c"],
        fixed=["unit"],
    )  # fmt: skip
    effects, windows = ("unit + period", "unit"), ((1, 7), (2, 6))
    loops = product("yq", "xv", ("", "c"), effects, windows, ("SDM", "SEM"), (w, other))
    number = -1
    for number, (outcome, x, add, fixed, years, model, weights) in enumerate(loops):
        formula = f"{outcome} ~ {x} + z{' + c' if add else ''} | {fixed}"
        fit = nq.fit(formula, data, weights, model=model, years=years)
        rows = found.table[found.table["spec"] == number]
        same(rows, fit, {"x": x, "z": "z", **({"c": "c"} if add else {})})
        first = rows.iloc[0]
        assert first["model"] == model
        assert first["w"] == weights.name
        assert first["swap: x"] == x
        assert first["outcome"] == outcome
        assert first["years"] == f"{years[0]}-{years[1]}"
    assert len(found.specs) == number + 1 == 128
    assert found.failures.empty


def test_units_left_out_are_cut_from_data_and_weights(world):
    w, _, data = world
    found = nq.sweep(FORMULA, data, w, drop={"two": ["西藏", "Qinghai"], "one": "Beijing"})
    gone = {"none": [], "two": ["Tibet", "Qinghai"], "one": ["Beijing"]}
    for number, name in enumerate(gone):
        keep = [u for u in w.ids if u not in gone[name]]
        part = data[~data.index.get_level_values(0).isin(gone[name])]
        fit = nq.sdm(FORMULA, part, w.subset(keep))
        assert fit.nobs == 7 * len(keep)
        same(found.table[found.table["spec"] == number], fit, {"x": "x", "z": "z"})
        assert found.specifications.loc[number, "drop"] == name


def test_each_unit_in_turn(world):
    data = world[2]
    found = nq.sweep(FORMULA, data, nq.weights.knn(k=4), "SAR", drop="each")
    assert len(found.specs) == 32
    assert found.specifications["drop"].tolist() == ["none", *map(str, data.index.get_level_values(0).unique())]
    assert found.table["nobs"].value_counts().to_dict() == {210.0: 31 * 6, 217.0: 6}


def test_covariances_share_their_estimate(world):
    w, _, data = world
    fit = nq.sdm(FORMULA, data, w, correction="none")
    kinds = {"observed": "observed", "expected": ("expected", {}), "sandwich": "sandwich"}
    found = nq.sweep(FORMULA, data, w, vcov=kinds, corrections="none")
    for number, kind in enumerate(kinds):
        same(found.table[found.table["spec"] == number], fit.with_vcov(kind), {"x": "x", "z": "z"})
    by_list = nq.sweep(FORMULA, data, w, vcov=list(kinds), corrections=["none"])
    pd.testing.assert_frame_equal(by_list.table, found.table)


def test_options_of_fit_and_of_covariances(world):
    w, _, data = world
    found = nq.sweep(FORMULA, data, w, swap={"x": ["v"]}, durbin=["x"], alpha=0.1)
    for number, x in enumerate("xv"):
        fit = nq.sdm(f"y ~ {x} + z | unit + period", data, w, durbin=[x])
        same(found.table[found.table["spec"] == number], fit, {"x": x, "z": "z"}, alpha=0.1)
    random = nq.sweep("y ~ x + z | period", data, w, effects="mundlak")
    same(random.table, nq.fit("y ~ x + z | period", data, w, effects="mundlak"), {"x": "x", "z": "z"})


def test_short_and_long_run_of_dynamic_models(world):
    w, _, data = world
    found = nq.sweep(FORMULA, data, w, dynamic="lag_y")
    imp = nq.sdm(FORMULA, data, w, dynamic="lag_y").impacts()
    assert found.of("x", "short total")["estimate"].tolist() == [imp.short.table.loc["x", ("total", "estimate")]]
    assert found.of("x", "long total")["se"].tolist() == [imp.long.table.loc["x", ("total", "se")]]


def test_transformed_and_interacted_regressors(world):
    w, _, data = world
    found = nq.sweep("y ~ x + I(x**2) + x:z | unit + period", data, w, swap={"x": ["v"]})
    assert list(dict.fromkeys(found.table["term"])) == ["x", "z"]
    fit = nq.sdm("y ~ v + I(v**2) + v:z | unit + period", data, w)
    same(found.table[found.table["spec"] == 1], fit, {"x": "v", "z": "z"})
    assert write_formula("y ~ x + log(x1) + x:z | a", "y", {"x": "k"}, "", "") == "y ~ k + log(x1) + k:z"


def test_what_a_model_does_not_have_makes_no_second_specification(world):
    w, other, data = world
    found = nq.sweep(FORMULA, data, [w, other], ["OLS", "SAR"], fixed=[""], corrections=["transform", "none"])
    shown = found.specifications
    assert shown.loc[shown["model"] == "OLS", "w"].unique().tolist() == ["none"]
    assert shown.loc[shown["fixed"] == "none", "correction"].unique().tolist() == ["not needed"]
    # fixed effects: (1 + 2) W, each with two corrections; pooled: (1 + 2) W
    assert len(found.specs) == 9
    assert not shown.duplicated(found._choices).any()


# -- the same whatever computes it ---------------------------------------------------------------------------------


def choices(world):
    w, other, data = world
    return {
        "formula": FORMULA, "data": data, "weights": {"a": w, "b": other}, "models": ["SDM", "SAR"], "swap": {"x": ["v", "constant"]},
        "drop": ["Guangdong"], "vcov": ["observed", "cluster"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def sequential(world):
    return nq.sweep(**choices(world))


def test_processes_give_the_same_bits(world, sequential):
    found = nq.sweep(**choices(world), n_jobs=2)
    assert found.table.to_csv() == sequential.table.to_csv()


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_threads_give_the_same_bits(world, sequential, n_jobs):
    with joblib.parallel_config(backend="threading", n_jobs=n_jobs):
        found = nq.sweep(**choices(world))
    assert found.table.to_csv() == sequential.table.to_csv()


def test_dask_gives_the_same_bits(world, sequential):
    distributed = pytest.importorskip("distributed")
    client = distributed.Client(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None)
    with client, joblib.parallel_config(backend="dask"):
        found = nq.sweep(**choices(world))
    assert found.table.to_csv() == sequential.table.to_csv()


def threads(_):
    """Numbers of threads of the linear algebra a task runs with."""
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


def test_linear_algebra_has_one_thread_inside_a_task_and_its_own_number_after():
    with threadpool_limits(2, "blas"):
        if threads(0) != {2}:
            pytest.skip("this BLAS has one thread only")
        assert parallel.run(threads, [0, 1]) == [{1}, {1}]
        with joblib.parallel_config(backend="threading", n_jobs=2):
            assert parallel.run(threads, [0, 1]) == [{1}, {1}]
        with parallel.collected():  # as in a worker of another process
            assert threads(0) == {1}
        assert threads(0) == {2}


def test_order_of_rows_and_units_does_not_matter(world, sequential):
    options = choices(world)
    options["data"] = options["data"].sample(frac=1.0, random_state=3)
    w = options["weights"]["a"]
    options["weights"] = {"a": w.reorder(list(reversed(w.ids))), "b": options["weights"]["b"]}
    assert nq.sweep(**options).table.to_csv() == sequential.table.to_csv()


# -- nothing is lost -----------------------------------------------------------------------------------------------


def test_failures_are_rows_with_their_message(world, sequential):
    failed = sequential.failures
    islands = (failed["drop"] == "Guangdong") & (failed["w"] == "a")
    assert failed.loc[islands, "message"].str.contains("AlignmentError.*Hainan").all()
    assert failed.loc[~islands, "message"].str.contains("IdentificationError: absorbed by the").all()
    assert set(failed.loc[~islands, "swap: x"]) == {"constant"}
    assert len(failed) == 48 / 3 + 48 / 4 - 48 / 12
    rows = sequential.table[sequential.table["message"] != ""]
    assert rows["spec"].tolist() == failed.index.tolist()
    assert rows[NUMBERS].isna().all(axis=None)
    assert (rows["term"] == "").all()
    assert sequential.summary()["failed"].tolist() == [len(failed)] * 6
    assert f"{len(failed)} failed, see .failures" in repr(sequential)
    assert sequential.specifications.index.tolist() == list(range(len(sequential.specs)))


def test_islands_that_leaving_out_makes_are_failures(world):
    w, other, data = world
    found = nq.sweep(FORMULA, data, {"queen": w, "knn": other}, drop=["Guangdong"])
    failed = found.failures
    assert failed[["w", "drop"]].to_numpy().tolist() == [["queen", "Guangdong"]]
    assert "Hainan" in failed["message"].iloc[0]


def test_if_all_fail_the_first_message_is_the_error(world):
    w, _, data = world
    with pytest.raises(ValueError, match="all 2 specifications failed; the first with: IdentificationError: absorbed"):
        nq.sweep("y ~ constant | unit + period", data, [w], ["SDM", "SAR"])


def test_defects_of_the_program_are_not_failures(world, monkeypatch):
    from nqpf_spatial.models.sweep import run as module

    def broken(*args, **options):
        raise TypeError("a defect")

    monkeypatch.setattr(module, "fit_model", broken)
    with pytest.raises(TypeError, match="a defect"):
        nq.sweep(FORMULA, world[2], world[0])


def test_warnings_stand_beside_their_specification(sequential):
    warned = sequential.warned
    clustered = sequential.specifications
    clustered = clustered[(clustered["vcov"] == "cluster") & (clustered["message"] == "")]
    assert warned.index.tolist() == clustered.index.tolist()
    assert warned["warning"].str.startswith("FewClustersWarning: ").all()
    assert f"{len(warned)} warned, see .warned" in repr(sequential)


def test_settings_of_the_process_are_put_back(world):
    before = (
        warnings.showwarning,
        list(warnings.filters),
        [(i["filepath"], i["num_threads"]) for i in threadpool_info()],
    )
    nq.sweep(FORMULA, world[2], world[0], vcov=["cluster"])
    after = (
        warnings.showwarning,
        list(warnings.filters),
        [(i["filepath"], i["num_threads"]) for i in threadpool_info()],
    )
    assert before == after


def test_warnings_of_other_threads_take_their_usual_way():
    with parallel.session():
        seen = []
        parallel._SETTINGS.show, kept = (
            lambda message, *rest, **named: seen.append(str(message)),
            parallel._SETTINGS.show,
        )
        try:
            with parallel.collected() as told:
                other = threading.Thread(target=lambda: warnings.warn("from outside", stacklevel=1))
                other.start()
                other.join()
                warnings.warn("from inside", stacklevel=1)
        finally:
            parallel._SETTINGS.show = kept
    assert told == [("UserWarning", "from inside")]
    assert seen == ["from outside"]


def test_no_output_unless_asked(world, capfd):
    nq.sweep(FORMULA, world[2], world[0])
    assert capfd.readouterr() == ("", "")
    nq.sweep(FORMULA, world[2], world[0], progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "sweep" in err
    assert "1/1" in err


# -- what it says --------------------------------------------------------------------------------------------------


def test_the_summary_counts(world):
    w, other, data = world
    found = nq.sweep(FORMULA, data, [w, other], ["SDM", "SEM", "OLS"], years=[(1, 7), (1, 4)])
    row = found.summary().loc[("z", "indirect")]
    part = found.of("z", "indirect")
    value = part.loc[part["model"] == "SDM"]
    assert row["specifications"] == len(value) == 4
    assert row["absent"] == 6
    assert row["failed"] == 0
    assert row["base"] == part.loc[0, "estimate"]
    assert row["median"] == np.median(value["estimate"])
    assert (row["lowest"], row["highest"]) == (value["estimate"].min(), value["estimate"].max())
    assert row["positive"] == (value["estimate"] > 0).mean()
    assert row["significant"] == (value["p"] < 0.05).mean()
    assert row["negative_significant"] == ((value["p"] < 0.05) & (value["estimate"] < 0)).mean()
    assert row["same_sign"] >= 0.5
    total = found.summary().loc[("x", "total")]
    assert total["specifications"] == 10
    assert total["absent"] == 0
    assert total["positive"] == total["same_sign"] == 1.0


def test_a_specification_can_be_estimated_again(world, sequential):
    for number in (0, 1, len(sequential.specs) - 1):
        spec = sequential.specifications.loc[number]
        if spec["message"]:
            with pytest.raises(ValueError, match=r"absorbed|Hainan"):
                sequential.refit(number)
            continue
        fit = sequential.refit(number)
        assert fit.vcov == spec["vcov"]
        assert fit.llf == spec["llf"]
        assert fit.effects == ("unit", "period")
    with pytest.raises(ValueError, match="numbered 0 to"):
        sequential.refit(10_000)


def test_the_curve_shows_the_rows(world, sequential):
    upper, lower = sequential.plot("x", "total")
    part = sequential.of("x", "total").sort_values("estimate", kind="stable")
    points = next(c for c in upper.collections if len(c.get_offsets()) == len(part))
    np.testing.assert_array_equal(points.get_offsets()[:, 1], part["estimate"])
    bars = next(c for c in upper.collections if len(getattr(c, "get_segments", list)()) == len(part))
    np.testing.assert_array_equal([s[:, 1] for s in bars.get_segments()], part[["lower", "upper"]])
    labels = [t.get_text() for t in lower.get_yticklabels()]
    assert labels == [
        "measure of x", "x", "v", "constant", "left out", "none", "Guangdong", "model", "SDM", "SAR", "W", "a", "b",
        "covariance", "observed", "cluster",
    ]  # fmt: skip
    at = labels.index("SAR")
    marks = next(c for c in lower.collections if c.get_segments() and abs(c.get_segments()[0][:, 1].mean() - at) < 1e-9)
    np.testing.assert_array_equal([s[0, 0] for s in marks.get_segments()], np.flatnonzero(part["model"] == "SAR"))
    assert "failed" in upper.get_title(loc="left")


def test_the_curve_of_ratios_and_in_chinese(world):
    panel, w = nq.load_panel(), nq.weights.contiguity()
    formula = "ln_gdp_real_pc ~ ln_broadband_pc + ln_rd_intensity | province + year"
    found = nq.sweep(
        formula,
        panel,
        w,
        ["SDM", "SAR"],
        years=(2012, 2023),
        swap={"ln_broadband_pc": ["digital_index"]},
        drop=["Tibet"],
    )
    upper, lower = found.plot(lang="zh", statistic="z")
    part = found.of().sort_values("z", kind="stable")
    assert any(
        np.array_equal(c.get_offsets()[:, 1], part["z"]) for c in upper.collections if len(c.get_offsets()) == len(part)
    )
    label = nq.data.codebook("ln_broadband_pc").loc["ln_broadband_pc", "label_zh"]
    assert upper.get_title(loc="left").startswith(f"{label}：总效应")
    labels = [t.get_text() for t in lower.get_yticklabels()]
    assert f"度量：{label}" in labels
    assert "西藏" in labels
    upper.figure.canvas.draw()


def test_a_few_long_intervals_do_not_press_the_others_flat(sequential):
    table = sequential.of("x", "total")
    shown = (
        table[table["estimate"].notna()].iloc[:12].assign(lower=0.1, upper=0.3, estimate=np.linspace(0.15, 0.25, 12))
    )
    _, ax = plt.subplots()
    assert not _limits(ax, shown)
    shown.iloc[-1, [shown.columns.get_loc("lower"), shown.columns.get_loc("upper")]] = -40.0, 60.0
    assert _limits(ax, shown)
    low, high = ax.get_ylim()
    assert low < 0.0 and 0.3 < high < 1.0
    plt.close(ax.figure)


def test_many_values_of_a_choice_are_set_apart_from_the_first(world):
    found = nq.sweep(FORMULA, world[2], nq.weights.knn(k=4), "SAR", drop="each")
    _, lower = found.plot()
    assert [t.get_text() for t in lower.get_yticklabels()] == ["left out", "none", "31 others"]


def test_what_cannot_be_drawn(world):
    found = nq.sweep(FORMULA, world[2], world[0], ["OLS", "SEM"])
    with pytest.raises(ValueError, match="nothing to draw"):
        found.plot("x", "indirect")
    with pytest.raises(ValueError, match="term='k' is in no specification; choose one of x, z"):
        found.plot("k")
    with pytest.raises(ValueError, match="effect='sum'"):
        found.of("x", "sum")
    with pytest.raises(ValueError, match="statistic='t'"):
        found.plot(statistic="t")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"models": ["SDX"]}, "model='SDX'"),
        ({"models": []}, "at least one value"),
        ({"swap": {"k": ["x"]}}, "swap= names k"),
        ({"outcomes": "q"}, "outcomes='q': give a list"),
        ({"drop": ["Atlantis"]}, "drop= names 'Atlantis'"),
        ({"drop": "Tibet"}, "drop='Tibet'"),
        ({"years": [(1, 2, 3)]}, "give windows"),
        ({"vcov": ["robust"]}, "vcov='robust'"),
        ({"vcov": {"a": ("driscoll-kraay", {"lag": 2})}}, "does not take lag"),
        ({"vcov": []}, "vcov= is empty"),
        ({"alpha": 0.0}, r"alpha=0\.0"),
        ({"model": "SDM"}, "model is a choice of the sweep"),
        ({"add": ["x +"]}, "cannot be read"),
    ],
)
def test_choices_that_nothing_could_use(world, options, text):
    with pytest.raises(ValueError, match=text):
        nq.sweep(FORMULA, world[2], world[0], **options)


def test_weights_need_different_names(world):
    with pytest.raises(ValueError, match="different names"):
        nq.sweep(FORMULA, world[2], [world[0], world[0]])
    with pytest.raises(TypeError, match="from_any"):
        nq.sweep(FORMULA, world[2], [np.eye(31)])
    with pytest.raises(TypeError, match="DataFrame"):
        nq.sweep(FORMULA, world[2].to_numpy(), world[0])


def test_the_result_prints_in_a_notebook(sequential):
    html = sequential._repr_html_()
    assert html.count("<table") == 1
    printed = nq.report.table(sequential)
    summary = sequential.summary()
    assert [row.cells[0].value for row in printed.rows] == summary["base"].tolist()
    assert [row.block for row in printed.rows] == ["x"] * 3 + ["z"] * 3
