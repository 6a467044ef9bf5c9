"""One checkpoint in every layout, and every way a file can be wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from acestep_core.config import ModelConfig
from acestep_core.weights.checkpoint import (
    FILES,
    FOLDERS,
    PARTS,
    Checkpoint,
    CheckpointError,
    Target,
    load_part,
    opened,
    parts_of,
    recognise,
)
from acestep_core.weights.model import build
from acestep_core.weights.tiny import CONFIG, NAME
from acestep_core.weights.weight_norm import folded

Tensors = dict[str, Tensor]
Change = Callable[[Tensors], None]
PREFIX = {
    "transformer": "model.diffusion_model.",
    "dcae": "vae.dcae.",
    "vocoder": "vae.vocoder.",
    "text_encoder": "text_encoders.umt5base.transformer.",
}
SIZES = json.dumps(asdict(CONFIG))
VERSION_1_5 = "lyric_encoder.layers.0.input_layernorm.weight"


def file_of(folder: Path, part: str) -> Path:
    return folder / FOLDERS[part] / FILES[part]


def all_tensors(folder: Path, prefixes: Mapping[str, str]) -> Tensors:
    """The tensors of these parts, each behind its prefix."""
    parts = ((prefix, load_file(file_of(folder, part))) for part, prefix in prefixes.items())
    return {prefix + key: tensor for prefix, part in parts for key, tensor in part.items()}


def loaded(checkpoint: Checkpoint, part: str) -> Tensors:
    module = build(part, checkpoint.config)
    return dict(load_part(module, part, checkpoint, Target(torch.float32)).named_parameters())


def assert_same(checkpoint: Checkpoint, reference: Checkpoint, *parts: str) -> None:
    for part in parts or PARTS:
        left, right = loaded(checkpoint, part), loaded(reference, part)
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left), part


@pytest.fixture(scope="module")
def folder(tiny_folder: Path) -> Checkpoint:
    return recognise(tiny_folder)


@pytest.fixture
def changed(tiny_folder: Path, tmp_path: Path) -> Callable[[str, Change], Checkpoint]:
    """changed("vocoder", change): that part alone, after `change` was applied to its tensors."""

    def make(part: str, change: Change) -> Checkpoint:
        tensors = load_file(file_of(tiny_folder, part))
        change(tensors)
        shutil.copy(tiny_folder / FOLDERS[part] / "config.json", tmp_path)
        save_file(tensors, tmp_path / "changed.safetensors")
        return recognise(tmp_path / "changed.safetensors")

    return make


# --- layouts -----------------------------------------------------------------------------


def test_folder(folder: Checkpoint, tiny_folder: Path) -> None:
    assert (folder.name, folder.layout, folder.is_demo) == (NAME, "folder", True)
    assert folder.config == CONFIG
    assert folder.missing() == []
    assert folder.tokenizer == tiny_folder / "umt5-base" / "tokenizer.json"


def test_single_file_gives_the_same_weights(
    folder: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "one.safetensors"
    tensors = all_tensors(tiny_folder, PREFIX)
    tensors["text_encoders.umt5base.logit_scale"] = torch.ones(())  # as ComfyUI's saver writes
    tensors["text_encoders.spiece_model"] = torch.zeros(3, dtype=torch.uint8)
    save_file(tensors, path, {"acestep_config": SIZES, "acestep_name": "A demo"})
    single = recognise(path)
    assert (single.name, single.layout, single.is_demo) == (path.name, "single file", True)
    assert (single.config, single.tokenizer) == (CONFIG, path)
    assert_same(single, folder)


def test_component_files_give_the_same_weights(folder: Checkpoint, tiny_folder: Path) -> None:
    bare = recognise(*(file_of(tiny_folder, part) for part in reversed(PARTS)))
    assert (bare.layout, bare.config) == ("components", CONFIG)
    assert bare.tokenizer == folder.tokenizer
    assert {part: stored.path for part, stored in bare.parts.items()} == {
        part: file_of(tiny_folder, part) for part in PARTS
    }
    assert_same(bare, folder)


def test_a_file_of_both_codec_networks(
    folder: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "music_vae.safetensors"
    prefixes = {"dcae": "dcae.", "vocoder": "vocoder."}
    save_file(all_tensors(tiny_folder, prefixes), path, {"acestep_config": SIZES})
    both = recognise(path)
    assert both.missing() == ["transformer", "text_encoder"]
    assert_same(both, folder, "dcae", "vocoder")


def test_a_transformer_saved_by_the_host(
    folder: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    prefixes = {"transformer": "model.diffusion_model."}
    shutil.copy(tiny_folder / "ace_step_transformer" / "config.json", tmp_path)
    save_file(all_tensors(tiny_folder, prefixes), tmp_path / "model.safetensors")
    assert_same(recognise(tmp_path / "model.safetensors"), folder, "transformer")


def spell_as_newer_torch(tensors: Tensors) -> None:
    for key in [key for key in tensors if key.endswith(("weight_g", "weight_v"))]:
        number = "0" if key.endswith("g") else "1"
        stem = key.removesuffix(key[-8:])
        tensors[f"{stem}parametrizations.weight.original{number}"] = tensors.pop(key)


def fold(tensors: Tensors) -> None:
    for key in [key for key in tensors if key.endswith("weight_g")]:
        stem = key.removesuffix("_g")
        tensors[stem] = folded(tensors.pop(key), tensors.pop(f"{stem}_v"))


@pytest.mark.parametrize("spelling", [spell_as_newer_torch, fold])
def test_every_spelling_of_weight_norm(
    spelling: Change, changed: Callable[[str, Change], Checkpoint], folder: Checkpoint
) -> None:
    assert_same(changed("vocoder", spelling), folder, "vocoder")


def test_tensors_that_inference_never_reads_may_be_there(
    changed: Callable[[str, Change], Checkpoint], folder: Checkpoint
) -> None:
    def add(tensors: Tensors) -> None:
        tensors["projectors.0.4.weight"] = torch.zeros(2, 3)
        tensors["transformer_blocks.0.cross_attn.add_q_proj.bias"] = torch.zeros(3)

    assert_same(changed("transformer", add), folder, "transformer")


def test_a_tied_copy_of_the_embedding_is_passed_over(
    changed: Callable[[str, Change], Checkpoint], folder: Checkpoint
) -> None:
    def add(tensors: Tensors) -> None:
        tensors["encoder.embed_tokens.weight"] = tensors["shared.weight"].clone()

    assert_same(changed("text_encoder", add), folder, "text_encoder")


def test_weights_do_not_hold_on_to_the_file(folder: Checkpoint) -> None:
    """Kept in the file's own dtype too, they are copies and not windows into its memory map."""
    for weight in loaded(folder, "text_encoder").values():
        assert weight.untyped_storage().nbytes() == 4 * weight.numel()


def test_weights_are_kept_as_asked(folder: Checkpoint) -> None:
    module = build("text_encoder", folder.config)
    load_part(module, "text_encoder", folder, Target(torch.bfloat16))
    assert {p.dtype for p in module.parameters()} == {torch.bfloat16}
    assert not any(p.requires_grad for p in module.parameters())
    assert not module.training


def test_a_bare_transformer_beside_other_parts(
    folder: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    prefixes = {"transformer": "", "dcae": "vae.dcae.", "text_encoder": PREFIX["text_encoder"]}
    path = tmp_path / "mixed.safetensors"
    save_file(all_tensors(tiny_folder, prefixes), path, {"acestep_config": SIZES})
    assert_same(recognise(path), folder, *prefixes)


def test_the_longest_prefix_counts() -> None:
    """A file that holds a part twice: the host's spelling is the one that is meant."""
    mark = "backbone.channel_layers.0.0.bias"
    assert parts_of({mark, f"vae.vocoder.{mark}"}) == {"vocoder": "vae.vocoder."}


def test_parts_are_told_by_all_of_their_marks() -> None:
    assert parts_of({"genre_embedder.weight"}) == {}
    assert parts_of({"genre_embedder.weight", "lyric_embs.weight"}) == {"transformer": ""}
    vocoder = {"vocoder.backbone.channel_layers.0.0.bias"}
    assert parts_of(vocoder) == {"vocoder": "vocoder."}


# --- files that do not fit ---------------------------------------------------------------

NORM = "encoder.final_layer_norm.weight"


def remove(tensors: Tensors) -> None:
    del tensors[NORM]


def reshape(tensors: Tensors) -> None:
    tensors[NORM] = torch.zeros(31)


def add(tensors: Tensors) -> None:
    tensors["encoder.block.0.extra"] = torch.zeros(2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove, rf"{NORM} \(32,\) is missing"),
        (reshape, rf"{NORM} has shape \(31,\), expected \(32,\)"),
        (add, r"encoder\.block\.0\.extra is not a tensor of this model"),
    ],
)
def test_strict(
    change: Change,
    message: str,
    changed: Callable[[str, Change], Checkpoint],
    tmp_path: Path,
) -> None:
    checkpoint = changed("text_encoder", change)
    with pytest.raises(CheckpointError, match=message) as caught:
        loaded(checkpoint, "text_encoder")
    assert str(tmp_path / "changed.safetensors") in str(caught.value)
    assert str(caught.value).count("final_layer_norm") <= 1


def drop_a_half(tensors: Tensors) -> None:
    del tensors["head.conv_pre.weight_v"]


def misshape_a_half(tensors: Tensors) -> None:
    spell_as_newer_torch(tensors)
    tensors["head.conv_pre.parametrizations.weight.original0"] = torch.ones(2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_a_half, r"head\.conv_pre\.weight \(256, 48, 13\) is missing"),
        (misshape_a_half, r"original0 has shape \(2,\), expected \(256, 1, 1\)\. Either"),
    ],
)
def test_strict_with_weight_norm(
    change: Change, message: str, changed: Callable[[str, Change], Checkpoint]
) -> None:
    with pytest.raises(CheckpointError, match=message):
        loaded(changed("vocoder", change), "vocoder")


def test_prefixes_stand_in_the_message(tiny_folder: Path, tmp_path: Path) -> None:
    tensors = all_tensors(tiny_folder, PREFIX)
    del tensors["vae.dcae.decoder.norm_out.bias"]
    save_file(tensors, tmp_path / "one.safetensors", {"acestep_config": SIZES})
    with pytest.raises(CheckpointError, match=r"vae\.dcae\.decoder\.norm_out\.bias \(16,\)"):
        loaded(recognise(tmp_path / "one.safetensors"), "dcae")


def test_without_its_config_a_small_model_does_not_fit(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copy(file_of(tiny_folder, "text_encoder"), tmp_path / "alone.safetensors")
    checkpoint = recognise(tmp_path / "alone.safetensors")
    assert checkpoint.config == ModelConfig()
    with pytest.raises(CheckpointError, match=r"more\. Either .* whose config.json is not beside"):
        loaded(checkpoint, "text_encoder")


def test_whole_numbers_are_no_weights(changed: Callable[[str, Change], Checkpoint]) -> None:
    def quantise(tensors: Tensors) -> None:
        tensors[NORM] = torch.ones(32, dtype=torch.int8)

    with pytest.raises(CheckpointError, match=f"{NORM} holds I8 numbers"):
        loaded(changed("text_encoder", quantise), "text_encoder")


@pytest.mark.parametrize("prefix", ["", "encoder.", "model.diffusion_model.encoder."])
def test_version_1_5_is_named(prefix: str, tmp_path: Path) -> None:
    path = tmp_path / "acestep_v1.5.safetensors"
    save_file({prefix + VERSION_1_5: torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"an ACE-Step 1\.5 checkpoint, which is another"):
        recognise(path)


def test_version_1_5_in_a_folder_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "m")
    save_file({VERSION_1_5: torch.zeros(2)}, file_of(tmp_path / "m", "transformer"))
    with pytest.raises(CheckpointError, match=r"ACE-Step 1\.5"):
        recognise(tmp_path / "m")


def test_another_model_is_told_by_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"unet.conv.weight": torch.zeros(2), "unet.conv.bias": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"other.safetensors is no part of .*unet.conv.bias"):
        recognise(path)


# --- files that are none -----------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 5, 100, -1, -1000])
def test_truncated(kept: int, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    content = file_of(tiny_folder, "text_encoder").read_bytes()
    path.write_bytes(content[:kept])
    message = "half.safetensors is not a whole safetensors file .* fetch it again"
    with pytest.raises(CheckpointError, match=message):
        recognise(path)


@pytest.mark.parametrize("as_zip", [True, False])
def test_pickles_are_refused_unread(as_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    torch.save({"a": torch.zeros(2)}, path, _use_new_zipfile_serialization=as_zip)
    assert path.read_bytes()[:1] == (b"P" if as_zip else b"\x80")
    with pytest.raises(CheckpointError, match=r"is a pickled file\. .* get the \.safetensors"):
        recognise(path)


@pytest.mark.parametrize("length", [0x80, 0x150])
def test_a_header_length_may_look_like_a_pickle(length: int, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    about = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    header = json.dumps(about).encode().ljust(length)
    path.write_bytes(length.to_bytes(8, "little") + header + b"\x07")
    with opened(path) as file:
        assert file.get_tensor("a").tolist() == [7]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere.safetensors does not exist"):
        recognise(tmp_path / "nowhere.safetensors")


def test_a_file_that_may_not_be_read(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match=r"cannot be read \(Permission denied\)"):
        recognise(file_of(tiny_folder, "dcae"))


# --- folders -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_names_its_place(part: str, tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "m")
    file_of(tmp_path / "m", part).unlink()
    checkpoint = recognise(tmp_path / "m")
    assert checkpoint.missing() == [part]
    place = f"{FOLDERS[part]}/{FILES[part]}"
    with pytest.raises(CheckpointError, match=rf"has no {part} \({place}\)\. Add it, or run"):
        checkpoint.require(*PARTS)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no ACE-Step checkpoint: none of ace_step_tr"):
        recognise(tmp_path)


def test_a_part_in_anothers_place(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "m")
    shutil.copy(file_of(tiny_folder, "dcae"), file_of(tmp_path / "m", "vocoder"))
    with pytest.raises(CheckpointError, match="should hold the vocoder, but its keys are another"):
        recognise(tmp_path / "m")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", r"The configuration in .*config.json is not valid JSON"),
        (b"[1]", r"The configuration in .*config.json must be a JSON object"),
        (b"\xff\xfe{", r"config.json cannot be read as text"),
        (b'{"d_model": "32"}', r"of .* is not that of ACE-Step v1: d_model is '32'"),
    ],
)
def test_a_broken_configuration(
    content: bytes, message: str, tiny_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_folder, tmp_path / "m")
    (tmp_path / "m" / "umt5-base" / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        recognise(tmp_path / "m")


@pytest.mark.parametrize("text", ["{", '{"transformer": 7}'])
def test_a_broken_configuration_in_metadata(text: str, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_file(all_tensors(tiny_folder, {"dcae": "vae.dcae."}), path, {"acestep_config": text})
    with pytest.raises(CheckpointError, match=r"The configuration .*one.safetensors"):
        recognise(path)
