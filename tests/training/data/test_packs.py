# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The reader of packs: clips as they were written, damage said, the real pack's counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgpt3_ros.training.data.clip import DataError, action_side
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS, MotionPack, action_of, load_pack
from tests.support import mocap
from tests.support.tiny_pack import tiny_clips, tiny_entries, write_tiny_pack

FILES = ('motions.npz', 'captions.json', 'text_only.txt')


def test_clips_come_back_as_they_were_written(tmp_path: Path) -> None:
    pack = load_pack(write_tiny_pack(tmp_path))
    assert (len(pack.train), len(pack.val)) == (7, 1)
    read = [*pack.train, *pack.val]
    for clip, joints, entry in zip(read, tiny_clips(), tiny_entries(tiny_clips()), strict=True):
        assert clip.joints.dtype == np.float32
        assert np.abs(clip.joints - joints).max() < 1e-5
        assert (clip.id, clip.captions, clip.split) == (
            entry['id'],
            tuple(entry['captions']),
            entry['split'],
        )


def test_actions_and_styles_are_read_of_bandai_clips_alone(tmp_path: Path) -> None:
    train = load_pack(write_tiny_pack(tmp_path)).train
    assert [(clip.action, clip.style, clip.side) for clip in train] == [
        ('wave-left-hand', 'normal', 'left'),
        ('wave-right-hand', 'active', 'right'),
        ('walk', 'tired', None),
        ('walk', 'normal', None),
        (None, None, None),
        ('run', 'normal', None),
        ('wave-both-hands', 'normal', None),
    ]


def test_captions_without_motion_are_lines_that_are_not_blank(tmp_path: Path) -> None:
    pack = load_pack(write_tiny_pack(tmp_path))
    assert pack.text_only == ['a person sits down.', 'a man jumps over a box.']


@pytest.mark.parametrize(
    ('kind', 'action', 'style'),
    [('template:walk/old', 'walk', 'old'), ('template:dash/active', 'run', 'active'),
     ('template:dance-long/normal', 'dance', 'normal'), ('humanml3d', None, None),
     ('template:byebye/sad', 'wave-both-hands', 'sad'), ('cmu-index:boxing', None, None),
     ('template:kick', None, None)],
)  # fmt: skip
def test_actions_of_caption_kinds(kind: str, action: str | None, style: str | None) -> None:
    assert action_of(kind) == (action, style)


@pytest.mark.parametrize(
    ('action', 'side'),
    [('walk-turn-left', 'left'), ('raise-up-right-hand', 'right'), ('walk', None), (None, None),
     ('upright', None), ('wave-both-hands', None)],
)  # fmt: skip
def test_sides_are_words_of_the_action(action: str | None, side: str | None) -> None:
    assert action_side(action) == side


def test_the_digest_is_of_all_files(tmp_path: Path) -> None:
    write_tiny_pack(tmp_path)
    digests = {load_pack(tmp_path).digest}
    assert digests == {load_pack(tmp_path).digest}
    write_tiny_pack(tmp_path, text='a person sits.\n')
    digests.add(load_pack(tmp_path).digest)
    entries = tiny_entries(tiny_clips())
    entries[0]['captions'] = ['another caption']
    write_tiny_pack(tmp_path, entries=entries)
    digests.add(load_pack(tmp_path).digest)
    write_tiny_pack(tmp_path, unit=np.float64(0.0005))
    digests.add(load_pack(tmp_path).digest)
    assert len(digests) == 4


@pytest.mark.parametrize('name', FILES)
def test_missing_files_are_named(name: str, tmp_path: Path) -> None:
    (write_tiny_pack(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=rf'is no pack of motions: {name} not found'):
        load_pack(tmp_path)


def test_a_folder_that_is_not_there_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'nowhere is no pack of motions: motions.npz, cap'):
        load_pack(tmp_path / 'nowhere')


@pytest.mark.parametrize('name', ['motions.npz', 'captions.json'])
def test_truncated_files_are_damage(name: str, tmp_path: Path) -> None:
    file = write_tiny_pack(tmp_path) / name
    whole = file.read_bytes()
    for share in (0.0, 0.3, 0.9, 0.99):
        file.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError, match='is damaged'):
            load_pack(tmp_path)


def test_changed_bytes_of_the_motions_are_damage(tmp_path: Path) -> None:
    file = write_tiny_pack(tmp_path) / 'motions.npz'
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(20):
        data = bytearray(whole)
        begin = int(rng.integers(len(data) // 2))
        data[begin : begin + 200] = rng.integers(0, 256, 200, dtype=np.uint8).tobytes()
        file.write_bytes(bytes(data))
        with pytest.raises(DataError, match='is damaged'):
            load_pack(tmp_path)


def entries_with(index: int, **changes: Any) -> list[dict[str, Any]]:
    entries = tiny_entries(tiny_clips())
    entries[index] |= changes
    return entries


def entries_without(key: str) -> list[dict[str, Any]]:
    entries = tiny_entries(tiny_clips())
    del entries[2][key]
    return entries


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'entries': tiny_entries(tiny_clips())[:-1]}, '8 motions, but captions for 7 clips'),
        ({'entries': {'clips': []}}, 'is damaged: .* holds a dict'),
        ({'entries': [1] * 8}, 'is damaged'),
        ({'entries': entries_without('split')}, r"is damaged: 'split' is missing"),
        ({'entries': entries_with(3, captions=[])}, 'clip clip-3 has no caption'),
        ({'entries': entries_with(3, frames=99)}, 'clip clip-3 has 64 frames, not 99'),
        (
            {'delta': np.zeros((9, 22, 3), np.int16)},
            r'is damaged: .* \(9, 22, 3\), not \(436, 22, 3\)',
        ),
        ({'delta': np.zeros((436, 24, 3), np.int16)}, r'is damaged: .* \(436, 24, 3\)'),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        load_pack(write_tiny_pack(tmp_path, **changes))


# The real pack.


@pytest.fixture(scope='module')
def real() -> MotionPack:
    if not (mocap.FOLDER / 'motions.npz').exists():
        pytest.skip(f'no motion capture in {mocap.FOLDER}')
    return load_pack(mocap.FOLDER)


def test_the_real_pack_has_the_counts_that_its_readme_says(real: MotionPack) -> None:
    assert (len(real.train), len(real.val), len(real.text_only)) == (3048, 203, 11865)
    clips = [*real.train, *real.val]
    sources = Counter((clip.source.split(':')[0], clip.split) for clip in clips)
    assert sources['bandai', 'train'] == 2572
    assert sources['bandai', 'val'] == 186
    assert all(20 <= len(clip.joints) <= 200 and clip.captions for clip in clips)
    hours = sum(len(clip.joints) for clip in clips) / 20 / 3600
    assert hours == pytest.approx(4.3, abs=0.05)


def test_the_real_pack_stands_on_the_floor_in_metres(real: MotionPack) -> None:
    clips = real.val
    assert max(abs(float(clip.joints[..., 1].min())) for clip in clips) < 0.05
    assert max(float(np.abs(clip.joints[0, 0, [0, 2]]).max()) for clip in clips) < 0.001
    heights = [float(np.ptp(clip.joints[0, :, 1])) for clip in clips]
    assert 1.3 < np.median(heights) < 1.8


def test_every_common_action_of_the_real_pack_is_in_val(real: MotionPack) -> None:
    train, val = (Counter(c.action for c in part if c.action) for part in (real.train, real.val))
    assert len(val) >= 15
    for action, count in train.items():
        if action not in UNCOUNTED_ACTIONS and count >= 6:
            assert val[action] >= 2, action
    assert set(val) <= set(train)


def test_an_entry_that_names_its_action_is_taken_at_its_word(tmp_path: Path) -> None:
    entries = tiny_entries(tiny_clips())
    entries[0] |= {'action': None}  # known not to be known, whatever its captions are made of
    entries[4] |= {'action': 'kick-left', 'style': 'old', 'take': 'cmu:01_02'}
    train = load_pack(write_tiny_pack(tmp_path, entries=entries)).train
    assert (train[0].action, train[0].take) == (None, None)
    assert (train[4].action, train[4].style, train[4].side) == ('kick-left', 'old', 'left')
    assert train[4].take == 'cmu:01_02'
    assert (train[1].action, train[1].style) == ('wave-right-hand', 'active')


def test_motion52_has_the_clips_of_mocap22_and_more(real: MotionPack) -> None:
    folder = mocap.FOLDER.with_name('motion52')
    if not (folder / 'motions.npz').exists():
        pytest.skip(f'no motion capture in {folder}')
    pack = load_pack(folder)
    assert (len(pack.train), len(pack.val)) == (3638, 258)
    known = {clip.id: clip for clip in [*pack.train, *pack.val]}
    for clip in [*real.train, *real.val]:
        same = known.pop(clip.id)
        assert (same.split, same.action, same.style) == (clip.split, clip.action, clip.style)
        assert same.captions == clip.captions
        assert np.array_equal(same.joints, clip.joints)
    assert len(known) == 645
    assert all(clip.take for clip in known.values())
    kicks = Counter(clip.side for clip in known.values() if str(clip.action).startswith('kick-'))
    assert kicks == {'left': 32, 'right': 74}
    takes = {
        split: {c.take for c in known.values() if c.split == split} for split in ('train', 'val')
    }
    assert not takes['train'] & takes['val']
