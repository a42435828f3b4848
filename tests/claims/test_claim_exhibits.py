"""The dispatch of exhibits: one for every reading, a claim's own before its rule's."""

from types import SimpleNamespace

import pytest

from nqpf_spatial.claims import READINGS, exhibits, load


@pytest.mark.parametrize("claim", list(READINGS))
def test_every_reading_has_an_exhibit(claim):
    verdict = SimpleNamespace(claim=claim, rule=load().claim(claim).rule)
    assert exhibits.exhibit(verdict) in exhibits.EXHIBITS.values()


def test_a_claim_comes_before_its_rule(monkeypatch):
    own, shared = object(), object()
    monkeypatch.setattr(exhibits, "EXHIBITS", {"R-MECH": shared, "WU-M4": own})
    assert exhibits.exhibit(SimpleNamespace(claim="WU-M4", rule="R-MECH")) is own
    assert exhibits.exhibit(SimpleNamespace(claim="WU-M2", rule="R-MECH")) is shared
    with pytest.raises(KeyError, match="no exhibit for claim WU-9 or rule R-NONE"):
        exhibits.exhibit(SimpleNamespace(claim="WU-9", rule="R-NONE"))


def test_keys_are_claims_or_rules():
    assert all(key in load().claims or key in load().rules for key in exhibits.EXHIBITS)
