"""The sizes of the small model: an eighth of every width, every layer count kept.

The vocoder has two upsampling levels in place of seven: halved at every level, 128 channels
would end at one. Its first level makes 64 signals at 689 Hz, its second mixes them with
filters of 256 samples. 16-bit weights of all four take 29 MB; tensors that inference never
reads are left out.

Heads of 32 lanes have 16 rotary angles, an eighth of the original's half. With the original's base
of 10^6 each would be 0.42 of the one before; 2^16 makes it a half, so that the angles are musical:
beat, half bar, bar, two bars. Without them no position is known well enough for a beat.
"""

from __future__ import annotations

from acestep_core.config import (
    DCAEConfig,
    LyricEncoderConfig,
    ModelConfig,
    TextEncoderConfig,
    TransformerConfig,
    VocoderConfig,
)

NAME = "ACE-Step small demonstration model"
MOST_BYTES = 32_000_000  # of the whole checkpoint

SMALL = ModelConfig(
    TransformerConfig(
        attention_head_dim=32,
        num_attention_heads=4,
        inner_dim=128,
        speaker_embedding_dim=16,
        text_embedding_dim=64,
        lyric_hidden_size=64,
        lyric_encoder=LyricEncoderConfig(4, 256, 6),
        rope_theta=2.0**16,
    ),
    DCAEConfig(
        attention_head_dim=16,
        encoder_block_out_channels=(16, 32, 64, 128),
        decoder_block_out_channels=(16, 32, 64, 128),
    ),
    VocoderConfig(
        dims=(64, 96, 128, 160),
        num_mels=160,
        upsample_initial_channel=128,
        upsample_rates=(8, 64),
        upsample_kernel_sizes=(16, 256),
        resblock_kernel_sizes=(3, 7),
        resblock_dilation_sizes=((1, 3, 5),) * 2,
    ),
    TextEncoderConfig(vocab_size=512, d_model=64, d_kv=16, d_ff=128, num_heads=4),
)
