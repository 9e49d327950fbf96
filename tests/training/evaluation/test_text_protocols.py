# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""t2m, m2t and retrieval; every protocol on a tree in HumanML3D's shape by the command line."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from mgpt3_ros.cli import evaluate
from mgpt3_ros.model.errors import ConfigError, MotionGPT3Error
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.evaluation import metrics
from mgpt3_ros.training.evaluation.clip_filter import load_clips
from mgpt3_ros.training.evaluation.results import Figure, averaged, replicate
from mgpt3_ros.training.evaluation.text_protocols import (
    OWN_LENGTH,
    REAL,
    REBUILT,
    TEXT_PROTOCOLS,
    TRUE_LENGTH,
    TextProtocolConfig,
)
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder
from tests.support.tiny import swinging_motion, tiny_model
from tests.support.tiny_bert import save_bert
from tests.support.tiny_humanml3d import write_tiny_humanml3d
from tests.support.tiny_pack import write_tiny_pack
from tests.support.tiny_tmr import tiny_encoder

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('no_network')]

t2m, m2t, retrieval = (TEXT_PROTOCOLS[name] for name in ('t2m', 'm2t', 'retrieval'))

# Motions of 3 s at least, so that a prediction has 2 s to go.
MOTIONS = {
    f'00010{i}': (
        62 + 5 * i,
        split,
        (f'a person {verb} forward.##0.0#0.0', f'someone {verb}.##0.0#0.0'),
    )
    for i, (verb, split) in enumerate(
        [
            ('walks', 'train'), ('runs', 'train'), ('walks', 'val'), ('runs', 'val'),
            ('waves', 'val'), ('turns', 'val'), ('stops', 'test'), ('walks', 'test'),
            ('jumps', 'test'), ('runs', 'test'),
        ]
    )
}  # fmt: skip
ONCE = TextProtocolConfig(replications=1, multimodality_texts=2, multimodality_repeats=3)


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    return tiny_model()


@pytest.fixture(scope='module')
def encoder() -> TextMotionEncoder:
    return tiny_encoder()


@pytest.fixture(scope='module')
def clips() -> list[Clip]:
    said = ('a person walks.', 'someone waves.', 'he turns left.', 'she stops.', 'he runs.')
    return [
        Clip(f'c{i}', swinging_motion(i, 40 + 7 * i), (t, f'{t[:-1]} again.'), 'val', 'x', None)
        for i, t in enumerate(said)
    ]


def test_figures_of_replications() -> None:
    done = [{'a': {'x': value}} for value in (1.0, 2.0, 3.0)]
    found = averaged(done, clips=7)['a']['x']
    half = 1.96 / math.sqrt(3)
    assert found == Figure(2.0, pytest.approx(2 - half), pytest.approx(2 + half), 7, 3)
    authors = averaged(done, 7, reference=True)['a']['x']
    assert authors.high - 2 == pytest.approx(half * math.sqrt(2 / 3))
    assert math.isnan(averaged(done[:1], 7)['a']['x'].low)


def test_an_interrupted_evaluation_goes_on(tmp_path: Path) -> None:
    partial = tmp_path / 'out.json.replications'
    seen: list[int] = []

    def once(number: int) -> dict[str, dict[str, float]]:
        if number == 2 and len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(number)
        return {'model': {'x': float(number)}}

    with pytest.raises(KeyboardInterrupt):
        replicate(once, 4, 'p', {'seed': 0}, partial)
    with pytest.raises(ConfigError, match='with other settings'):
        replicate(once, 4, 'p', {'seed': 1}, partial)
    seen.append(-1)
    done = replicate(once, 4, 'p', {'seed': 0}, partial)
    assert seen == [0, 1, -1, 2, 3]
    assert [one['model']['x'] for one in done] == [0, 1, 2, 3]
    assert not partial.exists()
    partial.write_text('{')
    with pytest.raises(ConfigError, match='holds no interrupted evaluation'):
        replicate(once, 4, 'p', {'seed': 0}, partial)


def test_t2m(model: MotionGPT3, encoder: TextMotionEncoder, clips: list[Clip]) -> None:
    found = t2m(model, clips, encoder, ONCE)
    rows = found.figures
    assert list(rows) == [REAL, REBUILT, TRUE_LENGTH, OWN_LENGTH]
    assert rows[REAL]['FID'].mean == pytest.approx(0, abs=1e-6)
    assert rows[REBUILT]['FID'].mean > 0
    embedded = encoder.embed_motions([clip.joints for clip in clips])
    assert rows[REAL]['Diversity'].mean == pytest.approx(metrics.diversity(embedded, None))
    for row in rows.values():
        assert 0 <= row['R@1'].mean <= row['R@2'].mean <= row['R@3'].mean <= 1
        assert row['R@3, same meaning'].mean >= row['R@3'].mean
        assert 0 <= row['MM-Dist'].mean <= 2
        for measure in ('foot slide [m/s]', 'floating [mm]', 'penetration [mm]', 'jitter [m/s^3]'):
            assert row[measure].mean >= 0
    assert [row for row in rows if 'MultiModality' in rows[row]] == [TRUE_LENGTH, OWN_LENGTH]
    assert any('FID of 5 motions in 8 dimensions' in note for note in found.notes)
    assert any('groups of 5' in note for note in found.notes)
    # The same seed gives the same figures, another one others; real ones have no chance in them.
    assert t2m(model, clips, encoder, ONCE).as_dict() == found.as_dict()
    other = t2m(model, clips, encoder, TextProtocolConfig(1, seed=5, multimodality_texts=0))
    assert other.figures[OWN_LENGTH]['FID'].mean != rows[OWN_LENGTH]['FID'].mean
    assert other.figures[REBUILT]['FID'].mean == rows[REBUILT]['FID'].mean
    assert 'MultiModality' not in other.figures[OWN_LENGTH]


def test_t2m_as_the_authors_do_it(
    model: MotionGPT3, encoder: TextMotionEncoder, clips: list[Clip]
) -> None:
    config = TextProtocolConfig(1, multimodality_texts=1, reference=True)
    assert config.multimodality_repeats == 30
    found = t2m(model, clips, encoder, config).figures
    assert not any('same meaning' in measure for measure in found[REAL])
    embedded = encoder.embed_motions([clip.joints for clip in clips])
    pairs = metrics.diversity(embedded, 5, np.random.default_rng([0, 0, 2]))
    assert found[REAL]['Diversity'].mean == pytest.approx(pairs)


def test_retrieval(model: MotionGPT3, encoder: TextMotionEncoder, clips: list[Clip]) -> None:
    found = retrieval(model, clips, encoder, TextProtocolConfig(replications=2))
    assert list(found.figures) == [REAL, REBUILT, TRUE_LENGTH, OWN_LENGTH]
    for row in found.figures.values():
        assert len(row) == 48
        assert row['(a) all, text to motion, R@5 [%]'].mean == 100
        assert row['(d) groups of 5, motion to text, MedR'].replications == 2
    assert found.notes[-1] == 'captions that say the same count as right in every protocol'


def test_m2t(model: MotionGPT3, encoder: TextMotionEncoder, clips: list[Clip]) -> None:
    found = m2t(model, clips, encoder, TextProtocolConfig(replications=2)).figures
    assert list(found) == ['real captions', 'generated captions']
    written = model.caption([Motion(clip.joints) for clip in clips])
    written = [text if text.strip() else 'nothing' for text in written]
    references = [list(clip.captions) for clip in clips]
    made = found['generated captions']
    assert made['BLEU-1'].mean == pytest.approx(metrics.bleu(written, references)[0])
    assert made['CIDEr'].mean == pytest.approx(np.mean(metrics.cider(written, references)))
    assert made['BLEU-4'].low == made['BLEU-4'].high  # written without chance
    # "a person walks." is compared with "a person walks again." alone, or the other way round.
    real = found['real captions']
    assert 0 < real['BLEU-1'].mean < 1
    assert real['ROUGE-L'].mean < 1
    assert {'R@1', 'R@3, same meaning', 'MM-Dist'} <= set(real)


def test_what_cannot_be_measured(
    model: MotionGPT3, encoder: TextMotionEncoder, clips: list[Clip]
) -> None:
    with pytest.raises(metrics.MetricError, match='3 clips are too few for t2m: 4 at least'):
        t2m(model, clips[:3], encoder)
    for bad in ({'replications': 0}, {'multimodality_repeats': 1}, {'clips': 0}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            TextProtocolConfig(**bad)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_options(parser)
    return evaluate.run(parser.parse_args([*arguments, '--device', 'cpu']))


@pytest.fixture(scope='module')
def folders(
    model: MotionGPT3, encoder: TextMotionEncoder, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    root = tmp_path_factory.mktemp('evaluation')
    model.save_pretrained(root / 'model')
    encoder.save(root / 'run' / 'tmr')
    write_tiny_humanml3d(root / 'humanml3d', motions=MOTIONS)
    write_tiny_pack(root / 'pack')
    return {path.name: str(path) for path in root.iterdir()}


@pytest.mark.parametrize('protocol', evaluate.PROTOCOLS)
def test_every_protocol_takes_humanml3d(
    folders: dict[str, str], protocol: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = [tmp_path / f'out{suffix}' for suffix in evaluate.OUTPUTS]
    options = ['--reference'] if protocol not in evaluate.TEXT_PROTOCOLS else [
        *('--evaluator', folders['run'], '--multimodality', '2', '2')
    ]  # fmt: skip
    assert run(
        *(folders['model'], '--data', folders['humanml3d'], '--protocol', protocol),
        *('--split', 'test', '--replications', '2', *options),
        *(part for path in outputs for part in ('-o', str(path))),
    ) == 0  # fmt: skip
    table = capsys.readouterr().out
    written = json.loads(outputs[0].read_text())
    assert written['protocol'] == protocol
    assert written['split'] == 'test'
    for group in written['figures'].values():
        assert all(figure['clips'] == 4 for figure in group.values())
    text = outputs[1].read_text()
    assert text.startswith(table)
    assert 'split test' in text
    assert 'replications 2' in text
    assert cv2.imread(str(outputs[2])).shape[1] > 1000
    assert not list(tmp_path.glob('*.replications'))
    if protocol in ('reconstruction', 'prediction'):
        authors = written['figures']["as the authors' code computes"]
        key = 'MPJPE from the root [mm]' if protocol == 'reconstruction' else 'ADE [m]'
        assert authors[key]['mean'] > 0
        if protocol == 'reconstruction':
            assert authors['PA-MPJPE [mm]']['mean'] is None  # padding makes it NaN


def test_a_mocap22_pack_goes_through_too(folders: dict[str, str], tmp_path: Path) -> None:
    options = ('--split', 'train', '--replications', '1', '-o', str(tmp_path / 'out.json'))
    for protocol in ('m2t', 'retrieval'):
        paths = (folders['model'], '--data', folders['pack'], '--evaluator', folders['run'])
        assert run(*paths, '--protocol', protocol, '--clips', '4', *options) == 0
        written = json.loads((tmp_path / 'out.json').read_text())
        assert written['protocol'] == protocol
        assert written['skipped'] == {'beyond the number asked for': 3}


def test_bert_score_is_measured_where_its_language_model_is_named(
    folders: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip('bert_score', reason='the package bert_score is not installed')
    paths = (folders['model'], '--data', folders['humanml3d'], '--evaluator', folders['run'])
    arguments = (*paths, '--split', 'test', '--protocol', 'm2t', '--replications', '1')
    written = tmp_path / 'out.json'
    bert = str(save_bert(tmp_path / 'bert'))
    assert run(*arguments, '--bert', bert, '-o', str(written)) == 0
    rows = json.loads(written.read_text())['figures']
    assert all(-1 <= row['BERTScore']['mean'] <= 1 for row in rows.values())
    with pytest.raises(metrics.MetricError, match='is no language model as transformers saves'):
        run(*arguments, '--bert', str(tmp_path))


def test_the_command_refuses_what_it_cannot_use(folders: dict[str, str], tmp_path: Path) -> None:
    def refused(*options: str, data: str = 'humanml3d', protocol: str = 't2m') -> str:
        with pytest.raises(MotionGPT3Error) as error:
            run(
                *(folders['model'], '--data', folders[data], '--protocol', protocol),
                *options,
            )
        return str(error.value)

    assert 'needs --evaluator PATH: train one with `mgpt3 train tmr' in refused()
    evaluator = ('--evaluator', folders['run'])
    assert 'has no split' in refused(*evaluator, '--split', 'test', data='pack')
    assert 'too few for m2t' in refused(*evaluator, data='pack', protocol='m2t')
    assert 'nothing usable' in refused(*evaluator, '--min-frames', '150')
    assert 'is not there' in refused('--evaluator', str(tmp_path / 'finest.tar'))
    assert 'holds no text-motion encoder' in refused('--evaluator', folders['model'])


def test_a_wrong_name_of_an_output_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, said in (
        ('out.txt', 'end it in one of .json, .md, .png'),
        (tmp_path / 'no' / 'out.json', 'there is no folder'),
    ):
        with pytest.raises(SystemExit):
            run('x', '--data', 'y', '--protocol', 't2m', '-o', str(name))
        assert said in capsys.readouterr().err


def test_clips_of_both_layouts(folders: dict[str, str]) -> None:
    found, digest = load_clips(folders['humanml3d'], 'train')
    assert [clip.id for clip in found] == ['000100', '000101']  # no mirror images
    assert len(digest) == 64
    assert len(load_clips(folders['pack'], 'train')[0]) == 7
    with pytest.raises(DataError, match=r'no split .*train, val'):
        load_clips(folders['pack'], 'test')
