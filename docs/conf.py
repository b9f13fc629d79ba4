# SPDX-License-Identifier: BSD-3-Clause
"""The site: `make docs`. Pages are docs/*.md; the reference and the pictures of the gallery are made by the build."""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "equiheat"
author = "the equiheat developers"
html_title = "equiheat"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "site_examples",  # before what imports equiheat, and with it MPI: it starts ranks
    "site_reference",
    "site_links",
]
exclude_patterns = ["extensions", "generated/pictures"]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"

myst_heading_anchors = 3  # the anchors that git hosts make of headings
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # a page may begin with any level

autodoc_typehints = "none"  # docstrings say what parameters are
autodoc_member_order = "bysource"
autodoc_docstring_signature = False
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = False
napoleon_custom_sections = ["Distribution", "Communication", "Types"]
toc_object_entries = False  # thousands of entries in every page; sections list their names instead
default_role = "name"
add_module_names = False
nitpicky = True  # NumPy and torch are elsewhere, and the site is built without a network
nitpick_ignore = [("py:exc", "LinAlgError")]
