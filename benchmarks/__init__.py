# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measurements of speed and memory: ``make bench``, or ``python -m benchmarks``."""
