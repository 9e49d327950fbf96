# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the shipped model draws comes to meet the numbers of commands."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.body.commands.carrying_out import carry_out, carry_out_all
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.body.commands.shaping import Taken
from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.errors import CheckpointError, TextError
from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.human import ANGLE_NAMES
from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS, JOINT_NAMES, PARENTS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import SamplingOptions, noise_source

pytestmark = pytest.mark.slow

SEEDS = (0, 1)


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    try:
        find_checkpoint(None)
    except CheckpointError as error:
        pytest.skip(str(error))
    return MotionGPT3.from_pretrained(None, device='cpu')


def done(model: MotionGPT3, command: str, seed: int = 0) -> Motion:
    sampling = SamplingOptions(generator=noise_source(seed))
    motion = carry_out_all(model, understand(command), sampling)
    assert is_stance(motion.joints[-1]), 'a motion ends on both feet'
    assert motion.joints[:, FOOT_JOINTS, 1].min() > -0.01, 'no foot goes under the floor'
    bones = np.linalg.norm(motion.joints[:, 1:] - motion.joints[:, PARENTS[1:]], axis=-1)
    assert np.ptp(bones, axis=0).max() < 1e-4, 'bones keep their lengths'
    return motion


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize(
    ('command', 'metres'),
    [('walk two meters', 2), ('walk half a meter', 0.5), ('walk 12 m', 12), ('run 5 m', 5)],
)
def test_distances(model, command, metres, seed):
    ahead, left = way.travelled(done(model, command, seed).joints)
    assert ahead == pytest.approx(metres, abs=max(0.1 * metres, 0.15))
    assert abs(np.degrees(np.arctan2(left, ahead))) < 10


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize(
    ('command', 'degrees'),
    [
        ('turn left', 92),
        ('turn right', -92),
        ('turn around', 180),
        ('turn right 45 degrees', -45),
        ('walk in a circle', 360),
    ],
)
def test_angles(model, command, degrees, seed):
    turned = way.turned_by(done(model, command, seed).joints)
    assert np.degrees(turned) == pytest.approx(degrees, abs=10)


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize(
    ('command', 'steps'),
    [('take one step forward', 1), ('take two steps back', 2), ('walk five steps', 5)],
)
def test_steps(model, command, steps, seed):
    assert len(way.landings(done(model, command, seed).joints, FPS)) == steps


def test_speeds_are_those_of_people_and_in_order(model):
    commands = ('walk slowly', 'walk', 'walk fast', 'walk at 0.5 m/s')
    speeds = [way.pace(done(model, command).joints, FPS) for command in commands]
    for speed, real in zip(speeds, (0.72, 1.18, 1.55, 0.5), strict=True):
        assert speed == pytest.approx(real, rel=0.2)


@pytest.mark.parametrize(('command', 'side'), [('sidestep left', 1), ('sidestep right', -1)])
def test_a_sidestep_goes_sideways(model, command, side):
    ahead, left = way.travelled(done(model, command).joints)
    assert side * left >= 0.8 * np.hypot(ahead, left)


def test_counts_repeat_the_whole_action(model):
    once, thrice = (done(model, command) for command in ('bow', 'bow three times'))
    assert thrice.duration_s == pytest.approx(3 * once.duration_s, rel=0.15)
    height = thrice.joints[:, JOINT_NAMES.index('head'), 1]
    low = height < 0.5 * (height.min() + height.max())
    assert int(np.sum(np.diff(low.astype(int)) == 1)) == 3


@pytest.mark.parametrize('seconds', [3.0, 15.0])
def test_durations(model, seconds):
    motion = done(model, f'walk for {seconds:g} seconds')
    assert motion.duration_s == pytest.approx(seconds, abs=0.3)


def test_legs_of_one_and_arms_of_the_other(model):
    walk, both = done(model, 'walk two meters'), done(model, 'walk two meters while waving')
    np.testing.assert_allclose(both.joints[:, FOOT_JOINTS], walk.joints[:, FOOT_JOINTS], atol=0.01)
    wrist, shoulder = (JOINT_NAMES.index(f'right_{part}') for part in ('wrist', 'shoulder'))
    raised = (both.joints[:, wrist] - both.joints[:, shoulder])[:, 1]
    assert raised.max() > 0.0
    left = [index for index, name in enumerate(ANGLE_NAMES) if name.startswith('left_elbow')]
    angles = [joints_to_angles(motion.joints).angles[:, left] for motion in (walk, both)]
    np.testing.assert_allclose(*angles, atol=0.15)


def test_an_arm_of_each(model):
    raised = done(model, 'raise your right arm')
    both = done(model, 'raise your right arm while raising your left arm')
    for joints, sides in ((raised.joints, 'right'), (both.joints, 'left right')):
        for side in ('left', 'right'):
            wrist = joints[:, JOINT_NAMES.index(f'{side}_wrist')] - joints[:, 0]
            assert (wrist[:, 1].max() > 0.4) == (side in sides)


def test_parts_follow_one_another_from_stance_to_stance(model):
    motion = done(model, 'walk one meter, then wait 2 seconds, then bow')
    first, hold, last = motion.info['parts']
    assert [part['text'] for part in (first, hold, last)] == ['walk one meter', 'hold 2 s', 'bow']
    assert last['start_s'] - hold['start_s'] == pytest.approx(2.0)
    at = round(hold['start_s'] * FPS)
    held = motion.joints[at : at + 40]
    assert np.ptp(held, axis=0).max() < 1e-5
    steps = np.linalg.norm(np.diff(motion.joints, axis=0), axis=-1)
    assert steps.max() < 0.35  # [m] in a frame: nothing jumps


@pytest.mark.parametrize(
    ('command', 'metres', 'degrees', 'steps'),
    [
        ('walk two meters', 2.0, 0, None),
        ('turn left 45 degrees', None, 45, None),
        ('turn right', None, -92, None),
        ('walk three steps', None, 0, 3),
    ],
)
def test_numbers_count_from_where_it_takes_over(model, command, metres, degrees, steps):
    walk = done(model, 'walk 5 m').joints.astype(np.float64)
    taken = Taken(walk[40:60], 4)
    (action,) = understand(command)
    sampling = SamplingOptions(generator=noise_source(1))
    motion = carry_out(model, action, sampling, at_rest=False, taken=taken)
    assert motion.info['notes'] == ()
    np.testing.assert_allclose(motion.joints[0], taken.joints[4], atol=0.02)
    ahead, left = way.travelled(motion.joints)
    if metres is not None:
        assert np.hypot(ahead, left) == pytest.approx(metres, abs=max(0.1 * metres, 0.15))
    if steps is not None:
        assert len(way.landings(motion.joints, FPS)) == steps
    assert np.degrees(way.turned_by(motion.joints)) == pytest.approx(degrees, abs=10)


@pytest.mark.parametrize('seed', SEEDS)
def test_a_short_walk_walks(model, seed):
    motion = done(model, 'walk for 2 seconds, then wave', seed)
    begins = round(motion.info['parts'][1]['start_s'] * FPS)
    assert begins == pytest.approx(2 * FPS, abs=6)
    ahead, _ = way.travelled(motion.joints[:begins])
    assert ahead > 0.5
    turned = done(model, 'turn left for 2 seconds', seed)
    assert turned.duration_s == pytest.approx(2.0, abs=0.3)
    assert np.degrees(way.turned_by(turned.joints)) == pytest.approx(92, abs=10)


def test_the_same_sentence_in_any_dress_is_the_same_motion(model):
    one, other = done(model, 'walk two meters'), done(model, 'Please walk 2 metres!')
    np.testing.assert_array_equal(one.joints, other.joints)


def test_what_cannot_be_met_is_said(model):
    sampling = SamplingOptions(generator=noise_source(0))
    (action,) = understand('walk at 9 m/s')
    motion = carry_out(model, action, sampling)
    (note,) = motion.info['notes']
    assert 'not 9.00 m/s' in note
    (action,) = understand('walk until the wall')
    assert 'until the wall' in carry_out(model, action, sampling).info['notes'][0]
    (action,) = understand('walk to the door')
    assert "'to the door' cannot be judged" in carry_out(model, action, sampling).info['notes'][0]


def test_stopping_alone_is_no_motion(model):
    with pytest.raises(TextError, match='no motion'):
        carry_out_all(model, understand('stop'), SamplingOptions())
