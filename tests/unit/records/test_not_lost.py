"""What was sampled outlives whatever fails after it: a codec that gives no numbers, a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from acestep_core.atomic import FileError
from acestep_core.cli import takes
from acestep_core.cli.commands import main
from acestep_core.pipeline import ACEStep
from acestep_core.records import latents
from acestep_core.records.latents import not_lost, read_latent
from acestep_core.settings import SettingError
from acestep_core.types import Latent

LATENT = Latent(torch.randn(1, 8, 16, 5))
WORDS = ["generate", "--tags", "pop", "--duration", "1", "--steps", "2", "--seed", "3"]


def full(*_: object, **__: object) -> None:
    raise FileError(f"song.flac could not be written ({os.strerror(errno.ENOSPC)}).")


def failing(error: Exception, latent: Latent | None, *places: Path) -> None:
    with not_lost(places, "tiny") as keeper:
        keeper.latent = latent
        raise error


@pytest.mark.parametrize("kind", [SettingError, FileError])
def test_the_error_says_where_it_is(kind: type[Exception], tmp_path: Path) -> None:
    place = tmp_path / "kept.safetensors"
    said = rf"^It failed\. What was sampled is kept: .* decode {place}\."
    with pytest.raises(kind, match=said):
        failing(kind("It failed."), LATENT, place)
    assert torch.equal(read_latent(place).z, LATENT.z)


def test_the_next_place_where_the_first_has_no_room(tmp_path: Path) -> None:
    places = [tmp_path / "not there" / "a.safetensors", tmp_path / "b.safetensors"]
    error = SettingError("It failed.")
    with pytest.raises(SettingError, match=r"b\.safetensors"):
        failing(error, LATENT, *places)
    with pytest.raises(SettingError, match="could not be kept either"):
        failing(error, LATENT, places[0])


@pytest.mark.parametrize("latent", [None, Latent(torch.full((1, 8, 16, 5), torch.nan))])
def test_nothing_is_kept_where_nothing_was_made(latent: Latent | None, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^It failed\.$"):
        failing(SettingError("It failed."), latent, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_other_errors_go_on_as_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "a.safetensors"
    with pytest.raises(RuntimeError, match=r"^out of memory$"):
        failing(RuntimeError("out of memory"), LATENT, place)
    assert str(place) in caplog.text


@pytest.mark.parametrize("fault", ["disk full", "no numbers"])
def test_the_command_line_keeps_it_and_decodes_it(
    fault: str,
    tiny_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, model = tmp_path / "song.wav", ["--model", str(tiny_folder)]
    with monkeypatch.context() as patched:
        if fault == "disk full":
            patched.setattr(takes, "write_audio", full)
        else:
            patched.setattr(ACEStep, "decode", lambda *_, **__: torch.full((1, 2, 4096), torch.nan))
        assert main([*WORDS, *model, "-o", str(out)]) == 2
    place = tmp_path / "song_latent.safetensors"
    assert f"python -m acestep_core decode {place}" in capsys.readouterr().err
    assert not out.exists()
    again = tmp_path / "again.wav"
    assert main(["decode", str(place), *model, "-o", str(again)]) == 0
    assert main([*WORDS, *model, "-o", str(out)]) == 0
    # The same sound; the rates are those of the two commands.
    assert again.stat().st_size > 44 * 1000
    assert latents.KEY == "latent"


def test_an_edit_is_kept_as_well(
    tiny_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    song, model = tmp_path / "song.wav", ["--model", str(tiny_folder)]
    assert main([*WORDS, *model, "-o", str(song)]) == 0
    out = tmp_path / "edited.wav"
    monkeypatch.setattr(takes, "write_audio", full)
    words = ["inpaint", str(song), "--region", "0.2:0.6", "--tags", "pop", "--steps", "2"]
    assert main([*words, *model, "-o", str(out)]) == 2
    place = tmp_path / "edited_latent.safetensors"
    assert f"python -m acestep_core decode {place}" in capsys.readouterr().err
    assert read_latent(place).z.shape[0] == 1
