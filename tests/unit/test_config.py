from __future__ import annotations

import pytest

from acestep_core.config import (
    FRAME,
    MAX_FRAMES,
    MAX_SECONDS,
    ModelConfig,
    TransformerConfig,
    VocoderConfig,
    frames_of,
    frames_of_samples,
    seconds_of,
)


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [(5, 53), (10, 107), (30, 322), (60, 645), (120, 1291), (180, 1937), (240, 2583)],
)
def test_frames_are_rounded_down(seconds: float, frames: int) -> None:
    assert frames_of(seconds) == frames
    assert seconds_of(frames) <= seconds < seconds_of(frames + 1)


def test_constants_agree() -> None:
    assert frames_of(MAX_SECONDS) == MAX_FRAMES
    assert seconds_of(645) == pytest.approx(59.907, abs=5e-4)
    assert frames_of(FRAME / 44_100) == 1  # the shortest duration that is accepted


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (4096, 1), (4097, 2), (2_646_000, 646)])
def test_encoded_frames_are_rounded_up(samples: int, frames: int) -> None:
    assert frames_of_samples(samples) == frames


def test_what_a_config_leaves_out_has_the_released_size() -> None:
    config = ModelConfig.from_dict({"transformer": {"num_layers": 4}, "vocoder": {}})
    assert config.transformer == TransformerConfig(num_layers=4)
    assert (config.dcae, config.vocoder) == (ModelConfig().dcae, VocoderConfig())


def test_lists_and_unknown_keys_of_a_released_file() -> None:
    read = VocoderConfig.from_dict(
        {
            "_class_name": "ADaMoSHiFiGANV1",
            "use_template": False,
            "resblock_dilation_sizes": [[1, 3], [1, 5]],
        }
    )
    assert read == VocoderConfig(resblock_dilation_sizes=((1, 3), (1, 5)))


def test_lyric_encoder_sizes_stand_inside_the_transformers() -> None:
    sizes = {"attention_heads": 4, "linear_units": 96, "num_blocks": 6}
    read = TransformerConfig.from_dict({"lyric_encoder": sizes})
    assert (read.lyric_encoder.attention_heads, read.lyric_encoder.linear_units) == (4, 96)
    assert TransformerConfig.from_dict({"lyric_encoder": None}) == TransformerConfig()


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("transformer", {"num_layers": "24"}, "num_layers is '24'; it must be int"),
        ("transformer", {"patch_size": 16}, "patch_size is 16; it must be tuple"),
        ("transformer", {"inner_dim": True}, "inner_dim is True"),
        ("transformer", {"lyric_encoder": [1]}, "lyric_encoder is "),
        ("dcae", {"encoder_layers_per_block": None}, "encoder_layers_per_block is None"),
        ("vocoder", 7, "vocoder is 7; it must be an object"),
    ],
)
def test_a_value_of_another_kind_names_itself(part: str, values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig.from_dict({part: values})  # pyright: ignore[reportArgumentType]


def test_whole_numbers_may_stand_for_fractions() -> None:
    assert VocoderConfig.from_dict({"f_min": 40, "f_max": 16000}).f_max == 16_000.0


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("transformer", "num_layers", 10**9),
        ("transformer", "inner_dim", -5),
        ("transformer", "inner_dim", 0),
        ("transformer", "mlp_ratio", float("inf")),
        ("transformer", "mlp_ratio", -1.0),
        ("transformer", "patch_size", [16, -1]),
        ("transformer", "lyric_encoder", {"num_blocks": 10**6}),
        ("dcae", "decoder_layers_per_block", [10**9] * 4),
        ("dcae", "encoder_block_out_channels", []),
        ("vocoder", "upsample_rates", [4] * 1000),
        ("vocoder", "resblock_dilation_sizes", [[1, "3"]]),
        ("text_encoder", "vocab_size", 10**12),
    ],
)
def test_sizes_that_nothing_can_have(part: str, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"it must (be|have) "):
        ModelConfig.from_dict({part: {name: value}})
