"""Copy the claims register into the package after checking that it is sound.

Usage: python scripts/build_register.py [folder with register.yaml], by default ../shared/claims beside the
repository. Nothing is written unless every check passes.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from nqpf_spatial import data
from nqpf_spatial.claims import Register
from nqpf_spatial.claims.register import parse
from nqpf_spatial.claims.rules.verdicts import ORDER

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "nqpf_spatial" / "claims" / "files" / "register.yaml"


def problems(register: Register) -> list[str]:
    """List what is wrong with a register; an empty list means sound."""
    found = []
    counts = register.meta["counts"]
    if len(register.claims) != counts["total"]:
        found.append(f"{len(register.claims)} claims, meta says {counts['total']}")
    for field in ("priority", "testability", "disclosure"):
        seen = Counter(getattr(c, field) for c in register.claims.values())
        if seen != Counter(dict(counts[f"by_{field}"])):
            found.append(f"{field}: counted {dict(seen)}, meta says {dict(counts[f'by_{field}'])}")
    if set(ORDER) != set(register.rules["VERDICTS"].parameters["vocabulary"]):
        found.append("the vocabulary is not the one the library knows")
    found += [p for c in register.claims.values() for p in _claim_problems(register, c.id)]
    decided = Counter(i for n in register.notebooks for i in n["decides"])
    found += [f"{i} is decided in {n} notebooks" for i, n in decided.items() if n > 1]
    return found


def _claim_problems(register: Register, claim_id: str) -> list[str]:
    """Check the references of one claim."""
    claim = register.claim(claim_id)
    known = set(data.codebook().index) | {d["name"] for d in register.derived_variables} | {"compute_hub"}
    named = {*claim.outcome, *claim.regressors, *claim.provinces, *claim.absent_years}
    found = [f"{claim_id}: unknown variable {v}" for v in sorted(named - known)]
    found += [f"{claim_id}: unknown variant {v}" for v in claim.variants if v not in register.variants]
    found += [f"{claim_id}: unknown W {w}" for w in claim.W if w not in register.weights["matrices"]]
    if claim.rule not in register.rules:
        found.append(f"{claim_id}: unknown rule {claim.rule}")
    if (claim.rule == "R-NONE") != (claim.testability == "not-testable"):
        found.append(f"{claim_id}: rule {claim.rule} with testability {claim.testability}")
    if claim.testability == "needs-data" and not claim.needs:
        found.append(f"{claim_id}: needs-data without a named series")
    if claim.disclosure == "outcome-seen" and not claim.disclosure_note:
        found.append(f"{claim_id}: outcome-seen without a note")
    if claim.notebook and claim_id not in register.decided_in(claim.notebook):
        found.append(f"{claim_id}: {claim.notebook} does not list it")
    return found


def main() -> None:
    """Check and copy."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "claims"
    text = (folder / "register.yaml").read_text(encoding="utf-8")
    register = parse(text)
    if found := problems(register):
        sys.exit("register not copied:\n- " + "\n- ".join(found))
    TARGET.write_text(text, encoding="utf-8")
    print(f"{len(register.claims)} claims, {len(register.rules)} rules, sha256 {register.checksum[:12]}")


if __name__ == "__main__":
    main()
