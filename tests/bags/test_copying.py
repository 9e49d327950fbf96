# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Copies of bags with something added: all that was there, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from mgpt3_ros.bags import (
    BagCopy,
    BagError,
    Recorded,
    Windows,
    body_windows,
    find_body,
    open_bag,
)
from mgpt3_ros.bags.messages import (
    STRING,
    decode,
    text_message,
)
from mgpt3_ros.model.language.caption_actions import read_action
from tests.support.bag_maker import (
    BEGAN_NS,
    SECOND,
    STORED,
    SWING,
    Messages,
    cut,
    remark,
    run_cli,
    write_bag,
)


@pytest.mark.parametrize(('storage', 'compression'), STORED)
def test_a_copy_holds_the_input_and_the_captions(
    storage: str, compression: str, messages: Messages, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, storage, compression)
    out = tmp_path / 'out'
    call = ('caption-bag', bag, '--write-bag', out, '--caption-topic', '/said')
    assert run_cli(*call, '--window', '6') == 0
    with open_bag(bag) as before, open_bag(out) as after:
        assert after.storage == storage
        kept = list(after.messages(['/joint_states', '/odom', '/remarks']))
        assert kept == list(before.messages())
        said = list(after.messages(['/said']))
        assert [topic.name for topic in after.topics] == [
            *('/joint_states', '/odom', '/remarks'),
            '/said',
        ]
        order = [message.recorded_ns for message in after.messages()]
    assert order == sorted(order)
    assert [read_action(decode(message).data) for message in said] == ['wave-both-hands', 'run']
    ends = [5.94, 15.95]
    assert [(m.recorded_ns - BEGAN_NS) / SECOND for m in said] == pytest.approx(ends, abs=0.01)


def test_a_type_that_nobody_knows_is_copied(tmp_path: Path) -> None:
    bag_path = write_bag(tmp_path / 'bag', [remark(BEGAN_NS, 'hello')])
    with open_bag(bag_path) as bag:
        strange = Recorded('/strange', 'my_msgs/msg/Thing', BEGAN_NS, b'\0\1\0\0abc\0')
        bag.topics = (*bag.topics, type(bag.topics[0])('/strange', 'my_msgs/msg/Thing', 1))
        with BagCopy(tmp_path / 'out', bag, {'/caption': STRING}) as copy:
            copy.copy(strange)
    with open_bag(tmp_path / 'out') as bag:
        assert list(bag.messages(['/strange'])) == [strange]


def test_a_copy_that_fails_leaves_nothing_and_overwrites_nothing(tmp_path: Path) -> None:
    bag_path = write_bag(tmp_path / 'bag', [remark(BEGAN_NS, 'hello')])
    with open_bag(bag_path) as bag:

        def fail() -> None:
            with BagCopy(tmp_path / 'out', bag, {'/caption': STRING}) as copy:
                copy.add('/caption', BEGAN_NS, text_message('a'))
                raise BagError('the disk is full')

        with pytest.raises(BagError):
            fail()
        assert not (tmp_path / 'out').exists()
        with pytest.raises(BagError, match='exists already'):
            BagCopy(bag_path, bag, {'/caption': STRING})
        with pytest.raises(BagError, match='has a topic /remarks already'):
            BagCopy(tmp_path / 'out', bag, {'/remarks': STRING})


@pytest.mark.parametrize(('storage', 'share'), [('mcap', 1.0), ('sqlite3', 1.0), ('mcap', 0.9)])
def test_memory_does_not_grow_with_the_bag(storage: str, share: float, tmp_path: Path) -> None:
    """A bag of 20 MB is read and copied within 10 MB, and one of half the length within as much.

    Most of it is of a topic that has nothing to do with the body, as in bags with pictures.
    """

    def peak(rounds: int) -> float:
        path = write_bag(tmp_path / f'{rounds}', bulky(rounds), storage)
        if share < 1:
            cut(path, share)
        assert sum(file.stat().st_size for file in path.iterdir()) > 5e6 * rounds * share
        tracemalloc.start()
        with (
            open_bag(path) as bag,
            BagCopy(tmp_path / f'{rounds}_copy', bag, {'/caption': STRING}) as copy,
        ):
            body = find_body(bag)
            count = 0
            for message, done in body_windows(body, bag.messages(), Windows(body.profile, 2, 2)):
                if message is not None:
                    copy.copy(message)
                count += len(done)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count >= rounds * share
        return top / 1e6

    half, whole = peak(2), peak(4)
    assert whole < 10
    assert whole < half + 0.5


def bulky(rounds: int) -> Messages:
    """Rounds of 3 s of a body, and of 5 MB of something else; no stamps but the recorder's."""
    heard = [(at, topic, kind, data[:4] + bytes(8) + data[12:]) for at, topic, kind, data in SWING]
    span, noise = 3 * SECOND, 'x' * 100_000
    all_rounds: Messages = []
    for begins in range(0, rounds * span, span):
        all_rounds += [(begins + at, topic, kind, data) for at, topic, kind, data in heard]
        all_rounds += [remark(begins + BEGAN_NS + k * SECOND // 20, noise) for k in range(50)]
    return sorted(all_rounds, key=lambda message: message[0])
