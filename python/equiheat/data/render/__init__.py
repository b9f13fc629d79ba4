# SPDX-License-Identifier: BSD-3-Clause
"""Views of objects in 3DIEBench's scene and layout, from meshes or from parametric shapes."""

from __future__ import annotations

from equiheat.data.render.command import RenderCommand as RenderCommand
from equiheat.data.render.command import render as render
from equiheat.data.render.scene import Scene as Scene
from equiheat.data.render.scene import render_view as render_view
