# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.peak CHECKPOINT``: what a process with a checkpoint holds at most [MB].

It draws, captions and, where it can, talks; nothing else is loaded.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source

DRAWN, ASKED = 'a person walks forward.', 'Tell me a story about the sea.'


def peak_mb(folder: str) -> int:
    """What this process holds at most [MB] with a checkpoint that draws, captions and talks."""
    torch.set_num_threads(1)
    model = MotionGPT3.from_pretrained(folder, 'cpu')
    motion = model.generate(DRAWN, 2.0, judge=False, generator=noise_source(0))
    model.caption(motion)
    if model.talks:
        model.respond(ASKED)
    # Not ru_maxrss, which a process takes over from the one that started it.
    status = Path('/proc/self/status').read_text(encoding='utf-8')
    return round(int(status.split('VmHWM:')[1].split()[0]) * 1024 / 1e6)


if __name__ == '__main__':
    print(peak_mb(sys.argv[1]))
