# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""mgpt3_ros: text to motion, motion to text, past to future, on ROS 2 topics.

This package holds the ROS side only. ``mgpt3_ros.model`` (the model) and ``mgpt3_ros.training``
(the offline half) live in the top-level folders ``model/`` and ``training/`` and never import
rclpy.
"""

import os as _os

# Installed, the rooms lie beside this file. In a source tree (also under `pip install -e` and
# `colcon build --symlink-install`) they lie one level up, next to package.xml.
_here = _os.path.dirname(_os.path.realpath(__file__))
_root = _os.path.dirname(_here)
if not _os.path.isdir(_os.path.join(_here, 'model')) and _os.path.isfile(
    _os.path.join(_root, 'package.xml')
):
    __path__.append(_root)
