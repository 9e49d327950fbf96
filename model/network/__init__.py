# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What learns: the bimodal backbone, the VAEs, the heads, and the network that joins them."""
