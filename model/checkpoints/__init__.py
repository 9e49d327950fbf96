# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint folders: where they lie, what each file of them holds, and all of it read at once."""
