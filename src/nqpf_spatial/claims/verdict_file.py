"""Files of verdicts: `verdicts.json` (complete records) and `verdicts.csv` (one line per claim)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from nqpf_spatial.claims.record import DIGITS, Verdict

COLUMNS = ("claim", "label", "verdict", "status", "rule", "testability", "disclosure", "fast", "reason")


def to_json(verdicts: Iterable[Verdict]) -> str:
    """Write verdicts as JSON: claim id -> record, keys sorted, floats with six significant digits.

    Parameters
    ----------
    verdicts : iterable of Verdict

    Returns
    -------
    str
        The same bytes for the same inputs: no clock time, no path, no machine.

    Examples
    --------
    >>> from nqpf_spatial import claims
    >>> import json
    >>> json.loads(to_json(claims.run(["WU-P8"])))["WU-P8"]["verdict"]
    'SUPPORTED'
    """
    records = {v.claim: {**v.to_dict(), "digits": DIGITS} for v in verdicts}
    return json.dumps(records, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def to_csv(verdicts: Iterable[Verdict]) -> str:
    """Write verdicts as CSV, one line per claim.

    Parameters
    ----------
    verdicts : iterable of Verdict

    Returns
    -------
    str
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for v in verdicts:
        writer.writerow(["" if (cell := getattr(v, c)) is None else cell for c in COLUMNS])
    return buffer.getvalue()
