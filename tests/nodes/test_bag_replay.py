# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag replayed over DDS with its own stamps, as `ros2 bag play` does, while a node listens."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

import torch
from nav_msgs.msg import Odometry
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState

from mgpt3_ros.bags import Recorded, open_bag
from mgpt3_ros.bags.messages import decode
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.support.bag_maker import BEGAN_NS, stream, write_bag
from tests.support.listener import FASTER, Listener

pytestmark = pytest.mark.slow

NODE = 'caption_node'
SECOND = 10**9


@pytest.fixture(scope='module')
def bag(default_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person who raises both arms, and after four seconds of silence one who runs: 6 s each."""
    model = MotionGPT3.from_pretrained(default_checkpoint, device='cpu')
    texts = ['raise both arms', 'a person runs fast']
    raised, run = model.generate(texts, [6.0, 6.0], generator=torch.Generator().manual_seed(0))
    messages = [*stream(raised), *stream(run, BEGAN_NS + 10 * SECOND, shuffled=True)]
    return write_bag(tmp_path_factory.mktemp('bag') / 'bag', messages, compression='message')


def replay(body: Listener, messages: Iterable[Recorded]) -> None:
    """Publish messages as they were recorded, ``FASTER`` than then; pauses are left out."""
    publishers = {
        '/joint_states': (body.joint_states, JointState),
        '/odom': (body.odometry, Odometry),
    }
    before_ns = 0
    for message in messages:
        # From message to message: one that is late must not be followed by a burst.
        pause_s = (message.recorded_ns - before_ns) * 1e-9 / FASTER if before_ns else 0.0
        end, before_ns = time.monotonic() + pause_s, message.recorded_ns
        while (left := end - time.monotonic()) > 0:
            body.executor.spin_once(timeout_sec=left)
        publisher, kind = publishers[message.topic]
        publisher.publish(deserialize_message(message.data, kind))


def test_captions_of_a_replayed_bag_name_the_actions_and_carry_its_stamps(
    shared_listener: tuple, default_checkpoint: Path, bag: Path
) -> None:
    make, body = shared_listener
    make(NODE, checkpoint=str(default_checkpoint), device='cpu', caption_period_s=0.1)
    body.ready(NODE)
    with open_bag(bag) as opened:
        messages = list(opened.messages(['/joint_states', '/odom']))
    stamps = {
        stamp.sec * SECOND + stamp.nanosec
        for stamp in (decode(m).header.stamp for m in messages if m.topic == '/joint_states')
    }
    pause_ns = BEGAN_NS + 8 * SECOND
    raised = [m for m in messages if m.recorded_ns < pause_ns]
    run = [m for m in messages if m.recorded_ns > pause_ns]
    # The second time the bag begins again: its stamps jump back, and the past is forgotten.
    arm = 'raise-up-both-hands'
    for part, action in ((raised, arm), (run, 'run'), (raised, arm)):
        body.forget()
        replay(body, part)
        last_ns = max(stamp for stamp in stamps if stamp <= part[-1].recorded_ns)

        def seen() -> bool:
            marker = body.heard['caption_marker'][-1:]
            return bool(marker) and at(marker[0]) > last_ns - SECOND  # noqa: B023

        body.until(seen, f'a caption of the end of {action}')
        markers = body.heard['caption_marker']
        assert {at(marker) for marker in markers} <= stamps  # the very stamps of joint states
        said = [(round((at(m) - BEGAN_NS) / SECOND, 2), m.text) for m in markers]
        assert read_action(markers[-1].text) == action, said
        assert markers[-1].text in [message.data for message in body.heard['caption']]
    values = body.values(NODE)
    assert int(values['time_jumps']) >= 1
    assert values['base'] == 'odom'


def at(marker: object) -> int:
    """The stamp of a marker [ns]."""
    stamp = marker.header.stamp  # type: ignore[attr-defined]
    return int(stamp.sec) * SECOND + int(stamp.nanosec)
