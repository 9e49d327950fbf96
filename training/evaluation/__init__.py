# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is worth: actions recognised, captions read, bodies measured."""
