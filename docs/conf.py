"""Sphinx configuration."""

from __future__ import annotations

import nqpf_spatial

project = "nqpf_spatial"
author = "The nqpf_spatial developers"
project_copyright = "2026, the nqpf_spatial developers"
release = nqpf_spatial.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
nb_execution_mode = "off"
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
exclude_patterns = ["_build"]
