# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion VAEs: ``mld`` is the paper's, ``trunk`` for small data, ``chunk`` for the stream form."""

from __future__ import annotations

from dataclasses import dataclass, field

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.base import CausalCodec, MotionVae
from mgpt3_ros.model.network.vae.chunk import ChunkCodec, ChunkConfig
from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae
from mgpt3_ros.model.network.vae.trunk import TrunkConfig, TrunkVae

__all__ = [
    *('CausalCodec', 'ChunkCodec', 'ChunkConfig', 'MldConfig', 'MldVae', 'MotionVae'),
    *('TrunkConfig', 'TrunkVae', 'VaeConfig', 'build_codec', 'build_vae'),
]


@dataclass(frozen=True)
class VaeConfig:
    """Which VAE; the sections of the other kinds are not looked at."""

    kind: str = 'mld'
    mld: MldConfig = field(default_factory=MldConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)

    def __post_init__(self) -> None:
        if self.kind not in ('mld', 'trunk', 'chunk'):
            raise ConfigError(f"vae.kind is {self.kind!r}; choose 'mld', 'trunk' or 'chunk'")


def build_vae(config: VaeConfig) -> MotionVae:
    """Return the VAE of whole clips that ``config`` describes, with fresh weights."""
    return TrunkVae(config.trunk) if config.kind == 'trunk' else MldVae(config.mld)


def build_codec(config: VaeConfig) -> CausalCodec:
    """Return the codec of chunks that ``config`` describes, not yet fitted."""
    return ChunkCodec(config.chunk)
