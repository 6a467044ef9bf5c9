"""Clips read in stretches are, to the last bit, what they are at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acestep_core.atomic import FileError
from acestep_core.settings import SettingError
from acestep_core.sound import track as tracks
from acestep_core.sound.audio import resample
from acestep_core.sound.files import InFile, read_audio, write_audio
from acestep_core.sound.track import Held, Joined, Patch, Patched, Track, even, resampled

Drawn = Callable[..., Tensor]
RATE = 8000


def checked(track: Track, whole: Tensor) -> None:
    """Every way to read a track gives the same."""
    assert (track.channels, track.samples) == tuple(whole.shape)
    assert torch.equal(track.whole(), whole)
    for size in (1000, RATE, 3 * whole.shape[-1]):
        blocks = list(track.blocks(size))
        assert torch.equal(torch.cat(blocks, -1), whole)
        assert {block.shape[-1] for block in blocks[:-1]} <= {size}
    length = whole.shape[-1]
    for first, last in ((0, 1), (0, length), (length // 3, length // 2), (length - 1, length)):
        assert torch.equal(track.part(first, last), whole[:, first:last])


@pytest.mark.parametrize("extension", [".flac", ".wav", ".mp3", ".opus"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_in_stretches(extension: str, channels: int, tmp_path: Path, drawn: Drawn) -> None:
    path = write_audio(tmp_path / f"a{extension}", 0.1 * drawn(channels, 13 * RATE), RATE).path
    whole, rate = read_audio(path)
    track = InFile(path)
    assert track.rate == rate
    checked(track, whole)


def test_what_was_put_into_a_clip(drawn: Drawn) -> None:
    source, new = drawn(2, 5 * RATE), drawn(2, 3000, seed=1)
    track = Patched(Held(source, RATE), [Patch(0, new), Patch(9000, new)])
    expected = source.clone()
    expected[:, :3000] = expected[:, 9000:12_000] = new
    checked(track, expected)
    assert torch.equal(source, drawn(2, 5 * RATE))  # the clip itself stays as it is


def test_clips_one_after_the_other(drawn: Drawn) -> None:
    parts = [drawn(2, count, seed=count) for count in (1, 5 * RATE, 0, 777)]
    checked(Joined([Held(part, RATE) for part in parts]), torch.cat(parts, -1))


@pytest.mark.parametrize(("rate", "target"), [(8000, 11_025), (44_100, 48_000), (48_000, 8000)])
def test_a_long_clip_at_another_rate(
    rate: int, target: int, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks it is what it is at once, but for the last bits."""
    source = 0.1 * drawn(2, 5 * rate + 123)
    whole = resample(source, rate, target)
    assert torch.equal(resampled(Held(source, rate), target).whole(), whole)
    monkeypatch.setattr(tracks, "SHORT", 1.0)
    track = resampled(Held(source, rate), target)
    assert track.samples == whole.shape[-1]
    assert float((track.whole() - whole).abs().max()) < 1e-6


def test_pieces_of_any_length_become_even_ones(drawn: Drawn) -> None:
    wave = drawn(1, 1000)
    pieces = wave.split([1, 1, 300, 98, 600], -1)
    assert [block.shape[-1] for block in even(pieces, 250)] == [250] * 4
    assert [block.shape[-1] for block in even(pieces, 400)] == [400, 400, 200]
    assert torch.equal(torch.cat(list(even(pieces, 7)), -1), wave)


def test_a_file_that_changes_meanwhile_is_named(tmp_path: Path, drawn: Drawn) -> None:
    path = write_audio(tmp_path / "a.wav", 0.1 * drawn(1, 40 * RATE), RATE).path
    track = InFile(path)
    write_audio(path, 0.1 * drawn(1, RATE), RATE)
    with pytest.raises(FileError, match=r"a\.wav is shorter than it was before"):
        track.part(20 * RATE, 21 * RATE)


def test_samples_that_are_no_numbers_are_found_before_the_work(
    tmp_path: Path, drawn: Drawn
) -> None:
    wave = 0.1 * drawn(1, 3 * RATE)
    path = write_audio(tmp_path / "a.wav", wave, RATE, bits=32).path
    content = bytearray(path.read_bytes())
    content[-4 * RATE : -4 * RATE + 4] = b"\x00\x00\xc0\x7f"  # NaN, 2 s on
    path.write_bytes(content)
    with pytest.raises(SettingError, match=r"The source holds 1 NaN .* the first at 2\.00 s"):
        InFile(path)
