# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks in words: the file that is shipped, what a user adds to it, and the rows made of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from mgpt3_ros.model.errors import ConfigError, TextError
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.sequences import SEPARATOR
from mgpt3_ros.model.pipelines.tasks import TASKS
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.data.instructions import Instructions, filled, load_instructions
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import run_stage
from mgpt3_ros.training.tasks import Row, TaskBatcher, TaskMix, TaskOptions
from mgpt3_ros.training.train import main
from tests.support.tiny import SENTENCES, swinging_motion, tiny_config, tiny_model
from tests.support.tiny_runs import PRESET, loss_on_fixed_samples

# A comparison is put in words of a user's own alone.
USUAL = tuple(kind for kind in TASKS if kind != 'compare')
ALL = TaskMix(text=1, generate=1, caption=1, predict=1, inbetween=1)


@pytest.fixture(scope='module')
def shipped() -> Instructions:
    return load_instructions('shipped')


@pytest.fixture(scope='module')
def data(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    return load_dataset(pack, tmp_path_factory.mktemp('cache'))


def batcher_of(data: MotionDataset, options: TaskOptions) -> TaskBatcher:
    tokenizer = MotionTokenizer.train(SENTENCES, vocab_size=300)
    network = MotionGPT3Network(tiny_config(tokenizer.vocab_size).network)
    return TaskBatcher(data, network, tokenizer, PromptConfig(), ALL, options, Split(16, 5))


# What is shipped.


def test_every_task_has_thirty_wordings_of_its_own(shipped: Instructions) -> None:
    for name, task in shipped.tasks.items():
        assert len(set(task.prompts)) == len(task.prompts) >= 30, name
    said = Counter(prompt for task in shipped.tasks.values() for prompt in task.prompts)
    assert said.most_common(1)[0][1] == 1


def test_every_kind_of_task_is_there_with_frames_and_seconds(shipped: Instructions) -> None:
    kinds = Counter(task.trains for task in shipped.tasks.values())
    assert kinds == {'generate': 4, 'caption': 3, 'predict': 2, 'inbetween': 2, 'text': 5}
    for kind in USUAL:
        lines = [p for t in shipped.tasks.values() if t.trains == kind for p in t.prompts]
        for place in ('{frames}', '{seconds}'):
            assert sum(place in line for line in lines) >= 16, (kind, place)


def test_wordings_are_sentences_without_leftovers(shipped: Instructions) -> None:
    rng = np.random.default_rng(0)
    for kind in USUAL:
        for _ in range(300):
            prompt, answer = shipped.draw(kind, rng, 'a person walks.', 50)
            for text in (prompt, answer):
                assert not set('{}') & set(text)
                assert '  ' not in text
                assert '..' not in text
            assert (
                prompt[0].isupper()
                or prompt[0] == MOTION
                or prompt.startswith(('a pe', '50', '2.5'))
            )
            motions = {'caption': 1, 'predict': 1, 'inbetween': 2}.get(kind, 0)
            assert prompt.count(MOTION) == motions
            drawn = kind in ('generate', 'predict', 'inbetween')
            assert (answer == MOTION) == drawn
            assert kind != 'caption' or answer == 'a person walks.'


# Filling in.


@pytest.mark.parametrize(
    ('wording', 'frames', 'text'),
    [
        ('Do: {caption}', 40, 'Do: a person walks.'),
        ('{caption}, for {seconds} seconds', 50, 'a person walks, for 2.5 seconds'),
        ('If {caption}?', 40, 'If a person walks?'),
        ('{frames} frames, {seconds} seconds', 60, '60 frames, 3 seconds'),
        ('{frames} frames, {seconds} seconds', 20, '20 frames, 1 second'),
        ('{seconds} seconds', 47, '2.4 seconds'),
        ('After {motion} comes', 40, f'After {MOTION} comes'),
        ('From {start} to {end}', 40, f'From {MOTION} to {MOTION}'),
    ],
)
def test_placeholders_are_filled(wording: str, frames: int, text: str) -> None:
    assert filled(wording, 'a person walks.', frames) == text


def test_a_caption_may_hold_braces() -> None:
    assert filled('Do: {caption}', 'a {frames} b', 40) == 'Do: a {frames} b'


# A user's file.


def write(folder: Path, content: object, name: str = 'own.yaml') -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_file_adds_wordings_and_tasks(shipped: Instructions, tmp_path: Path) -> None:
    own = {
        'generate_caption': {'prompts': ['Robot, {caption}']},
        'caption': {'share': 3},
        'greet': {'trains': 'text', 'prompts': ['Hello'], 'answers': ['Hello, I know motions.']},
    }
    found = load_instructions(write(tmp_path, {'extends': 'shipped', 'tasks': own}))
    assert set(found.tasks) == {*shipped.tasks, 'greet'}
    before = shipped.tasks['generate_caption'].prompts
    assert found.tasks['generate_caption'].prompts == (*before, 'Robot, {caption}')
    assert found.tasks['caption'].prompts == shipped.tasks['caption'].prompts
    assert found.tasks['caption'].share == 3
    other = {'extends': 'own.yaml', 'tasks': {'greet': {'prompts': ['Hi']}}}
    assert load_instructions(write(tmp_path, other, 'other.yaml')).tasks['greet'].prompts == (
        'Hello',
        'Hi',
    )


def test_a_file_may_stand_alone(tmp_path: Path) -> None:
    own = {'go': {'trains': 'generate', 'prompts': ['Robot, {caption}']}}
    found = load_instructions(write(tmp_path, {'tasks': own}))
    assert found.has('generate')
    assert not found.has('caption')
    drawn = found.draw('generate', np.random.default_rng(0), 'walk', 40)
    assert drawn == ('Robot, walk', MOTION)


def test_tasks_come_by_their_shares(tmp_path: Path) -> None:
    own = {
        'a': {'trains': 'text', 'prompts': ['a'], 'answers': ['a'], 'share': 3},
        'b': {'trains': 'text', 'prompts': ['b'], 'answers': ['b']},
        'c': {'trains': 'text', 'prompts': ['c'], 'answers': ['c'], 'share': 0},
    }
    found = load_instructions(write(tmp_path, {'tasks': own}))
    rng = np.random.default_rng(0)
    drawn = Counter(found.draw('text', rng, '', 40)[0] for _ in range(4000))
    assert set(drawn) == {'a', 'b'}
    assert drawn['a'] / 4000 == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(
    ('task', 'message'),
    [
        ({'trains': 'dance', 'prompts': ['a']}, "trains 'dance'; choose of generate, caption"),
        ({'trains': 'generate', 'prompts': []}, 'has no prompts'),
        ({'trains': 'text', 'prompts': ['a']}, 'has no answers'),
        ({'trains': 'generate', 'prompts': ['{text}']}, '{text} has no place here; known: {capt'),
        ({'trains': 'generate', 'prompts': ['{motion}']}, '{motion} has no place here'),
        ({'trains': 'caption', 'prompts': ['What?']}, 'must hold {motion} once'),
        ({'trains': 'caption', 'prompts': ['{motion}{motion}']}, 'must hold {motion} once'),
        (
            {'trains': 'inbetween', 'prompts': ['{end} after {start}']},
            'must hold {start} and then {end} once',
        ),
        ({'trains': 'predict', 'prompts': ['{motion}'], 'answers': ['a']}, "answer 'a' must hold"),
        ({'trains': 'generate', 'prompts': [' ']}, "prompt ' ' is empty"),
        ({'trains': 'generate', 'prompts': ['a'], 'share': -1}, 'a share of -1'),
        ({'trains': 'generate', 'prompts': ['a'], 'says': 1}, "unknown key 'says'"),
        ({'trains': 'generate', 'prompts': 'a'}, 'prompts: expected a list'),
    ],
)
def test_a_task_that_cannot_be_is_refused(
    task: dict[str, object], message: str, tmp_path: Path
) -> None:
    file = write(tmp_path, {'tasks': {'own': task}})
    with pytest.raises(ConfigError) as refused:
        load_instructions(file)
    assert message in str(refused.value)
    assert 'own.yaml' in str(refused.value)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'task': {}}, "unknown key 'task'; known keys: extends, tasks"),
        ({'extends': 'shipped'}, 'no mapping `tasks`'),
        ({'extends': 'own.yaml', 'tasks': {}}, 'extends itself'),
        ({'extends': 'nowhere.yaml', 'tasks': {}}, r'cannot read the configuration .*nowhere'),
        (
            {'extends': 'shipped', 'tasks': {'caption': {'trains': 'text'}}},
            'trains caption already: give text another name',
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused(
    content: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_instructions(write(tmp_path, content))


# Rows.


def rows_of(batcher: TaskBatcher, task: str, count: int = 60) -> list[tuple[str, Row]]:
    """Rows of a task, and what they say; holders decode to nothing."""
    found = []
    for number in range(count):
        rng = np.random.default_rng(number)
        row: Row = getattr(batcher, f'_{task}')(0, rng)
        found.append((batcher.tokenizer.decode(row.sequence.ids), row))
    return found


def test_rows_state_the_length_of_their_motion(data: MotionDataset, tmp_path: Path) -> None:
    tasks = {
        'g': {'trains': 'generate', 'prompts': ['{frames} frames. {caption}']},
        'c': {'trains': 'caption', 'prompts': ['{frames} frames. {motion}']},
        'p': {'trains': 'predict', 'prompts': ['{frames} frames. {motion}']},
        'i': {'trains': 'inbetween', 'prompts': ['{frames} frames. {start} {end}']},
        't': {'trains': 'text', 'prompts': ['{frames} frames.'], 'answers': ['{caption}']},
    }
    options = TaskOptions(instructions=str(write(tmp_path, {'tasks': tasks})), instructed=1.0)
    batcher = batcher_of(data, options)
    # What a prediction and a gap are asked for is their own frames, without those that are given.
    given = {'predict': 1, 'inbetween': 2}
    for task in USUAL:
        for text, row in rows_of(batcher, task):
            clip = row.target if row.target is not None else None
            if task == 'caption':
                (clip,) = row.inputs
            rows = len(data.features[0]) if clip is None else data.rows(clip)
            frames = rows - given.get(task, 0)
            assert text.startswith(f'{frames} frames.'), (task, text)
            if task in ('caption', 'text'):
                _, _, answer = text.partition(SEPARATOR)
                assert any(caption in answer for caption in data.clips[0].captions)


def test_a_share_of_the_rows_keeps_the_bare_prompts(data: MotionDataset) -> None:
    batcher = batcher_of(data, TaskOptions(instructions='shipped', instructed=0.5))
    bare = [text.startswith('Predict motion:') for text, _ in rows_of(batcher, 'predict', 200)]
    assert 0.35 < np.mean(bare) < 0.65
    none = batcher_of(data, TaskOptions())
    assert all(text.startswith('Predict motion:') for text, _ in rows_of(none, 'predict'))


def test_an_unknown_file_of_instructions_is_an_error(data: MotionDataset) -> None:
    with pytest.raises(ConfigError, match='cannot read the configuration nowhere'):
        batcher_of(data, TaskOptions(instructions='nowhere.yaml'))


# The stage.


def test_stage_instruct_learns_in_words_and_is_left_out_of_all(pack: Path, tmp_path: Path) -> None:
    own = {'extends': 'shipped', 'tasks': {'caption': {'prompts': ['And this? {motion}']}}}
    stages = PRESET['stages']
    instruct = {
        **stages['align'],
        'optional': True,
        'start_from': 'vae',
        'trained': ['text', *stages['align']['trained']],
        'tasks': dict.fromkeys(USUAL, 1),
        'options': {'instructions': str(write(tmp_path, own)), 'instructed': 1.0},
    }
    vae = {**stages['vae'], 'optim': {**stages['vae']['optim'], 'steps': 5}}
    preset = {**PRESET, 'stages': {'vae': vae, 'instruct': instruct}}
    file = write(tmp_path, preset, 'preset.yaml')
    folder = tmp_path / 'run'
    places = ['--data', str(pack), '--output', str(folder), '--config', str(file)]
    assert main(['all', *places, '--device', 'cpu']) == 0
    assert not (folder / 'instruct').exists()
    config = load_run_config(file)
    run_stage('instruct', config, pack, folder, 'cpu')
    stage = config.stages['instruct']
    first, last = (loss_on_fixed_samples(folder / s, stage, pack) for s in ('vae', 'instruct'))
    assert last < 0.95 * first
    assert {'text', 'flow'} <= set(read_log(folder / 'instruct')[-1])


@pytest.mark.parametrize('name', ['paper', 'reference', 'small'])
def test_stage_instruct_of_every_preset_uses_words(name: str) -> None:
    assert load_run_config(name).stages['instruct'].options.instructions == 'shipped'
    assert load_run_config(name).stages['align'].options.instructions is None


# Two motions to one text.

COMPARE = {
    'trains': 'compare',
    'prompts': ['First {first}, then {second}. What is done?'],
    'answers': ['First {caption}, then {other}'],
}


def test_a_comparison_shows_two_motions_and_tells_of_both(
    data: MotionDataset, tmp_path: Path
) -> None:
    file = write(tmp_path, {'tasks': {'both': COMPARE}})
    batcher = batcher_of(data, TaskOptions(instructions=str(file)))
    seen = set()
    for text, row in rows_of(batcher, 'compare'):
        one, two = row.inputs
        seen.add(two.clip)
        (_, _, answer) = text.partition(SEPARATOR)
        told, _, other = answer.removeprefix('First ').partition(', then ')
        assert any(told == caption.rstrip('.') for caption in data.clips[one.clip].captions)
        assert any(other.startswith(caption) for caption in data.clips[two.clip].captions)
        assert row.target is None
        ids = row.sequence.ids
        assert ids.count(batcher.tokenizer.input_holder) == 2 * batcher.network.config.holders
    assert len(seen) > 3
    rows = [row for _, row in rows_of(batcher, 'compare', 4)]
    terms = batcher.network(*batcher.batch(rows, torch.device('cpu')))
    assert torch.isfinite(terms['text'])


@pytest.mark.parametrize(
    ('task', 'message'),
    [
        ({**COMPARE, 'prompts': ['{first} alone']}, 'must hold {first} and then {second} once'),
        ({**COMPARE, 'answers': []}, 'has no answers'),
        ({'trains': 'caption', 'prompts': ['{motion} {other}']}, '{other} has no place here'),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(
    task: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_instructions(write(tmp_path, {'tasks': {'both': task}}))


def test_comparisons_need_wordings(data: MotionDataset) -> None:
    batcher = batcher_of(data, TaskOptions())
    arguments = (data, batcher.network, batcher.tokenizer, PromptConfig())
    with pytest.raises(ConfigError, match='compare needs wordings'):
        TaskBatcher(
            *arguments, TaskMix(compare=1.0), TaskOptions(instructions='shipped'), Split(4, 0)
        )


@pytest.mark.parametrize('prompt', ['Are {motion} and {motion} alike?', 'What can you do?'])
def test_prompts_are_answered_in_words(prompt: str) -> None:
    model = tiny_model()
    motions = [Motion(swinging_motion(seed, 40)) for seed in range(prompt.count('{motion}'))]
    said = model.respond(prompt, motions)
    assert (said.kind, said.decided_by) == ('text', 'model') or said.task == 'choice'
    assert said == model.respond(prompt, motions)
    with pytest.raises(TextError, match=r'places \{motion\} for'):
        model.respond(prompt, [*motions, Motion(swinging_motion(5, 40))])


def test_motions_decide_an_answer() -> None:
    """The prompt has a place for each, in their order."""
    model = tiny_model()
    one, two = (Motion(swinging_motion(seed, 60, speed)) for seed, speed in ((1, 0.0), (7, 3.0)))
    heard = []

    def listen(prompt: str, clips: list[np.ndarray]) -> object:
        heard.append([len(clip) for clip in clips])
        return read(prompt, clips)

    read = model.pipeline._read_prompt  # type: ignore[attr-defined]
    model.pipeline._read_prompt = listen  # type: ignore[attr-defined]
    model.respond('{motion} and {motion}', [one, two.crop(30)])
    assert heard == [[59, 29]]
