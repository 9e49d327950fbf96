# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.caption_stream --data PACK``: do captions of a stream follow the actions?

Validation clips of mocap22 whose action is known become one long stream, each clip going over into
the next. It is played as joint states and odometry at 50 Hz into the buffer of caption_node, and
each second the last seconds are captioned, as the node does it. A caption is right that names the
action, and the side, of the clip that its window lies in.

Columns: windows inside one clip; those of them that begin with the clip, so that the rise of an
arm is in them; windows of which one clip fills four fifths at least. At the end a second stream,
of 30 clips, pauses after each: the share of windows in a pause that are captioned as standing.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.table import circumstances
from mgpt3_ros.body.frames import quaternions_to_ros, vectors_to_ros
from mgpt3_ros.body.observation import Limits, MotionBuffer
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.finishing.joining import join
from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.measures import Share, counted

INPUT_HZ = 50
PERIOD_S = 1.0
BATCH = 32
FILLS = 0.8

Span = tuple[int, int, str]  # frames [start, stop) of a clip in the stream, and its action


def stream_of(clips: list[Clip], pause_s: float) -> tuple[np.ndarray, list[Span]]:
    """One motion (T, 22, 3) [m] of the clips, and where each of them is in it.

    With a pause each clip is followed by its last pose, held.
    """
    whole = clips[0].joints.astype(np.float64)
    spans: list[Span] = [(0, len(whole), str(clips[0].action))]
    held = round(pause_s * FPS)
    for clip in clips[1:]:
        if held:
            whole = np.concatenate([whole, np.repeat(whole[-1:], held, axis=0)])
        cut, joints = join(whole, clip.joints, FPS)
        begin, stop, action = spans[-1]
        spans[-1] = begin, min(stop, cut), action
        whole = np.concatenate([whole[:cut], joints])
        spans.append((cut, len(whole), str(clip.action)))
    return whole, spans


def windows(
    joints: np.ndarray, window_s: float, period_s: float = PERIOD_S
) -> Iterator[tuple[float, Motion]]:
    """What caption_node would look at: the time of the last frame [s] and the motion."""
    profile = make_profile('human_full', 'human')
    body = joints_to_angles(joints)
    values = np.concatenate(
        [body.angles, vectors_to_ros(body.root_pos), quaternions_to_ros(body.root_rot)], axis=1
    )
    times = np.arange(len(joints)) / FPS
    at = np.arange(0.0, times[-1], 1 / INPUT_HZ)
    sampled = np.stack([np.interp(at, times, column) for column in values.T], axis=1)
    buffer = MotionBuffer(profile, Limits(window_s=window_s))
    width = len(profile.names)
    due_s = window_s
    for moment, row in zip(at, sampled, strict=True):
        stamp_ns = 10**12 + round(moment * 1e9)
        buffer.hear_base(row[width : width + 3], row[width + 3 :], stamp_ns)
        buffer.hear_joints(profile.names, row[:width], stamp_ns)
        if moment < due_s:
            continue
        due_s += period_s
        window = buffer.window()
        assert window is not None
        yield float(moment), window.resampled().motion(profile)


def place_of(start: float, stop: float, spans: list[Span]) -> tuple[str, str]:
    """Where a window [frames] lies: the name of its row, and the action; '' for no row."""
    for begin, end, action in spans:
        inside = min(stop, end) - max(start, begin)
        if start >= begin - 0.5 and stop <= end + 0.5:
            return ('inside, from its begin' if start <= begin + FPS / 2 else 'inside'), action
        if inside >= FILLS * (stop - start):
            return 'four fifths', action
    return '', ''


def main(argv: list[str] | None = None) -> int:
    """Print the share of captions that name the action, for each length of the window."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.caption_stream', description=__doc__
    )
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--window', type=float, nargs='+', default=[2.0, 3.0, 4.0, 6.0])
    parser.add_argument('--clips', type=int, help='at most so many (all)')
    parser.add_argument('--seed', type=int, default=0, help='of the order of the clips')
    arguments = parser.parse_args(argv)
    clips = counted(load_pack(arguments.data).val)
    order = np.random.default_rng(arguments.seed).permutation(len(clips))[: arguments.clips]
    clips = [clips[i] for i in order]
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    print(circumstances())
    print(f'{len(clips)} clips, a caption each {PERIOD_S:g} s')
    print('| window | inside one clip | of them from its begin | four fifths in one clip |')
    print('|---|---|---|---|')
    joints, spans = stream_of(clips, pause_s=0.0)
    for window_s in arguments.window:
        wrong: Counter[tuple[str, str]] = Counter()
        right: dict[str, list[bool]] = defaultdict(list)
        for caption, row, action in captioned(model, joints, spans, window_s):
            found = read_action(caption)
            right[row].append(found == action)
            if found != action and row.startswith('inside'):
                wrong[action, str(found)] += 1
        inside = right['inside'] + right['inside, from its begin']
        groups = (inside, right['inside, from its begin'], right['four fifths'])
        cells = [str(Share(sum(group), len(group))) for group in groups]
        print(f'| {window_s:g} s | {" | ".join(cells)} |')
        told = ', '.join(f'{a} as {b}: {n}' for (a, b), n in wrong.most_common(6))
        print(f'most often wrong inside, {window_s:g} s: {told}' if told else 'none wrong')
    window_s = min(arguments.window)
    pause_s = window_s + 2.0
    joints, spans = stream_of(clips[:30], pause_s)
    still = []
    for moment, motion in windows(joints, window_s):
        start, stop = (moment - window_s) * FPS, moment * FPS
        if any(start >= end and stop < following for end, following in pauses(spans)):
            still.append('still' in str(model.caption(motion)))
    print(
        f'windows of {window_s:g} s in which nothing moves, captioned so: '
        f'{Share(sum(still), len(still))}'
    )
    return 0


def captioned(
    model: MotionGPT3, joints: np.ndarray, spans: list[Span], window_s: float
) -> Iterator[tuple[str, str, str]]:
    """Caption, row and action of each window that lies in a clip, or nearly."""
    found = []
    for moment, motion in windows(joints, window_s):
        row, action = place_of((moment - window_s) * FPS, moment * FPS, spans)
        if row:
            found.append((motion, row, action))
    for begin in tqdm(range(0, len(found), BATCH), desc=f'captions of {window_s:g} s'):
        part = found[begin : begin + BATCH]
        texts = model.caption([motion for motion, _, _ in part])
        yield from (
            (text, row, action) for text, (_, row, action) in zip(texts, part, strict=True)
        )


def pauses(spans: list[Span]) -> list[tuple[int, int]]:
    """Frames between the clips."""
    return [(one[1], other[0]) for one, other in pairwise(spans)]


if __name__ == '__main__':
    raise SystemExit(main())
