"""Pictures in a notebook: the first picture of a session must not keep the later ones from showing."""

from __future__ import annotations

import pytest


def _images(cell) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell["outputs"])


def test_every_cell_shows_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    cells = [
        "import nqpf_spatial as nq\nw = nq.weights.contiguity()\nw.plot('degree');",
        "nq.indicators.digital_index(scheme='net', years=(2011, 2013)).plot();",
        "w.plot('degree', lang='zh');",
        "import matplotlib.pyplot as plt\nassert not plt.get_fignums(), 'figures pile up'",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    assert [_images(cell) for cell in book.cells] == [1, 1, 1, 0]
