# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 batch``: what each part writes, and which folders it goes on in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli.batch.running import FAILURES, PROGRESS, REMARKS
from mgpt3_ros.model.motion import Motion
from tests.support.bag_maker import cut, stream, write_bag
from tests.support.command_line import one_line
from tests.support.tiny import swinging_motion
from tests.support.tiny_pack import write_tiny_pack

Run = Callable[..., int]


@pytest.fixture
def batch(tmp_path: Path) -> Run:
    """Runs a part on inputs in this process, into OUT."""

    def run(part: str, *words: object, workers: int = 1) -> int:
        said = [str(word) for word in words]
        out = ['-o', str(tmp_path / 'out'), '--workers', str(workers)]
        return cli.main(['batch', part, *said, *out])

    return run


def failures(out: Path) -> dict[str, str]:
    lines = (out / FAILURES).read_text().splitlines()
    return {record['item']: record['reason'] for record in map(json.loads, lines)}


def test_captions_are_those_of_the_commands_for_one(
    batch: Run, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, out = tmp_path / 'tree', tmp_path / 'out'
    (tree / 'sub').mkdir(parents=True)
    files = [tree / 'a.npz', tree / 'sub' / 'b.bvh', tree / 'sub' / 'a.npz']
    for number, file in enumerate(files):
        Motion(swinging_motion(number, frames=40 + number), 20.0).save(file)
    write_bag(tree / 'sub' / 'bag', stream(Motion(swinging_motion(5, frames=160), 20.0)))
    (tree / 'bad.npz').write_bytes(b'no archive')
    np.save(tree / 'short.npy', swinging_motion(0, frames=1))
    assert batch('caption', tree, '--checkpoint', checkpoint, '--unit', '4') == 1
    said, noted = capsys.readouterr()
    assert one_line(said) == f'{out}: 4 done, 2 failed, 0 lost with their workers'
    assert f'{out / FAILURES} says why' in noted
    assert failures(out).keys() == {'bad.npz', 'short.npy'}
    for file in files:
        (line,) = (out / f'{file.relative_to(tree)}.jsonl').read_text().splitlines()
        assert cli.main(['caption', str(file), '--checkpoint', checkpoint]) == 0
        assert json.loads(line)['caption'] == one_line(capsys.readouterr().out)
    bag, one = tree / 'sub' / 'bag', tmp_path / 'one.jsonl'
    assert cli.main(['caption-bag', str(bag), '-o', str(one), '--checkpoint', checkpoint]) == 0
    assert (out / 'sub' / 'bag.jsonl').read_text() == one.read_text()
    assert one.read_text()


def test_what_is_remarked_on_one_input_is_told_in_bulk(
    batch: Run, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, out = tmp_path / 'tree', tmp_path / 'out'
    tree.mkdir()
    write_bag(tree / 'whole', stream(Motion(swinging_motion(5, frames=60), 20.0)))
    cut(write_bag(tree / 'broken', stream(Motion(swinging_motion(5, frames=600), 20.0))), 0.75)
    write_bag(tree / 'short', stream(Motion(swinging_motion(5, frames=10), 20.0)))
    Motion(3.28 * swinging_motion(1), 20.0).save(tree / 'feet.npz')
    words = tree, '--checkpoint', checkpoint
    assert batch('caption', *words) == 0
    noted = capsys.readouterr().err
    assert f'{out / REMARKS}: ' in noted
    lines = (out / REMARKS).read_text()
    told: dict[str, list[str]] = {}
    for record in map(json.loads, lines.splitlines()):
        told.setdefault(record['item'], []).append(record['remark'])
    assert told.keys() == {'broken', 'short', 'feet.npz'}
    assert 'probably feet' in told['feet.npz'][0]
    for name, said in told.items():
        command = 'caption' if name == 'feet.npz' else 'caption-bag'
        assert cli.main([command, str(tree / name), '--checkpoint', checkpoint]) == 0
        alone = capsys.readouterr().err
        assert all(remark in alone for remark in said)
    (out / 'short.jsonl').unlink()
    assert batch('caption', *words, '--resume') == 0  # what is done is remembered with it
    assert (out / REMARKS).read_text() == lines


def test_a_sentence_that_cannot_be_drawn_spoils_no_batch(
    batch: Run, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences, out = tmp_path / 'list.txt', tmp_path / 'out'
    # As Windows writes it: the mark at the front is no sentence.
    sentences.write_bytes(b'\xef\xbb\xbf\r\na person walks.\r\n\x01\r\nsomeone waves.\r\n')
    words = sentences, '--checkpoint', checkpoint, '--duration', '1', '--format', 'npy'
    assert batch('generate', *words) == 1
    assert failures(out).keys() == {'list/00000/0000003'}
    assert 'empty' in failures(out)['list/00000/0000003']
    drawn = {file.name: Motion.load(file) for file in sorted(out.rglob('*.npy'))}
    assert list(drawn) == ['0000002.npy', '0000004.npy']
    assert all(motion.num_frames == 20 for motion in drawn.values())


def test_what_may_be_gone_on_with(
    batch: Run, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences, out = tmp_path / 'list.txt', tmp_path / 'out'
    sentences.write_text('a person walks.\nsomeone waves.\n')
    words = sentences, '--checkpoint', checkpoint, '--duration', '1', '--unit', '1'
    assert batch('generate', *words) == 0
    files = {file: file.stat().st_mtime_ns for file in out.rglob('*.npz')}
    assert batch('generate', *words) == 2
    assert '--resume goes on' in capsys.readouterr().err
    with (out / PROGRESS).open('r+') as progress:  # a line that broke off: only its unit is redone
        lines = progress.readlines()
        progress.seek(0)
        progress.truncate()
        progress.write(lines[0] + lines[1][:10])
    kept = json.loads(lines[0])['unit']
    assert batch('generate', *words, '--resume') == 0
    assert 'broke off' in capsys.readouterr().err
    again = {file for file, written in files.items() if file.stat().st_mtime_ns != written}
    assert {str(file.relative_to(out)) for file in files.keys() - again} == {f'{kept}.npz'}
    assert batch('generate', *words, '--seed', '4', '--resume') == 2
    assert 'other settings' in capsys.readouterr().err
    shutil.rmtree(out)
    out.mkdir()
    (out / 'mine').touch()
    assert batch('generate', *words) == 2
    assert 'no folder of a batch' in capsys.readouterr().err


def test_a_data_set_is_the_one_that_data_build_makes(batch: Run, tmp_path: Path) -> None:
    captures, out, plain = tmp_path / 'captures', tmp_path / 'out', tmp_path / 'plain'
    (captures / 'x').mkdir(parents=True)
    for number, name in enumerate(('x_a', 'x/a', 'b', 'c', 'd')):
        np.save(captures / f'{name}.npy', swinging_motion(number, frames=50 + number))
        (captures / f'{name}.txt').write_text('a person walks.\n')
    np.save(captures / 'e.npy', swinging_motion(1))  # without captions
    assert cli.main(['data', 'build', str(captures), '-o', str(plain)]) == 0
    assert batch('build', captures, '--unit', '1') == 1
    assert failures(out).keys() == {'e.npy'}
    made = {path.relative_to(plain): path.read_bytes() for path in plain.rglob('*.*')}
    again = {
        path.relative_to(out / 'dataset'): path.read_bytes()
        for path in (out / 'dataset').rglob('*.*')
    }
    assert made == again
    assert b'another file gives the same name' in made[Path('build.json')]
    assert not (out / 'parts').exists()


def test_checkpoints_of_a_tree_are_measured(batch: Run, checkpoint: str, tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path / 'pack')
    runs, out = tmp_path / 'runs', tmp_path / 'out'
    shutil.copytree(checkpoint, runs / 'first')
    shutil.copytree(checkpoint, runs / 'second')
    (runs / 'second' / 'stats.npz').write_bytes(b'')
    words = '--data', pack, '--protocol', 'reconstruction', '--protocol', 'inbetween'
    assert batch('evaluate', runs, *words) == 1
    assert failures(out).keys() == {'second/reconstruction', 'second/inbetween'}
    one = tmp_path / 'one.json'
    command = ['evaluate', str(runs / 'first'), *map(str, words[:4]), '-o', str(one)]
    assert cli.main(command) == 0
    assert (out / 'first' / 'reconstruction.json').read_text() == one.read_text()
    assert (out / 'first' / 'inbetween.md').is_file()


def test_two_inputs_of_one_name_are_refused(
    batch: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        Motion(swinging_motion(1), 20.0).save(tmp_path / name / 'a.npz')
    assert batch('caption', tmp_path / 'one', tmp_path / 'two') == 2
    assert 'a folder above both' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
