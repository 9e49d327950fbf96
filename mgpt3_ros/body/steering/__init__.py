# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A walking body steered step by step: plain NumPy, no ROS.

``gait``, two steps of a drawn walk as a cycle; ``walker``, a body that steps after such cycles,
its feet planted; ``courses``, what it follows: a velocity, a pose to reach, a path; ``gestures``,
what its arms do meanwhile. The model draws the cycles (``drawing``) and the gestures; where the
body goes and where its feet land is computed here.
"""
