from __future__ import annotations

import os
from pathlib import Path

import pytest

from acestep_core.atomic import FileError
from acestep_core.batch import sources
from acestep_core.batch.fingerprint import sources_digest
from acestep_core.batch.sources import NAME, Sources, digest_at


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose contents were read."""
    names: list[str] = []
    really = sources.sha256

    def sha256(place: Path) -> str:
        names.append(place.name)
        return really(place)

    monkeypatch.setattr(sources, "sha256", sha256)
    sources._digest.cache_clear()
    return names


def of(folder: Path, *names: str) -> Sources:
    return Sources(names, folder, folder / "out")


def write(place: Path, content: bytes, second: int) -> None:
    place.write_bytes(content)
    os.utime(place, (second, second))


def test_very_many_rows_of_one_source_read_it_once(tmp_path: Path, read: list[str]) -> None:
    write(tmp_path / "a.wav", b"music", 1)
    names = ["a.wav", ""] * 10_000
    first = of(tmp_path, *names).digests()
    for _ in range(3):  # the rows
        assert digest_at(tmp_path / "a.wav") == first["a.wav"]
    sources._digest.cache_clear()  # and another process
    assert of(tmp_path, *names).digests() == first
    assert read == ["a.wav"]


def test_another_content_of_the_same_size_is_noticed(tmp_path: Path, read: list[str]) -> None:
    write(tmp_path / "a.wav", b"music", 1)
    write(tmp_path / "b.wav", b"noise", 1)
    before = of(tmp_path, "a.wav", "b.wav").digests()
    write(tmp_path / "a.wav", b"cisum", 2)
    now = of(tmp_path, "a.wav", "b.wav")
    assert sources_digest(now.digests()) != sources_digest(before)
    with pytest.raises(FileError, match=r"a\.wav was changed while songs were made from it"):
        now.check(before)
    write(tmp_path / "a.wav", b"music", 3)
    assert sources_digest(now.digests()) == sources_digest(before)
    now.check(before)
    assert read == ["a.wav", "b.wav", "a.wav", "a.wav"]


def test_a_touched_source_is_the_same(tmp_path: Path, read: list[str]) -> None:
    write(tmp_path / "a.wav", b"music", 1)
    before = of(tmp_path, "a.wav").digests()
    os.utime(tmp_path / "a.wav", (9, 9))
    assert of(tmp_path, "a.wav").digests() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a.wav": 1}', '{"a.wav": ["x", 1, 2]}'])
def test_what_was_written_down_wrongly_is_found_out_again(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.wav", b"music", 1)
    before = of(tmp_path, "a.wav").digests()
    (tmp_path / "out" / NAME).write_text(text)
    assert of(tmp_path, "a.wav").digests() == before


def test_a_source_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"The source .*a\.wav cannot be read"):
        of(tmp_path, "a.wav").digests()


def test_a_batch_without_sources_writes_nothing_down(tmp_path: Path) -> None:
    assert of(tmp_path, "").digests() == {}
    assert not (tmp_path / "out").exists()
