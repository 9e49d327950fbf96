# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: what it writes, what it says, and how it fails."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import doctor, generate, render
from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli.options import drawing_options
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.released import convert
from mgpt3_ros.training import train
from tests.support.avatars import write_vrm_avatar
from tests.support.tiny import save_tiny_model, swinging_motion

ROOT = Path(__file__).resolve().parents[2]
GENERATE = ('generate', 'a', '-o', '{tmp}/a.npz')
CONVERT = ('convert', '--mean', 'm', '--std', 's', '--tokenizer', 't', '-o', 'out')
MOTIONS = ('generate', 'stream', 'view', 'caption', 'predict', 'inbetween', 'render', 'robot')
BAGS = ('caption-bag', 'predict-bag', 'bag-info')
COMMANDS = (
    *MOTIONS,
    *BAGS,
    'serve',
    'convert',
    'data',
    'train',
    'actions',
    'plot',
    'evaluate',
    'doctor',
)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_model(tmp_path_factory.mktemp('checkpoint')))


@pytest.fixture
def walk(tmp_path: Path) -> str:
    path = tmp_path / 'walk.npz'
    Motion(swinging_motion(1, frames=40), 20.0).save(path)
    return str(path)


def one_line(text: str) -> str:
    assert text.endswith('\n')
    assert text.count('\n') == 1
    return text[:-1]


def test_help_answers_without_the_slow_imports() -> None:
    code = (
        'import sys\n'
        'from mgpt3_ros.cli.main import main\n'
        'try:\n'
        '    main({})\n'
        'except SystemExit as end:\n'
        '    assert end.code == 0, end.code\n'
        'slow = {"torch", "cv2", "numpy", "scipy", "transformers", "av", "rosbags"}\n'
        'slow.add("matplotlib")\n'
        'slow &= set(sys.modules)\n'
        'assert not slow, slow\n'
    )
    for arguments in (['--help'], ['generate', '--help'], ['caption-bag', '--help']):
        done = subprocess.run(
            [sys.executable, '-c', code.replace('{}', repr(arguments))],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        assert 'usage: mgpt3' in done.stdout


@pytest.mark.parametrize('command', COMMANDS)
def test_help_of_each_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, '--help'])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert f'usage: mgpt3 {command}' in said
    if command != 'train':
        assert 'examples:\n  mgpt3 ' in said


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(['--help'])
    said = capsys.readouterr().out
    assert all(re.search(rf'^ +{command}  ', said, re.M) for command in COMMANDS)


def test_alone_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == cli.MISUSED
    said = capsys.readouterr()
    assert said.out == ''
    assert all(re.search(rf'^ +{command}  ', said.err, re.M) for command in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(['--version'])
    assert end.value.code == 0
    assert one_line(capsys.readouterr().out).startswith('mgpt3_ros ')


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
    said = one_line(capsys.readouterr().out)
    assert re.search(r"\(2 clips: 'walk' from 0\.00 s, 'wave' from [12]\.\d\d s\), seed", said)
    joined = Motion.load(path)
    assert [part['text'] for part in joined.info['parts']] == ['walk', 'wave']
    assert joined.duration_s > 3.0
    assert cli.main([*call, '--one-clip', '-o', str(path)]) == 0
    assert Motion.load(path).duration_s == 2.0


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


@pytest.mark.parametrize(
    ('call', 'complaint'),
    [
        (['caption', '{tmp}/nothing.npz'], 'nothing.npz'),
        ([*GENERATE, '--checkpoint', '{tmp}/nothing'], 'nothing'),
        (['generate', ' ', '-o', '{tmp}/a.npz', '--checkpoint', '{model}'], 'the text is empty'),
        (
            [*GENERATE, '--as-is', '--duration', '99', '--checkpoint', '{model}'],
            '',
        ),
        (
            ['generate', 'walk', '-o', '{tmp}/a.npz', '--checkpoint', '{model}', '--steps', '0'],
            '0',
        ),
        (['generate', 'sit down', '-o', '{tmp}/a.npz', '--checkpoint', '{model}'], 'how to sit'),
        (['render', '{tmp}', '-o', '{tmp}/a.mp4'], 'no motion file'),
    ],
)
def test_expected_errors_are_one_line(
    call: list[str],
    complaint: str,
    checkpoint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [word.replace('{tmp}', str(tmp_path)).replace('{model}', checkpoint) for word in call]
    assert cli.main(filled) == cli.MISUSED
    said, noted = capsys.readouterr()
    assert said == ''
    last = noted.splitlines()[-1]
    assert last.startswith('mgpt3: ')
    assert complaint in last
    assert 'Traceback' not in noted
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('call', 'complaint'),
    [
        (['fly'], 'fly'),
        (['generate', 'a'], '-o/--output'),
        (['generate', 'a', '-o', 'a.gif'], r'\.mp4, \.html, \.png'),
        (['generate', 'a', '-o', 'no/where/a.mp4'], 'no folder no/where'),
        (['generate', 'a', '-o', 'a.mp4', '--duration', '-1'], 'above 0'),
        (['generate', 'a', '-o', 'a.mp4', '--sed', '1'], 'unknown argument: --sed 1'),
        ([*CONVERT, 'motiongpt3', 'a.ckpt', '--gpt2', 'g'], 'for mld-vae'),
        (['convert', 'motiongpt3', 'a.ckpt'], '--mean, --std, --tokenizer'),
    ],
)
def test_misuse_is_explained(
    call: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(call)
    assert end.value.code == cli.MISUSED
    assert re.search(complaint, capsys.readouterr().err)


@pytest.mark.parametrize(
    ('error', 'code', 'line'),
    [
        (PermissionError(13, 'Permission denied', 'a.npz'), 2, 'a.npz: Permission denied'),
        (ValueError('two\nlines'), 1, 'ValueError: two lines (--debug shows where)'),
        (ModuleNotFoundError("No module named 'av'"), 1, "No module named 'av' (`mgpt3 doctor`"),
        (KeyboardInterrupt(), 130, 'interrupted'),
    ],
)
def test_exit_codes(
    error: BaseException,
    code: int,
    line: str,
    walk: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(render, 'write_motion', fail)
    assert cli.main(['render', walk, '-o', 'a.npz']) == code
    noted = capsys.readouterr().err
    assert one_line(noted.lstrip()).startswith(f'mgpt3: {line}')
    if code != cli.INTERRUPTED:
        assert cli.main(['render', walk, '-o', 'a.npz', '--debug']) == code
        assert 'Traceback' in capsys.readouterr().err


def test_train_gets_its_arguments_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(train, 'main', lambda argv: seen.append(argv) or 0)
    given = ['t2m', '--data', 'x', '--output', 'y', 'stages.t2m.optim.steps=5']
    assert cli.main(['train', *given]) == 0
    assert cli.main(['--debug', 'train', '--data', 'x', 't2m']) == 0
    assert seen == [given, ['--data', 'x', 't2m']]


@pytest.mark.parametrize('kind', ['motiongpt3', 'mld-vae'])
def test_convert_calls_the_converter(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[tuple, dict]] = []

    def converted(*given: object, **options: object) -> convert.Conversion:
        seen.append((given, options))
        return convert.Conversion(Path('out'), 646, {'metrics': 84}, ())

    monkeypatch.setattr(convert, f'convert_{kind.replace("-", "_")}', converted)
    extra = ['--gpt2', 'g'] if kind == 'mld-vae' else ['--latent-scale', '0.7281']
    assert cli.main([*CONVERT, kind, 'a.ckpt', *extra]) == 0
    ((given, options),) = seen
    assert given == (Path('a.ckpt'), Path('out'))
    expected = {'gpt2': 'g'} if kind == 'mld-vae' else {'latent_scale': 0.7281}
    assert options == {'stats': (Path('m'), Path('s')), 'tokenizer': Path('t'), **expected}
    said = one_line(capsys.readouterr().out)
    assert said == 'a.ckpt: 646 tensors used, not needed: 84 of metrics; written to out'


FINE = doctor.Finding('all', 'ok', 'is here')


def test_doctor_gets_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str | None] = []
    monkeypatch.setattr(doctor, 'examine', lambda folder: looked_at.append(folder) or [FINE])
    assert cli.main(['doctor', '--checkpoint', 'x']) == 0
    assert cli.main(['doctor']) == 0
    assert looked_at == ['x', None]


def test_it_is_a_program(walk: str, tmp_path: Path) -> None:
    call = [sys.executable, '-m', 'mgpt3_ros.cli.main', 'render', walk]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    for name, code in (('a.npy', 0), ('a.gif', 2)):
        done = subprocess.run(
            [*call, '-o', str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode == code, done.stderr


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


def test_view_says_what_is_wrong_before_it_serves(
    walk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('viser', reason='the extra view is not installed')
    (tmp_path / 'text.npz').write_text('a person walks')
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = str(other.getsockname()[1])
        for arguments, said in (
            ([str(tmp_path / 'text.npz')], 'cannot be read as a motion'),
            ([walk, '--port', port], f'port {port} of 127.0.0.1 is in use'),
            (['--port', '99999'], 'give a number from 0 to 65535'),
        ):
            assert cli.main(['view', '--no-browser', *arguments]) == cli.MISUSED
            assert said in one_line(capsys.readouterr().err)
