# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One body in a bag: which topics tell of it, under which names, and its windows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mgpt3_ros.bags.messages import JOINT_STATE, ODOMETRY, read_joints, read_pose
from mgpt3_ros.bags.reading import Bag
from mgpt3_ros.bags.topics import BagError, Recorded
from mgpt3_ros.bags.windows import Window, Windows
from mgpt3_ros.body.observation import Limits
from mgpt3_ros.body.profiles import PROFILES, JointProfile, make_profile

_LOOKED_AT = 100  # joint states in which to find a profile's names


@dataclass(frozen=True)
class Body:
    """A body's topics and its joints' names.

    odometry: '' where the bag has none: then the body stays in place, upright.
    """

    joint_topic: str
    odometry: str
    profile: JointProfile
    profile_name: str

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to read."""
        return (self.joint_topic, self.odometry) if self.odometry else (self.joint_topic,)


@dataclass(frozen=True)
class Robots:
    """The robots that a bag may hold, which this folder does not know; see :func:`find_body`."""

    make: Callable[[str], JointProfile]
    fitting: Callable[[Collection[str]], str | None]


def find_body(
    bag: Bag,
    topic: str | None = None,
    odometry: str | None = None,
    profile: str = 'auto',
    body_id: str = '',
    robots: Robots | None = None,
) -> Body:
    """Find out which topics and names a body has.

    Args:
        bag: where to look.
        topic: its joint states; None for /joint_states, or without it the only topic of the type.
        odometry: None for ``odom`` beside the joint states, if it is there; '' for none.
        profile: human_full, ros4hri, a robot that ``robots`` knows, or auto: as the names say.
        body_id: of ros4hri; '' to read it off the names.
        robots: what makes of a name a robot's profile, and of joints' names the robot that has
            them; None: there are none.

    Raises:
        BagError: a topic is missing or of another type, or the names fit no profile.
    """
    topic = topic or _only_joint_topic(bag)
    _require_type(bag, topic, JOINT_STATE)
    if odometry is None:
        beside = topic.rpartition('/')[0] + '/odom'
        odometry = (
            beside if any((t.name, t.type) == (beside, ODOMETRY) for t in bag.topics) else ''
        )
    if odometry:
        _require_type(bag, odometry, ODOMETRY)
    seen: list[str] = []
    needed = Limits.min_joint_coverage
    for count, message in enumerate(bag.messages([topic])):
        seen = read_joints(message).names
        names: Sequence[str] = (profile,)
        if profile == 'auto':
            robot = None if robots is None else robots.fitting(seen)
            names = PROFILES if robot is None else (*PROFILES, robot)
        others = None if robots is None else robots.make
        for name in names:
            found = make_profile(name, body_id or _body_id(seen), others)
            if len(set(found.names) & set(seen)) >= needed * len(found.names):
                return Body(topic, odometry, found, name)
        if count >= _LOOKED_AT:
            break
    if not seen:
        raise BagError(f'{topic} has no message with names in {bag.path}')
    wanted = ', '.join(PROFILES) if profile == 'auto' else profile
    raise BagError(
        f'{topic} names {", ".join(seen[:3])}, ...: no joints of {wanted}; urdf/human.urdf has '
        'the names of human_full, REP-155 those of ros4hri, docs/robots.md how a robot is added'
    )


def body_windows(
    body: Body, messages: Iterable[Recorded], windows: Windows
) -> Iterator[tuple[Recorded | None, list[Window]]]:
    """Read messages, all or only the body's; give each back with the windows that it completes.

    A message that cannot be read is counted in ``windows.buffer.dropped`` and left out. The last
    item is None with the windows that the end completes.
    """
    for message in messages:
        done: list[Window] = []
        try:
            if message.topic == body.joint_topic and message.type == JOINT_STATE:
                done = windows.hear_joints(read_joints(message), message.recorded_ns)
            elif message.topic == body.odometry and message.type == ODOMETRY:
                stamp_ns, pose = read_pose(message)
                windows.hear_base(stamp_ns or message.recorded_ns, pose)
        except BagError:
            windows.buffer.dropped['damaged'] += 1
        yield message, done
    yield None, windows.finish()


def _only_joint_topic(bag: Bag) -> str:
    names = [topic.name for topic in bag.topics if topic.type == JOINT_STATE]
    if '/joint_states' in names:
        return '/joint_states'
    if len(names) == 1:
        return names[0]
    if not names:
        raise BagError(
            f'{bag.path} has no topic of {JOINT_STATE}: mgpt3 bag-info shows its topics'
        )
    raise BagError(f'{bag.path} has several topics of joint states: --topic {", ".join(names)}?')


def _require_type(bag: Bag, name: str, kind: str) -> None:
    kinds = [topic.type for topic in bag.topics if topic.name == name]
    if not kinds:
        names = ', '.join(topic.name for topic in bag.topics) or 'none at all'
        raise BagError(f'{bag.path} has no topic {name}; it has {names}')
    if kind not in kinds:
        raise BagError(f'{name} is of {kinds[0]}, {kind} is needed')


def _body_id(names: list[str]) -> str:
    """Return the suffix of REP-155's names, '' where they have none."""
    return next((name.removeprefix('waist_') for name in names if name.startswith('waist_')), '')
