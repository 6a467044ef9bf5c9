"""What was made, put into its source: everything else stays the source, sample for sample.

    source ------- fade | made ........ | fade ------- source      a region, fades inside it
           made .. fade | source ------ | fade .. made             an extension, fades outside

Cross-fades keep the power constant: also where the two waves are alike, as they are when
little was changed; there an ordinary one would swell by 3 dB. Beside an extension there is no
source left to fade from, so it is carried on: what linear prediction expects next, stirred by
its own prediction errors backwards. (Measured on music: mirroring the source instead gives
thumps and peaks, and fading in from silence a gap.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..config import SAMPLE_RATE
from ..sound.audio import resample
from ..sound.track import Held, Joined, Patch, Track
from ..tasks.region import resolve
from ..types import Region

CROSSFADE = 0.03  # seconds
ORDER = 32  # samples that a prediction hears
HISTORY = 0.05  # seconds that predictions are learnt from


def as_source(made: Tensor, channels: int, rate: int, length: int) -> Tensor:
    """made (2, M) at 44.1 kHz -> (channels, length) at the source's rate.

    A codec rounds up to whole frames, so there is something to cut off and nothing to add, but
    for the samples that a round trip through another rate adds and the encoder leaves out. It may
    be a part of `made`: copy it to write to it.
    """
    made = made if channels == 2 else made.mean(0, keepdim=True)
    made = resample(made, SAMPLE_RATE, rate)[..., :length]
    missing = length - made.shape[-1]
    assert missing <= 3 * rate / SAMPLE_RATE + 2, (made.shape, length)
    return pad(made, (0, missing)) if missing else made


def samples_of(region: Region, rate: int, length: int) -> tuple[int, int]:
    """[first, last) of a resolved region in a clip of `length` samples."""
    first, last = (min(round(end * rate), length) for end in (region.start, region.end))
    return first, last


def patches(
    source: Track,
    made: Tensor,
    at: int,
    regions: Sequence[Region],
    crossfade: float = CROSSFADE,
) -> list[Patch]:
    """Regions of a source out of made (C, M), which begins at its sample `at`, with their fades."""
    length, rate, found = source.samples, source.rate, []
    for region in resolve(regions, length / rate):
        first, last = samples_of(region, rate, length)
        assert at <= first <= last <= at + made.shape[-1], (at, first, last, made.shape)
        edges = (first > 0) + (last < length)  # the clip's own ends need no fade
        count = min(round(crossfade * rate), (last - first) // edges) if edges else 0
        new = made[:, first - at : last - at].clone()
        if first > 0:
            new[:, :count] = faded(source.part(first, first + count), new[:, :count])
        if last < length:
            kept = source.part(last - count, last)
            new[:, last - first - count :] = faded(new[:, last - first - count :], kept)
        found.append(Patch(first, new))
    return found


def faded(leaving: Tensor, entering: Tensor) -> Tensor:
    """(C, n): from one wave to the other at constant power, as alike as they may be."""
    count = leaving.shape[-1]
    angle = (torch.arange(count) + 0.5) / max(count, 1) * math.pi / 2
    power = 1 + likeness(leaving, entering) * torch.sin(2 * angle)
    mixed = (angle.cos() * leaving + angle.sin() * entering) / power.sqrt()
    if not count or float(mixed.abs().max()) <= 1:
        return mixed
    # Over full scale: weights that add up to one give no sample larger than both of its own.
    highest = float(torch.maximum(leaving.abs(), entering.abs()).max())
    return torch.lerp(leaving, entering, angle.sin().square()).clamp(-highest, highest)


def likeness(first: Tensor, second: Tensor) -> float:
    """Correlation of two waves (C, n), 0 where they are unlike or opposed."""
    first, second = first.double(), second.double()
    size = float(first.norm() * second.norm())
    return min(max(float((first * second).sum()) / size, 0.0), 1.0) if size else 0.0


def join_extension(
    before: Tensor, source: Track, after: Tensor, crossfade: float = CROSSFADE
) -> Joined:
    """New music (C, n) around a source (C, N), which stays bit for bit as it is.

    Either part may be empty. In a new part the source's continuation fades to what was made.
    """
    rate, length = source.rate, source.samples

    def led_in(new: Tensor, is_before: bool) -> Tensor:
        """The beginning of new music (C, M) faded in from the source's continuation."""
        count = max(min(round(crossfade * rate), new.shape[-1], length - ORDER), 0)
        if not count:
            return new
        near = min(max(count, round(HISTORY * rate)) + ORDER, length)
        end = source.part(0, near).flip(-1) if is_before else source.part(length - near, length)
        lead = torch.stack([continued(channel, count, rate) for channel in end])
        if float(lead.abs().max()) > 1:  # a prediction may overshoot
            highest = max(1.0, *(float(block.abs().max()) for block in source.blocks(rate)))
            lead = lead.clamp(-highest, highest)
        return torch.cat((faded(lead, new[:, :count]), new[:, count:]), -1)

    left = led_in(before.flip(-1), True).flip(-1)
    return Joined((Held(left, rate), source, Held(led_in(after, False), rate)))


def continued(wave: Tensor, count: int, rate: int) -> Tensor:
    """`count` samples that wave (N,) might go on with; N must exceed count by ORDER."""
    history = wave[-(max(count, round(HISTORY * rate)) + ORDER) :].double()
    weights = predictor(history, ORDER).flip(0)
    heard = history.unfold(0, ORDER, 1)[:-1]  # (n, ORDER): what precedes each later sample
    errors = (history[ORDER:] - heard @ weights).flip(0)
    result = torch.cat((history[-ORDER:], history.new_zeros(count)))
    for place in range(count):
        result[place + ORDER] = weights @ result[place : place + ORDER] + errors[place]
    return result[ORDER:].to(wave.dtype)


def predictor(wave: Tensor, order: int) -> Tensor:
    """Weights (order,) that predict a sample from those before it, the latest first (Burg)."""
    ahead, behind, weights = wave[1:], wave[:-1], wave[:0]
    for _ in range(order):
        size = float(ahead @ ahead + behind @ behind)
        mirror = 2 * float(ahead @ behind) / size if size else 0.0
        weights = torch.cat((weights - mirror * weights.flip(0), wave.new_tensor([mirror])))
        ahead, behind = (ahead - mirror * behind)[1:], (behind - mirror * ahead)[:-1]
    return weights
