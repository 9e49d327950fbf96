# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion VAEs: ``mld`` is the paper's, ``trunk`` for small data, ``chunk`` for the stream form.

``vq`` writes a motion as codes, for the paper's discrete baseline.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.base import CausalCodec, MotionAutoencoder, MotionVae
from mgpt3_ros.model.network.vae.chunk import ChunkCodec, ChunkConfig
from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae
from mgpt3_ros.model.network.vae.trunk import TrunkConfig, TrunkVae
from mgpt3_ros.model.network.vae.vq import VqConfig, VqVae

__all__ = [
    'MotionAutoencoder',
    'VqVae',
    *('CausalCodec', 'ChunkCodec', 'ChunkConfig', 'MldConfig', 'MldVae', 'MotionVae'),
    *('TrunkConfig', 'TrunkVae', 'VaeConfig', 'VqConfig', 'build_codec', 'build_vae'),
]

KINDS = ('mld', 'trunk', 'chunk', 'vq')


@dataclass(frozen=True)
class VaeConfig:
    """Which VAE; the sections of the other kinds are not looked at."""

    kind: str = 'mld'
    mld: MldConfig = field(default_factory=MldConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    vq: VqConfig = field(default_factory=VqConfig)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f'vae.kind is {self.kind!r}; choose one of {", ".join(KINDS)}')


def build_vae(config: VaeConfig) -> MotionVae:
    """Return the VAE of whole clips that ``config`` describes, with fresh weights."""
    return TrunkVae(config.trunk) if config.kind == 'trunk' else MldVae(config.mld)


def build_codec(config: VaeConfig) -> CausalCodec:
    """Return the codec of chunks that ``config`` describes, not yet fitted."""
    return ChunkCodec(config.chunk)
