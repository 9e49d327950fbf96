# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion in a browser: one scene, shown by `mgpt3 view`, by view_node and in pages to keep.

``clip`` is a motion made ready to be shown, ``mannequin`` the figure in a scene, ``stage`` the
scene itself: bodies on a floor with captions, path and contacts. ``page`` writes it as one file
that plays anywhere; ``server`` serves it on this machine; ``player`` keeps its time; ``studio``
and ``panel`` are what `mgpt3 view` does and shows. Needs the extra ``view``.

World frame of the scene: ROS's, Z up, X forward, metres; the floor is at z = 0, so bodies stand a
sole's height higher than their joints say.
"""
