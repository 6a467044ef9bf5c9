"""Names of the released files: their number and sizes are published."""

from __future__ import annotations

import math

import pytest

from acestep_core.config import ModelConfig
from acestep_core.weights.checkpoint import PARTS, key_map
from acestep_core.weights.keys import TEXT_ENCODER, TRANSFORMER, dcae_keys, vocoder_keys
from acestep_core.weights.model import build
from acestep_core.weights.tiny import shapes
from bench.synthetic import unread

RELEASED = ModelConfig()
EVIT = "encoder.down_blocks.3.2"
# Tensors in the file, and numbers in them without buffers.
PUBLISHED = {
    "transformer": (874, 3_305_659_264),
    "dcae": (192, 156_812_426),
    "vocoder": (713, 103_005_138),
    "text_encoder": (122, 281_861_376),
}


@pytest.mark.parametrize("part", PARTS)
def test_the_released_files_have_these_tensors(part: str) -> None:
    found = {**shapes(part, RELEASED), **unread(part, RELEASED)}
    buffers = sum(math.prod(s) for name, s in found.items() if name.startswith("mel_transform"))
    numbers = sum(math.prod(shape) for shape in found.values()) - buffers
    assert (len(found), numbers) == PUBLISHED[part]


@pytest.mark.parametrize("part", PARTS)
def test_names_go_there_and_back(part: str) -> None:
    keys = key_map(part, RELEASED)
    for name, _ in build(part, RELEASED).named_parameters():
        assert keys.ours(keys.theirs(name)) == name


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("transformer_blocks.23.attn.to_out.0.weight", (2560, 2560)),
        ("transformer_blocks.0.scale_shift_table", (6, 2560)),
        ("transformer_blocks.7.ff.depth_conv.conv.weight", (12800, 1, 3)),
        ("lyric_encoder.encoders.5.self_attn.pos_bias_u", (16, 64)),
        ("t_block.1.weight", (15360, 2560)),
        ("proj_in.early_conv_layers.0.weight", (2048, 8, 16, 1)),
        ("final_layer.scale_shift_table", (2, 2560)),
    ],
)
def test_transformer_shapes(key: str, shape: tuple[int, ...]) -> None:
    assert shapes("transformer", RELEASED)[key] == shape


@pytest.mark.parametrize(
    ("part", "key", "shape"),
    [
        ("dcae", "encoder.down_blocks.2.3.conv.weight", (1024, 512, 3, 3)),
        ("dcae", f"{EVIT}.attn.to_qkv_multiscale.0.proj_out.weight", (3072, 32, 1, 1)),
        ("dcae", "decoder.up_blocks.0.0.conv.weight", (128, 256, 3, 3)),
        ("dcae", "decoder.norm_out.weight", (128,)),
        ("vocoder", "head.ups.6.weight_v", (16, 8, 4)),
        ("vocoder", "head.ups.6.weight_g", (16, 1, 1)),
        ("vocoder", "head.resblocks.27.convs2.2.weight_v", (8, 8, 13)),
        ("vocoder", "head.conv_post.weight_g", (1, 1, 1)),
        ("vocoder", "backbone.stages.2.8.gamma", (384,)),
        ("text_encoder", "encoder.final_layer_norm.weight", (768,)),
    ],
)  # fmt: skip
def test_other_shapes(part: str, key: str, shape: tuple[int, ...]) -> None:
    assert shapes(part, RELEASED)[key] == shape


def test_177_layers_have_weight_norm() -> None:
    names = shapes("vocoder", RELEASED)
    assert sum(name.endswith("weight_g") for name in names) == 177
    keys = vocoder_keys(7, 4)
    assert keys.is_normed("head.resblocks.27.convs1.0.weight")
    assert not keys.is_normed("backbone.norm.weight")


def test_residual_blocks_are_counted_through_all_levels() -> None:
    keys = vocoder_keys(7, 4)
    assert keys.ours("head.resblocks.27.convs2.1.weight") == "head.mixes.6.3.plain.1.weight"
    assert keys.theirs("head.mixes.1.0.dilated.2.bias") == "head.resblocks.4.convs1.2.bias"
    with pytest.raises(KeyError):
        keys.ours("head.resblocks.28.convs1.0.weight")


def test_halving_layers_stand_behind_their_residual_blocks() -> None:
    keys = dcae_keys((2, 2, 3, 3))
    assert keys.ours("encoder.down_blocks.2.3.conv.bias") == "encoder.stages.2.3.conv.bias"
    assert keys.ours("encoder.down_blocks.3.0.attn.to_q.weight") == (
        "encoder.attention.0.attention.query.weight"
    )


@pytest.mark.parametrize(
    "key",
    [
        "projectors.1.4.bias",
        "transformer_blocks.3.cross_attn.add_q_proj.weight",
        "transformer_blocks.3.cross_attn.to_add_out.bias",
    ],
)
def test_what_inference_never_reads_is_dropped(key: str) -> None:
    assert TRANSFORMER.ours(key) is None
    assert TEXT_ENCODER.ours("encoder.embed_tokens.weight") is None


@pytest.mark.parametrize(
    "key",
    [
        "transformer_blocks.x.attn.to_q.weight",
        "transformer_blocks.0.attn.to_q",
        "transformer_blocks.0.attn.to_q.weight.weight",
        "projectors.0",
        "",
    ],
)
def test_other_names_are_unknown(key: str) -> None:
    with pytest.raises(KeyError):
        TRANSFORMER.ours(key)


def test_vectors_are_told_from_tables() -> None:
    assert vocoder_keys(7, 4).file_shape("backbone.stages.0.0.gain.weight", (1, 8)) == (8,)
    assert TRANSFORMER.file_shape("blocks.0.modulation.weight", (6, 8)) == (6, 8)
