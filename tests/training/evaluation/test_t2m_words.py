# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the T2M evaluator reads: word vectors, kinds of words, tokens of captions, its files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.evaluation.evaluators import GuoEvaluator, load_evaluator
from mgpt3_ros.training.evaluation.metrics import MetricError
from mgpt3_ros.training.evaluation.t2m_evaluator import T2MEvaluator
from mgpt3_ros.training.evaluation.t2m_words import CaptionTokens, WordVectors
from tests.support.tiny import swinging_motion

WORDS = ['unk', 'sos', 'eos', 'a', 'person', 'walk', 'left', 'slowly', 'table']
LINES = [
    ('a person walks slowly.', ['a/DET', 'person/NOUN', 'walk/VERB', 'slowly/ADV']),
    ('walks left', ['walk/VERB', 'left/ADV']),
    ('a walk', ['a/DET', 'walk/NOUN']),
    ('hops-along', ['hop/VERB']),  # of another length: no word can be told apart
]


def write_glove(folder: Path) -> Path:
    """Vectors whose first number says which word it is."""
    folder.mkdir()
    data = np.zeros((len(WORDS), 300))
    data[:, 0] = np.arange(len(WORDS))
    np.save(folder / 'our_vab_data.npy', data)
    for name, content in (('words', WORDS), ('idx', {w: i for i, w in enumerate(WORDS)})):
        (folder / f'our_vab_{name}.pkl').write_bytes(pickle.dumps(content))
    return folder


def test_words_and_their_kinds(tmp_path: Path) -> None:
    vectors = WordVectors.load(write_glove(tmp_path / 'glove'))
    found, kinds, count = vectors(['a/DET', 'person/NOUN', 'walk/VERB', 'left/ADJ', 'yak/NOUN'])
    assert found.shape == (22, 300)
    assert kinds.shape == (22, 15)
    assert count == 7
    assert found[:, 0].tolist() == [1, 3, 4, 5, 6, 0, 2] + [0] * 15
    # OTHER, DET, NOUN, a verb of action, a place, an unknown word, OTHER; then nothing is said.
    assert kinds.argmax(axis=1).tolist() == [14, 2, 1, 12, 9, 14, 14] + [14] * 15
    assert kinds.sum(axis=1).tolist() == [1] * 22
    assert vectors(['slowly/ADV'])[1].argmax(axis=1)[1] == 13
    assert vectors(['table/X'])[1].argmax(axis=1)[1] == 14
    long = vectors(['walk/VERB'] * 30)
    assert long[2] == 22
    assert long[0][-1, 0] == WORDS.index('eos')


def test_damaged_word_vectors(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r'our_vab_data.npy, our_vab_words.pkl, .* not found'
    ):
        WordVectors.load(tmp_path)
    folder = write_glove(tmp_path / 'glove')
    # A pickle that would run something is not run.
    (folder / 'our_vab_words.pkl').write_bytes(pickle.dumps(Path('x')))
    with pytest.raises(CheckpointError, match='asks for pathlib'):
        WordVectors.load(folder)
    (folder / 'our_vab_words.pkl').write_bytes(pickle.dumps(['a', 'nowhere']))
    with pytest.raises(CheckpointError, match='nowhere'):
        WordVectors.load(folder)
    np.save(folder / 'our_vab_data.npy', np.zeros((3, 50)))
    with pytest.raises(CheckpointError, match=r'vectors of shape \(3, 50\)'):
        WordVectors.load(folder)
    with pytest.raises(CheckpointError, match="none of 'unk'"):
        WordVectors({})


def test_tokens_of_captions(tmp_path: Path) -> None:
    (tmp_path / 'texts').mkdir()
    lines = [f'{caption}#{" ".join(tokens)}#0.0#0.0' for caption, tokens in LINES]
    (tmp_path / 'texts' / '000000.txt').write_text('\n'.join([*lines, 'no tokens##0#0']) + '\n')
    tokens = CaptionTokens.read(tmp_path)
    assert list(tokens('a person walks slowly.')) == LINES[0][1]
    assert list(tokens('hops-along')) == ['hop/VERB']
    # Not in the data set: each word as it is mostly written; "raises" is a word of action.
    assert list(tokens('A person raises slowly, left')) == [
        'a/DET', 'person/NOUN', 'raise/OTHER', 'slowly/ADV', 'left/ADV',
    ]  # fmt: skip
    assert list(tokens('walks hops tables')) == ['walk/VERB', 'hop/OTHER', 'tables/OTHER']


def test_a_data_set_without_tokens_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = CaptionTokens.read(tmp_path)
    assert 'kinds of words are guessed' in caplog.text
    assert list(tokens('a man walks')) == ['a/OTHER', 'man/OTHER', 'walk/OTHER']


@pytest.fixture(scope='module')
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that the evaluator's authors publish, with weights of our own."""
    root = tmp_path_factory.mktemp('t2m')
    torch.manual_seed(0)
    networks = T2MEvaluator()
    parts = {
        'text_encoder': networks.text_encoder,
        'movement_encoder': networks.movement_encoder,
        'motion_encoder': networks.motion_encoder,
    }
    file = root / 'text_mot_match' / 'model' / 'finest.tar'
    file.parent.mkdir(parents=True)
    torch.save({name: part.state_dict() for name, part in parts.items()}, file)
    meta = root / 'Comp_v6_KLD01' / 'meta'
    meta.mkdir(parents=True)
    np.save(meta / 'mean.npy', np.zeros(263))
    np.save(meta / 'std.npy', np.full(263, 0.5))
    write_glove(root / 'glove')
    return file


def test_the_published_evaluator(published: Path, tmp_path: Path) -> None:
    glove = published.parents[2] / 'glove'
    evaluator = load_evaluator(published, tmp_path, glove, device='cpu')
    assert isinstance(evaluator, GuoEvaluator)
    motions = [swinging_motion(0, 41), swinging_motion(1, 62)]
    together = evaluator.embed_motions(motions)
    assert together.shape == (2, evaluator.width)
    alone = evaluator.embed_motions(motions[:1])
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)
    # Its own statistics, and the frames beyond a multiple of four left out.
    rows = Motion(motions[0]).features()[:40] / 0.5
    direct = evaluator.networks.embed_motion(torch.from_numpy(rows[None]), None).numpy()
    np.testing.assert_allclose(alone, direct, atol=1e-5)
    authors = load_evaluator(published, tmp_path, glove, reference=True, device='cpu')
    changed = np.abs(authors.embed_motions(motions)[0] - alone[0]).max()
    assert changed > 1e-3  # padding has a part in it
    np.testing.assert_allclose(authors.embed_motions(motions[:1]), alone, atol=1e-5)
    texts = ['a person walks', 'walk left slowly, table']
    said = evaluator.embed_texts(texts)
    np.testing.assert_allclose(evaluator.embed_texts(texts[1:])[0], said[1], atol=1e-5)
    assert not np.allclose(said[0], said[1])


def test_what_is_missing_is_named(published: Path, tmp_path: Path) -> None:
    glove = published.parents[2] / 'glove'
    with pytest.raises(CheckpointError, match='give --glove FOLDER'):
        load_evaluator(published, tmp_path)
    with pytest.raises(CheckpointError, match=r'mean.npy .* --evaluator-stats FOLDER'):
        load_evaluator(published, tmp_path, glove, stats=tmp_path)
    evaluator = load_evaluator(published, tmp_path, glove, device='cpu')
    with pytest.raises(MetricError, match='an empty text'):
        evaluator.embed_texts([' '])
    assert evaluator.embed_texts([]).shape == (0, 512)
    assert evaluator.embed_motions([]).shape == (0, 512)
