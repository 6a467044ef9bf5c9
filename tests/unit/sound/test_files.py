from __future__ import annotations

import logging
import math
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from acestep_core.settings import SettingError
from acestep_core.sound import files
from acestep_core.sound.files import (
    FileError,
    check_place,
    check_writable,
    read_audio,
    write_audio,
)

av = pytest.importorskip("av")

TAGS = {"title": "Song", "prompt": '{"text": "\\u00e9\\u6b4c"}'}


def tones(samples: int = 30_011, rate: int = 44_100) -> torch.Tensor:
    time = torch.arange(samples) / rate
    return torch.stack(
        [0.5 * torch.sin(2 * math.pi * 440 * time), 0.3 * torch.sin(2 * math.pi * 990 * time)]
    )


def tags_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    return {name.lower(): value for name, value in found.items()}


def frames_of(content: bytes) -> dict[bytes, bytes]:
    """ID3v2.4 frames, by hand: a decoder of FFmpeg's also reads what only FFmpeg writes."""
    size, place, found = _whole(content[6:10]) + 10, 10, dict[bytes, bytes]()
    while place + 10 < size and content[place : place + 1] != b"\0":
        end = place + 10 + _whole(content[place + 4 : place + 8])
        found.setdefault(content[place : place + 4], content[place + 10 : end])
        place = end
    assert content[size : size + 2] == b"\xff\xfb", "sound begins where the tag says"
    return found


def _whole(data: bytes) -> int:
    assert max(data) < 128
    return sum(byte << 7 * place for place, byte in enumerate(reversed(data)))


LABELS = {"title": "Caf\u00e9 \u4f60\u597d", "genre": "folk", "comment": "folk, caf\u00e9"}
WORDS = {"lyrics": "[verse]\nLine\n" + "\u4f60\u597d\n" * 200}


@pytest.mark.parametrize("name", ["a.flac", "a.opus"])
def test_players_find_title_genre_and_words(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_audio(path, tones(), 44_100, tags={**LABELS, **WORDS, "prompt": "{}"})
    content, utf_8 = path.read_bytes(), {k: v.encode() for k, v in {**LABELS, **WORDS}.items()}
    for label in ("title", "genre", "lyrics"):
        entry = label.upper().encode() + b"=" + utf_8[label]
        assert len(entry).to_bytes(4, "little") + entry in content
    assert b"DESCRIPTION=" + utf_8["comment"] in content
    assert tags_of(path)["prompt"] == "{}"


def test_players_find_words_in_an_mp3(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    write_audio(path, tones(), 44_100, tags={**LABELS, **WORDS, "prompt": "{}"})
    found = frames_of(path.read_bytes())
    assert found[b"TIT2"] == b"\x03" + LABELS["title"].encode() + b"\0"
    assert found[b"TCON"] == b"\x03folk\0"
    assert found[b"USLT"] == b"\x03XXX\0" + WORDS["lyrics"].encode() + b"\0"
    assert found[b"COMM"] == b"\x03XXX\0" + LABELS["comment"].encode() + b"\0"
    assert found[b"TXXX"] == b"\x03prompt\0{}\0"
    assert read_audio(path)[0].shape == (2, 30_011)


def test_wav_has_room_for_title_and_genre(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_audio(path, tones(), 44_100, tags={**LABELS, **WORDS})
    assert tags_of(path).items() >= LABELS.items()


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.opus", "a.wav"])
def test_strange_letters_do_not_stop_a_save(tmp_path: Path, name: str) -> None:
    write_audio(tmp_path / name, tones(), 44_100, tags={"title": "a\0b\ud83d", "lyrics": "\ud83dx"})
    assert {key.lower(): one for key, one in tags_of(tmp_path / name).items()}["title"] == "ab?"


@pytest.mark.parametrize(
    ("name", "asked", "notes"),
    [
        ("a.mp3", None, ()),
        ("a.mp3", 320, ()),
        ("a.mp3", 100, ("MP3 has no 100 kbit/s: 96 were written.",)),
        (
            "a.mp3",
            33,
            (
                "MP3 has no 33 kbit/s: 32 were written.",
                "32 kbit/s is little for music: MP3 sounds well from 96 on and usually takes 256.",
            ),
        ),
        ("a.opus", 33, ("33 kbit/s is little for music: OPUS sounds well from 48",)),
        ("a.opus", 100, ()),
        ("a.flac", 33, ()),
    ],
)
def test_rates_that_do_not_suit_are_told(
    tmp_path: Path, name: str, asked: int | None, notes: tuple[str, ...]
) -> None:
    found = write_audio(tmp_path / name, tones(), 44_100, kilobits=asked).notes
    assert len(found) == len(notes)
    assert all(one.startswith(start) for one, start in zip(found, notes, strict=True))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "bits", "limit"),
    [
        ("a.flac", 16, 2**-16),
        ("a.flac", 24, 2**-24),
        ("a.wav", 16, 2**-16),
        ("a.wav", 24, 2**-24),
        ("a.wav", 32, 0),
        ("A.FLAC", 16, 2**-16),
    ],
)
def test_lossless_round_trip(
    tmp_path: Path, name: str, bits: int, limit: float, channels: int
) -> None:
    wave = tones()[:channels]
    written = write_audio(tmp_path / name, wave, 44_100, bits=bits, tags=TAGS)
    assert written == files.Written(tmp_path / name, 44_100, 30_011, clipped=0)
    found, rate = read_audio(tmp_path / name)
    assert rate == 44_100
    assert found.dtype == torch.float32
    assert found.shape == wave.shape
    assert (found - wave).abs().max() <= limit * 1.001
    assert tags_of(tmp_path / name)["title"] == "Song"


def test_sixteen_bits_come_back_as_they_were(tmp_path: Path) -> None:
    wave = torch.arange(-(2**15), 2**15).float()[None] / 2**15
    write_audio(tmp_path / "all.flac", wave, 48_000)
    assert torch.equal(read_audio(tmp_path / "all.flac")[0], wave)


@pytest.mark.parametrize(
    ("name", "rate", "stored"),
    [("a.mp3", 44_100, 44_100), ("a.mp3", 22_050, 32_000), ("a.opus", 44_100, 48_000)],
)
def test_lossy_round_trip(tmp_path: Path, name: str, rate: int, stored: int) -> None:
    wave = tones(rate=rate)
    written = write_audio(tmp_path / name, wave, rate, tags=TAGS)
    found, found_rate = read_audio(tmp_path / name)
    assert written.rate == found_rate == stored
    assert written.samples == found.shape[1] == math.ceil(wave.shape[1] * stored / rate)
    middle = slice(stored // 10, stored // 2)
    level = found[:, middle].square().mean(1).sqrt() / torch.tensor([0.5, 0.3]) * math.sqrt(2)
    torch.testing.assert_close(level, torch.ones(2), rtol=0, atol=0.03)
    assert tags_of(tmp_path / name)["prompt"] == TAGS["prompt"]


def test_lossy_quality_can_be_chosen(tmp_path: Path) -> None:
    noise = 0.1 * torch.randn(2, 48_000, generator=torch.Generator().manual_seed(0))
    sizes = []
    for kilobits in (64, 256):
        write_audio(tmp_path / "a.mp3", noise, 48_000, kilobits=kilobits)
        sizes.append((tmp_path / "a.mp3").stat().st_size)
    assert sizes[1] > 3 * sizes[0]


@pytest.mark.parametrize(("name", "peak"), [("a.flac", 1 - 2**-15), ("a.mp3", None)])
def test_clipping_is_counted_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, peak: float | None
) -> None:
    wave = tones()
    wave[0, 10:13] = torch.tensor([1.5, -2.0, 1.0])
    with caplog.at_level(logging.WARNING):
        assert write_audio(tmp_path / name, wave, 44_100).clipped == 2
    assert "2 samples were over full scale" in caplog.text
    if peak:
        assert read_audio(tmp_path / name)[0][0, 10:13].tolist() == [peak, -1.0, peak]


def test_floating_point_does_not_clip(tmp_path: Path) -> None:
    wave = 3 * tones()
    assert write_audio(tmp_path / "a.wav", wave, 44_100, bits=32).clipped == 0
    assert torch.equal(read_audio(tmp_path / "a.wav")[0], wave)


@pytest.mark.parametrize(
    ("codec", "container", "layout", "dtype", "scale"),
    [
        ("pcm_u8", "wav", "u8", np.uint8, 128),
        ("pcm_s32le", "wav", "s32", np.int32, 2**31),
        ("pcm_f64le", "wav", "dbl", np.float64, 1),
    ],
)
def test_reads_other_sample_kinds(
    tmp_path: Path, codec: str, container: str, layout: str, dtype: type, scale: int
) -> None:
    values = np.array([[0, -0.5, 0.25, 0.75] * 100], dtype=np.float64)
    offset = 128 if dtype is np.uint8 else 0
    with av.open(str(tmp_path / "a"), "w", format=container) as output:
        stream = output.add_stream(codec, rate=8000)
        stream.layout = "mono"
        packed = (values * scale + offset).astype(dtype)
        frame = av.AudioFrame.from_ndarray(packed, format=layout, layout="mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    found, rate = read_audio(tmp_path / "a")
    assert rate == 8000
    torch.testing.assert_close(found, torch.from_numpy(values).float(), rtol=0, atol=1e-7)


def test_video_without_sound_is_refused(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    with pytest.raises(FileError, match="has no audio track"):
        read_audio(tmp_path / "a.png")


def test_cut_off_file_gives_what_is_there(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.mp3", tones(), 44_100)
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "b.mp3").write_bytes(whole[: len(whole) // 2])
    found, _ = read_audio(tmp_path / "b.mp3")
    assert 5_000 < found.shape[1] < 30_011


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"These are words, not sound. " * 50, "cannot be read as sound"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read as sound"),
    ],
)
def test_what_is_not_sound_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(FileError, match=f"a.wav {message}"):
        read_audio(tmp_path / "a.wav")


def test_file_of_no_samples_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", torch.zeros(1, 1), 44_100)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    start = content.index(b"data") + 4
    content[start:] = bytes(4)
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(FileError, match="holds no samples"):
        read_audio(tmp_path / "a.wav")


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(FileError, match="is a folder"):
        read_audio(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("song.txt", r"extension '.txt'; .* .flac, .wav, .mp3, .opus"),
        ("song", "no extension"),
        (".flac", "no extension"),
        ("", "is a folder"),
        ("album", "is a folder"),
        ("x" * 300 + ".flac", "cannot be written"),
        ("a\0b.flac", "null character"),
        ("file/song.flac", "cannot be written"),
    ],
)
def test_bad_place_is_said_before_the_work(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match=message):
        check_writable(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "file"]


def test_folder_that_refuses_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Stands in for a read-only disk: as root no folder can be made to refuse.
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refused)
    with pytest.raises(FileError, match=r"song.flac cannot be written \(Permission denied\)"):
        check_writable(tmp_path / "song.flac")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_protected_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(b"precious")
    path.chmod(0o444)
    with pytest.raises(FileError, match="cannot be written"):
        check_writable(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.flac")
    with pytest.raises(FileError, match="device or a pipe"):
        check_writable(tmp_path / "song.flac")


def test_missing_folder_is_made_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "song.flac"
    assert check_writable(str(path)) == path
    assert list(path.parent.iterdir()) == []


def test_bare_name_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_audio("song.flac", tones(), 44_100)
    assert (tmp_path / "song.flac").exists()


def test_existing_file_is_not_touched_by_the_check(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(b"older")
    before = path.stat().st_mtime_ns
    check_place(path)
    assert path.read_bytes() == b"older"
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, OSError(28, "No space")])
def test_interruption_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException | type[BaseException]
) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(b"older")
    whole = av.AudioFrame.from_ndarray
    calls = []

    class Failing:
        @staticmethod
        def from_ndarray(*args: object, **options: object) -> object:
            calls.append(len(list(tmp_path.iterdir())))
            if len(calls) == 2:
                raise failure
            return whole(*args, **options)

    monkeypatch.setattr(av, "AudioFrame", Failing)
    with pytest.raises(FileError if isinstance(failure, OSError) else failure):  # type: ignore[arg-type]
        write_audio(path, tones(100_000), 44_100)
    assert calls[-1] == 2  # the older file and the one being written
    assert [entry.name for entry in tmp_path.iterdir()] == ["song.flac"]
    assert path.read_bytes() == b"older"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_audio(tmp_path / "song.flac", tones(), 44_100)
    modes = {entry.stat().st_mode for entry in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize(
    ("wave", "options", "message"),
    [
        (torch.full((2, 9), float("nan")), {}, "18 NaN"),
        (torch.zeros(3, 9), {}, r"\(3, 9\).*one or two channels"),
        (torch.zeros(1, 2, 9), {}, r"\(1, 2, 9\).*one by one"),
        (torch.zeros(2, 0), {}, "at least one sample"),
        (torch.zeros(2, 9), {"bits": 20}, r"is 20; a .flac file can have one of: 16, 24"),
        (torch.zeros(2, 9), {"bits": 32}, r"is 32; a .flac file can have one of: 16, 24"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, wave: torch.Tensor, options: dict[str, int], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        write_audio(tmp_path / "a.flac", wave, 44_100, bits=options.get("bits", 16))
    assert list(tmp_path.iterdir()) == []


def test_encoder_that_is_missing_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(name: str, mode: str) -> None:
        raise ValueError(name)

    monkeypatch.setattr(av, "Codec", unknown)
    with pytest.raises(FileError, match=r"needs the encoder libmp3lame.*Choose .wav or .flac"):
        check_writable(tmp_path / "a.mp3")


def test_reads_m4a(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="ipod") as output:
        stream = output.add_stream("aac", rate=44_100)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(tones().numpy(), format="fltp", layout="stereo")
        frame.sample_rate = 44_100
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    found, rate = read_audio(path)
    assert rate == 44_100
    assert found.shape[0] == 2
    assert abs(found.shape[1] - 30_011) < 4096  # this container keeps the encoder's padding


def test_playlist_does_not_reach_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n"
        (tmp_path / "a.m3u8").write_text(playlist)
        with pytest.raises(FileError, match=r"a\.m3u8"):
            read_audio(tmp_path / "a.m3u8")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody called
            server.accept()


@pytest.mark.parametrize("suffix", files.FORMATS)
def test_the_same_sound_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    """FFmpeg numbers an Ogg stream by chance unless it is told not to."""
    places = [tmp_path / f"{i}{suffix}" for i in range(2)]
    for place in places:
        write_audio(place, tones(), 48_000, tags={"title": "a"})
    assert places[0].read_bytes() == places[1].read_bytes()
