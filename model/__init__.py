# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model: skeleton, features, kinematics, VAEs, backbone, heads, checkpoints. No rclpy.

Dimensions in comments and docstrings: B batch, N tokens, K holders, T frames, J joints (22),
D width of the text branch, M width of the motion branch, L latent tokens, C channels of each.
"""
