"""Claims under R-OSSIFY, R-POLAR and R-CLUB in constructed worlds."""

import numpy as np
import pytest

import nqpf_spatial as nq
from nqpf_spatial.claims import load
from nqpf_spatial.claims.evaluate import frozen
from nqpf_spatial.claims.evaluate.annual import annual, measures
from nqpf_spatial.claims.evaluate.criteria import assess
from nqpf_spatial.claims.evaluate.settings import Setting
from nqpf_spatial.claims.evaluate.view import View
from nqpf_spatial.claims.rules import holm
from nqpf_spatial.claims.rules.clauses import raw
from nqpf_spatial.claims.rules.criterion import decide
from nqpf_spatial.divergence.phillips_sul import UnitDependenceWarning

REGISTER = load()
APART, STILL, TOGETHER = 0.05, 0.0, -0.05


def view(claim, ctx, setting=None):
    return View(REGISTER.claim(claim), ctx, setting or Setting())


def outcome(claim, ctx, setting=None):
    return decide(frozen.READINGS[claim].options["build"](view(claim, ctx, setting)), raw)


def word(found):
    return "support" if found.support else "contradict" if found.contradict else "neither"


def club_world(levels, growth, shrink=0.8):
    """Provinces in turn in clubs of log income (yuan) that converge inside; units of the panel are 10,000 yuan."""

    def edit(panel):
        names = list(panel.index.unique("province"))
        i = np.array([names.index(p) for p in panel.index.get_level_values("province")])
        t = panel.index.get_level_values("year").to_numpy() - 2013.0
        gap = np.random.default_rng(3).normal(size=31)[i] * 0.1 * shrink ** np.maximum(t, 0)
        k = i % len(levels)
        panel["gdp_real_pc"] = np.exp(np.array(levels)[k] + np.array(growth)[k] * t + gap) / 1e4
        return panel

    return edit


ONE = club_world([10.5], [0.05])
TWO = club_world([11.0, 9.5], [0.08, 0.02])
THREE = club_world([11.5, 10.0, 8.5], [0.10, 0.05, 0.0])


@pytest.mark.parametrize(
    ("edit", "number", "expected"), [(THREE, 3, "support"), (ONE, 1, "contradict"), (TWO, 2, "neither")]
)
def test_number_of_clubs(world, edit, number, expected):
    ctx = world(STILL, edit=edit)
    assert frozen.clubs_of(ctx, frozen.club_spec(view("WU-P7", ctx), "gdp_real_pc")).number == number
    assert word(outcome("WU-P7", ctx)) == expected


def test_two_clubs_are_no_clause_of_three(world):
    assert not outcome("WU-P7", world(STILL, edit=TWO)).clause


def test_clubs_are_those_of_the_library_in_yuan(world):
    ctx = world(STILL, edit=TWO)
    spec = frozen.club_spec(view("WU-P7", ctx), "gdp_real_pc")
    assert (spec.factor, spec.log, spec.hp_lambda, spec.r) == (1e4, True, 400.0, 0.3)
    x = ctx.panel["gdp_real_pc"].loc[(slice(None), list(range(2013, 2025)))]
    direct = nq.divergence.clubs(1e4 * x, hp_lambda=400.0, r=0.3)
    assert frozen.search(ctx, spec).membership.to_dict() == direct.membership.to_dict()
    changed = frozen.club_spec(view("WU-P7", ctx, Setting(hp_lambda=6.25, r=0.3333)), "gdp_real_pc")
    assert (changed.hp_lambda, changed.r) == (6.25, 0.3333)


def test_units_of_the_codebook_are_those_that_are_turned_into_yuan():
    book = nq.data.codebook()
    for name in ("gdp_real_pc", "gdp_real_per_urban_worker"):
        assert book.loc[name, "unit"].startswith("10 thousand yuan per")
        assert frozen.TO_YUAN[name] == 1e4
    assert book.loc["gdp", "unit"].startswith("100 million yuan")
    assert book.loc["population", "unit"] == "10 thousand persons"
    assert frozen.TO_YUAN["gdp per resident (current prices)"] == 1e8 / 1e4
    # ln Y - a ln K - (1 - a) ln L with a = 0.5: (1e8)^(1 - a) / (1e4)^(1 - a)
    assert "a = 0.5" in book.loc["tfp_est", "formula"]
    assert frozen.TO_YUAN["tfp_est (level)"] == pytest.approx(1e8**0.5 / 1e4**0.5)


def test_an_index_has_no_unit_and_anything_else_without_one_is_refused(world):
    ctx = world(STILL)
    index = frozen.club_spec(view("WU-0.3", ctx, Setting(swap=(("gdp_real_pc", "nqpf_index"),))), "gdp_real_pc")
    assert (index.factor, index.log) == (1.0, False)
    with pytest.raises(RuntimeError, match="no currency unit is stated for rd_intensity"):
        frozen.club_spec(view("WU-0.3", ctx, Setting(swap=(("gdp_real_pc", "rd_intensity"),))), "gdp_real_pc")


def prepared(world, claim, growth=STILL, edit=None):
    ctx = world(growth, edit=edit)
    for member in holm.members(REGISTER, REGISTER.claim(claim).family):
        ctx.p_values.setdefault(member, None)
    return ctx


def test_the_disclosure_is_on_record_and_the_other_unit_beside(world):
    found = assess(REGISTER.claim("WU-P7"), prepared(world, "WU-P7", edit=THREE), frozen.READINGS["WU-P7"].options)
    assert any("unit fixed after both outcomes had been seen" in n for n in found.notes)
    other = [e for e in found.evidence if "10,000 yuan" in e.what]
    assert other and not any(e.counted for e in other)
    (number,) = [e for e in found.evidence if e.what.startswith("number of clubs") and e.counted]
    assert number.estimate == 3.0 and "indicative" in number.what
    assert "no minimum detectable effect" in found.mde_note
    assert found.tables["clubs"]["yuan"].nunique() == 3
    assert {v.variant for v in found.variants if v.ran} == {"from_2005", "club_sens", "no_tibet"}


def test_p_of_wu_p7_is_that_of_global_convergence(world):
    ctx = world(STILL, edit=ONE)
    reading = frozen.READINGS["WU-P7"]
    p = reading.p_value(REGISTER.claim("WU-P7"), ctx, reading.options)
    x = ctx.panel["gdp_real_pc"].loc[(slice(None), list(range(2013, 2025)))]
    assert p == pytest.approx(nq.divergence.log_t(1e4 * x).pvalue)


# -- R-OSSIFY --


def bimodal(panel):
    """Two modes that stand still, evenly spread over the blocks."""
    return club_world([11.0, 9.0], [0.05, 0.05], shrink=1.0)(panel)


def test_two_poles_that_stand_still(world):
    ctx = world(STILL, edit=bimodal)
    found = outcome("WU-0.3", ctx)
    assert word(found) == "support"
    assert frozen.bimodal(view("WU-0.3", ctx), "gdp_real_pc").p_value < 0.05


def test_frozen_with_one_mode_is_a_clause_only(world):
    found = outcome("WU-0.3", world(STILL))
    assert word(found) == "neither" and found.clause


def test_blocks_that_come_together_contradict_wu_0_3(world):
    assert word(outcome("WU-0.3", world(TOGETHER))) == "contradict"
    moving = outcome("WU-0.3", world(APART))
    assert word(moving) == "neither" and not moving.clause  # it diverges: not frozen, not contradicted


@pytest.mark.parametrize(("growth", "expected"), [(STILL, "support"), (APART, "contradict"), (TOGETHER, "contradict")])
def test_wu_1_3(world, growth, expected):
    assert word(outcome("WU-1.3", world(growth))) == expected


def test_one_variable_that_moves_is_neither(world):
    def edit(panel):
        panel["patents_inv_pc"] = panel["patents_inv_pc"] ** np.where(
            panel.index.get_level_values("year").to_numpy() > 2013,
            1 + 0.05 * (panel.index.get_level_values("year").to_numpy() - 2013),
            1.0,
        )
        return panel

    found = outcome("WU-1.3", world(STILL, edit=edit))
    assert word(found) == "neither" and not found.clause


def test_three_groups_have_28_provinces_and_three_belts_31(world):
    ctx = world(STILL)
    belts = Setting(moved=(("Liaoning", "East"), ("Jilin", "Central"), ("Heilongjiang", "Central")))
    for setting, n in ((Setting(), 28), (belts, 31)):
        spec = frozen._persistence_spec(view("WU-1.3", ctx, setting), "rd_intensity", frozen.THREE)
        from nqpf_spatial.claims.evaluate.annual import cells

        assert cells(ctx, spec.variable, spec.sample).index.unique("province").size == n


def test_numbers_of_r_ossify_are_those_of_the_library_rule(world):
    """nq.divergence.ossify on the same cells: the same clauses."""
    ctx = world(0.01)
    v = view("WU-0.3", ctx)
    found = frozen.persistence(ctx, frozen._persistence_spec(v, "gdp_real_pc", ()))
    x = ctx.panel["gdp_real_pc"].loc[(slice(None), list(range(2013, 2025)))]
    table = nq.divergence.ossify(x, groups="block").table["value"]
    assert found.spearman == pytest.approx(table["(ii) Spearman"])
    assert found.shorrocks == pytest.approx(table["(iii) Shorrocks"])
    assert found.ratio_change_pct == pytest.approx(table["(iv) East/West, change %"])
    assert found.shorrocks_plain != pytest.approx(found.shorrocks)
    dagum, theil = (measures(ctx, v.series("gdp_real_pc", q, "block"))[0] for q in ("dagum", "theil"))
    assert [dagum.change_pct, theil.change_pct] == pytest.approx(list(table.iloc[:2]))


def test_assessment_of_wu_0_3(world):
    found = assess(REGISTER.claim("WU-0.3"), prepared(world, "WU-0.3"), frozen.READINGS["WU-0.3"].options)
    names = [e.what for e in found.evidence]
    for head in (
        "(ii) Spearman",
        "(iii) Shorrocks",
        "(iv) change",
        "Silverman",
        "number of clubs",
        "Shorrocks mobility, plain",
    ):
        assert any(n.startswith(head) for n in names), head
    not_run = {v.variant: v.reason for v in found.variants if not v.ran}
    assert "no absolute version" in not_run["absolute_gap"]
    assert "at least 8 years" in not_run["to_2019"]
    assert {"alt_nqpf", "index_equal", "from_2005", "club_sens", "alt_vintage"} <= {
        v.variant for v in found.variants if v.ran
    }
    assert {"series", "trends", "clubs", "transition_paths"} <= set(found.tables)


def test_club_sensitivities_have_no_meaning_for_wu_1_3(world):
    found = assess(REGISTER.claim("WU-1.3"), prepared(world, "WU-1.3"), frozen.READINGS["WU-1.3"].options)
    assert all("no clubs" in v.reason for v in found.variants if v.variant == "club_sens")
    ratios = [e for e in found.evidence if e.what.startswith("ratio, ratio East / Central")]
    assert len(ratios) == 2 and not any(e.counted for e in ratios)
    assert "28 provinces" in found.sample["rd_intensity"]


# -- R-POLAR --


@pytest.mark.parametrize(("growth", "expected"), [(APART, "support"), (TOGETHER, "contradict"), (STILL, "neither")])
def test_wu_0_2(world, growth, expected):
    assert word(outcome("WU-0.2", world(growth))) == expected


def test_polarisation_without_divergence_of_output_is_a_clause(world):
    def edit(panel):
        rng = np.random.default_rng(2)
        level = dict(zip(panel.index.unique("province"), rng.normal(size=31), strict=True))
        panel["gdp_real_pc"] = np.exp([level[p] for p in panel.index.get_level_values("province")])
        panel["gdp_real_pc"] *= 1 + 0.001 * rng.standard_normal(len(panel))
        return panel

    found = outcome("WU-0.2", world(APART, edit=edit))
    assert word(found) == "neither" and found.clause


def test_assessment_of_wu_0_2(world):
    found = assess(REGISTER.claim("WU-0.2"), prepared(world, "WU-0.2", APART), frozen.READINGS["WU-0.2"].options)
    beside = [e for e in found.evidence if not e.counted]
    assert any("alpha 1)" in e.what or "alpha 1.6" in e.what for e in beside)
    assert any(e.what.startswith("Esteban-Gradin-Ray of rd_intensity, 2013") for e in beside)
    assert len([v for v in found.variants if v.variant == "er_alpha" and v.ran]) == 2
    assert "at least 8 years, cv has 5" in next(v.reason for v in found.variants if v.variant == "alt_solow")
    polar = [e for e in found.evidence if e.counted and e.what.startswith("wolfson")]
    assert len(polar) == 3 and all(e.reading == "support" for e in polar)
    assert list(found.tables["egr"].columns) == ["rd_intensity", "rd_fte_pc", "patents_inv_pc"]


def test_warnings_of_the_library_become_notes(world):
    """Logs that grow much: the library warns that the club test hangs on the unit, and the record keeps it."""

    def edit(panel):
        t = panel.index.get_level_values("year").to_numpy() - 2013.0
        panel["gdp_real_pc"] = np.exp(1.0 + 0.3 * np.maximum(t, 0)) * (1 + 0.1 * np.sin(np.arange(len(panel)))) / 1e4
        return panel

    ctx = prepared(world, "WU-P7", edit=edit)
    found = assess(
        REGISTER.claim("WU-P7"), ctx, {k: v for k, v in frozen.READINGS["WU-P7"].options.items() if k != "extra"}
    )
    assert any(n.startswith(UnitDependenceWarning.__name__) for n in found.notes)


def test_warnings_about_the_unit_beside_are_notes_too(world):
    """In 10,000 yuan the logs are small: a warning that must not leave the record (here warnings are errors)."""
    found = assess(REGISTER.claim("WU-P7"), prepared(world, "WU-P7", edit=ONE), frozen.READINGS["WU-P7"].options)
    assert any(n.startswith(UnitDependenceWarning.__name__) for n in found.notes)


def test_a_record_does_not_hang_on_what_was_decided_before_it(world):
    ctx = prepared(world, "WU-P7", edit=ONE)
    alone = assess(REGISTER.claim("WU-P7"), ctx, frozen.READINGS["WU-P7"].options)
    later = prepared(world, "WU-P7", edit=ONE)
    outcome("WU-0.3", later)
    with pytest.warns(UnitDependenceWarning):
        frozen._club_rows(view("WU-0.3", later), raw)
    assert assess(REGISTER.claim("WU-P7"), later, frozen.READINGS["WU-P7"].options).notes == alone.notes


def test_shuffled_rows_change_nothing(world):
    ctx, again = world(STILL, edit=THREE), world(STILL, edit=lambda p: THREE(p).sample(frac=1.0, random_state=4))
    assert outcome("WU-P7", ctx) == outcome("WU-P7", again)
    series = view("WU-0.2", ctx).series("rd_intensity", "polarisation", "block")
    assert annual(ctx, series).equals(annual(again, series))
