# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sets a decoded motion right: bones, floor, root and feet, and the joins between motions.

``finish`` knows the order; the steps are a module each.
"""
