# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion heads: from the hidden states at the motion holders to one motion latent.

``ddpm`` is the paper's (an AdaLN MLP that denoises), ``flow`` the same network as a rectified
flow, ``regression`` the paper's baseline without a generative head (Tab. 14 H). All keep one
contract, `MotionHead`, so that a configuration swaps them; one of a user's own is named by its
import path. `CodeHead` is of another kind: it says
what comes next where motions are written as codes.
"""

from __future__ import annotations

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.import_path import import_class, is_import_path
from mgpt3_ros.model.network.heads.base import MotionHead
from mgpt3_ros.model.network.heads.codes import CodeHead
from mgpt3_ros.model.network.heads.config import HeadConfig
from mgpt3_ros.model.network.heads.ddpm import DdpmHead
from mgpt3_ros.model.network.heads.flow import FlowHead
from mgpt3_ros.model.network.heads.regression import RegressionHead

__all__ = ['KINDS', 'CodeHead', 'HeadConfig', 'MotionHead', 'build_head']

KINDS: dict[str, type[MotionHead]] = {
    'ddpm': DdpmHead,
    'flow': FlowHead,
    'regression': RegressionHead,
}


def build_head(
    config: HeadConfig, latent_shape: tuple[int, int], holders: int, hidden_width: int
) -> MotionHead:
    """Return the head that ``config`` describes, with fresh weights.

    Args:
        config: which head, and its sizes.
        latent_shape: (L, C), number and width of the latent tokens of one motion.
        holders: K, number of motion holders whose hidden states condition the head.
        hidden_width: M, width of these hidden states.

    Raises:
        ConfigError: there is no such kind of head.
    """
    if is_import_path(config.kind):
        kind = import_class(config.kind, MotionHead, 'head.kind')
    elif config.kind in KINDS:
        kind = KINDS[config.kind]
    else:
        raise ConfigError(
            f'head.kind is {config.kind!r}; choose one of {", ".join(KINDS)}, or the import path '
            'of your own, such as my_package.my_head:Head'
        )
    return kind(config, latent_shape, holders, hidden_width)
