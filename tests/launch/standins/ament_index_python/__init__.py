# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the ament index that knows this package in its source tree."""
