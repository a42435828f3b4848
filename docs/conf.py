"""Sphinx configuration: MyST pages whose code cells are executed at every build, errors raised."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import nqpf_spatial
from nqpf_spatial.fonts import font_path

project = "nqpf_spatial"
author = "The nqpf_spatial developers"
project_copyright = "2026, the nqpf_spatial developers"
release = nqpf_spatial.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "jupyter_execute", "**.ipynb_checkpoints"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # pages have no progress bars
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # pictures belong to the pages
nb_merge_streams = True

smartquotes = False  # what is copied from a page is what was written
autosummary_generate = False
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
nitpicky = True  # a name of the library that the reference lacks is an error
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "nqpf_spatial"
html_theme_options = {"navbar_align": "left", "show_toc_level": 2, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = html_copy_source = False
# the Chinese font and MathJax go with the pages, which ask the network for nothing
mathjax_path = "tex-svg.js"
_mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
html_static_path = ["_static", str(font_path()), str(_mathjax / mathjax_path)]
html_css_files = ["pages.css"]
linkcheck_timeout = 20
