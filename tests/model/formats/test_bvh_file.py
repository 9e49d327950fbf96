# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text of a BVH file: its tree, its frames, and what is wrong in a damaged one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats.bvh_file import parse_bvh
from mgpt3_ros.model.motion import Motion
from tests.support.bvh import CHAIN
from tests.support.tiny import swinging_motion


@pytest.mark.parametrize(
    ('seconds', 'fps'),
    [('0.033333', 30), ('0.0333333', 30), ('.008333', 120), ('0.0083', 120), ('0.0166', 60),
     ('3.3333E-2', 30), ('0.0333667', 29.97), ('1', 1)],
)  # fmt: skip
def test_rounded_frame_times_are_whole_rates(seconds: str, fps: float) -> None:
    file = parse_bvh(CHAIN.replace('Time: 0.05', f'Time: {seconds}'))
    assert file.fps == pytest.approx(fps, rel=1e-5)


def test_kinematics_by_hand() -> None:
    # Turned by 90 degrees about Z the bone (0, 2, 0) points to -X; about its own Y then, (0, 0, 1)
    # points to the parent's X, which is the world's Y.
    ends = parse_bvh(CHAIN).positions()
    assert ends[0].tolist() == [[0, 0, 0], [0, 2, 0], [0, 2, 1]]
    assert ends[1] == pytest.approx(np.array([[1, 2, 3], [-1, 2, 3], [-1, 3, 3]]))


DAMAGES = {
    'empty': ('', r'the file ends after line 0: "HIERARCHY" is missing'),
    'no hierarchy': ('hello\n', r'line 1: "HIERARCHY" expected, not "hello"'),
    'no name': (CHAIN.replace('ROOT a', 'ROOT'), r'line 2: a name expected, not "ROOT"'),
    'cut in the tree': (CHAIN[:200], r'the file ends after line \d+: .* is missing'),
    'cut in the frames': (
        CHAIN[: CHAIN.rindex('1 2 3')].replace('Frames: 2', 'Frames: 3'),
        r'the file ends after line 19 with 1 of 3 frames',
    ),
    'cut in a frame': (CHAIN[:-10], r'line 20: 9 channel values expected, not 5'),
    'too many values': (CHAIN.rstrip() + ' 1', r'line 20: 9 channel values expected, not 10'),
    'NaN': (CHAIN.replace('90 0\n', 'nan 0\n'), r'line 20: a number expected, not "nan"'),
    'infinity': (CHAIN.replace('90 0\n', '1e999 0\n'), r'line 20: a number expected, not "1e999"'),
    'words': (CHAIN.replace('1 2 3', '1 x 3'), r'line 20: a number expected, not "x"'),
    'offset of two': (CHAIN.replace('T 0 2 0', 'T 0 2'), r'line 8: 3 numbers expected, not 2'),
    'channel count': (CHAIN.replace('S 3 X', 'S 4 X'), r'line 9: "CHANNELS", their number'),
    'no channels': (CHAIN.replace('3 Xrotation Yrotation Zrotation', ''), r'line 9: "CHANNELS",'),
    'channel name': (CHAIN.replace('3 Xrot', '3 Wrot'), r'line 9: "CHANNELS", their number'),
    'twice a channel': (CHAIN.replace('3 Xrot', '3 Yrot'), r'line 9: "CHANNELS", their number'),
    'unknown word': (CHAIN.replace('End Site', 'Site'), r'line 10: "JOINT", "End Site" or "}"'),
    'no brace': (CHAIN.replace('JOINT b\n  {', 'JOINT b'), r'line 7: "{" expected, not "OFFSET'),
    'no frames': (CHAIN.replace('Frames: 2', 'Frames: 0'), r'line 17: a number of frames'),
    'many frames': (CHAIN.replace('Frames: 2', 'Frames: x'), r'line 17: a number expected'),
    'no time': (CHAIN.replace('0.05', '0'), r'line 18: a positive time expected'),
    'minus time': (CHAIN.replace('0.05', '-1'), r'line 18: a positive time expected'),
    'binary': ('\x00\ufffd' * 99, r'line 1: "HIERARCHY" expected, not ".{57}\.\.\."'),
    'endless tree': (
        'HIERARCHY\nROOT a\n{\n' + 'OFFSET 0 0 0\nCHANNELS 0\nJOINT b\n{\n' * 5000,
        r'the file ends after line 20003: "OFFSET" is missing',
    ),
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_damaged_files_are_refused_with_the_line(damage: str, tmp_path: Path) -> None:
    text, message = DAMAGES[damage]
    path = tmp_path / 'damaged.bvh'
    path.write_text(text)
    with pytest.raises(MotionError, match=message) as caught:
        Motion.load(path)
    assert str(caught.value).startswith(f'{path}: ')


def test_every_truncation_is_an_error_of_ours(tmp_path: Path) -> None:
    for end in range(0, CHAIN.rindex('0')):
        try:
            assert parse_bvh(CHAIN[:end]).remarks  # one frame less is read, and said
        except MotionError:
            continue


def test_a_single_frame_is_no_motion(tmp_path: Path) -> None:
    path = tmp_path / 'pose.bvh'
    Motion(swinging_motion(0, 2)).save(path)
    text = path.read_text().replace('Frames: 2', 'Frames: 1')
    path.write_text(text[: text.rstrip().rindex('\n')])
    with pytest.raises(MotionError, match='2 frames at least, got 1'):
        Motion.load(path)


def test_names_with_spaces_braces_on_the_line_and_any_case_are_read() -> None:
    text = CHAIN.replace('ROOT a\n{', 'ROOT a thing {').replace('HIERARCHY', '\ufeffhierarchy')
    file = parse_bvh(text.replace('\n', '\r\n').replace('Xrotation', 'XROTATION'))
    assert [joint.name for joint in file.joints] == ['a thing', 'b', 'b (end)']
    assert (file.positions() == parse_bvh(CHAIN).positions()).all()
