# SPDX-License-Identifier: BSD-3-Clause
"""The gallery: runs examples/ on two ranks before the build, and shows a picture and the program of each."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES, PICTURES = ROOT / "examples", ROOT / "docs" / "generated" / "pictures"
LIMIT = 240  # seconds for all of them


def with_pictures() -> list[pathlib.Path]:
    """The examples that draw."""
    return [path for path in sorted(EXAMPLES.glob("*.py")) if "--picture" in path.read_text()]


def draw(app: Sphinx) -> None:
    """Run the examples whose pictures are missing or older than they."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    old = [
        path
        for path in with_pictures()
        if not (picture := PICTURES / f"{path.stem}.png").exists() or picture.stat().st_mtime < path.stat().st_mtime
    ]
    if not old:
        return
    script = pathlib.Path(__file__).with_name("draw_pictures.py")
    command = ["mpiexec", "-n", "2", sys.executable, script, PICTURES, *old]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, env=dict(os.environ))
    except subprocess.TimeoutExpired as error:
        raise ExtensionError(
            f"the examples took more than {LIMIT} s on 2 ranks; the last said {error.stdout}"
        ) from error
    if done.returncode != 0:
        raise ExtensionError(f"an example failed on 2 ranks:\n{done.stdout}{done.stderr}")


class Example(SphinxDirective):
    """```{example} name``` shows the picture and the text of examples/name.py."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        path = EXAMPLES / f"{self.arguments[0]}.py"
        if not path.exists():
            raise self.error(f"there is no {path.relative_to(ROOT)}")
        self.env.note_dependency(str(path))
        text = path.read_text()
        picture = nodes.image(uri=f"/generated/pictures/{path.stem}.png", alt=f"what examples/{path.name} draws")
        code = nodes.literal_block(text, text, language="python")
        opened = f"<details><summary>examples/{path.name}</summary>"
        return [picture, nodes.raw("", opened, format="html"), code, nodes.raw("", "</details>", format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("example", Example)
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
