"""How checkpoints spell the names of our parameters.

    file key <-> (component, our name)

Tables hold `{}` for a running number. `modules` are paths whose .weight and .bias keep their
shape; `tables` are parameters that belong to no layer in the file; `vectors` likewise, (C)
there and (1, C) here. `lines` (our paths) are layers that convolve sequences there, and pictures
of height one here, or rows where they have one tap. `dropped` tensors exist in released files
and are read by nothing at inference: they may be present or absent. `normed` layers may be
stored with weight norm, in either spelling, or folded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property


@dataclass(frozen=True)
class KeyMap:
    modules: dict[str, str]
    tables: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    normed: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    def ours(self, key: str) -> str | None:
        """Our name of a file key, None for a dropped tensor; KeyError for an unknown one."""
        if any(pattern.fullmatch(key) for pattern in self._dropped):
            return None
        for pattern, ours in self._forward:
            if found := pattern.fullmatch(key):
                return ours.format(*found.groups())
        raise KeyError(key)

    def theirs(self, name: str) -> str:
        """The file key of our parameter, in the folded spelling; KeyError for an unknown one."""
        for pattern, theirs in self._backward:
            if found := pattern.fullmatch(name):
                return theirs.format(*found.groups())
        raise KeyError(name)

    def file_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """What our parameter of this shape is in the file."""
        if any(pattern.fullmatch(name) for pattern in self._vectors):
            return shape[1:]
        if any(pattern.fullmatch(name) for pattern in self._lines):
            return (*shape[:2], math.prod(shape[2:]))
        return shape

    def is_normed(self, key: str) -> bool:
        """Whether the layer of a folded file key (… .weight) may be stored with weight norm."""
        return any(pattern.fullmatch(key) for pattern in self._normed)

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        ends = (".weight", ".bias")
        layers = [(a + end, b + end) for a, b in self.modules.items() for end in ends]
        return [*self.tables.items(), *self.vectors.items(), *layers]

    @cached_property
    def _forward(self) -> list[tuple[re.Pattern[str], str]]:
        return [(_pattern(theirs), ours) for theirs, ours in self._pairs]

    @cached_property
    def _backward(self) -> list[tuple[re.Pattern[str], str]]:
        return [(_pattern(ours), theirs) for theirs, ours in self._pairs]

    @cached_property
    def _vectors(self) -> list[re.Pattern[str]]:
        return [_pattern(ours) for ours in self.vectors.values()]

    @cached_property
    def _lines(self) -> list[re.Pattern[str]]:
        return [_pattern(path + ".weight") for path in self.lines]

    @cached_property
    def _dropped(self) -> list[re.Pattern[str]]:
        return [_pattern(path + end) for path in self.dropped for end in ("", ".weight", ".bias")]

    @cached_property
    def _normed(self) -> list[re.Pattern[str]]:
        return [_pattern(path + ".weight") for path in self.normed]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\{\}", r"(\d+)"))


_BLOCK = "transformer_blocks.{}"
_LYRIC = "lyric_encoder.encoders.{}"
_CROSS = f"{_BLOCK}.cross_attn"

TRANSFORMER = KeyMap(
    modules={
        "speaker_embedder": "speaker",
        "genre_embedder": "tags",
        "lyric_embs": "lyric_encoder.tokens",
        "lyric_encoder.embed.out.0": "lyric_encoder.project",
        "lyric_encoder.embed.out.1": "lyric_encoder.project_norm",
        f"{_LYRIC}.norm_mha": "lyric_encoder.layers.{}.attention_norm",
        f"{_LYRIC}.norm_ff": "lyric_encoder.layers.{}.feed_norm",
        f"{_LYRIC}.self_attn.linear_q": "lyric_encoder.layers.{}.attention.query",
        f"{_LYRIC}.self_attn.linear_k": "lyric_encoder.layers.{}.attention.key",
        f"{_LYRIC}.self_attn.linear_v": "lyric_encoder.layers.{}.attention.value",
        f"{_LYRIC}.self_attn.linear_out": "lyric_encoder.layers.{}.attention.out",
        f"{_LYRIC}.self_attn.linear_pos": "lyric_encoder.layers.{}.attention.position",
        f"{_LYRIC}.feed_forward.w_1": "lyric_encoder.layers.{}.expand",
        f"{_LYRIC}.feed_forward.w_2": "lyric_encoder.layers.{}.contract",
        "lyric_encoder.after_norm": "lyric_encoder.norm",
        "lyric_proj": "lyrics",
        "timestep_embedder.linear_1": "time_in",
        "timestep_embedder.linear_2": "time_out",
        "t_block.1": "time_blocks",
        "proj_in.early_conv_layers.0": "patch",
        "proj_in.early_conv_layers.1": "patch_norm",
        "proj_in.early_conv_layers.2": "patch_out",
        f"{_BLOCK}.attn.to_q": "blocks.{}.self_attention.query",
        f"{_BLOCK}.attn.to_k": "blocks.{}.self_attention.key",
        f"{_BLOCK}.attn.to_v": "blocks.{}.self_attention.value",
        f"{_BLOCK}.attn.to_out.0": "blocks.{}.self_attention.out",
        f"{_CROSS}.to_q": "blocks.{}.cross_attention.query",
        f"{_CROSS}.to_k": "blocks.{}.cross_attention.key",
        f"{_CROSS}.to_v": "blocks.{}.cross_attention.value",
        f"{_CROSS}.to_out.0": "blocks.{}.cross_attention.out",
        f"{_BLOCK}.ff.inverted_conv.conv": "blocks.{}.feed_forward.expand",
        f"{_BLOCK}.ff.depth_conv.conv": "blocks.{}.feed_forward.depth",
        f"{_BLOCK}.ff.point_conv.conv": "blocks.{}.feed_forward.contract",
        "final_layer.linear": "final",
    },
    tables={
        f"{_BLOCK}.scale_shift_table": "blocks.{}.modulation.weight",
        "final_layer.scale_shift_table": "final_modulation.weight",
        f"{_LYRIC}.self_attn.pos_bias_u": "lyric_encoder.layers.{}.attention.content_bias.weight",
        f"{_LYRIC}.self_attn.pos_bias_v": "lyric_encoder.layers.{}.attention.position_bias.weight",
    },
    dropped=(
        "projectors.{}.{}",
        f"{_CROSS}.add_q_proj",
        f"{_CROSS}.add_k_proj",
        f"{_CROSS}.add_v_proj",
        f"{_CROSS}.to_add_out",
    ),
    lines=(
        "blocks.{}.feed_forward.expand",
        "blocks.{}.feed_forward.depth",
        "blocks.{}.feed_forward.contract",
    ),
)


def _dcae_half(theirs: str, ours: str) -> tuple[dict[str, str], dict[str, str]]:
    """The names inside one attention block and one residual block."""
    modules = {
        f"{theirs}.attn.to_q": f"{ours}.attention.query",
        f"{theirs}.attn.to_k": f"{ours}.attention.key",
        f"{theirs}.attn.to_v": f"{ours}.attention.value",
        f"{theirs}.attn.to_qkv_multiscale.0.proj_in": f"{ours}.attention.wide",
        f"{theirs}.attn.to_qkv_multiscale.0.proj_out": f"{ours}.attention.mix",
        f"{theirs}.attn.to_out": f"{ours}.attention.out",
        f"{theirs}.conv_out.conv_inverted": f"{ours}.feed_forward.expand",
        f"{theirs}.conv_out.conv_depth": f"{ours}.feed_forward.depth",
        f"{theirs}.conv_out.conv_point": f"{ours}.feed_forward.contract",
    }
    return modules, {
        **_norm(f"{theirs}.attn.norm_out", f"{ours}.attention.norm"),
        **_norm(f"{theirs}.conv_out.norm", f"{ours}.feed_forward.norm"),
    }


def _norm(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.weight": f"{ours}.gain.weight", f"{theirs}.bias": f"{ours}.offset.weight"}


def dcae_keys(encoder_depths: tuple[int, ...]) -> KeyMap:
    """The autoencoder's names; the encoder's halving layers stand behind its residual blocks."""
    last = len(encoder_depths) - 1
    down, down_vectors = _dcae_half(f"encoder.down_blocks.{last}.{{}}", "encoder.attention.{}")
    up, up_vectors = _dcae_half(f"decoder.up_blocks.{last}.{{}}", "decoder.attention.{}")
    modules = {
        "encoder.conv_in": "encoder.conv_in",
        "encoder.conv_out": "encoder.conv_out",
        "decoder.conv_in": "decoder.conv_in",
        "decoder.conv_out": "decoder.conv_out",
        **down,
        **up,
        "decoder.up_blocks.{}.0.conv": "decoder.stages.{}.0.conv",
        "decoder.up_blocks.{}.{}.conv1": "decoder.stages.{}.{}.first",
        "decoder.up_blocks.{}.{}.conv2": "decoder.stages.{}.{}.second",
        "encoder.down_blocks.{}.{}.conv1": "encoder.stages.{}.{}.first",
        "encoder.down_blocks.{}.{}.conv2": "encoder.stages.{}.{}.second",
    }
    for stage, depth in enumerate(encoder_depths[:-1]):
        halve = f"encoder.down_blocks.{stage}.{depth}.conv"
        modules[halve] = f"encoder.stages.{stage}.{depth}.conv"
    vectors = {
        **down_vectors,
        **up_vectors,
        **_norm("decoder.up_blocks.{}.{}.norm", "decoder.stages.{}.{}.norm"),
        **_norm("encoder.down_blocks.{}.{}.norm", "encoder.stages.{}.{}.norm"),
        **_norm("decoder.norm_out", "decoder.norm"),
    }
    return KeyMap(modules, vectors=vectors)


_STAGE = "backbone.stages.{}.{}"

VOCODER = KeyMap(
    modules={
        "backbone.channel_layers.0.0": "backbone.entries.0.conv",
        "backbone.channel_layers.0.1": "backbone.entries.0.norm.norm",
        "backbone.channel_layers.{}.0": "backbone.entries.{}.norm.norm",
        "backbone.channel_layers.{}.1": "backbone.entries.{}.conv",
        f"{_STAGE}.dwconv": "backbone.stages.{}.{}.depth",
        f"{_STAGE}.norm": "backbone.stages.{}.{}.norm",
        f"{_STAGE}.pwconv1": "backbone.stages.{}.{}.expand",
        f"{_STAGE}.pwconv2": "backbone.stages.{}.{}.contract",
        "backbone.norm": "backbone.norm.norm",
        "head.conv_pre": "head.conv_in",
        "head.ups.{}": "head.ups.{}",
        "head.conv_post": "head.conv_out",
    },
    vectors={f"{_STAGE}.gamma": "backbone.stages.{}.{}.gain.weight"},
    dropped=("mel_transform.spectrogram.window", "mel_transform.mel_scale.fb"),
    normed=(
        "head.conv_pre",
        "head.conv_post",
        "head.ups.{}",
        "head.resblocks.{}.convs1.{}",
        "head.resblocks.{}.convs2.{}",
    ),
    lines=(
        "backbone.entries.{}.conv",
        "backbone.stages.{}.{}.depth",
        "head.conv_in",
        "head.ups.{}",
        "head.mixes.{}.{}.dilated.{}",
        "head.mixes.{}.{}.plain.{}",
        "head.conv_out",
    ),
)


def vocoder_keys(levels: int, kernels: int) -> KeyMap:
    """The vocoder's names; the file counts residual blocks through all levels."""
    modules = dict(VOCODER.modules)
    for level in range(levels):
        for kernel in range(kernels):
            theirs = f"head.resblocks.{level * kernels + kernel}"
            ours = f"head.mixes.{level}.{kernel}"
            modules[f"{theirs}.convs1.{{}}"] = f"{ours}.dilated.{{}}"
            modules[f"{theirs}.convs2.{{}}"] = f"{ours}.plain.{{}}"
    return replace(VOCODER, modules=modules)


_UMT5 = "encoder.block.{}"
_UMT5_ATTENTION = f"{_UMT5}.layer.0.SelfAttention"
_UMT5_FEED = f"{_UMT5}.layer.1.DenseReluDense"

TEXT_ENCODER = KeyMap(
    modules={
        "shared": "tokens",
        f"{_UMT5_ATTENTION}.q": "blocks.{}.query",
        f"{_UMT5_ATTENTION}.k": "blocks.{}.key",
        f"{_UMT5_ATTENTION}.v": "blocks.{}.value",
        f"{_UMT5_ATTENTION}.o": "blocks.{}.out",
        f"{_UMT5_ATTENTION}.relative_attention_bias": "blocks.{}.positions",
        f"{_UMT5_FEED}.wi_0": "blocks.{}.gate",
        f"{_UMT5_FEED}.wi_1": "blocks.{}.expand",
        f"{_UMT5_FEED}.wo": "blocks.{}.contract",
    },
    vectors={
        f"{_UMT5}.layer.0.layer_norm.weight": "blocks.{}.attention_norm.weight",
        f"{_UMT5}.layer.1.layer_norm.weight": "blocks.{}.feed_norm.weight",
        "encoder.final_layer_norm.weight": "norm.weight",
    },
    # The tied copy of "shared"; a file that holds it holds the same values.
    dropped=("encoder.embed_tokens",),
)
