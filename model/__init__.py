# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model: skeleton, features, kinematics, VAEs, backbone, heads, checkpoints. No rclpy.

Dimensions in comments and docstrings: B batch, N tokens, K holders, T frames, J joints (22),
D width of the text branch, M width of the motion branch, L latent tokens, C channels of each.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mgpt3_ros.model.errors import (
    Cancelled,
    CheckpointError,
    ConfigError,
    GenerationError,
    MissingExtraError,
    MotionError,
    MotionGPT3Error,
    RobotError,
    TextError,
    ViewError,
)

if TYPE_CHECKING:
    from mgpt3_ros.model.formats.bvh_names import Skeleton, load_skeleton
    from mgpt3_ros.model.language.splitting import split_actions
    from mgpt3_ros.model.motion import Motion, MotionInfo
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions
    from mgpt3_ros.model.stream import MotionStream

__all__ = [
    'Cancelled',
    'CheckpointError',
    'ConfigError',
    'GenerationError',
    'MissingExtraError',
    'Motion',
    'MotionError',
    'MotionGPT3',
    'MotionGPT3Error',
    'MotionInfo',
    'MotionStream',
    'RobotError',
    'SamplingOptions',
    'Skeleton',
    'TextError',
    'ViewError',
    'load_skeleton',
    'split_actions',
]

# Imported when they are asked for: torch takes a second, and `mgpt3 --help` needs none of it.
_LAZY = {
    'Motion': 'motion',
    'MotionGPT3': 'motiongpt3',
    'MotionInfo': 'motion',
    'MotionStream': 'stream',
    'SamplingOptions': 'sampling',
    'Skeleton': 'formats.bvh_names',
    'load_skeleton': 'formats.bvh_names',
    'split_actions': 'language.splitting',
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f'{__name__}.{_LAZY[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
