"""Dimensions of the networks, audio rates, and the clock that ties frames to seconds.

    4 config.json files (or one safetensors metadata entry) -> ModelConfig

Defaults are the released 3.5B checkpoint. The lyric conformer's sizes are in no released
file, so they are constants here; a smaller checkpoint states them under "lyric_encoder".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

VERSION = "0.1.0"

SAMPLE_RATE = 44_100  # Hz; the only rate the networks know
OUTPUT_RATE = 48_000  # Hz, as the original writes
HOP = 512  # samples per mel frame
MEL_PER_FRAME = 8  # mel frames per latent frame: the autoencoder halves time three times
FRAME = HOP * MEL_PER_FRAME  # 4096 samples per latent frame, 92.88 ms
FRAMES_PER_SECOND = SAMPLE_RATE / FRAME  # 10.7666...
LATENT_CHANNELS = 8
LATENT_HEIGHT = 16

MAX_SECONDS = 240.0  # the longest clip the model was trained on
LONGEST_SOURCE = 3600.0  # seconds of a clip that is worked on in parts
MAX_FRAMES = 2583  # frames_of(240)
MAX_TAG_TOKENS = 256  # longer prompts are cut, as in training
MAX_LYRIC_TOKENS = 4096  # the longest lyric in training; longer ones are warned about
REFUSED_LYRIC_TOKENS = 8192  # attention over more would need more memory than the model


def frames_of(seconds: float) -> int:
    """Latent frames of a clip, rounded down: 60 s -> 645."""
    return int(seconds * SAMPLE_RATE / HOP / MEL_PER_FRAME)


def seconds_of(frames: int) -> float:
    """Exact length of so many latent frames: 645 -> 59.907 s."""
    return frames * FRAME / SAMPLE_RATE


def samples_at(frames: int, rate: int) -> float:
    """Samples at another rate that so many latent frames last; seldom a whole number."""
    return frames * FRAME * rate / SAMPLE_RATE


def frames_of_samples(samples: int) -> int:
    """Latent frames that an encoded clip of `samples` (at 44.1 kHz) has: padded to whole frames."""
    return math.ceil(samples / FRAME)


class _FromDict:
    """Reads a config.json: known keys by name, lists as tuples, everything else left alone."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        released = cls()
        known = {f.name for f in fields(cls)}  # pyright: ignore[reportArgumentType]
        given = {k: _frozen(v) for k, v in values.items() if k in known}
        for name, value in given.items():
            _check_kind(name, value, type(getattr(released, name)))
        return cls(**given)


# What a size may be: far beyond any checkpoint, and far below what would fill the memory before
# the file itself says that it does not fit.
LARGEST_SIZE, MOST_LAYERS = 10**6, 256
LAYERS = ("num_layers", "num_blocks", "depths")
LAYERS += ("encoder_layers_per_block", "decoder_layers_per_block")


def _check_kind(name: str, value: Any, kind: type) -> None:
    accepted = (int, float) if kind is float else kind
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise ValueError(f"{name} is {value!r}; it must be {kind.__name__}")
    if isinstance(value, tuple):
        if not 1 <= len(value) <= MOST_LAYERS:
            raise ValueError(f"{name} has {len(value)} entries; it must have 1 to {MOST_LAYERS}")
        for one in value:
            _check_kind(name, one, tuple if isinstance(one, tuple) else int)
    elif kind is float:
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value!r}; it must be 0 or more")
    elif kind is int:
        most = MOST_LAYERS if name in LAYERS else LARGEST_SIZE
        if not 1 <= value <= most:
            raise ValueError(f"{name} is {value}; it must be from 1 to {most}")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class LyricEncoderConfig(_FromDict):
    attention_heads: int = 16
    linear_units: int = 4096
    num_blocks: int = 6


@dataclass(frozen=True)
class TransformerConfig(_FromDict):
    in_channels: int = 8
    out_channels: int = 8
    num_layers: int = 24
    attention_head_dim: int = 128
    num_attention_heads: int = 20
    inner_dim: int = 2560
    mlp_ratio: float = 2.5
    patch_size: tuple[int, int] = (16, 1)
    rope_theta: float = 1_000_000.0
    max_position: int = 32_768
    speaker_embedding_dim: int = 512
    text_embedding_dim: int = 768
    lyric_encoder_vocab_size: int = 6693
    lyric_hidden_size: int = 1024
    lyric_encoder: LyricEncoderConfig = field(default_factory=LyricEncoderConfig)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        nested = LyricEncoderConfig.from_dict(_object("lyric_encoder", values))
        return super().from_dict({**values, "lyric_encoder": nested})


@dataclass(frozen=True)
class DCAEConfig(_FromDict):
    in_channels: int = 2
    latent_channels: int = 8
    attention_head_dim: int = 32
    encoder_block_out_channels: tuple[int, ...] = (128, 256, 512, 1024)
    decoder_block_out_channels: tuple[int, ...] = (128, 256, 512, 1024)
    encoder_layers_per_block: tuple[int, ...] = (2, 2, 3, 3)
    decoder_layers_per_block: tuple[int, ...] = (3, 3, 3, 3)


@dataclass(frozen=True)
class VocoderConfig(_FromDict):
    input_channels: int = 128
    depths: tuple[int, ...] = (3, 3, 9, 3)
    dims: tuple[int, ...] = (128, 256, 384, 512)
    kernel_sizes: tuple[int, ...] = (7,)
    upsample_rates: tuple[int, ...] = (4, 4, 2, 2, 2, 2, 2)
    upsample_kernel_sizes: tuple[int, ...] = (8, 8, 4, 4, 4, 4, 4)
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11, 13)
    resblock_dilation_sizes: tuple[tuple[int, ...], ...] = ((1, 3, 5),) * 4
    num_mels: int = 512  # width of the backbone's output, not the number of mel bins
    upsample_initial_channel: int = 1024
    pre_conv_kernel_size: int = 13
    post_conv_kernel_size: int = 13
    sampling_rate: int = SAMPLE_RATE
    n_fft: int = 2048
    win_length: int = 2048
    hop_length: int = HOP
    f_min: float = 40.0
    f_max: float = 16_000.0
    n_mels: int = 128


@dataclass(frozen=True)
class TextEncoderConfig(_FromDict):
    vocab_size: int = 256_384
    d_model: int = 768
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 12
    num_heads: int = 12
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    layer_norm_epsilon: float = 1e-6


@dataclass(frozen=True)
class ModelConfig:
    """The four networks of one checkpoint."""

    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    dcae: DCAEConfig = field(default_factory=DCAEConfig)
    vocoder: VocoderConfig = field(default_factory=VocoderConfig)
    text_encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)

    @classmethod
    def from_dict(cls, values: Mapping[str, Mapping[str, Any]]) -> Self:
        """From {"transformer": {...}, ...}; a part or a key left out has the released size."""
        return cls(
            TransformerConfig.from_dict(_object("transformer", values)),
            DCAEConfig.from_dict(_object("dcae", values)),
            VocoderConfig.from_dict(_object("vocoder", values)),
            TextEncoderConfig.from_dict(_object("text_encoder", values)),
        )


def _object(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The named entry, empty where it is left out."""
    found = values.get(name)
    if found is not None and not isinstance(found, Mapping):
        raise ValueError(f"{name} is {found!r}; it must be an object")
    return found or {}


VOCODER, GRIFFIN_LIM = "vocoder", "griffin_lim"  # what makes a log-mel sound
