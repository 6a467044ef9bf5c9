"""Files that are what they say, and files that are not."""

from __future__ import annotations

import json
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from acestep_core.hosted import media
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.media import checked, extension_of
from acestep_core.sound.files import write_audio
from tests.unit.hosted.kit import write_wav

ID3 = b"ID3\4\0\0\0\0\0\12" + b"\0" * 10


def tone(path: Path, seconds: float = 0.5, rate: int = 44_100) -> Path:
    time = torch.arange(int(seconds * rate)) / rate
    write_audio(path, torch.sin(2 * torch.pi * 440 * time).repeat(2, 1) / 2, rate)
    return path


@pytest.mark.parametrize("extension", [".wav", ".flac", ".mp3", ".opus"])
def test_sound(tmp_path: Path, extension: str) -> None:
    path = tone(tmp_path / f"a{extension}")
    sound = checked(path)
    assert sound.channels == 2
    assert sound.seconds == pytest.approx(0.5, abs=0.06)
    assert extension_of(path) == {".opus": ".ogg"}.get(extension, extension)
    bare = path.rename(tmp_path / "no_extension")
    assert checked(bare) == sound


def test_m4a(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, 44_100), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert extension_of(path) == ".m4a"
    assert checked(path).rate == 44_100


def refused(path: Path, match: str = ".", status: int = 400) -> None:
    with pytest.raises(RequestError, match=match) as caught:
        checked(path)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"R",
        b"not sound at all, just text",
        b"<html><body>404</body></html>",
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 1 RTP/AVP 0\n",
        b"PK\3\4" + b"\0" * 100,
        b"\x7fELF" + b"\0" * 100,
        ID3 + b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        ID3 + b"fLaC" + b"\0" * 50,
        b"ID3\4\0\0\x7f\x7f\x7f\x7f",
        b"ID3",
    ],
)
def test_what_is_no_sound(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    refused(path, "is not MP3, WAV, FLAC, OGG or M4A")


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF\x24\0\0\0WAVE",
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0",
        b"fLaC\0\0\0\x22" + b"\0" * 34,
        b"OggS" + b"\0" * 40,
        b"\0\0\0\x18ftypM4A \0\0\0\0" + b"\0" * 20,
        b"\xff\xfb" + b"\0" * 500,
        ID3 + b"\xff\xfb",
        # The decoder alone would take this for a playlist.
        ID3 + b"\0\0\xff\xfb#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
    ],
)
def test_beginnings_without_sound(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    refused(path)


def test_video_without_sound(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    refused(path, "no audio track")


def test_a_small_file_that_holds_hours(tmp_path: Path) -> None:
    """FLAC of silence: 61 minutes in a few hundred kilobytes."""
    import av

    path = tmp_path / "bomb.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=8000)
        stream.layout, stream.format = "mono", "s16"
        for minute in range(61):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 8000 * 60), np.int16), format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = 8000, minute * 8000 * 60
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert path.stat().st_size < 1_000_000
    refused(path, "longer than 60 minutes", 413)


def test_a_header_that_claims_less_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STREAMINFO says one second, the frames hold ten."""
    monkeypatch.setattr(media, "MOST_SECONDS", 5.0)
    path = tone(tmp_path / "a.flac", 10.0, 8000)
    data = bytearray(path.read_bytes())
    place = 8 + 10  # rate, channels, bits and the 36 bits of the number of samples
    bits = int.from_bytes(data[place : place + 8], "big")
    data[place : place + 8] = (bits >> 36 << 36 | 8000).to_bytes(8, "big")
    path.write_bytes(data)
    refused(path, "longer than", 413)


def test_a_header_that_claims_more_is_not_believed(tmp_path: Path) -> None:
    """A WAV header of four gigabytes over one second of samples."""
    path = write_wav(tmp_path / "a.wav", 1.0)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    assert checked(path).seconds == pytest.approx(1.0, abs=0.01)


def test_samples_of_all_channels_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MOST_VALUES", 20_000)
    refused(write_wav(tmp_path / "a.wav", 2.0, 8000, 2), "more than 20000 samples", 413)


@pytest.mark.parametrize(
    ("rate", "channels", "match"), [(44_100, 6, "6 channels"), (4000, 1, "4000 Hz")]
)
def test_odd_shapes(tmp_path: Path, rate: int, channels: int, match: str) -> None:
    refused(write_wav(tmp_path / "a.wav", 0.1, rate, channels), match)
    refused(write_wav(tmp_path / "b.wav", 0.01, 384_000, 1), "384000 Hz")


def test_decoding_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_WORK", -1.0)
    refused(tone(tmp_path / "a.flac"), "takes longer")


def test_changing_on_the_way(tmp_path: Path) -> None:
    """Two MP3 files in one, of different rates."""
    one, two = tone(tmp_path / "a.mp3", 1.0, 44_100), tone(tmp_path / "b.mp3", 1.0, 32_000)
    path = tmp_path / "both.mp3"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    refused(path, "changes channels or rate")


def test_tags_of_the_file_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    write_audio(path, torch.zeros(1, 8000), 8000, tags={"comment": json.dumps({"prompt": "x" * 9})})
    assert checked(path).seconds == 1


def test_a_file_is_decoded_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_wav(tmp_path / "a.wav", 1.0)
    assert checked(path).seconds == 1
    real, opened = media._pyav, []
    monkeypatch.setattr(media, "_pyav", lambda: opened.append(1) or real())
    assert checked(path).seconds == 1
    assert not opened
    write_wav(path, 2.0)
    assert checked(path).seconds == 2
    assert opened


def test_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
    refused(path)


def is_read_by_load_audio(path: Path) -> bool:
    """The way ComfyUI's LoadAudio goes through a file."""
    import av

    try:
        with av.open(str(path)) as container:
            return bool([frame.samples for frame in container.decode(audio=0)])
    except av.FFmpegError:
        return False


@pytest.mark.parametrize("extension", [".flac", ".mp3", ".wav", ".opus"])
def test_a_damaged_file_is_accepted_only_where_the_run_will_read_it(
    tmp_path: Path, extension: str
) -> None:
    whole = bytearray(tone(tmp_path / f"whole{extension}", 3.0).read_bytes())
    verdicts = set[bool]()
    for number in range(40):
        random = np.random.default_rng(number)
        data = bytearray(whole)
        start, size = int(random.integers(len(data) // 8, len(data))), int(random.integers(1, 900))
        data[start : start + size] = random.bytes(min(size, len(data) - start))
        path = tmp_path / f"{number}{extension}"
        path.write_bytes(data[: int(random.integers(start, len(data) + 1))])
        said = ""
        try:
            checked(path)
        except RequestError as error:
            said = str(error)
        is_accepted = not said
        assert is_accepted or "is damaged at" in said or extension != ".flac", said
        assert is_accepted == is_read_by_load_audio(path), number
        verdicts.add(is_accepted)
    assert False in verdicts or extension != ".flac"
