#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Continue a motion: what may follow on it, and the two as one file.

python examples/03_continue_motion.py walk.npz longer.bvh --horizon 2
"""

import argparse

import numpy as np
import torch

from mgpt3_ros.model import Motion, MotionGPT3

parser = argparse.ArgumentParser(description='Predict what follows on a motion.')
parser.add_argument('observed')
parser.add_argument('output')
parser.add_argument('--horizon', type=float, default=2.0, help='seconds to predict')
parser.add_argument('--seed', type=int, default=0)
arguments = parser.parse_args()

observed = Motion.load(arguments.observed)
model = MotionGPT3.from_pretrained()
noise = torch.Generator().manual_seed(arguments.seed)
following = model.predict(observed, arguments.horizon, generator=noise)

# The prediction begins one frame after the last that was observed, in the same place of the room.
seen = observed.resample(following.fps, keep='last')
seam_mm = 1000 * np.linalg.norm(following.joints[0] - seen.joints[-1], axis=-1).mean()
whole = Motion(np.concatenate([seen.joints, following.joints]), following.fps)
whole.save(arguments.output)
print(f'{whole.duration_s:.2f} s, of which {seen.duration_s:.2f} s were observed')
print(f'from the last observed frame to the next the joints move by {seam_mm:.1f} mm in the mean')
