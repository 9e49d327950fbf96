# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds of every backbone, whatever its text branch is."""

from __future__ import annotations

import torch

from mgpt3_ros.model.network.backbone import BimodalBackbone


def text_logits(backbone: BimodalBackbone) -> torch.Tensor:
    """Of a few words."""
    embedded = backbone.embed(torch.tensor([[3, 1, 4, 1, 5]]))
    return backbone.text_logits(backbone(*embedded).text)


def assert_words_know_no_motion(backbone: BimodalBackbone) -> None:
    """Text alone is read the same with another motion branch."""
    before = text_logits(backbone)
    with torch.no_grad():
        for parameter in backbone.parameter_groups()['motion']:
            parameter.add_(1.0)
    assert torch.equal(text_logits(backbone), before)


def assert_each_parameter_has_its_group(backbone: BimodalBackbone) -> None:
    """Text, motion or markers, by its name."""
    groups = backbone.parameter_groups()
    names = {p: name for name, p in backbone.named_parameters()}
    assert [names[p] for p in groups['markers']] == ['marker_embedding']
    for branch in ('text', 'motion'):
        assert groups[branch] == [p for p, name in names.items() if branch in name.split('.')]
    assert sum(len(group) for group in groups.values()) == len(names)
