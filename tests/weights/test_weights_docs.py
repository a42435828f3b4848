"""The page on weights: its examples run and its table names what exists."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import nqpf_spatial as nq

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"


def test_examples_of_the_page_run() -> None:
    parser = doctest.DocTestParser()
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S))
    test = parser.get_doctest(blocks, {}, "docs/weights.md", str(PAGE), 0)
    assert len(test.examples) > 15
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_hand_computed_numbers_of_the_text() -> None:
    four = ["Beijing", "Tianjin", "Hebei", "Shanxi"]
    text = PAGE.read_text(encoding="utf-8")
    km = 1 / nq.weights.inverse_distance(transform="none").subset(four).to_frame()
    for i in four:
        row = re.search(rf"^\| {i} \|(.*)\|$", text, flags=re.M)
        assert row is not None
        for j, cell in zip(four, row[1].split("|"), strict=True):
            assert cell.strip() == ("-" if i == j else f"{km.loc[i, j]:.2f}")
    income = nq.load_panel("gdp_real_pc")["gdp_real_pc"].unstack().loc[four, 2005:2010].mean(axis=1)
    assert f"Hebei {income['Hebei']:.6f}, Shanxi {income['Shanxi']:.6f}" in text.replace("\n", " ")
    ratio = (income["Beijing"] - income["Tianjin"]) / (income["Hebei"] - income["Shanxi"])
    assert 190_000 < ratio < 220_000


def test_every_builder_named_on_the_page_exists() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Which matrix")[1].split("## Rules")[0]
    names = set(re.findall(r"`(\w+)\(", table)) | {"combine", "product", "union", "sequence"}
    assert names <= set(nq.weights.__all__) and len(names) > 18
