"""Waveform <-> latent, in tiles that give what the whole would give.

    encode   44.1 kHz stereo -> log-mel -> normalise -> encoder -> scale
    decode   unscale -> decoder -> log-mel -> vocoder -> 44.1 kHz stereo
             (or Griffin-Lim, where a checkpoint says that its vocoder is not good enough)

The convolutions are local: a tile with enough true context on each side computes the same
numbers. The attention blocks are global, but need only the sum of their states, so they run
over tiles twice: once to sum, once to read. Peak memory then grows by one activation of the
narrowest level (64 kB a frame in float32), not by every buffer of the widest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..config import FRAME, GRIFFIN_LIM, HOP, LATENT_HEIGHT, MEL_PER_FRAME, VOCODER, VocoderConfig
from ..networks.dcae import DCAE, AttentionBlock, Decoder, Encoder
from ..networks.layers import attention_state
from ..networks.memory import Part
from ..networks.vocoder import Vocoder
from ..types import Latent
from .audio import stereo, whole_frames
from .griffin_lim import REACH, first_phase, griffin_lim
from .mel import log_mel

MEL_LOW, MEL_HIGH = -11.0, 3.0  # log-mel that the autoencoder sees as -1 and 1
SCALE, SHIFT = 0.1786, -1.9091

Tick = Callable[[int, int], None]  # (pieces done, pieces in all); may raise to cancel
Sound = Callable[[Tensor, slice], Tensor]  # log-mel (2, 128, m), where it lies -> (2, 512 m)


@dataclass(frozen=True)
class Tiles:
    """How much is worked on at once, in latent frames; None = everything."""

    frames: int | None = 128


TILED, WHOLE = Tiles(), Tiles(None)


def no_tick(done: int, total: int) -> None:
    """Nobody is watching."""


def spans(length: int, core: int | None) -> list[tuple[int, int]]:
    """[start, end) pieces that cover `length`; every one but the last is `core` long."""
    step = core or max(length, 1)
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def around(span: tuple[int, int], reach: int, length: int) -> tuple[slice, slice]:
    """(span widened by reach inside the length, where the span lies within that)."""
    start, end = max(span[0] - reach, 0), min(span[1] + reach, length)
    return slice(start, end), slice(span[0] - start, span[1] - start)


@dataclass(frozen=True)
class Codec:
    dcae: Part[DCAE]
    vocoder: Part[Vocoder]
    mel: VocoderConfig
    sound: str = VOCODER

    def encode(self, wave: Tensor, tiles: Tiles = TILED, tick: Tick = no_tick) -> Latent:
        """wave (B, C, N) at 44.1 kHz, mono or stereo -> ceil(N / 4096) frames."""
        padded = whole_frames(stereo(wave))
        total = len(spans(padded.shape[-1] // FRAME, tiles.frames)) * len(padded)
        latents, counter = [], _Counter(total, tick)
        with self.dcae.use() as network:
            for item in padded:  # one at a time: a batch would only multiply the peak
                mel = log_mel(item.to(self.dcae.device), self.mel)[None].to(self.dcae.dtype)
                normal = (mel - MEL_LOW) / (MEL_HIGH - MEL_LOW) * 2 - 1
                z = encoded(network.encoder, normal, tiles, counter)
                latents.append((z.float() - SHIFT) * SCALE)
        return Latent(torch.cat(latents).cpu())

    def decode(self, latent: Latent, tiles: Tiles = TILED, tick: Tick = no_tick) -> Tensor:
        """-> waveform (B, 2, 4096 T) at 44.1 kHz, float32 in main memory."""
        count, pieces = len(latent.z), len(spans(latent.frames, tiles.frames))
        counter = _Counter(2 * pieces * count, tick)
        mels = self._mels(latent, tiles, counter)
        if self.sound == GRIFFIN_LIM:
            return torch.stack([phased(mel, self.mel, tiles, counter) for mel in mels])
        with self.vocoder.use() as network:
            dtype, device = self.vocoder.dtype, self.vocoder.device
            waves = [sounded(network, m.to(device, dtype), tiles, counter) for m in mels]
        return torch.stack(waves)

    def decode_mel(self, latent: Latent, tiles: Tiles = TILED, tick: Tick = no_tick) -> Tensor:
        """-> log-mel (B, 2, 128, 8T) float32: the picture without the vocoder's cost."""
        pieces = len(spans(latent.frames, tiles.frames)) * len(latent.z)
        return torch.stack(self._mels(latent, tiles, _Counter(pieces, tick))).cpu()

    def _mels(self, latent: Latent, tiles: Tiles, counter: _Counter) -> list[Tensor]:
        """log-mel (2, 128, 8T) float32 of each item, on the device."""
        mels = []
        with self.dcae.use() as network:
            for z in latent.z:
                raw = z[None].to(self.dcae.device, torch.float32) / SCALE + SHIFT
                normal = decoded(network.decoder, raw.to(self.dcae.dtype), tiles, counter)[0]
                mels.append((normal.float() + 1) / 2 * (MEL_HIGH - MEL_LOW) + MEL_LOW)
        return mels


class _Counter:
    """Counts finished pieces and says so."""

    def __init__(self, total: int, tick: Tick) -> None:
        self.done, self.total, self.tick = 0, total, tick

    def step(self) -> None:
        self.done += 1
        self.tick(self.done, self.total)


def encoded(network: Encoder, mel: Tensor, tiles: Tiles, counter: _Counter) -> Tensor:
    """Normalised mel (1, 2, 128, 8T) -> raw latent (1, 8, 16, T)."""
    frames = mel.shape[-1] // MEL_PER_FRAME
    parts = []
    for span in spans(frames, tiles.frames):
        wide, core = around(span, network.reach, frames)
        x = network.local(mel[..., wide.start * MEL_PER_FRAME : wide.stop * MEL_PER_FRAME])
        parts.append(x[..., core].clone())
        counter.step()
    x = torch.cat(parts, -1)
    attend(network.attention, x, tiles)
    return network.finish(x)


def decoded(network: Decoder, latent: Tensor, tiles: Tiles, counter: _Counter) -> Tensor:
    """Raw latent (1, 8, 16, T) -> normalised mel (1, 2, 128, 8T)."""
    x = network.begin(latent)
    attend(network.attention, x, tiles)
    frames = x.shape[-1]
    mel = x.new_empty(len(x), 2, LATENT_HEIGHT * MEL_PER_FRAME, frames * MEL_PER_FRAME)
    for span in spans(frames, tiles.frames):
        wide, core = around(span, network.reach, frames)
        part = network.local(x[..., wide])
        mel[..., span[0] * MEL_PER_FRAME : span[1] * MEL_PER_FRAME] = part[
            ..., core.start * MEL_PER_FRAME : core.stop * MEL_PER_FRAME
        ]
        counter.step()
    return mel


def attend(blocks: nn.ModuleList, x: Tensor, tiles: Tiles) -> None:
    """Run the attention blocks over x (B, C, 16, T) in place, tile by tile."""
    for block in blocks:
        assert isinstance(block, AttentionBlock)
        state = _summed_state(block, x, tiles)
        for span, part in _overlapping(x, block, tiles):
            x[..., span[0] : span[1]] = _attended(block, part, state, span, x.shape[-1])


def _summed_state(block: AttentionBlock, x: Tensor, tiles: Tiles) -> Tensor:
    total: Tensor | None = None
    for span in spans(x.shape[-1], tiles.frames):
        wide, core = around(span, block.attention.reach, x.shape[-1])
        _, k, v = block.attention.project(x[..., wide])
        state = attention_state(k[..., core, :].flatten(2, 3), v[..., core, :].flatten(2, 3))
        total = state if total is None else total + state
    assert total is not None
    return total


def _overlapping(
    x: Tensor, block: AttentionBlock, tiles: Tiles
) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """(span, its columns with context). x is being overwritten behind: old columns are kept."""
    reach = block.attention.reach + block.feed_forward.reach
    length = x.shape[-1]
    before = x[..., :0]
    for span in spans(length, tiles.frames):
        end = min(span[1] + reach, length)
        fresh = x[..., span[0] : end]
        part = torch.cat((before, fresh), -1) if before.shape[-1] else fresh
        before = part[..., : part.shape[-1] - (end - span[1])][..., -reach:].clone()
        yield span, part


def _attended(
    block: AttentionBlock, part: Tensor, state: Tensor, span: tuple[int, int], length: int
) -> Tensor:
    """The block's output for the span, from columns that reach beyond it on both sides."""
    near, far = block.feed_forward.reach, block.attention.reach + block.feed_forward.reach
    start = max(span[0] - far, 0)  # where `part` begins
    wide, core = around(span, near, length)
    inner = slice(wide.start - start, wide.stop - start)
    q, _, _ = block.attention.project(part)
    mixed = block.attention.finish(part[..., inner], q[..., inner, :], state)
    return block.feed_forward(mixed)[..., core]


def sounded(network: Vocoder, mel: Tensor, tiles: Tiles, counter: _Counter) -> Tensor:
    """log-mel (2, 128, M) -> (2, 512 M) float32 in main memory, by the vocoder."""

    def sound(piece: Tensor, place: slice) -> Tensor:
        return network(piece)[:, 0].float()

    return _in_pieces(sound, network.reach, mel, tiles, counter)


def phased(mel: Tensor, config: VocoderConfig, tiles: Tiles, counter: _Counter) -> Tensor:
    """log-mel (2, 128, M) -> (2, 512 M) float32 in main memory, by Griffin-Lim."""
    phase = first_phase(mel.shape[-1], config)

    def sound(piece: Tensor, place: slice) -> Tensor:
        return griffin_lim(piece, config, phase[place])

    return _in_pieces(sound, REACH, mel, tiles, counter)


def _in_pieces(sound: Sound, reach: int, mel: Tensor, tiles: Tiles, counter: _Counter) -> Tensor:
    length = mel.shape[-1]
    core_length = None if tiles.frames is None else tiles.frames * MEL_PER_FRAME
    wave = torch.empty(len(mel), length * HOP, dtype=torch.float32)
    for span in spans(length, core_length):
        wide, core = around(span, reach, length)
        part = sound(mel[..., wide], wide)
        wave[:, span[0] * HOP : span[1] * HOP] = part[:, core.start * HOP : core.stop * HOP].cpu()
        counter.step()
    return wave
