"""What runs again in ComfyUI when a widget changes, and what ComfyUI's own nodes do to a task."""

from __future__ import annotations

import pytest

from tests.host.client import Client, Prompt
from tests.host.conftest import id_of, only
from tests.host.source import SONG
from tests.host.test_run import shown, succeeded, with_preview


@pytest.fixture
def edit(song: Prompt) -> Prompt:
    """A part of a song in the input folder made new."""
    source = {"class_type": "LoadAudio", "inputs": {"audio": SONG}}
    asked = {"start": 1.0, "end": 2.0, "source_audio": ["30", 0]}
    song["30"], song["31"] = source, {"class_type": "AceSuiteInpaintMask", "inputs": asked}
    only(song, "AceSuiteLoad").update(checkpoint="acestep/tiny")
    only(song, "AceSuiteSampler").update(task=["31", 0], steps=4)
    return song


def test_how_it_is_put_back_does_not_sample_again(client: Client, edit: Prompt) -> None:
    only(edit, "AceSuiteSampler").update(seed=901)
    succeeded(client.run(edit))
    for change in ({"crossfade": 0.1}, {"splice": False}, {"match_level": False}):
        only(edit, "AceSuiteDCAEDecode").update(change)
        outcome = succeeded(client.run(edit))
        assert id_of(edit, "AceSuiteSampler") in outcome.cached


def test_seconds_beside_a_source_do_not_sample_again(client: Client, edit: Prompt) -> None:
    """The node runs, since ComfyUI goes by its widgets; the model is not asked."""
    only(edit, "AceSuiteSampler").update(seed=902)
    sampler = id_of(edit, "AceSuiteSampler")
    assert succeeded(client.run(edit)).progress(sampler)
    only(edit, "AceSuiteSampler").update(seconds=77.0)
    outcome = succeeded(client.run(edit))
    assert sampler not in outcome.cached
    assert not outcome.progress(sampler)


def test_no_wire_to_decode_is_needed(client: Client, edit: Prompt) -> None:
    only(edit, "AceSuiteSampler").update(seed=903)
    node = with_preview(edit, "AceSuiteDCAEDecode", 1)
    assert "Outside: the source, sample for sample" in shown(client, client.run(edit), node)


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("LatentBatch", {"samples1": "sampled", "samples2": "sampled"}),
        ("RepeatLatentBatch", {"samples": "sampled", "amount": 2}),
    ],
)
def test_task_on_other_samples_is_noticed(
    client: Client, edit: Prompt, kind: str, inputs: dict[str, object]
) -> None:
    """These nodes copy every key of a latent onto samples of their own making."""
    sampler = id_of(edit, "AceSuiteSampler")
    only(edit, "AceSuiteSampler").update(seed=904)
    linked = {name: [sampler, 0] if one == "sampled" else one for name, one in inputs.items()}
    edit["40"] = {"class_type": kind, "inputs": linked}
    only(edit, "AceSuiteDCAEDecode").update(latent=["40", 0])
    node = with_preview(edit, "AceSuiteDCAEDecode", 1)
    report = shown(client, succeeded(client.run(edit)), node)
    assert "the latent was changed after the Sampler" in report
    assert "Outside" not in report
