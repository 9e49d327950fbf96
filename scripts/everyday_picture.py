# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Twenty everyday prompts as one picture: ``python -m scripts.everyday_picture``.

A strip of each, drawn as ``mgpt3 generate`` would draw it with one seed for all, whatever comes of
it; written to docs/images/everyday.jpg, which docs/generate.md describes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.render.strip import render_strip
from mgpt3_ros.model.sampling import noise_source

PICTURE = Path(__file__).resolve().parent.parent / 'docs' / 'images' / 'everyday.jpg'
CHECKPOINT, SEED, SECONDS = 'stream', 0, 4.0
PROMPTS = (
    *('walk forward', 'walk backward', 'run', 'turn left', 'turn right'),
    *('wave with the right hand', 'wave with both hands', 'raise your left arm', 'bow'),
    *('lift both arms above your head', 'sit down', 'stand up', 'jump forward'),
    *('kick with the left leg', 'kick with the right leg', 'punch with the right hand'),
    *('block with the right arm', 'do karate', 'breakdance', 'signal like a referee'),
)
_COLUMNS, _MOMENTS, _WIDTH = 2, 6, 720  # _WIDTH: of a strip [px]


def main() -> None:
    """Draw, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--picture', type=Path, default=PICTURE, help='where it is written')
    options = parser.parse_args()
    model = MotionGPT3.from_pretrained(CHECKPOINT, device='cpu')
    strips = []
    with tempfile.TemporaryDirectory() as folder:
        for prompt in PROMPTS:
            motion = model.generate(prompt, SECONDS, judge=False, generator=noise_source(SEED))
            path = Path(folder) / 'strip.png'
            render_strip(motion, path, _MOMENTS, prompt)
            image = cv2.imread(str(path))
            assert image is not None
            height = round(image.shape[0] * _WIDTH / image.shape[1])
            strips.append(cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA))
    rows = [np.hstack(strips[n : n + _COLUMNS]) for n in range(0, len(strips), _COLUMNS)]
    cv2.imwrite(str(options.picture), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == '__main__':
    main()
