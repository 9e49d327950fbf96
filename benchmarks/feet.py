# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.feet --data PACK``: what each step after the decoder does for the feet.

Draws a motion for each walking or running validation clip, and prints the slide of feet on the
floor [m/s] as decoded, on a body with bones, with a steady root, and with planted feet locked.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.foot_lock import foot_slide, lock_feet
from mgpt3_ros.model.finishing.foot_slip import steady_root
from mgpt3_ros.model.finishing.grounding import put_on_floor
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.measures import LOCOMOTION, counted, generate_all
from mgpt3_ros.training.evaluation.motion_quality import floating


def main(argv: list[str] | None = None) -> int:
    """Print a row for each step."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.feet', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args(argv)
    clips = [c for c in counted(load_pack(arguments.data).val) if c.action in LOCOMOTION]
    shipped = MotionGPT3.from_pretrained(arguments.checkpoint)
    config = replace(shipped.config, finishing=False)
    model = MotionGPT3(config, shipped.network, shipped.tokenizer, shipped.stats)
    decoded = generate_all(model, [clip.captions[0] for clip in clips], seed=0)
    fitted = [fit_body(joints) for joints in decoded]
    floored = [put_on_floor(joints, FPS) for joints in fitted]
    steady = [steady_root(joints, FPS) for joints in floored]
    rows = {
        'real': [clip.joints for clip in clips],
        'decoded': decoded,
        'on a body with bones': fitted,
        'put on the floor': floored,
        'without a steady root, locked': [lock_feet(joints, FPS) for joints in floored],
        'with a steady root': steady,
        'with a steady root, locked (as shipped)': [lock_feet(joints, FPS) for joints in steady],
    }
    print(f'| {len(clips)} motions | slide [m/s] | floating [mm] |\n|---|---|---|')
    for name, motions in rows.items():
        slide = np.mean([foot_slide(joints, FPS) for joints in motions])
        print(f'| {name} | {slide:.3f} | {1000 * np.mean(list(map(floating, motions))):.1f} |')
    moved = [np.linalg.norm(a[-1, 0] - b[-1, 0]) for a, b in zip(steady, floored, strict=True)]
    real = [np.linalg.norm((steady_root(c.joints, FPS) - c.joints)[-1, 0]) for c in clips]
    print(
        f'ends moved by the steady root: drawn {np.mean(moved):.2f} m, real {np.mean(real):.2f} m'
    )
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
