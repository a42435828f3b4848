"""R-MECH from end to end on constructed panels: every word it can return, and what the record holds."""

from dataclasses import replace

import pytest

import nqpf_spatial as nq
from nqpf_spatial import claims
from nqpf_spatial.claims import VariantResult
from nqpf_spatial.claims.evaluate import compound, specification
from nqpf_spatial.claims.evaluate.variants import VARIANTS
from nqpf_spatial.claims.runner import decide

CLAIM = claims.load().claim("WU-M4")


@pytest.fixture(autouse=True, scope="module")
def few_replicates():
    """The sd of rho needs no precision here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specification, "REPLICATES", 50)
        yield


@pytest.fixture(scope="module")
def supported(constructed):
    return decide(CLAIM, constructed(1.0))


def test_a_strong_positive_effect_is_supported_on_a_proxy(supported):
    assert supported.label == "SUPPORTED (proxy)"
    assert len(supported.weights) == len(CLAIM.W)
    assert supported.seed == claims.SEED
    assert supported.holm.method == "bound"
    for row in supported.evidence:
        assert row.p_holm == pytest.approx(min(1.0, supported.holm.m * row.p))
        assert row.checks["se_delta"] == pytest.approx(row.se, rel=0.15)
        assert set(row.checks) == {"se_delta", "p_delta", "se_cluster", "p_cluster", "rho", "sd_rho"}


def test_the_estimates_are_those_of_the_public_fit(supported, constructed):
    import nqpf_spatial as nq

    context = constructed(1.0)
    fit = nq.sdm(supported.sample["formula"], context.panel, nq.weights.contiguity(), years=CLAIM.years())
    table = fit.impacts(method="simulate", draws=1000, seed=claims.SEED).table.loc["ln_broadband_pc"]
    for effect in ("direct", "total"):
        row = next(e for e in supported.evidence if e.w == "queen" and e.what.startswith(effect))
        assert row.estimate == table[(effect, "estimate")]
        assert (row.lower, row.upper) == (table[(effect, "lower")], table[(effect, "upper")])


def test_every_variant_is_run_or_listed_with_its_reason(supported):
    listed = {v.variant for v in supported.variants}
    assert listed == set(CLAIM.variants)
    for v in supported.variants:
        assert v.ran or v.reason
    assert all(v.ran for v in supported.variants)
    assert len([v for v in supported.variants if v.variant == "index_drop_one"]) == 2 * 3
    assert len([v for v in supported.variants if v.variant == "w_others"]) == 2 * (len(CLAIM.W) - 1)
    assert all(not v.counts for v in supported.variants if v.variant == "plain_ml")
    assert {m.alternative for m in supported.multiverse} == {"direct", "total"}


def test_samples_of_the_variants(supported):
    n = {(v.variant, v.specification.split()[0]): v.n for v in supported.variants if v.ran}
    assert n["no_tibet", "without"] == 30 * 13
    assert n["no_municipalities", "without"] == 27 * 13
    assert n["alt_migration", "net_migration_rate"] == 31 * 9
    assert n["add_schooling", "with"] == 31 * 8
    assert n["alt_solow", "outcome"] == 31 * 6
    assert n["lag_regressors", "regressors"] == 31 * 12
    assert n["index_broad", "digital_index_broad"] == 31 * 11
    assert n["base_2023", "base_2023"] == 31 * 12


def test_a_strong_negative_effect_is_contradicted(constructed):
    verdict = decide(CLAIM, constructed(-1.0))
    assert verdict.label == "CONTRADICTED (proxy)"
    assert {m.direction for m in verdict.multiverse} == {"contradict"}


def test_no_effect_is_inconclusive_with_a_detectable_effect(constructed):
    verdict = decide(CLAIM, constructed(0.0))
    assert verdict.verdict == "INCONCLUSIVE"
    assert all(e.mde == pytest.approx(2.8016 * e.se, rel=1e-4) for e in verdict.evidence)
    assert verdict.mde_note


def test_missing_matrices_stop_support_and_are_named(constructed):
    verdict = decide(CLAIM, constructed(1.0, missing=("digital", "economic")))
    assert verdict.verdict == "INCONCLUSIVE"
    assert "not available in this release: economic, digital" in verdict.reason
    assert set(verdict.sample["w_missing"]) == {"economic", "digital"}
    assert sum(not v.ran for v in verdict.variants if v.variant == "w_others") == 4


def test_variants_that_disagree_make_it_mixed(constructed, monkeypatch):
    def turned(component, trial, variant, label, alternative, ctx, alpha):
        return VariantResult(variant, label, True, True, alternative=alternative, stated_sign=False, significant=True)

    monkeypatch.setattr(compound, "row", turned)
    assert decide(CLAIM, constructed(1.0)).label == "MIXED (proxy)"


def test_a_fast_run_says_what_it_left_out(constructed):
    verdict = decide(CLAIM, constructed(1.0, fast=True))
    assert verdict.fast
    left = {v.variant for v in verdict.variants if v.reason == "left out by the fast run"}
    assert left == {"alt_digital", "alt_innovation", "index_pca", "index_topsis", "index_drop_one"}


def test_the_variants_written_are_variants_of_the_register():
    assert set(VARIANTS) <= set(claims.load().variants)
    for claim in claims.load().claims.values():
        if claim.rule == "R-MECH" and claim.notebook == CLAIM.notebook and claim.id == "WU-M4":
            assert set(claim.variants) <= set(VARIANTS)


def test_a_fit_at_the_end_of_the_interval_has_no_checks_and_is_named_in_both_languages(constructed, monkeypatch):
    """The record must not hold numbers of a covariance that does not exist: they differ between processors."""
    fitted, context = nq.fit, constructed(1.0, fast=True)
    digital = context.weights("digital").checksum

    def at_the_end(formula, data, w, **kwargs):
        found = fitted(formula, data, w, **kwargs)
        if w.checksum != digital:
            return found
        return replace(found, estimate=replace(found.estimate, fit=replace(found.estimate.fit, boundary=True)))

    monkeypatch.setattr(nq, "fit", at_the_end)
    verdict = decide(CLAIM, context)
    ends = [e for e in verdict.evidence if e.at_boundary]
    assert {e.w for e in ends} == {"digital"}
    for e in ends:
        assert {k for k, v in e.checks.items() if v is None} == {"se_delta", "p_delta", "se_cluster", "p_cluster"}
        assert e.se is not None
    assert sum("rho is at an end of its admissible interval" in n for n in verdict.notes) == 2
    assert any("Without them" in n and "digital" in n for n in verdict.notes)
    assert all("end of its admissible interval" in v.reason for v in verdict.variants if v.ran and v.w == "digital")
    assert "其中 digital" in claims.reason_zh(verdict)
    assert verdict.to_dict()["evidence"][0]["checks"]
