"""Build the packaged data release (src/nqpf_spatial/data/files) from the source tables.

The source folder holds the compiled tables (panel_long.csv, codebook.csv, ...); the register gives the
derived variables. Everything is validated before a byte is written, and equal input gives equal bytes.

    python scripts/build_data.py [SOURCE] [--register FILE] [--release 2026.11] [--check]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
from pathlib import Path

import pandas as pd
import yaml

REPO = Path(__file__).resolve().parents[1]
OUT = REPO / "src" / "nqpf_spatial" / "data" / "files"
LABELS = Path(__file__).with_name("derived_labels.csv")
PANEL_COLUMNS = ["adcode", "year", "variable", "value", "source_id"]
PAIRS = 31 * 30


class BuildError(ValueError):
    """The source tables contradict each other or the register."""


def require(condition: bool, message: str) -> None:
    """Stop the build with a message unless the condition holds."""
    if not condition:
        raise BuildError(message)


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a csv with every cell as the text that stands there (values keep their published decimals)."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def year_counts(panel: pd.DataFrame) -> pd.DataFrame:
    """Count provinces per variable (rows) and year (columns)."""
    return panel.groupby(["variable", "year"])["adcode"].nunique().unstack(fill_value=0)


def check_panel(panel: pd.DataFrame, codebook: pd.DataFrame, sources: pd.DataFrame, adcodes: set[str]) -> None:
    """Compare the long table with the codebook, the sources and the register of provinces."""
    require(list(panel.columns) == PANEL_COLUMNS, f"panel columns are {list(panel.columns)}")
    cells = ["adcode", "year", "variable"]
    twice = panel[panel.duplicated(cells)]
    require(twice.empty, f"cells given twice: {twice[cells].head(5).to_dict('records')}")
    require(set(panel.adcode) == adcodes, f"adcodes differ: {sorted(set(panel.adcode) ^ adcodes)}")
    values = pd.to_numeric(panel.value, errors="coerce")
    require(
        bool(values.abs().lt(float("inf")).all()),
        f"not finite: {panel[values.isna()].head(5).to_dict('records')}",
    )
    unknown = sorted(set(panel.source_id) - set(sources.source_id))
    require(not unknown, f"source_id not in sources.csv: {unknown}")
    require(set(panel.variable) == set(codebook.variable), "variables of panel and codebook differ")
    require(bool((codebook.unit != "").all()), "a variable has no unit")
    counts = year_counts(panel)
    for row in codebook.itertuples():
        n = counts.loc[row.variable]
        n = n[n > 0]
        partial = " ".join(f"{year}:{k}" for year, k in n.items() if k < 31)
        found = (n.index[0], n.index[-1], str(n.sum()), str((n == 31).sum()), partial)
        stated = (row.first_year, row.last_year, row.cells, row.years_complete, row.years_partial)
        require(found == stated, f"codebook of {row.variable}: states {stated}, table has {found}")


def read_flows(folder: Path, index: pd.DataFrame, adcodes: set[str]) -> pd.DataFrame:
    """Stack the migration matrices, each checked for its 930 pairs and its total."""
    tables = []
    for row in index.itertuples():
        table = read_text_table(folder / f"{row.matrix}.csv")
        pairs = set(zip(table.origin_adcode, table.destination_adcode, strict=True))
        complete = {(o, d) for o in adcodes for d in adcodes if o != d}
        require(len(table) == PAIRS and pairs == complete, f"{row.matrix}: not the {PAIRS} pairs of 31 provinces")
        total = int(pd.to_numeric(table.persons).sum())
        require(total == int(row.persons_tabulated), f"{row.matrix}: sum {total}, index {row.persons_tabulated}")
        tables.append(table.assign(matrix=row.matrix))
    columns = {"origin_adcode": "origin", "destination_adcode": "destination"}
    flows = pd.concat(tables).rename(columns=columns)[["matrix", "origin", "destination", "persons"]]
    return flows.sort_values(["matrix", "origin", "destination"])


def read_adjacency(path: Path, adcodes: set[str]) -> pd.DataFrame:
    """Read the border pairs: i < j, each once, known provinces."""
    table = read_text_table(path).sort_values(["adcode_i", "adcode_j"])
    require(set(table.adcode_i) | set(table.adcode_j) == adcodes, "adjacency: a province is missing or unknown")
    require(bool((table.adcode_i < table.adcode_j).all()), "adjacency: pairs must have adcode_i < adcode_j")
    require(not table.duplicated(["adcode_i", "adcode_j"]).any(), "adjacency: a pair is given twice")
    return table


def derived_table(register: Path, variables: set[str]) -> pd.DataFrame:
    """Take the derived variables from the register and join unit, group and Chinese label."""
    entries = yaml.safe_load(register.read_text(encoding="utf-8"))["derived_variables"]
    labels = read_text_table(LABELS).set_index("name")
    names = [e["name"] for e in entries]
    require(len(set(names)) == len(names), "register: a derived variable is defined twice")
    require(not set(names) & variables, f"register: names taken: {sorted(set(names) & variables)}")
    require(set(names) == set(labels.index), f"derived_labels.csv: {sorted(set(names) ^ set(labels.index))}")
    known, rows = set(variables), []
    for e in entries:
        missing = sorted(set(e["inputs"]) - known)
        require(not missing, f"{e['name']}: inputs not defined before it: {missing}")
        known.add(e["name"])
        first, last = e["years"].split("-")
        label = labels.loc[e["name"]]
        rows.append(
            {
                "name": e["name"],
                "group": label.group,
                "unit": label.unit,
                "label_en": e["label"],
                "label_zh": label.label_zh,
                "formula": e["formula"],
                "inputs": ";".join(e["inputs"]),
                "first_year": first,
                "last_year": last,
                "absent_years": ";".join(str(y) for y in e.get("absent_years", [])),
                "provinces": str(e.get("provinces", 31)),
                "coverage_note": e.get("coverage_note", ""),
            }
        )
    return pd.DataFrame(rows)


def encode(table: pd.DataFrame, compressed: bool) -> bytes:
    """Csv bytes; gzip without a time stamp, so that equal tables give equal bytes."""
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n")
    raw = buffer.getvalue().encode("utf-8")
    return gzip.compress(raw, compresslevel=9, mtime=0) if compressed else raw


def build(source: Path, register: Path, release: str) -> dict[str, bytes]:
    """Validate the source tables and return the packaged files as bytes."""
    provinces = read_text_table(source / "provinces.csv").sort_values("adcode")
    adcodes = set(provinces.adcode)
    require(len(provinces) == 31 and len(adcodes) == 31, "provinces.csv: not 31 provinces")
    codebook = read_text_table(source / "codebook.csv")
    sources = read_text_table(source / "sources.csv").sort_values("source_id")
    require(sources.source_id.is_unique, "sources.csv: a source_id is given twice")
    panel = read_text_table(source / "panel_long.csv")
    check_panel(panel, codebook, sources, adcodes)
    order = {name: i for i, name in enumerate(codebook.variable)}
    panel = panel.sort_values(["variable", "adcode", "year"], key=lambda c: c.map(order) if c.name == "variable" else c)
    index = read_text_table(source / "flows" / "index.csv")
    unknown = sorted(set(index.source_id) - set(sources.source_id))
    require(not unknown, f"flows/index.csv: source_id not in sources.csv: {unknown}")
    tables = {
        "panel.csv.gz": panel[["variable", "adcode", "year", "value", "source_id"]],
        "codebook.csv": codebook,
        "sources.csv": sources,
        "provinces.csv": provinces,
        "derived.csv": derived_table(register, set(codebook.variable)),
        "flows.csv.gz": read_flows(source / "flows", index, adcodes),
        "flows_index.csv": index,
        "adjacency.csv": read_adjacency(source / "geo" / "adjacency.csv", adcodes),
        "compute_hubs.csv": read_text_table(source / "compute_hubs.csv"),
        "compute_facts.csv": read_text_table(source / "compute_facts.csv"),
    }
    files = {name: encode(table, name.endswith(".gz")) for name, table in tables.items()}
    files["release.json"] = release_note(release, tables, files)
    return files


def release_note(release: str, tables: dict[str, pd.DataFrame], files: dict[str, bytes]) -> bytes:
    """Version, counts and the checksum of every file (of its content, not of its compression)."""
    panel = tables["panel.csv.gz"]
    contents = {n: gzip.decompress(b) if n.endswith(".gz") else b for n, b in files.items()}
    note = {
        "release": release,
        "cells": len(panel),
        "variables": int(panel.variable.nunique()),
        "derived_variables": len(tables["derived.csv"]),
        "provinces": 31,
        "first_year": int(panel.year.min()),
        "last_year": int(panel.year.max()),
        "flow_matrices": len(tables["flows_index.csv"]),
        "files": {
            name: {"rows": len(tables[name]), "sha256": hashlib.sha256(contents[name]).hexdigest()}
            for name in sorted(contents)
        },
    }
    return (json.dumps(note, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def main(argv: list[str] | None = None) -> int:
    """Build, and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--register", type=Path, help="default: ../claims/register.yaml seen from SOURCE")
    parser.add_argument("--release", default="2026.11")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--check", action="store_true", help="compare with the packaged files, write nothing")
    args = parser.parse_args(argv)
    register = args.register or args.source.parent / "claims" / "register.yaml"
    files = build(args.source, register, args.release)
    if args.check:
        stale = [n for n, b in files.items() if not (args.out / n).exists() or (args.out / n).read_bytes() != b]
        print("packaged files are up to date" if not stale else f"differ from the source: {', '.join(stale)}")
        return 1 if stale else 0
    args.out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (args.out / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
