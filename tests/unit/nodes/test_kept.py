"""A failed decode or save loses nothing: the latent lies in temp, and the error says how to decode
it, which works."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.unit.nodes.pack import NODES, module, sampled

pipeline, save = module("acestep_core.pipeline"), module("nodes.save")
FileError = module("acestep_core.atomic").FileError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def kept(said: str) -> Path:
    """The file that the error names; it is the one in ComfyUI's temporary folder."""
    found = re.search(r"What was sampled is kept: python -m acestep_core decode (\S+),", said)
    assert found, said
    assert "LoadLatent" in said
    (place,) = Path("temp").glob("acesuite_sampled_*")
    assert found[1] == str(place)
    return place


def decoded_again(place: Path, model: Any) -> Any:
    """As ComfyUI's own LoadLatent reads it, then DCAE Decode."""
    samples = {"samples": load_file(place)["latent_tensor"]}
    return NODES["AceSuiteDCAEDecode"]().decode(model, samples)[0]["waveform"]


def test_a_decode_that_gives_no_numbers(
    words: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    latent, _ = sampled(words)
    expected = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)[0]["waveform"]
    with monkeypatch.context() as patched:
        nothing = torch.full((1, 2, 4096), torch.nan)
        patched.setattr(pipeline.ACEStep, "decode", lambda *_, **__: nothing)
        with pytest.raises(Exception, match="not numbers") as caught:
            NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)
    place = kept(str(caught.value))
    assert torch.equal(load_file(place)["latent"], latent["samples"])
    assert torch.equal(decoded_again(place, words["model"]), expected)


def test_a_box_whose_decode_fails(words: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = torch.full((1, 2, 4096), torch.nan)
    monkeypatch.setattr(pipeline.ACEStep, "decode", lambda *_, **__: nothing)
    with pytest.raises(Exception, match="not numbers") as caught:
        NODES["AceSuiteTextToAudio"]().make(words["model"], tags="pop", seed=1, duration=5.0)
    assert load_file(kept(str(caught.value)))["latent"].isfinite().all()


def test_a_save_on_a_full_disk(words: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    latent, _ = sampled(words)
    audio, _ = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)

    def full(*_: Any, **__: Any) -> None:
        raise FileError(f"song.flac could not be written ({os.strerror(errno.ENOSPC)}).")

    monkeypatch.setattr(save, "write_audio", full)
    with pytest.raises(Exception, match="could not be written") as caught:
        NODES["AceSuiteSaveAudio"]().save(audio, "audio/song")
    place = kept(str(caught.value))
    assert torch.equal(decoded_again(place, words["model"]), audio["waveform"])
