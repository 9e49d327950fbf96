# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets: clips of joints with captions, their features, and how they are sampled."""
