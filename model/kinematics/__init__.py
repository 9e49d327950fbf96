# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The body of 22 joints: skeleton, HumanML3D features, rotations, joint angles."""
