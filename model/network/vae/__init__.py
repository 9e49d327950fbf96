# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion VAEs: ``mld`` is the paper's, ``trunk`` is for small data."""

from __future__ import annotations

from dataclasses import dataclass, field

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.base import MotionVae
from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae
from mgpt3_ros.model.network.vae.trunk import TrunkConfig, TrunkVae

__all__ = ['MldConfig', 'MldVae', 'MotionVae', 'TrunkConfig', 'TrunkVae', 'VaeConfig', 'build_vae']


@dataclass(frozen=True)
class VaeConfig:
    """Which VAE; the section of the other kind is not looked at."""

    kind: str = 'mld'
    mld: MldConfig = field(default_factory=MldConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)

    def __post_init__(self) -> None:
        if self.kind not in ('mld', 'trunk'):
            raise ConfigError(f"vae.kind is {self.kind!r}; choose 'mld' or 'trunk'")


def build_vae(config: VaeConfig) -> MotionVae:
    """Return the VAE that ``config`` describes, with fresh weights."""
    return TrunkVae(config.trunk) if config.kind == 'trunk' else MldVae(config.mld)
