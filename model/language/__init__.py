# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sentences: tokens, prompts, the durations that they state, the actions that they name."""
