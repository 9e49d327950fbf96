# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is heard of a body: made-up streams against the motion that they were made of."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.frames import quaternions_to_model, vectors_to_model
from mgpt3_ros.body.observation import Limits, MotionBuffer, UnusableError
from mgpt3_ros.body.profiles import STANDING_HEIGHT_M, make_profile
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints
from tests.support.clips import random_state

HUMAN = make_profile('human_full', 'human')
NAMES = list(HUMAN.names)
BEGIN_NS = 1_700_000_000_123_456_789


def angles(time: np.ndarray) -> np.ndarray:
    """A swing of all joints (N, 63) at times (N,)."""
    phases = np.linspace(0, 6, len(NAMES))
    return 0.4 * np.sin(3 * time[:, None] + phases)


def base(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pos = np.stack([0.8 * time, 0.2 * np.sin(time), 0.9 + 0.02 * np.sin(5 * time)], axis=1)
    return pos, quat.about_z(0.9 * time)


def joints(time: np.ndarray) -> np.ndarray:
    pos, rot = base(time)
    body = BodyAngles(vectors_to_model(pos), quaternions_to_model(rot), angles(time))
    return angles_to_joints(body)


def stamp(time: float) -> int:
    return BEGIN_NS + round(time * 1e9)


def feed(buffer: MotionBuffer, times: np.ndarray, with_base: bool = True) -> None:
    pos, rot = base(times)
    for at, row, place, turn in zip(times, angles(times), pos, rot, strict=True):
        buffer.hear_joints(NAMES, row.tolist(), stamp(at))
        if with_base:
            buffer.hear_base(place.tolist(), turn.tolist(), stamp(at))


def seen(buffer: MotionBuffer) -> np.ndarray:
    window = buffer.window()
    assert window is not None
    return window.resampled().motion(HUMAN).joints


@pytest.mark.parametrize('rate', [12.0, 50.0, 100.0, 1000.0])
def test_any_rate_with_jitter_is_the_same_motion_at_20_hz(rate):
    rng = np.random.default_rng(0)
    times = np.arange(0, 3.0, 1 / rate)
    times = times + rng.uniform(0, 0.6 / rate, len(times))
    buffer = MotionBuffer(HUMAN, Limits(window_s=2.0))
    feed(buffer, times)
    motion = seen(buffer)
    assert motion.shape == (41, 22, 3)
    truth = joints(times[-1] - np.arange(41)[::-1] / 20)
    assert np.linalg.norm(motion - truth, axis=-1).mean() < (0.012 if rate < 20 else 0.001)
    assert buffer.window().stop_ns == stamp(times[-1])
    assert buffer.rate_hz == pytest.approx(rate, rel=0.03)
    assert len(buffer.window().joints) <= 2.6 * 500


@pytest.mark.parametrize('with_base', [True, False])
def test_the_end_of_a_window_is_what_the_whole_window_says_of_it(with_base):
    buffer = MotionBuffer(HUMAN, Limits(window_s=4.0))
    feed(buffer, np.arange(0, 3.0, 0.013), with_base)
    whole = buffer.window()
    end = dataclasses.replace(whole, start_ns=whole.stop_ns - 500_000_000)
    found = end.resampled().motion(HUMAN).joints
    np.testing.assert_allclose(found, whole.resampled().motion(HUMAN).joints[-11:], atol=1e-6)


def test_order_of_names_and_strangers_do_not_matter():
    rng = np.random.default_rng(1)
    times = np.arange(0, 2, 0.02)
    plain, mixed = MotionBuffer(HUMAN), MotionBuffer(HUMAN)
    feed(plain, times, with_base=False)
    for at, row in zip(times, angles(times), strict=True):
        order = rng.permutation(len(NAMES) + 2)
        names, values = [*NAMES, 'gripper', 'wheel'], [*row, np.nan, 7.0]
        mixed.hear_joints([names[i] for i in order], [values[i] for i in order], stamp(at))
    np.testing.assert_array_equal(seen(mixed), seen(plain))


def test_missing_joints_are_neutral_down_to_the_coverage_that_is_asked_for():
    buffer = MotionBuffer(HUMAN)
    times = np.arange(0, 1, 0.02)
    for at, row in zip(times, angles(times), strict=True):
        buffer.hear_joints(NAMES[:45], row[:45].tolist(), stamp(at))
    observed = buffer.window().resampled()
    assert buffer.names.coverage == pytest.approx(45 / 63)
    assert not observed.positions[:, 45:].any()
    assert observed.positions[:, :45].any()
    with pytest.raises(UnusableError, match='48% of the joints') as caught:
        buffer.hear_joints(NAMES[:30], [0.0] * 30, stamp(2.0))
    assert caught.value.kind == 'coverage'
    buffer.limits = Limits(min_joint_coverage=0.0)
    with pytest.raises(UnusableError):
        buffer.hear_joints(['gripper'], [0.0], stamp(2.0))


@pytest.mark.parametrize(
    ('names', 'positions', 'kind'),
    [
        (NAMES, [0.0] * 62, 'lengths'),
        ([NAMES[0], *NAMES[:62]], [0.0] * 63, 'names'),
        (NAMES, [np.nan] + [0.0] * 62, 'number'),
        (NAMES, [0.0] * 62 + [np.inf], 'number'),
        (NAMES, [1e300] * 63, 'number'),
        ([], [], 'coverage'),
    ],
)
def test_faults_are_dropped_counted_and_leave_no_trace(names, positions, kind):
    buffer, plain = MotionBuffer(HUMAN), MotionBuffer(HUMAN)
    times = np.arange(0, 1, 0.02)
    feed(plain, times)
    feed(buffer, times[:25])
    for _ in range(3):
        with pytest.raises(UnusableError) as caught:
            buffer.hear_joints(names, positions, stamp(times[25]))
        assert caught.value.kind == kind
    assert buffer.dropped == {kind: 3}
    assert buffer.bad_in_a_row == (0 if kind == 'coverage' else 3)
    feed(buffer, times[25:])
    assert buffer.bad_in_a_row == 0
    np.testing.assert_array_equal(seen(buffer), seen(plain))


def test_angles_that_wrap_around_are_unwrapped():
    buffer = MotionBuffer(HUMAN)
    times = np.arange(0, 2, 0.02)
    turning = 2.5 + 1.5 * times
    for at, angle in zip(times, turning, strict=True):
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        buffer.hear_joints(NAMES, [wrapped] * 63, stamp(at))
    positions = buffer.window().resampled().positions
    np.testing.assert_allclose(np.diff(positions, axis=0), 1.5 / 20, atol=1e-6)


def test_the_base_turns_evenly_whatever_the_sign_of_its_quaternions():
    buffer = MotionBuffer(HUMAN)
    times = np.arange(0, 2, 0.04)
    for index, at in enumerate(times):
        sign = (-1.0) ** index
        buffer.hear_joints(NAMES, [0.0] * 63, stamp(at))
        buffer.hear_base([at, 0, 1], (2 * sign * quat.about_z(1.2 * at)).tolist(), stamp(at))
    observed = buffer.window().resampled()
    np.testing.assert_allclose(np.diff(np.unwrap(quat.yaw(observed.base_rot))), 0.06, atol=1e-9)
    np.testing.assert_allclose(np.diff(observed.base_pos[:, 0]), 0.05, atol=1e-9)


def test_a_gap_begins_anew():
    buffer = MotionBuffer(HUMAN)
    feed(buffer, np.arange(0, 2, 0.02))
    feed(buffer, np.arange(2.7, 3.5, 0.02))
    assert buffer.window().duration_s == pytest.approx(0.78)
    assert buffer.gaps == 1
    feed(buffer, np.arange(3.9, 4.5, 0.02))  # 0.4 s are none
    assert buffer.window().duration_s == pytest.approx(1.78, abs=0.03)


def test_a_jump_back_begins_anew_and_what_is_late_is_dropped():
    buffer = MotionBuffer(HUMAN)
    feed(buffer, np.arange(10, 12, 0.02))
    for late in (11.9, 11.98):
        with pytest.raises(UnusableError) as caught:
            buffer.hear_joints(NAMES, [0.0] * 63, stamp(late))
        assert caught.value.kind == 'old'
    feed(buffer, np.arange(0, 1, 0.02))
    assert buffer.jumps >= 1
    assert buffer.window().duration_s == pytest.approx(0.98)
    assert buffer.window().stop_ns == stamp(0.98)


def test_without_odometry_the_base_stands_upright_at_rest():
    buffer = MotionBuffer(HUMAN)
    feed(buffer, np.arange(0, 1, 0.02), with_base=False)
    observed = buffer.window().resampled()
    assert not observed.has_base
    assert (observed.base_rot == quat.IDENTITY).all()
    assert (observed.base_pos == [0, 0, STANDING_HEIGHT_M]).all()


def test_with_odometry_the_window_is_where_both_were_heard():
    buffer = MotionBuffer(HUMAN)
    feed(buffer, np.arange(0, 1, 0.02), with_base=False)
    feed(buffer, np.arange(1, 2, 0.02))
    feed(buffer, np.arange(2, 2.3, 0.02), with_base=False)
    window = buffer.window()
    assert (window.start_ns, window.stop_ns) == (stamp(1.0), stamp(1.98))
    feed(buffer, np.arange(2.3, 3.6, 0.02), with_base=False)
    assert not buffer.window().resampled().has_base  # the odometry has stopped
    assert not buffer.uses_odometry
    assert buffer.heard_odometry
    with pytest.raises(UnusableError):
        buffer.hear_base([0, 0, np.nan], [0, 0, 0, 1], stamp(3))
    with pytest.raises(UnusableError):
        buffer.hear_base([0, 0, 0], [0, 0, 0, 0], stamp(3))


def hear_both(
    rate: float, shift_s: float = 0.0, seconds: float = 5.0, jitter_s: float = 0.0
) -> MotionBuffer:
    """Joints at 50 Hz; odometry at another rate, whose clock is ``shift_s`` ahead."""
    buffer, due = MotionBuffer(HUMAN), 0.0
    jitter = np.random.default_rng(3).uniform(-jitter_s, jitter_s, 1000)
    for at in np.arange(0, seconds, 0.02):
        buffer.hear_joints(NAMES, angles(np.array([at]))[0], stamp(at))
        if at < due:
            continue
        due += 1 / rate
        pos, rot = base(np.array([at]))
        moment = stamp(at + shift_s + jitter[round(due * rate)])
        with contextlib.suppress(UnusableError):
            buffer.hear_base(pos[0], rot[0], max(moment, 0))
    return buffer


@pytest.mark.parametrize(
    ('rate', 'shift_s', 'jitter_s'),
    [(20, 0, 0), (2, 0, 0.05), (1.5, 0, 0), (1, 0, 0.05), (5, 1.0, 0), (20, -0.7, 0)],
)
def test_odometry_that_is_slow_or_a_little_off_is_used(rate, shift_s, jitter_s):
    buffer = hear_both(rate, shift_s, jitter_s=jitter_s)
    observed = buffer.window().resampled()
    assert buffer.uses_odometry
    assert observed.has_base
    last_s = (observed.stamp_ns - BEGIN_NS) * 1e-9 - shift_s
    assert observed.base_pos[-1] == pytest.approx(base(np.array([last_s]))[0][0], abs=0.06)
    assert np.diff(observed.base_pos[:, 0]).mean() == pytest.approx(0.04, rel=0.05)
    assert (buffer.gaps, buffer.dropped) == (0, {})


@pytest.mark.parametrize('shift_s', [-1.7e9, -5.0, 5.0, 1.7e9])
def test_odometry_of_another_clock_is_dropped_and_counted(shift_s):
    buffer = hear_both(20, shift_s)
    assert buffer.heard_odometry
    assert not buffer.uses_odometry
    assert not buffer.window().resampled().has_base
    assert buffer.dropped['apart'] == 100
    with pytest.raises(UnusableError, match='newest joint state'):
        buffer.hear_base([0, 0, 1], [0, 0, 0, 1], stamp(5.0 + shift_s))


@pytest.mark.parametrize('rate', [0.1, 0.5])
def test_odometry_that_comes_too_rarely_is_not_used_and_that_is_known(rate):
    buffer = hear_both(rate)
    assert (buffer.heard_odometry, buffer.uses_odometry) == (True, False)
    buffer.clear()
    assert not buffer.heard_odometry


def test_pauses_of_odometry_are_none_of_the_joint_states():
    buffer = hear_both(0.5)
    assert (buffer.gaps, buffer.jumps) == (0, 0)


def hear(buffer: MotionBuffer, time_s: float, value: float, **options) -> None:
    buffer.hear_joints(NAMES, [value] * 63, stamp(time_s), **options)


@pytest.mark.parametrize('given', [(), [np.nan] * 63, [np.inf] * 63, [1e9] * 63, [0.0] * 62])
def test_velocities_that_are_none_follow_from_two_states(given):
    buffer = MotionBuffer(HUMAN)
    hear(buffer, 1.0, 0.0, velocities=given)
    hear(buffer, 1.1, 0.2, velocities=given)
    np.testing.assert_allclose(buffer.state().velocities, 2.0)
    assert buffer.without_velocity == (2 if len(given) else 0)
    assert (buffer.accepted, buffer.dropped, buffer.bad_in_a_row) == (2, {}, 0)


def test_one_velocity_that_is_no_number_spoils_no_other():
    buffer = MotionBuffer(HUMAN)
    given = [5.0] * 62 + [np.nan]
    for at in (1.0, 1.1):
        hear(buffer, at, at, velocities=given)
    np.testing.assert_allclose(buffer.state().velocities, [5.0] * 62 + [1.0])
    assert buffer.without_velocity == 2


def test_velocities_are_read_by_name_and_none_spans_a_gap():
    buffer = MotionBuffer(HUMAN, Limits(min_joint_coverage=0.01))
    names, values = ['wheel', NAMES[2], NAMES[0]], [9.0, 3.0, 1.0]
    buffer.hear_joints(names, values, stamp(1.0), [0.9, 0.3, 0.1])
    state = buffer.state()
    assert state.positions[:3].tolist() == [1, 0, 3]
    assert state.velocities[:3].tolist() == [0.1, 0, 0.3]
    buffer.hear_joints(names, values, stamp(9.0))
    assert not buffer.state().velocities.any()


def test_a_joint_that_wraps_around_has_the_velocity_of_its_turn():
    buffer = MotionBuffer(HUMAN)
    hear(buffer, 1.0, 3.1)
    hear(buffer, 1.1, -3.1)
    np.testing.assert_allclose(buffer.state().velocities, (2 * np.pi - 6.2) / 0.1)


def test_a_twist_is_read_in_the_axes_of_the_base():
    buffer = MotionBuffer(HUMAN)
    hear(buffer, 1.0, 0.0)
    turn = quat.about_z(np.pi / 2)
    buffer.hear_base([4, 0, 0], turn, stamp(1.0), [1, 0, 0, 0, 0, 0.5])
    state = buffer.state()
    np.testing.assert_allclose(state.base_lin, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(state.base_ang, [0, 0, 0.5], atol=1e-12)
    np.testing.assert_allclose(state.base_pos, [4, 0, 0])
    buffer.hear_base([5, 0, 0], turn, stamp(1.1), [np.nan] * 6)
    assert not buffer.state().base_lin.any()
    assert buffer.state().base_pos[0] == 5
    assert buffer.without_velocity == 1


def test_without_odometry_the_base_is_the_one_given_or_stands():
    buffer, given = MotionBuffer(HUMAN), random_state(1, 63)
    assert buffer.state(given) is None
    hear(buffer, 1.0, 0.5)
    state = buffer.state(given)
    assert state.base_pos is given.base_pos
    assert state.positions.tolist() == [0.5] * 63
    np.testing.assert_array_equal(buffer.state().base_pos, [0, 0, STANDING_HEIGHT_M])


def test_a_stated_rate_evens_jittering_stamps_out():
    rng = np.random.default_rng(2)
    true = np.arange(0, 4, 0.02)
    heard = true + rng.normal(0, 0.004, len(true)).clip(-0.009, 0.009)
    errors = []
    for rate in (0.0, 50.0):
        buffer = MotionBuffer(HUMAN, Limits(window_s=3.0, input_rate_hz=rate))
        for at, row in zip(heard, angles(true), strict=True):
            buffer.hear_joints(NAMES, row.tolist(), stamp(at))
        window = buffer.window()
        last = (window.stop_ns - BEGIN_NS) * 1e-9
        expected = angles(last - np.arange(61)[::-1] / 20)
        errors.append(np.abs(window.resampled().positions - expected).mean())
    assert errors[1] < 0.5 * errors[0]


def test_two_publishers_are_told_by_names_that_go_back_and_forth():
    buffer = MotionBuffer(HUMAN)
    for index in range(10):
        names = NAMES if index % 2 else NAMES[::-1]
        buffer.hear_joints(names, [0.0] * 63, stamp(0.02 * index))
    assert buffer.names.flip_flops >= 8


def test_nothing_is_there_before_two_states_and_after_clear():
    buffer = MotionBuffer(HUMAN)
    assert buffer.window() is None
    buffer.hear_joints(NAMES, [0.0] * 63, stamp(0.0))
    assert buffer.window() is None
    buffer.hear_joints(NAMES, [0.0] * 63, stamp(0.02))
    with pytest.raises(MotionError, match='were observed'):
        buffer.window().resampled()
    buffer.clear()
    assert buffer.window() is None
