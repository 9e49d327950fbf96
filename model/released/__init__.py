# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The authors' released checkpoints: read without running anything they hold, and converted."""
