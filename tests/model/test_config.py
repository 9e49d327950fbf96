# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from mgpt3_ros.model.config import from_dict, load_yaml, to_dict
from mgpt3_ros.model.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    width: int
    name: str = 'plain'
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    inner: Inner
    layers: tuple[int, ...] | None = None
    parts: tuple[Inner, ...] = ()
    switch: bool = False
    scale: float | None = None
    shares: dict[str, float] = field(default_factory=dict)
    free: Any = None


FULL = {
    'inner': {'width': 3, 'name': 'x', 'rate': 2.0},
    'layers': [1, 2],
    'parts': [{'width': 1}, {'width': 2}],
    'switch': True,
    'scale': 1.5,
    'shares': {'a': 1.0},
    'free': ['anything'],
}


def test_nested_values_arrive_in_their_types():
    config = from_dict(Outer, FULL)
    assert config.inner == Inner(3, 'x', 2.0)
    assert config.layers == (1, 2)
    assert config.parts == (Inner(1), Inner(2))
    assert config.shares == {'a': 1.0}
    assert config.free == ['anything']


def test_defaults_stand_in_for_what_is_left_out():
    assert from_dict(Outer, {'inner': {'width': 1}}) == Outer(Inner(1))


def test_a_ready_dataclass_is_taken_as_it_is():
    inner = Inner(7)
    assert from_dict(Outer, {'inner': inner}).inner is inner


@pytest.mark.parametrize('dump', [json.dumps, yaml.safe_dump])
def test_to_dict_survives_json_and_yaml(dump):
    config = from_dict(Outer, FULL)
    assert from_dict(Outer, yaml.safe_load(dump(to_dict(config)))) == config


def test_an_unknown_key_lists_the_known_ones():
    with pytest.raises(
        ConfigError, match=r"Outer: unknown key 'layer'; known keys: inner, layers"
    ):
        from_dict(Outer, {'inner': {'width': 1}, 'layer': 2})


def test_a_message_names_the_place_of_a_nested_value():
    with pytest.raises(ConfigError, match=r"^inner\.width: expected int, got 'wide'"):
        from_dict(Outer, {'inner': {'width': 'wide'}})
    with pytest.raises(ConfigError, match=r"parts\[1\]: unknown key 'depth'"):
        from_dict(Outer, {'inner': {'width': 1}, 'parts': [{'width': 1}, {'depth': 1}]})
    with pytest.raises(ConfigError, match=r"run\.inner: unknown key 'depth'"):
        from_dict(Outer, {'inner': {'depth': 1}}, where='run')


def test_a_field_without_default_must_be_given():
    with pytest.raises(ConfigError, match='width'):
        from_dict(Outer, {'inner': {}})


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('inner', 3),
        ('inner', None),
        ('layers', 5),
        ('layers', ['a']),
        ('layers', [1.5]),
        ('switch', 1),
        ('switch', 'true'),
        ('scale', True),
        ('scale', 'much'),
        ('shares', [1.0]),
        ('shares', {'a': 'much'}),
    ],
)
def test_a_wrong_type_is_refused(key, value):
    with pytest.raises(ConfigError, match=key):
        from_dict(Outer, {'inner': {'width': 1}, key: value})


def test_true_is_no_number_and_numbers_become_floats():
    with pytest.raises(ConfigError, match='width'):
        from_dict(Inner, {'width': True})
    rate = from_dict(Inner, {'width': 1, 'rate': 2}).rate
    assert rate == 2.0
    assert isinstance(rate, float)


def test_a_small_number_as_yaml_reads_it():
    # YAML 1.1 takes 1e-4 (no dot) for a text.
    data = yaml.safe_load('{width: 1, rate: 1e-4}')
    assert isinstance(data['rate'], str)
    assert from_dict(Inner, data).rate == 1e-4


def test_none_only_where_it_is_allowed():
    assert from_dict(Outer, {'inner': {'width': 1}, 'layers': None}).layers is None
    with pytest.raises(ConfigError, match='width'):
        from_dict(Inner, {'width': None})


def test_what_is_no_mapping_is_refused():
    with pytest.raises(ConfigError, match='expected a mapping, got list'):
        from_dict(Inner, [('width', 1)])  # type: ignore[arg-type]


def test_load_yaml_reads_a_mapping(tmp_path: Path):
    path = tmp_path / 'a.yaml'
    path.write_text('width: 4\nname: "y"\n', encoding='utf-8')
    assert from_dict(Inner, load_yaml(path)) == Inner(4, 'y')


@pytest.mark.parametrize('text', ['a: [1', '- 1\n- 2\n', '', 'plain'])
def test_load_yaml_refuses_what_is_no_mapping(tmp_path: Path, text: str):
    path = tmp_path / 'bad.yaml'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(ConfigError, match=r'bad\.yaml'):
        load_yaml(path)


def test_load_yaml_names_a_missing_file(tmp_path: Path):
    with pytest.raises(ConfigError, match=r'nowhere\.yaml: No such file'):
        load_yaml(tmp_path / 'nowhere.yaml')
