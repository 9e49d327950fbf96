# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 generate``, ``caption``, ``predict``, ``inbetween``, ``render``: motions as files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import generate
from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli.options import drawing_options
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.known_actions import KnownAction, save_known_actions
from mgpt3_ros.model.motion import Motion
from tests.support.avatars import write_vrm_avatar
from tests.support.command_line import one_line
from tests.support.streams import save_calm_model
from tests.support.tiny import save_tiny_model, swinging_motion

ROOT = Path(__file__).resolve().parents[2]


def test_generate_writes_every_kind_of_file(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        tmp_path / f'wave{suffix}'
        for suffix in ('.MP4', '.png', '.html', '.npz', '.npy', '.BVH', '.glb', '.VRMA')
    ]
    outputs = [word for file in files for word in ('-o', str(file))]
    call = ['generate', '--as-is', 'a person', 'waves', *outputs, '--checkpoint', checkpoint]
    assert cli.main([*call, '--duration', '1', '--seed', '3']) == 0
    said, noted = capsys.readouterr()
    assert re.match(r'1\.00 s of motion \(as asked\), seed 3, drawn in ', one_line(said))
    assert all(str(file) in said for file in files)
    assert 'CC0-1.0' in noted
    motions = [Motion.load(file) for file in files[3:]]
    assert motions[0].info['text'] == 'a person waves'
    assert [motion.num_frames for motion in motions] == [20] * 5
    np.testing.assert_allclose(motions[0].joints, motions[1].joints, atol=1e-6)
    assert files[0].read_bytes()[4:8] == b'ftyp'
    assert files[1].read_bytes()[1:4] == b'PNG'
    assert b'<title>a person waves</title>' in files[2].read_bytes()


def test_a_seed_repeats_a_motion_and_is_told(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def generated(name: str, *options: str) -> np.ndarray:
        path = tmp_path / name
        call = ['generate', 'a person waves', '-o', str(path), '--checkpoint', checkpoint]
        assert cli.main([*call, *options]) == 0
        return Motion.load(path).joints

    first = generated('a.npy')
    seed = re.search(r'seed (\d+)', capsys.readouterr().out)
    assert seed is not None
    np.testing.assert_array_equal(first, generated('b.npy', '--seed', seed[1]))
    assert not np.array_equal(first, generated('c.npy', '--seed', str(int(seed[1]) + 1)))


def test_several_actions_become_one_motion_unless_one_clip_is_asked_for(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'a.npz'
    call = ['generate', 'walk, then wave', '--duration', '2', '--checkpoint', checkpoint]
    assert cli.main([*call, '-o', str(path)]) == 0
    said, *notes = capsys.readouterr().out.splitlines()
    assert all(note.startswith('note: ') for note in notes)  # a join may take its time
    assert re.search(r"\(2 clips: 'walk' from 0\.00 s, 'wave' from [12]\.\d\d s\), seed", said)
    joined = Motion.load(path)
    assert [part['text'] for part in joined.info['parts']] == ['walk', 'wave']
    assert joined.duration_s > 3.0
    assert cli.main([*call, '--one-clip', '-o', str(path)]) == 0
    assert Motion.load(path).duration_s == 2.0


def test_free_words_are_understood_and_it_says_as_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_tiny_model(tmp_path / 'model')
    kick = KnownAction('kick-left', ('a person kicks with the left leg.',), 0.9, 10)
    save_known_actions(folder, [kick])
    call = ['generate', '--checkpoint', str(folder), '--encoder', 'off', '--duration', '1']
    call += ['-o', str(tmp_path / 'kick.npz'), '--seed', '1']
    said = [*call, 'boot the ball with your left foot']
    assert cli.main(said) == 0
    assert "understood as 'a person kicks with the left leg'" in capsys.readouterr().out
    assert Motion.load(tmp_path / 'kick.npz').info['text'] == said[-1]
    assert cli.main([*said, '--as-is']) == 0
    assert 'understood as' not in capsys.readouterr().out
    for text in ('do not boot the ball with your left foot', 'sneeze on the ball'):
        cli.main([*call, text])
        assert 'understood as' not in capsys.readouterr().out, text


def test_options_of_the_model_reach_it() -> None:
    parser = cli.build_parser()
    call = ['generate', 'a', '-o', 'a.npz', '--guidance', '2.5', '--steps', '7', '--seed', '1']
    options = drawing_options(parser.parse_args(call))
    assert (options.guidance_scale, options.num_inference_steps) == (2.5, 7)
    assert options.generator is not None
    assert options.generator.initial_seed() == 1
    options = drawing_options(parser.parse_args(call[:4]))
    assert options.guidance_scale is options.num_inference_steps is None


@pytest.mark.parametrize(
    ('info', 'said'),
    [
        ({'duration_from': 'asked'}, 'as asked'),
        ({'duration_from': 'text'}, 'as the text says'),
        ({'duration_from': 'predicted'}, 'found by the model'),
        ({'duration_from': 'default'}, 'the default'),
        (
            {'duration_from': 'text', 'duration_limited': True},
            'as the text says, within what the model can do',
        ),
    ],
)
def test_where_a_duration_comes_from(info: dict, said: str) -> None:
    assert generate.duration_source(info) == said


def test_caption_says_one_line_a_file(
    checkpoint: str, walk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(['caption', walk, walk, '--checkpoint', checkpoint]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_predict_and_inbetween(
    checkpoint: str, walk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ['--checkpoint', checkpoint, '--seed', '0']
    later = tmp_path / 'later.npz'
    Motion.load(walk).transform(translation=(0.0, 0.0, 3.0)).save(later)
    for call, drawn, whole in (
        (['predict', walk, '--horizon', '1'], 20, 60),
        (['inbetween', walk, str(later), '--duration', '0.5'], 10, 90),
    ):
        path = tmp_path / 'out.npz'
        assert cli.main([*call, '-o', str(path), *model]) == 0
        assert Motion.load(path).num_frames == drawn
        assert 'cm before blending' in one_line(capsys.readouterr().out)
        assert cli.main([*call, '-o', str(path), '--whole', *model]) == 0
        assert Motion.load(path).num_frames == whole
        np.testing.assert_allclose(Motion.load(path).joints[:40], Motion.load(walk).joints)
        capsys.readouterr()


@pytest.mark.parametrize('command', ['caption', 'predict', 'inbetween', 'render'])
def test_a_motion_that_no_body_makes_is_read_with_a_warning(
    command: str, checkpoint: str, walk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stats = FeatureStats.load(ROOT / 'models' / 'default' / 'stats.npz')
    spoilt = str(tmp_path / 'normalised.npy')
    np.save(spoilt, stats.normalise(Motion.load(walk).features()))
    out = str(tmp_path / 'out.npz')
    rest = {
        'caption': ['--checkpoint', checkpoint],
        'predict': ['--checkpoint', checkpoint, '--horizon', '1', '-o', out],
        'inbetween': [walk, '--checkpoint', checkpoint, '--duration', '1', '-o', out],
        'render': ['-o', out],
    }[command]
    assert cli.main([command, walk, *rest]) == 0
    assert 'changes its length' not in capsys.readouterr().err
    assert cli.main([command, spoilt, *rest]) == 0
    said = capsys.readouterr().err
    assert f'{spoilt}: the bone to ' in said
    assert 'features that are still normalised?' in said


def test_render_changes_the_kind_of_a_file(
    walk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npy, png = tmp_path / 'walk.npy', tmp_path / 'walk.png'
    assert cli.main(['render', walk, '-o', str(npy), '-o', str(png), '--title', 'a walk']) == 0
    assert one_line(capsys.readouterr().out).startswith('2.00 s of motion, written in ')
    np.testing.assert_array_equal(Motion.load(npy).joints, Motion.load(walk).joints)
    assert cli.main(['render', str(npy), '--fps', '40', '-o', str(tmp_path / 'fast.npz')]) == 0
    assert Motion.load(tmp_path / 'fast.npz').fps == 40


def test_a_motion_on_an_avatar(
    walk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_vrm_avatar(tmp_path / 'long.vrm')
    avatar = ['--avatar', str(tmp_path / 'long.vrm')]
    assert cli.main(['render', walk, *avatar, '-o', str(tmp_path / 'long.glb')]) == 0
    assert str(tmp_path / 'long.glb') in one_line(capsys.readouterr().out)
    assert Motion.load(tmp_path / 'long.glb').info['skeleton'] == 'VRM'
    for options, said in (
        ([*avatar, '-o', str(tmp_path / 'a.bvh')], 'give -o FILE.glb'),
        (['--avatar', walk, '-o', str(tmp_path / 'a.glb')], 'an avatar is a .vrm or .glb file'),
        (['--avatar', str(tmp_path / 'no.vrm'), '-o', str(tmp_path / 'a.glb')], 'no avatar at'),
    ):
        assert cli.main(['render', walk, *options]) == cli.MISUSED
        assert said in one_line(capsys.readouterr().err)


def test_every_command_that_makes_motion_writes_pages_and_avatars(
    checkpoint: str, walk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # generate is tested above, predict-bag with the bags.
    model = ['--checkpoint', checkpoint, '--seed', '0']
    later = tmp_path / 'later.npz'
    Motion.load(walk).transform(translation=(0.0, 0.0, 3.0)).save(later)
    stream = str(save_calm_model(tmp_path / 'stream'))
    for call in (
        ['predict', walk, '--horizon', '1', '--whole', *model],
        ['inbetween', walk, str(later), '--duration', '0.5', '--whole', *model],
        ['render', walk],
        ['stream', '--duration', '0.4', '--checkpoint', stream],
    ):
        monkeypatch.setattr('sys.stdin', io.StringIO('walk\n'))
        paths = [tmp_path / f'{call[0]}{suffix}' for suffix in ('.html', '.glb', '.vrma', '.vrm')]
        outputs = [word for path in paths for word in ('-o', str(path))]
        assert cli.main([*call, *outputs]) == 0
        page, glb, vrma, _ = paths
        assert b'__VISER_EMBED_DATA__' in page.read_bytes()
        assert Motion.load(glb).num_frames == Motion.load(vrma).num_frames > 5
        assert all(path.stat().st_size > 1000 for path in paths)


def test_parts_of_what_was_joined_keep_their_words(
    checkpoint: str, walk: str, tmp_path: Path
) -> None:
    said, out = tmp_path / 'said.npz', tmp_path / 'out.npz'
    Motion.load(walk).with_info(text='walk').save(said)
    call = ['predict', str(said), '--horizon', '1', '--whole', '--checkpoint', checkpoint]
    assert cli.main([*call, '-o', str(out)]) == 0
    parts = [(part['start_s'], part['text']) for part in Motion.load(out).info['parts']]
    assert parts == [(0.0, 'walk'), (2.0, '(what follows)')]


@pytest.mark.parametrize('suffix', ['.glb', '.vrma'])
def test_avatars_animations_are_motion_files(
    suffix: str, checkpoint: str, walk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    takes = tmp_path / 'takes'
    takes.mkdir()
    path = takes / f'walk{suffix}'
    Motion.load(walk).save(path)
    assert cli.main(['caption', walk, str(path), '--checkpoint', checkpoint]) == 0
    of_walk, of_animation = capsys.readouterr().out.splitlines()
    assert of_walk == of_animation
    following = tmp_path / 'following.npz'
    call = ['predict', str(path), '--horizon', '1', '--checkpoint', checkpoint]
    assert cli.main([*call, '-o', str(following)]) == 0
    assert Motion.load(following).num_frames == 20
    (takes / 'walk.txt').write_text('a person walks.')
    for number in range(4):
        Motion(swinging_motion(number + 2, 50)).save(takes / f'{number}{suffix}')
        (takes / f'{number}.txt').write_text('a person swings.')
    capsys.readouterr()
    assert cli.main(['data', 'build', str(takes), '-o', str(tmp_path / 'set')]) == 0
    assert capsys.readouterr().out.endswith('3 train, 1 val, 1 test; 0 left out\n')
