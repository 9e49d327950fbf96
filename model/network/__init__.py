# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What learns: the bimodal backbone, the VAEs, the heads, and the network that joins them."""

from __future__ import annotations

from mgpt3_ros.model.network.network import MotionGPT3Network, NetworkConfig
from mgpt3_ros.model.network.stream_network import StreamNetwork


def build_network(config: NetworkConfig) -> MotionGPT3Network | StreamNetwork:
    """Return the network that ``config`` describes, with fresh weights.

    A codec of chunks makes it one of the stream form.
    """
    form = StreamNetwork if config.vae.kind == 'chunk' else MotionGPT3Network
    return form(config)
