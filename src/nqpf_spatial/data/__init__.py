"""The packaged provincial data: panel, migration, codebook, sources; readers for users' own files."""

from __future__ import annotations

from nqpf_spatial.data._breaks import breaks
from nqpf_spatial.data._release import adjacency, compute_facts, compute_hubs, release, verify
from nqpf_spatial.data.catalogue import codebook, sources
from nqpf_spatial.data.flows import flows_index, load_flows
from nqpf_spatial.data.nbs import read_nbs
from nqpf_spatial.data.panel import load_panel
from nqpf_spatial.data.tables import combine, read_table
from nqpf_spatial.data.vintages import check_vintages

__all__ = [
    "adjacency",
    "breaks",
    "check_vintages",
    "codebook",
    "combine",
    "compute_facts",
    "compute_hubs",
    "flows_index",
    "load_flows",
    "load_panel",
    "read_nbs",
    "read_table",
    "release",
    "sources",
    "verify",
]
