# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What learns: the bimodal backbone, the VAEs, the heads, and the network that joins them."""

from __future__ import annotations

from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.network import MotionGPT3Network, NetworkConfig
from mgpt3_ros.model.network.stream_network import StreamNetwork

AnyNetwork = MotionGPT3Network | StreamNetwork | CodeNetwork


def build_network(config: NetworkConfig) -> AnyNetwork:
    """Return the network that ``config`` describes, with fresh weights.

    A codec of chunks makes it one of the stream form, a VQ-VAE one that writes codes.
    """
    if config.vae.kind == 'chunk':
        return StreamNetwork(config)
    return CodeNetwork(config) if config.vae.kind == 'vq' else MotionGPT3Network(config)
