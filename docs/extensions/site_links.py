# SPDX-License-Identifier: BSD-3-Clause
"""Links: names in code spans lead to the reference, links out of docs/ to the pages that stand for those files."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

#: Files beside docs/ that are pages of the site, too.
STAND_FOR = {
    "../README.md": "index.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../experiments/README.md": "experiments.md",
}
_NAME = re.compile(r"(?:(?:ht|equiheat)\.)?([A-Za-z_][\w.]*)(?:\(.*\))?", re.DOTALL)


def rewrite_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """The same link works on a git host and on the site."""
    for there, here in STAND_FOR.items():
        source[0] = source[0].replace(f"]({there}", f"]({here}")


class LinkNames(SphinxPostTransform):
    """`ht.sort(x)` in a code span becomes a link to `equiheat.sort`; in docstrings `sort` does, too."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        objects = self.env.domains.python_domain.objects
        for literal in list(self.document.findall(nodes.literal)):
            found = _NAME.fullmatch(literal.astext())
            if found is None or isinstance(literal.parent, (nodes.reference, addnodes.pending_xref)):
                continue
            explicit = literal.astext().startswith(("ht.", "equiheat."))
            bare = "name" in literal.get("classes", ())  # single backticks in a docstring
            target = f"equiheat.{found[1]}"
            if not (explicit or bare) or target not in objects or self._is_own_parameter(literal, found[1]):
                continue
            entry = objects[target]
            if entry.docname == self.env.docname and not explicit:
                continue
            refuri = self.app.builder.get_relative_uri(self.env.docname, entry.docname) + "#" + entry.node_id
            link = nodes.reference("", "", internal=True, refuri=refuri)
            literal.replace_self(link)
            link += literal

    def _is_own_parameter(self, literal: nodes.literal, name: str) -> bool:
        """A word such as `split` or `where` in the text of a function that has a parameter of this name."""
        node: nodes.Node | None = literal
        while node is not None and not isinstance(node, addnodes.desc):
            node = node.parent
        if node is None:
            return False
        return any(p.astext().split("=")[0].strip("* ") == name for p in node.findall(addnodes.desc_parameter))


def name_role(name: str, rawtext: str, text: str, *_: Any) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """What stands in single backticks in docstrings: code."""
    return [nodes.literal(rawtext, text, classes=["name"])], []


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("name", name_role)
    app.add_post_transform(LinkNames)
    app.connect("source-read", rewrite_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
