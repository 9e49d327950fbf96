# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion VAEs: ``mld`` is the paper's, ``trunk`` for small data, ``chunk`` for the stream form.

``vq`` writes a motion as codes, for the paper's discrete baseline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.import_path import import_class, is_import_path
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
    """Which VAE; the sections of the other kinds are not looked at.

    ``kind`` may be the import path of a `MotionVae`, such as 'my_package.my_vae:Vae'; ``options``
    are the arguments that it is made with.
    """

    kind: str = 'mld'
    options: dict[str, Any] = field(default_factory=dict)
    mld: MldConfig = field(default_factory=MldConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    vq: VqConfig = field(default_factory=VqConfig)

    def __post_init__(self) -> None:
        if self.kind not in KINDS and not is_import_path(self.kind):
            raise ConfigError(
                f'vae.kind is {self.kind!r}; choose one of {", ".join(KINDS)}, or the import path '
                'of your own, such as my_package.my_vae:Vae'
            )


def build_vae(config: VaeConfig) -> MotionVae:
    """Return the VAE of whole clips that ``config`` describes, with fresh weights.

    Raises:
        ConfigError: one that is named by its import path is not there, or takes other options.
    """
    if is_import_path(config.kind):
        kind = import_class(config.kind, MotionVae, 'vae.kind')
        try:
            return kind(**config.options)
        except TypeError as error:
            raise ConfigError(f'vae.options do not fit {config.kind}: {error}') from error
    return TrunkVae(config.trunk) if config.kind == 'trunk' else MldVae(config.mld)


def build_codec(config: VaeConfig) -> CausalCodec:
    """Return the codec of chunks that ``config`` describes, not yet fitted."""
    return ChunkCodec(config.chunk)
