"""Words of a song in an MP3 as players look for them, which FFmpeg does not write.

ID3v2.4 header, our frames (USLT: lyrics, COMM: comment), FFmpeg's frames, sound
"""

from __future__ import annotations

from pathlib import Path

HEADER = 10  # bytes
UTF_8 = b"\x03"
LANGUAGE = b"XXX"  # unknown
FRAMES = {"lyrics": b"USLT", "comment": b"COMM"}


def add_words(path: Path, words: dict[str, str]) -> None:
    """Put lyrics and comment into the tag at the beginning of an MP3 that FFmpeg wrote."""
    frames = b"".join(_frame(FRAMES[name], text) for name, text in words.items())
    content = path.read_bytes()
    assert content[:4] == b"ID3\x04", "FFmpeg writes ID3v2.4 unless it is told not to"
    size = sum(byte << 7 * (3 - place) for place, byte in enumerate(content[6:HEADER]))
    head = content[:6] + _syncsafe(size + len(frames))
    path.write_bytes(head + frames + content[HEADER:])


def _frame(name: bytes, text: str) -> bytes:
    body = UTF_8 + LANGUAGE + b"\0" + text.encode() + b"\0"
    return name + _syncsafe(len(body)) + b"\0\0" + body


def _syncsafe(size: int) -> bytes:
    """Seven bits a byte: no byte can be taken for the beginning of a frame of sound."""
    return bytes(size >> 7 * place & 127 for place in (3, 2, 1, 0))
