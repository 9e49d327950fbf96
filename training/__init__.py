# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The offline half: data, stages, trainer, evaluation and the command line. No rclpy."""
