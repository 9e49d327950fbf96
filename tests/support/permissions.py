# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A process that permissions hold for: root may write anywhere, unless it gives that up."""

from __future__ import annotations

import ctypes

_PR_CAPBSET_DROP = 24  # linux/prctl.h
_CAP_DAC_OVERRIDE = 1  # linux/capability.h


def respect_permissions() -> None:
    """For ``preexec_fn``: what is started after it may write only where permissions let it."""
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)
