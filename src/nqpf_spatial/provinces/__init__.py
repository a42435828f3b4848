"""The 31 mainland provinces of the statistics: one register, any of their names, their groupings.

The order of the register (ascending GB/T 2260 code) is the canonical order of the whole library.
"""

from __future__ import annotations

from nqpf_spatial.provinces._groups import Scheme, group_of, groups, table
from nqpf_spatial.provinces._names import Names, canonical_order, is_province, label, resolve, resolve_many
from nqpf_spatial.provinces._register import PROVINCES, Province

__all__ = [
    "PROVINCES",
    "Names",
    "Province",
    "Scheme",
    "canonical_order",
    "group_of",
    "groups",
    "is_province",
    "label",
    "resolve",
    "resolve_many",
    "table",
]
