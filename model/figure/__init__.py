# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figure that stands for a body: a mannequin of round cones, and its skin of triangles.

``cones`` has its parts around the joints of any frame; ``skin`` has them as a mesh in T pose whose
vertices follow the joints, for glTF and the page in the browser.
"""
