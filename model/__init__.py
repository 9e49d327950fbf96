# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model: skeleton, features, kinematics, VAEs, backbone, heads, checkpoints. No rclpy.

Dimensions in comments and docstrings: B batch, N tokens, K holders, T frames, J joints (22),
D width of the text branch, M width of the motion branch, L latent tokens, C channels of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

__all__ = ['Motion', 'MotionGPT3']


def __getattr__(name: str) -> Any:
    # Imported when they are asked for: torch takes a second, and `mgpt3 --help` needs none of it.
    if name == 'Motion':
        from mgpt3_ros.model.motion import Motion

        return Motion
    if name == 'MotionGPT3':
        from mgpt3_ros.model.motiongpt3 import MotionGPT3

        return MotionGPT3
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
