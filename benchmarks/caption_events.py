# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.caption_events --data PACK``: do labels of a stream follow the actions?

Clips whose action is known, cut to 4 to 10 s, go over into each other and are played as joint
states and odometry at 50 Hz into the buffer of caption_node, which is looked at every quarter of a
second. Measured: the share of the seconds, from 2 s into an action on, in which the label is its
action; changes of the label for each action; and of the segments that a whole recording is cut
into, the share right at the middle of each action, and how far their starts are off.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import caption_stream
from benchmarks.table import circumstances
from mgpt3_ros.body.caption_events import LOOK_S, EventTracker, segments
from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.kinematics.recognition import WINDOW_S, ActionRecogniser
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.measures import Share, counted

SHORTEST_S, LONGEST_S = 4.0, 10.0
SETTLED_S = 2.0


def strung(clips: list[Clip], count: int, seed: int) -> list[Clip]:
    """Clips of at least 4 s in a random order, cut to 10 s, no action twice on end."""
    long = [clip for clip in counted(clips) if len(clip.joints) >= SHORTEST_S * FPS]
    rng = np.random.default_rng(seed)
    chosen: list[Clip] = []
    for index in rng.permutation(len(long)):
        clip = long[index]
        if chosen and chosen[-1].action == clip.action:
            continue
        chosen.append(replace(clip, joints=clip.joints[: round(LONGEST_S * FPS)]))
    return chosen[:count]


def main(argv: list[str] | None = None) -> int:
    """Print the figures; return 0."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.caption_events', description=__doc__
    )
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--clips', type=int, default=45, help='so many (45)')
    parser.add_argument('--seed', type=int, default=0, help='of the order of the clips')
    parser.add_argument('--split', choices=('train', 'val'), default='val')
    options = parser.parse_args(argv)
    recogniser = ActionRecogniser.load(find_checkpoint(options.checkpoint))
    if recogniser is None:
        parser.error('the checkpoint has no actions.npz')
    clips = strung(getattr(load_pack(options.data), options.split), options.clips, options.seed)
    joints, spans = caption_stream.stream_of(clips, pause_s=0.0)
    looks = [
        (at, recogniser.probabilities(motion.joints))
        for at, motion in caption_stream.windows(joints, WINDOW_S, LOOK_S)
    ]
    times = np.array([at for at, _ in looks])
    print(circumstances())
    live(recogniser, looks, spans)
    recorded(recogniser, times, np.array([row for _, row in looks]), spans)
    return 0


def live(
    recogniser: ActionRecogniser,
    looks: list[tuple[float, np.ndarray]],
    spans: list[caption_stream.Span],
) -> None:
    """Print how often the label of the moment is right, and how often it changes."""
    tracker = EventTracker(recogniser.labels, recogniser.sentences)
    labels, changes = [], 0
    for at, probabilities in looks:
        changes += sum(not event.is_over for event in tracker.look(probabilities, at))
        labels.append(tracker.event.label if tracker.event else '')
    times = np.array([at for at, _ in looks])
    right: list[bool] = []
    wrong: Counter[tuple[str, str]] = Counter()
    for begin, end, action in spans:
        for second in np.arange(begin / FPS + SETTLED_S, end / FPS, 1.0):
            index = int(np.searchsorted(times, second - 1e-6))
            if index < len(times):
                right.append(labels[index] == action)
                wrong[action, labels[index]] += labels[index] != action
    print(f'{len(spans)} actions; seconds from {SETTLED_S:g} s into an action on, label right:')
    print(f'{Share(sum(right), len(right))}; changes for each action: {changes / len(spans):.2f}')
    print('most often wrong:', ', '.join(f'{a} as {b}: {n}' for (a, b), n in wrong.most_common(6)))


def recorded(
    recogniser: ActionRecogniser,
    times: np.ndarray,
    probabilities: np.ndarray,
    spans: list[caption_stream.Span],
) -> None:
    """Print how well the segments of the whole recording fit."""
    found = segments(probabilities)
    middles = times - WINDOW_S / 2
    right, errors = 0, []
    for begin, end, action in spans:
        middle, start = (begin + end) / 2 / FPS, begin / FPS
        here = next(
            (
                s
                for s in found
                if middles[s.start] - LOOK_S / 2 <= middle < middles[s.stop - 1] + LOOK_S / 2
            ),
            None,
        )
        if here is None or recogniser.labels[here.label] != action:
            continue
        right += 1
        if begin:
            errors.append(abs(middles[here.start] - LOOK_S / 2 - start))
    print(f'segments found: {len(found)}; right at the middle: {Share(right, len(spans))}')
    print(f'starts of those are off by {np.median(errors):.2f} s in the median')


if __name__ == '__main__':
    raise SystemExit(main())
