"""Sphinx configuration: MyST pages whose code cells are executed at every build, errors raised."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nqpf_spatial
from nqpf_spatial.fonts import font_path

project = "nqpf_spatial"
author = "The nqpf_spatial developers"
project_copyright = "2026, the nqpf_spatial developers"
release = nqpf_spatial.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

autosummary_generate = False
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
nitpicky = True  # a name of the library that the reference lacks is an error
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "nqpf_spatial"
html_theme_options = {"navbar_align": "left", "show_toc_level": 2, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["chinese.css"]
# the outside world cannot be asked during a build; links inside the pages are checked
linkcheck_ignore = [r"https?://.*"]


def _copy_font(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        shutil.copy(font_path(), Path(app.outdir) / "_static" / font_path().name)


def setup(app: Any) -> None:
    """The packaged Chinese font goes with the pages."""
    app.connect("build-finished", _copy_font)
