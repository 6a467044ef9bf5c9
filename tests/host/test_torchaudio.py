"""A host whose torchaudio does not import: the pack loads, and everything of it works.

PYTHONPATH puts tests/host/broken in front, whose torchaudio raises ImportError, as one does that
was built for another torch. It is broken for the whole process. Older ComfyUI starts like that,
only its own audio nodes are missing (Load Audio among them); so the source of the edit here is
made by our nodes, at a rate that has to be resampled. Newer ComfyUI (0.20.1) imports torchaudio
at its start and dies; there tests/host/broken_for_pack breaks it for our modules alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acestep_core.sound.files import read_audio
from scripts.host.comfyui import NAME, Running, get_json, running
from tests.host.client import Client, Prompt, connected
from tests.host.conftest import id_of
from tests.unit.nodes.pack import imported

BROKEN, BROKEN_FOR_PACK = (Path(__file__).with_name(n) for n in ("broken", "broken_for_pack"))
SAYS = "does not fit the torch that is installed"
RATE = 32_000  # of the source; the model's own is 44.1 kHz


@pytest.fixture(scope="module")
def crippled(checkout: Path, base: Path) -> Iterator[Running]:
    try:
        with running(checkout, base, PYTHONPATH=str(BROKEN)) as started:
            yield started
            return
    except RuntimeError as error:
        if SAYS not in str(error):
            raise
    with running(checkout, base, PYTHONPATH=str(BROKEN_FOR_PACK)) as started:
        yield started


@pytest.fixture
def caller(crippled: Running) -> Iterator[Client]:
    with connected(crippled.url) as one:
        yield one


def edited(song: Prompt) -> Prompt:
    """The song, then a part of it made new, and saved; no node of ComfyUI's own."""
    del song[id_of(song, "AceSuiteSaveAudio")]
    model, sampler, decode = (
        id_of(song, f"AceSuite{kind}") for kind in ("Load", "Sampler", "DCAEDecode")
    )
    song[decode]["inputs"]["sample_rate"] = RATE
    task = {"source_audio": [decode, 0], "start": 1.0, "end": 2.0, "feather": 0.1}
    again = {**song[sampler]["inputs"], "task": ["50", 0], "seed": 77}
    decoded = {"model": [model, 0], "latent": ["51", 0]}
    saved = {"audio": ["52", 0], "filename_prefix": "audio/crippled", "bits": "24"}
    song["50"] = {"class_type": "AceSuiteInpaintMask", "inputs": task}
    song["51"] = {"class_type": "AceSuiteSampler", "inputs": again}
    song["52"] = {"class_type": "AceSuiteDCAEDecode", "inputs": decoded}
    song["53"] = {"class_type": "AceSuiteSaveAudio", "inputs": saved}
    return song


def test_pack_loads_where_torchaudio_does_not(crippled: Running) -> None:
    info = get_json(crippled.url + "/object_info")
    assert set(imported().NODE_CLASS_MAPPINGS) <= set(info)
    if crippled.version == "0.3.64":
        assert "SaveAudio" not in info, "torchaudio is not broken here: this test shows nothing"
    assert not [line for line in crippled.trouble() if NAME in line]


def test_song_and_edit_are_made_without_torchaudio(
    caller: Client, crippled: Running, song: Prompt
) -> None:
    prompt = edited(song)
    outcome = caller.run(prompt)
    assert outcome.end
    assert outcome.end.kind == "execution_success", outcome.error
    (shown,) = caller.outputs(outcome)["53"]["audio"]
    wave, rate = read_audio(crippled.base / "output" / shown["subfolder"] / shown["filename"])
    assert rate == RATE
    assert wave.isfinite().all()
    assert 1e-3 < float(wave.abs().max()) <= 1
    said = next(line for line in crippled.log.splitlines() if "torchaudio is not usable" in line)
    assert SAYS in said
