# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of motion: a video that browsers play, and a strip of moments for a page.

The figure is solid (round cones found per pixel and lit), its left limbs are blue and its right
ones orange, its face is dark; it stands on a grid of half metres and leaves the path of its pelvis
on the floor.
"""

from __future__ import annotations

from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.figure.cones import LEFT_COLOUR, RIGHT_COLOUR

with extra('view'):
    from mgpt3_ros.model.render.strip import render_strip
    from mgpt3_ros.model.render.video import draw_frames, render_video

__all__ = ['LEFT_COLOUR', 'RIGHT_COLOUR', 'draw_frames', 'render_strip', 'render_video']
