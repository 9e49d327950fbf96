# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which joints a body has, by name, and how they follow the angles of the human."""
