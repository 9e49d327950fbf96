# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What bodies in a scene of viser have in common: they are meshes, shown, hidden and removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Meshes:
    """A body in the scene, as its meshes with what moves each of them."""

    _meshes: Sequence[tuple[Any, Any]]

    def set_visible(self, visible: bool) -> None:
        """Show or hide it."""
        for mesh, _ in self._meshes:
            mesh.visible = visible

    def remove(self) -> None:
        """Take it out of the scene."""
        for mesh, _ in self._meshes:
            mesh.remove()
