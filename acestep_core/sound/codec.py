"""Waveform <-> latent, in tiles that give what the whole would give.

    encode   44.1 kHz stereo -> log-mel -> normalise -> encoder -> scale
    decode   unscale -> decoder -> log-mel -> vocoder -> 44.1 kHz stereo
             (or Griffin-Lim, where a checkpoint says that its vocoder is not good enough)

The convolutions are local: a tile with enough true context on each side computes the same
numbers. The attention blocks are global, but need only the sum of their states, so they run
over tiles twice: once to sum, once to read. The vocoder's backbone and head run one after the
other: the head, which takes nearly all the time, then needs a third of the context. Peak memory
grows by one activation of the narrowest level (64 kB a frame in float32), not by every buffer
of the widest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor, nn

from ..config import (
    FRAME,
    GRIFFIN_LIM,
    HOP,
    LATENT_HEIGHT,
    MEL_PER_FRAME,
    SAMPLE_RATE,
    VOCODER,
    VocoderConfig,
    frames_of_samples,
)
from ..networks.dcae import DCAE, AttentionBlock
from ..networks.layers import attention_state
from ..networks.memory import M, Part, give_back, sparing
from ..networks.vocoder import Vocoder
from ..types import Latent
from .audio import stereo
from .flaws import DC, NEAR, OVERLAP, Borders, flaw_of, no_numbers
from .griffin_lim import REACH, first_phase, griffin_lim
from .mel import log_mel
from .tiles import (
    TILED,
    Counter,
    Heard,
    Landing,
    Tick,
    Tiles,
    around,
    no_tick,
    spans,
    touching,
)

MEL_LOW, MEL_HIGH = -11.0, 3.0  # log-mel that the autoencoder sees as -1 and 1
SCALE, SHIFT = 0.1786, -1.9091
BUFFERS = 8  # of a network's widest level that a tile takes at once; seven were measured

# Mel frames to be heard by it, and samples of their sound that are wanted -> (2, n) of these.
Sound = Callable[[slice, slice], Tensor]

log = logging.getLogger(__name__)


class Careful(Generic[M]):
    """A network in use, which makes again in float32 what 16 bits could not hold."""

    def __init__(self, part: Part[M], network: M) -> None:
        self._part, self.network, self._wide = part, network, None
        self._is_off = False  # whether float32 has DC as well: then 16 bits did not bring it

    @property
    def is_exact(self) -> bool:
        """Whether two computations of the same are the same, to rounding that is not heard."""
        return self._part.dtype == torch.float32

    def __call__(
        self,
        work: Callable[[M, torch.dtype], Tensor],
        flaw_of: Callable[[Tensor], str] = no_numbers,
    ) -> Tensor:
        """What work(network, dtype of its inputs) gives; without a flaw, if float32 can."""
        dtype = self._part.dtype
        found = work(self.network, dtype)
        if dtype == torch.float32 or not (flaw := flaw_of(found)):
            return found
        if flaw == DC and self._is_off:
            return found
        if self._wide is None:
            name = str(dtype).removeprefix("torch.")
            log.warning(
                f"{name} cannot hold these sounds ({flaw}): some tiles are made again in float32."
            )
            self._wide = self._part.wide(self.network)
        made = work(self._wide, torch.float32)
        self._is_off = self._is_off or flaw == flaw_of(made) == DC
        return made


@dataclass(frozen=True)
class Codec:
    dcae: Part[DCAE]
    vocoder: Part[Vocoder]
    mel: VocoderConfig
    sound: str = VOCODER

    def encode(self, wave: Tensor, tiles: Tiles = TILED, tick: Tick = no_tick) -> Latent:
        """wave (B, C, N) at 44.1 kHz, mono or stereo -> ceil(N / 4096) frames."""
        count, part = frames_of_samples(wave.shape[-1]), self.dcae
        frame = _bytes(part, part.module.encoder.finest)
        tiles = tiles.on(part.device).within(part.room(), frame)
        pieces = len(spans(count, tiles.frames))
        latents, counter = [], Counter(pieces * len(wave), tick, part.device)
        mels = [log_mel(item.to(part.device), self.mel, count * FRAME) for item in stereo(wave)]
        del wave  # a mel is a quarter of it
        give_back()
        with part.use(_asked(tiles, frame)) as network:
            careful = Careful(part, network)
            for mel in mels:  # one at a time: a batch would only multiply the peak
                mel.sub_(MEL_LOW).div_(MEL_HIGH - MEL_LOW).mul_(2).sub_(1)
                z = encoded(careful, mel[None], tiles, counter)
                latents.append((z.float() - SHIFT) * SCALE)
        return Latent(torch.cat(latents).cpu())

    def decode(
        self, latent: Latent, tiles: Tiles = TILED, tick: Tick = no_tick, heard: Heard = None
    ) -> Tensor:
        """-> waveform (B, 2, 4096 T) at 44.1 kHz, float32 in main memory.

        `heard` are the latent frames that are needed: elsewhere there may be zeros. What there is
        is to the last bit what it is without.
        """
        part = self.vocoder
        finest = 2 * MEL_PER_FRAME * part.module.head.finest
        frame = max(self._decoder_bytes(), _bytes(part, finest))
        tiles = tiles.on(part.device).within(part.room(), frame)
        needed = Needed.of(latent.frames, tiles, heard, self._reaches())
        count = len(latent.z) * (len(needed.drawn) + len(needed.sounded))
        counter = Counter(count, tick, part.device)
        mels = self._mels(latent, needed.drawn, tiles, counter)
        if self.sound == GRIFFIN_LIM:
            return _stacked([phased(mel, self.mel, needed, counter) for mel in mels])
        with part.use(_asked(tiles, frame)) as network:
            careful = Careful(part, network)
            waves = [sounded(careful, m.to(part.device), needed, counter) for m in mels]
        return _stacked(waves)

    def _reaches(self) -> tuple[int, int]:
        """Of what makes sound of states, and states of a mel: mel frames on each side."""
        network = self.vocoder.module
        is_heard = self.sound != GRIFFIN_LIM
        return (network.head.reach, network.backbone.reach) if is_heard else (REACH, 0)

    def decode_mel(self, latent: Latent, tiles: Tiles = TILED, tick: Tick = no_tick) -> Tensor:
        """-> log-mel (B, 2, 128, 8T) float32: the picture without the vocoder's cost."""
        part = self.dcae
        tiles = tiles.on(part.device).within(part.room(), self._decoder_bytes())
        pieces = spans(latent.frames, tiles.frames)
        counter = Counter(len(pieces) * len(latent.z), tick, part.device)
        return torch.stack(self._mels(latent, pieces, tiles, counter)).cpu()

    def _mels(
        self, latent: Latent, pieces: Sequence[tuple[int, int]], tiles: Tiles, counter: Counter
    ) -> list[Tensor]:
        """log-mel (2, 128, 8T) float32 of each item, on the device, as far as the pieces go."""
        mels, part = [], self.dcae
        with part.use(_asked(tiles, self._decoder_bytes())) as network:
            careful = Careful(part, network)
            for z in latent.z:
                raw = z[None].to(part.device, torch.float32) / SCALE + SHIFT
                normal = decoded(careful, raw, pieces, tiles, counter)[0]
                mels.append(normal.add_(1).div_(2).mul_(MEL_HIGH - MEL_LOW).add_(MEL_LOW))
                give_back()
        return mels

    def _decoder_bytes(self) -> int:
        return _bytes(self.dcae, self.dcae.module.decoder.finest)


def _bytes(part: Part[M], finest: int) -> int:
    """What a frame takes at once in a network whose finest level has so many numbers a frame."""
    return BUFFERS * finest * part.dtype.itemsize


@dataclass(frozen=True)
class Needed:
    """The tiles that have to be worked on for what is heard. Each network needs of the one before
    it what lies within its reach."""

    drawn: list[tuple[int, int]]  # latent frames whose mel is made
    stated: list[tuple[int, int]]  # mel frames that the vocoder's backbone answers
    sounded: list[tuple[int, int]]  # mel frames that are made to sound

    @classmethod
    def of(cls, frames: int, tiles: Tiles, heard: Heard, reaches: tuple[int, int]) -> Needed:
        """`reaches` in mel frames: of what makes sound of states, and states of a mel."""
        drawn, size = spans(frames, tiles.frames), tiles.frames and tiles.frames * MEL_PER_FRAME
        mels = spans(frames * MEL_PER_FRAME, size)
        if heard is None:
            return cls(drawn, mels, mels)
        sounded = touching(mels, [(a * MEL_PER_FRAME, b * MEL_PER_FRAME) for a, b in heard])
        stated = touching(mels, sounded, reaches[0])
        reach = -(-reaches[1] // MEL_PER_FRAME)
        wanted = [(a // MEL_PER_FRAME, -(-b // MEL_PER_FRAME)) for a, b in stated]
        return cls(touching(drawn, wanted, reach), stated, sounded)


def _stacked(waves: list[Tensor]) -> Tensor:
    """(B, C, N); one wave alone is not copied."""
    return waves[0][None] if len(waves) == 1 else torch.stack(waves)


def _asked(tiles: Tiles, frame: int) -> int:
    """Bytes to ask for; the whole asks for none, since its length is not known here."""
    return (tiles.frames or 0) * frame


def encoded(careful: Careful[DCAE], mel: Tensor, tiles: Tiles, counter: Counter) -> Tensor:
    """Normalised mel (1, 2, 128, 8T) float32 -> raw latent (1, 8, 16, T)."""
    frames, reach = mel.shape[-1] // MEL_PER_FRAME, careful.network.encoder.reach
    pieces, parts = spans(frames, tiles.frames), list[Tensor]()
    between = sparing(len(pieces), mel.device)
    for span in pieces:
        wide, core = around(span, reach, frames)
        piece = mel[..., wide.start * MEL_PER_FRAME : wide.stop * MEL_PER_FRAME]
        x = careful(lambda network, dtype, p=piece: network.encoder.local(p.to(dtype), between))
        parts.append(x[..., core].clone())
        counter.step()

    give_back()

    def finished(network: DCAE, dtype: torch.dtype) -> Tensor:
        x = parts[0].new_empty(*parts[0].shape[:-1], frames, dtype=dtype)
        is_last = dtype == torch.float32  # else it may be made again of the parts
        for index, (start, end) in enumerate(pieces):
            x[..., start:end] = parts.pop(0) if is_last else parts[index]
        give_back()
        attend(network.encoder.attention, x, tiles)
        return network.encoder.finish(x)

    return careful(finished)


def decoded(
    careful: Careful[DCAE],
    latent: Tensor,
    pieces: Sequence[tuple[int, int]],
    tiles: Tiles,
    counter: Counter,
) -> Tensor:
    """Raw latent (1, 8, 16, T) -> normalised mel (1, 2, 128, 8T), both float32; zeros outside
    the pieces."""

    def begun(network: DCAE, dtype: torch.dtype) -> Tensor:
        x = network.decoder.begin(latent.to(dtype))
        attend(network.decoder.attention, x, tiles)
        between()
        return x

    between = sparing(len(pieces), latent.device)
    x = careful(begun)
    frames, reach = x.shape[-1], careful.network.decoder.reach
    height, length = LATENT_HEIGHT * MEL_PER_FRAME, frames * MEL_PER_FRAME
    mel = x.new_zeros(len(x), 2, height, length, dtype=torch.float32)
    begins = max(min((first for first, _ in pieces), default=0) - reach, 0)
    ends = min(max((last for _, last in pieces), default=0) + reach, frames)
    if ends - begins < frames:  # the rest is let go: of a long window little may be heard
        is_last = x.is_contiguous(memory_format=torch.channels_last)
        kept = torch.channels_last if is_last else torch.contiguous_format
        x = x[..., begins:ends].clone(memory_format=kept)
        give_back()
    for span in pieces:
        wide, core = around(span, reach, frames)
        piece = x[..., wide.start - begins : wide.stop - begins]
        part = careful(lambda network, dtype, p=piece: network.decoder.local(p.to(dtype), between))
        mel[..., span[0] * MEL_PER_FRAME : span[1] * MEL_PER_FRAME] = part[
            ..., core.start * MEL_PER_FRAME : core.stop * MEL_PER_FRAME
        ]
        counter.step()
        if span != pieces[-1]:
            give_back()  # the next tile may not fit into the holes that this one leaves
    return mel


def attend(blocks: nn.ModuleList, x: Tensor, tiles: Tiles) -> None:
    """Run the attention blocks over x (B, C, 16, T) in place, tile by tile."""
    for block in blocks:
        assert isinstance(block, AttentionBlock)
        if len(spans(x.shape[-1], tiles.frames)) == 1:
            x[:] = block(x)
            continue
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


def sounded(careful: Careful[Vocoder], mel: Tensor, needed: Needed, counter: Counter) -> Tensor:
    """log-mel (2, 128, M) -> (2, 512 M) float32 in main memory, by the vocoder."""
    network, length = careful.network, mel.shape[-1]
    states: dict[tuple[int, int], Tensor] = {}  # the backbone's answers (2, 512, 1, m) near by

    def state(span: tuple[int, int]) -> Tensor:
        if span not in states:
            wide, core = around(span, network.backbone.reach, length)
            x = careful(lambda network, dtype: network.backbone(mel[..., wide].to(dtype)))
            states[span] = x[..., core]
            counter.look()
        return states[span]

    between = sparing(len(needed.sounded), mel.device)
    ends: dict[int, Tensor] = {}  # where the tile before this one ends: its last samples

    def sound(place: slice, inner: slice) -> Tensor:
        near = touching(needed.stated, [(place.start, place.stop)])
        for span in states.keys() - near:
            del states[span]
        x = torch.cat([state(span) for span in near], -1)
        x = x[..., place.start - near[0][0] : place.stop - near[0][0]]
        begins, lead = place.start * HOP + inner.start, -inner.start % HOP
        before = ends.pop(begins + lead, None)
        made = careful(
            lambda network, dtype: network.head(x.to(dtype), between)[:, 0, inner].float(),
            lambda tile: flaw_of(tile[:, lead:], before),
        )
        ends[begins + made.shape[-1]] = made[:, -NEAR:]
        return made

    # In 16 bits what two tiles have in common differs by their rounding.
    borders = Borders(SAMPLE_RATE) if careful.is_exact else None
    return _in_pieces(sound, network.head.reach, mel, needed, counter, borders)


def phased(mel: Tensor, config: VocoderConfig, needed: Needed, counter: Counter) -> Tensor:
    """log-mel (2, 128, M) -> (2, 512 M) float32 in main memory, by Griffin-Lim."""

    def sound(place: slice, inner: slice) -> Tensor:
        phase = first_phase(place.stop - place.start, config, start=place.start)
        # One channel after the other: its spectra are the largest thing there is.
        made = torch.cat([griffin_lim(one[None, :, place], config, phase) for one in mel])
        return made[:, inner]

    return _in_pieces(sound, REACH, mel, needed, counter, Borders(SAMPLE_RATE))


def _in_pieces(
    sound: Sound,
    reach: int,
    mel: Tensor,
    needed: Needed,
    counter: Counter,
    borders: Borders | None,
) -> Tensor:
    length = mel.shape[-1]
    landing = Landing(len(mel), length * HOP, mel.device)
    for span in needed.sounded:
        wide, core = around(span, reach, length)
        lead = OVERLAP if borders and core.start else 0
        tile = sound(wide, slice(core.start * HOP - lead, core.stop * HOP))
        if borders:
            borders.meet(span[0] * HOP, tile, lead)
        landing.put(span[0] * HOP, tile[:, lead:])
        counter.step()
        if span != needed.sounded[-1]:
            give_back()
    if borders:
        borders.tell()
    return landing.whole()
