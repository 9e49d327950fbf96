# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints side by side: each row is what it says, and one that cannot has no figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.checkpoints import (
    Bench,
    captions,
    known,
    language,
    main,
    new_actions,
    seconds,
    table,
)
from benchmarks.peak import peak_mb
from mgpt3_ros.model import conversation
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from tests.support.streams import moving, save_calm_model, small_model
from tests.support.talking import talking_model


class _Seen(ActionClassifier):
    """Sees a walk in whatever is the first motion, and bows in the others."""

    def __init__(self) -> None:
        pass

    def predict(self, motions: list[np.ndarray]) -> list[str]:
        return ['walk', *['bow'] * (len(motions) - 1)]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MotionGPT3:
    monkeypatch.setattr(conversation, 'ANSWER_TOKENS', 8)
    return talking_model(tmp_path)


@pytest.fixture
def bench() -> Bench:
    clips = [
        Clip(name, moving(1, 40, seed=seed)[0].numpy(), (f'a person {name}s.',), 'val', 'x', name)
        for seed, name in enumerate(('walk', 'bow', 'walk'))
    ]
    made = Bench(Path('nowhere'), most=2, repeats=2)
    made.__dict__['lists'] = ([], {'old actions': clips})
    made.__dict__['judge'] = _Seen()
    return made


def test_what_talks_is_compared_with_itself_as_it_came(model: MotionGPT3, bench: Bench) -> None:
    bench._languages[model.name] = model
    assert language(model, bench) == {'questions answered as before, of 2': '2'}
    assert language(small_model(), bench) == {}


def test_captions_are_named_counted_and_read(model: MotionGPT3, bench: Bench) -> None:
    model.caption = lambda motions, **_: ['a man walks', 'a man bows', 'he bows']  # type: ignore[method-assign, assignment]
    bench.reader = model
    found = captions(model, bench)
    assert found['captions that name the action, old actions'] == '0.67'
    assert found['different captions, of 3'] == '3'
    assert found['different words in them'] == '5'
    own, data = found["a language model's loss on them (on the data's)"].strip(')').split(' (')
    assert float(own) > 0 < float(data)


def test_draws_are_put_over_what_is_seen_in_real_clips(model: MotionGPT3, bench: Bench) -> None:
    # Of walk, bow, walk a walk and a bow are seen, in real clips and in drawn ones.
    assert new_actions(model, bench) == {'drawn and recognised over real, old actions': '1.00'}
    assert known(model, bench) == {}  # nobody has measured what it knows


def test_time_and_memory(model: MotionGPT3, bench: Bench, tmp_path: Path) -> None:
    assert set(seconds(model, bench)) == {'new sentence to first frames [ms]', 'tokens a second'}
    folder = save_calm_model(tmp_path / 'calm')
    assert set(seconds(MotionGPT3.from_pretrained(folder, 'cpu'), bench)) == {
        'new sentence to first frames [ms]'
    }
    assert peak_mb(str(folder)) > 100


def test_the_table_has_a_column_for_each() -> None:
    made = table({'one': {'a': '1', 'b': '2'}, 'two': {'b': '3'}})
    assert made.splitlines() == [
        '|  | one | two |', '| --- | --- | --- |', '| a | 1 | - |', '| b | 2 | 3 |',
    ]  # fmt: skip


def test_data_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['default'])
    assert 'give --data' in capsys.readouterr().err
