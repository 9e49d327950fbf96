# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions as one array of numpy's: joints, or the features of HumanML3D."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgpt3_ros.model.atomic_files import save_array
from mgpt3_ros.model.kinematics.features import FEATURES
from mgpt3_ros.model.motion import Motion


def write_npy(path: Path, motion: Motion) -> None:
    """Write the joints (T, 22, 3) [m] alone."""
    save_array(path, motion.joints)


def read_npy(path: Path, fps: float) -> Motion:
    """Read joints (T, 22, 3) or (T, 66) [m], or features (T, 263) that are not normalised."""
    array = np.load(path, allow_pickle=False)
    if array.ndim == 2 and array.shape[1] == FEATURES:
        return Motion.from_features(array, fps)
    if array.ndim == 2 and array.shape[1] == 66:
        array = array.reshape(-1, 22, 3)
    return Motion(array, fps)
