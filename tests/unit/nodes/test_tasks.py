"""The task nodes, sampled and put into their sources, without ComfyUI."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import NODES, module, sampled
from tests.unit.sound_kit import OTHER_RATE as RATE
from tests.unit.sound_kit import clip

sound = module("nodes.sound")
SETTINGS = {"seed": 7, "seconds": 9.0, "batch_size": 1, "steps": 3}


def task_of(name: str, **inputs: Any) -> Any:
    (task,) = NODES[name]().describe(**inputs)
    return task


def run(words: dict[str, Any], task: Any, **changes: Any) -> tuple[Any, str, dict[str, Any]]:
    """(audio, report, info)"""
    latent, info = NODES["AceSuiteSampler"]().sample(**words, **{**SETTINGS, **changes}, task=task)
    audio, report = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)
    return audio, report, json.loads(info)


@pytest.mark.parametrize("channels", [1, 2])
def test_inpaint_keeps_the_rest_sample_for_sample(words: dict[str, Any], channels: int) -> None:
    source = clip(4.0, channels=channels)
    task = task_of("AceSuiteInpaintMask", start=1.0, end=2.5, source_audio=source)
    audio, report, info = run(words, task, batch_size=2)
    made, was = audio["waveform"], source["waveform"]
    assert (made.shape, audio["sample_rate"]) == ((2, *was.shape[1:]), RATE)
    assert torch.equal(made[..., :RATE], was[..., :RATE].expand(2, -1, -1))
    assert torch.equal(
        made[..., round(2.5 * RATE) :],
        was[..., round(2.5 * RATE) :].expand_as(made[..., round(2.5 * RATE) :]),
    )
    assert not torch.allclose(made[0, :, RATE + 2000 :], was[0, :, RATE + 2000 :])
    assert report.count("Outside: the source, sample for sample") == 2
    assert "Steps re-sampled: 2 of 3" in report
    assert info["task"] == "repaint"
    assert info["retake_seeds"] == [7, 8]
    assert info["actual_seeds"] == [7 + 2**31, 8 + 2**31]


@pytest.mark.parametrize(("given", "told"), [({"source_seed": 99}, ["99"]), ({}, None)])
def test_a_source_seed_is_told_where_it_was_given(
    words: dict[str, Any], given: dict[str, int], told: list[str] | None
) -> None:
    """The derived one means nothing to anybody."""
    task = task_of("AceSuiteInpaintMask", start=1.0, end=2.0, source_audio=clip(2.5), **given)
    _, info = sampled(words, task=task)
    facts = module("nodes.shown").of_run(json.dumps(info))
    assert (facts["source_seeds"] or None) == told


def test_source_seed_is_that_of_the_source(words: dict[str, Any]) -> None:
    inputs = {"start": 1.0, "end": 2.0, "source_audio": clip(2.5), "source_seed": 99}
    _, info = sampled(words, task=task_of("AceSuiteInpaintMask", **inputs), batch_size=2)
    assert (info["actual_seeds"], info["retake_seeds"]) == ([99, 99], [3, 4])


def test_mask_names_the_regions(words: dict[str, Any]) -> None:
    mask = torch.zeros(1, 4, 8)
    mask[..., 1:3], mask[..., 7] = 1, 1
    task = task_of("AceSuiteInpaintMask", start=0.0, end=1.0, source_audio=clip(4.0), mask=mask)
    assert [(r.start, r.end) for r in task.task.regions] == [(0.5, 1.5), (3.5, 4.0)]
    _, report, _ = run(words, task)
    assert "new 0.50-1.50 s, 3.50-4.00 s of 4.00 s" in report


def test_regions_in_writing_take_the_place_of_start_and_end(words: dict[str, Any]) -> None:
    inputs = {"start": 0.0, "end": 1.0, "source_audio": clip(4.0), "regions": "0.5:1.5; -0.5:"}
    task = task_of("AceSuiteInpaintMask", **inputs)
    assert [(r.start, r.end, r.feather) for r in task.task.regions] == [
        (0.5, 1.5, 0.5),
        (0.5, 0.0, 0.5),
    ]
    _, report, _ = run(words, task)
    assert "new 0.50-1.50 s, 3.50-4.00 s of 4.00 s" in report


def test_edit_takes_regions_in_writing(words: dict[str, Any]) -> None:
    mine = {"source_tags": words["tags"], "source_lyrics": words["lyrics"], "mode": "remix"}
    given = {"source_audio": clip(4.0), "regions": "1:2", "feather": 0.25}
    (region,) = task_of("AceSuiteRemixEdit", **mine, **given).task.regions
    assert (region.start, region.end, region.feather) == (1.0, 2.0, 0.25)
    assert task_of("AceSuiteRemixEdit", **mine, source_audio=clip(4.0)).task.regions == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"regions": "1-2"}, "regions '1-2' must be START:END in seconds"),
        ({"regions": "9:10"}, "is not before the end of the clip"),
        ({"regions": "1:2", "mask": torch.ones(1, 8)}, "Both regions and a mask are given"),
    ],
)
def test_wrong_regions_are_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=rf"^Inpaint Mask \(ACE-Step\): .*{re.escape(said)}"):
        task_of("AceSuiteInpaintMask", start=0.0, end=1.0, source_audio=clip(4.0), **wrong)


def test_feather_is_half_a_second_unless_said_and_counts_for_a_mask_too() -> None:
    mask = torch.zeros(1, 8)
    mask[:, 2:6] = 1
    inputs = {"start": 1.0, "end": 3.0, "source_audio": clip(4.0)}
    for given, feather in (({}, 0.5), ({"feather": 0.0}, 0.0), ({"feather": 1.5}, 1.5)):
        for marked in ({}, {"mask": mask}):
            task = task_of("AceSuiteInpaintMask", **inputs, **given, **marked)
            assert [r.feather for r in task.task.regions] == [feather]
    shown = NODES["AceSuiteInpaintMask"].INPUT_TYPES()["optional"]["feather"][1]["default"]
    assert shown == 0.5


def test_feather_softens_the_edges(words: dict[str, Any]) -> None:
    source = clip(4.0)
    made = [
        run(words, task_of("AceSuiteInpaintMask", **inputs, source_audio=source))[0]["waveform"]
        for inputs in (
            {"start": 1.0, "end": 3.0, "feather": 0.0},
            {"start": 1.0, "end": 3.0, "feather": 0.8},
        )
    ]
    near = slice(RATE + 1000, RATE + 4000)  # just inside the first edge
    hard, soft = ((one - source["waveform"])[..., near].abs().mean() for one in made)
    assert not torch.equal(*made)
    assert float(soft) < float(hard)


def test_latent_is_a_source_as_well(words: dict[str, Any]) -> None:
    """Not encoded again; what is kept is what the source sounds like decoded."""
    latent, _ = sampled(words)
    plain, _ = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)
    task = task_of("AceSuiteInpaintMask", start=0.5, end=1.0, source_latent=latent)
    audio, _, _ = run(words, task)
    assert audio["sample_rate"] == 44_100
    assert torch.equal(audio["waveform"][..., :22_050], plain["waveform"][..., :22_050])
    assert not torch.equal(audio["waveform"], plain["waveform"])


@pytest.mark.parametrize(("before", "after"), [(1.0, 0.0), (0.0, 1.5), (1.0, 1.0)])
def test_extend_leaves_the_song_as_it_is(
    words: dict[str, Any], before: float, after: float
) -> None:
    source = clip(2.0)
    task = task_of("AceSuiteExtend", before=before, after=after, source_audio=source)
    audio, report, info = run(words, task)
    first = round(before * RATE)
    assert audio["waveform"].shape[-1] == round((2 + before + after) * RATE)
    kept = audio["waveform"][..., first : first + 2 * RATE]
    assert torch.equal(kept, source["waveform"])
    assert "Outside: the source, sample for sample" in report
    assert info["task"] == "extend"


def test_retake_is_the_cores(words: dict[str, Any]) -> None:
    plain, _ = sampled(words, seed=5)
    same, info = sampled(words, task=task_of("AceSuiteRetake", source_seed=5, variance=0.0))
    assert torch.allclose(same["samples"], plain["samples"], atol=1e-5)
    assert (info["task"], info["actual_seeds"], info["retake_seeds"]) == ("retake", [5], [3])
    task = task_of("AceSuiteRetake", source_seed=5, variance=0.5)
    audio, report, _ = run(words, task, seconds=2.0)
    assert audio["waveform"].shape[-1] == 21 * 4096
    assert "Retake" not in report


@pytest.mark.parametrize("mode", ["remix", "lyrics", "custom"])
def test_edit_follows_source_and_target(words: dict[str, Any], mode: str) -> None:
    (tags,) = NODES["AceSuiteTagEncode"]().encode(words["model"], "jazz")
    inputs = {"source_tags": tags, "source_lyrics": words["lyrics"], "source_audio": clip(2.0)}
    task = task_of("AceSuiteRemixEdit", mode=mode, **inputs)
    audio, report, info = run(words, task, steps=10)
    assert audio["waveform"].shape == (1, 2, 2 * RATE)
    assert report.split("\n")[1].startswith("Edit, seed")
    assert info["ace_core"]["source_tags"] == "jazz"
    expected = {"remix": (0.2, 0.4), "lyrics": (0.6, 1.0), "custom": (0.2, 0.4)}[mode]
    assert (info["edit_n_min"], info["edit_n_max"]) == expected


def test_edit_without_new_lyrics_keeps_the_sources(words: dict[str, Any]) -> None:
    empty, _ = NODES["AceSuiteLyricEncode"]().encode(words["model"], "")
    own, _ = NODES["AceSuiteLyricEncode"]().encode(words["model"], "[verse]\n[chorus]")
    inputs = {"source_tags": words["tags"], "source_lyrics": own, "source_audio": clip(2.0)}
    task = task_of("AceSuiteRemixEdit", mode="remix", **inputs)
    kept, info = sampled({**words, "lyrics": empty}, task=task)
    assert info["lyrics"] == "[verse]\n[chorus]"
    assert torch.equal(kept["samples"], sampled({**words, "lyrics": own}, task=task)[0]["samples"])


def test_reference_is_followed(words: dict[str, Any]) -> None:
    source = clip(2.0, channels=1)
    task = task_of("AceSuiteAudioReference", strength=0.5, source_audio=source)
    audio, report, info = run(words, task)
    assert audio["waveform"].shape == (1, 1, 2 * RATE)
    assert (info["task"], info["actual_seeds"]) == ("audio2audio", [7])
    assert "Loudness: source" in report


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("AceSuiteInpaintMask", {"start": 0.5, "end": 1.0, "variance": 0.0}),
        ("AceSuiteAudioReference", {"strength": 1.0}),
    ],
)
def test_nothing_to_make_returns_the_source(
    words: dict[str, Any], name: str, inputs: dict[str, Any]
) -> None:
    source = clip(2.0)
    audio, report, info = run(words, task_of(name, source_audio=source, **inputs), batch_size=2)
    assert torch.equal(audio["waveform"], source["waveform"].expand(2, -1, -1))
    assert "Nothing is made new" in " ".join(info["ace_core"]["notes"])
    assert "this is the source" in report


def test_original_mode_decodes_all_of_it(words: dict[str, Any]) -> None:
    (settings,) = NODES["AceSuiteGuidance"]().settings("custom", compat="original")
    latent, _ = sampled(words)
    for source in ({"source_audio": clip(2.0)}, {"source_latent": latent}):
        for name, inputs in (
            ("AceSuiteInpaintMask", {"start": 0.5, "end": 1.5}),
            ("AceSuiteExtend", {"before": 0.5, "after": 0.5}),
        ):
            task = task_of(name, **source, **inputs)
            _, report, info = run(words, task, guidance_settings=settings)
            assert info["ace_core"]["compat"] == "original"
            assert "sample for sample" not in report


def test_source_is_encoded_once_for_model_and_sound(
    words: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded, really = [], sound.encoded

    def counted(*details: Any) -> Any:
        encoded.append(1)
        return really(*details)

    monkeypatch.setattr(sound, "encoded", counted)
    source = clip(2.0)
    for variance in (0.4, 0.9):
        inputs = {"start": 0.5, "end": 1.0, "variance": variance, "source_audio": source}
        sampled(words, task=task_of("AceSuiteInpaintMask", **inputs))
    assert len(encoded) == 1
    other = {**source, "waveform": source["waveform"].clone()}
    sampled(words, task=task_of("AceSuiteAudioReference", strength=0.5, source_audio=other))
    assert len(encoded) == 2


@pytest.mark.parametrize("audio", [clip(1.0, 1), clip(1.0, 2, 3, 48_000)])
def test_encode_takes_any_rate_and_number_of_channels(model: Any, audio: Any) -> None:
    (latent,) = NODES["AceSuiteDCAEEncode"]().encode(model, audio)
    assert latent["samples"].shape == (len(audio["waveform"]), 8, 16, 11)
    assert latent["type"] == "audio"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"^Inpaint Mask \(ACE-Step\): There is no source"),
        ({"source_audio": clip(4.0), "variance": 1.5}, "Variance is 1.5"),
        ({"source_audio": clip(4.0), "start_from": "middle"}, "start counts from"),
        ({"source_audio": clip(1.0)}, r"^Inpaint Mask .*not before the end of the clip"),
        ({"source_audio": clip(4.0), "end": 0.5}, r"^Inpaint Mask .*The region is reversed"),
        ({"source_audio": clip(4.0), "mask": torch.zeros(2, 2)}, "The mask is black"),
    ],
)
def test_wrong_description_names_the_node(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task_of("AceSuiteInpaintMask", **{"start": 1.0, "end": 2.0, **inputs})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"source_audio": clip(4.0, clips=2)}, "source_audio holds 2 clips"),
        ({"source_audio": clip(4.0, channels=6)}, "mono or stereo"),
        ({"source_audio": clip(0.01), "start": 0.0}, "Source length"),
    ],
)
def test_wrong_source_names_the_sampler(
    words: dict[str, Any], inputs: dict[str, Any], message: str
) -> None:
    task = task_of("AceSuiteInpaintMask", **{"start": 1.0, "end": 2.0, **inputs})
    with pytest.raises(ValueError, match=rf"^Sampler \(ACE-Step\): .*{message}"):
        sampled(words, task=task)


def test_long_source_with_distant_regions_is_refused(words: dict[str, Any]) -> None:
    mask = torch.zeros(1, 300)
    mask[:, 5], mask[:, 290] = 1, 1
    source = clip(300.0, 1, rate=8000)
    task = task_of("AceSuiteInpaintMask", start=0.0, end=1.0, source_audio=source, mask=mask)
    with pytest.raises(ValueError, match=r"lies in 2 stretches .* Make one after the other"):
        sampled(words, task=task)


def test_splice_is_a_matter_of_decode(words: dict[str, Any]) -> None:
    """The same latent put into its source, or not: nothing is sampled again for it."""
    source = clip(2.0)
    task = task_of("AceSuiteInpaintMask", start=0.5, end=1.0, source_audio=source)
    latent, _ = sampled(words, task=task)
    decode = NODES["AceSuiteDCAEDecode"]().decode
    kept, report = decode(words["model"], latent)
    anew, _ = decode(words["model"], latent, splice=False)
    assert torch.equal(kept["waveform"][..., : RATE // 2], source["waveform"][..., : RATE // 2])
    assert not torch.equal(anew["waveform"][..., : RATE // 2], source["waveform"][..., : RATE // 2])
    assert "Outside: the source, sample for sample" in report


def test_samples_that_another_node_changed_are_noticed(words: dict[str, Any]) -> None:
    """ComfyUI's own nodes copy every key of a latent onto what they make of its samples."""
    task = task_of("AceSuiteAudioReference", strength=0.5, source_audio=clip(2.0))
    latent, _ = sampled(words, task=task)
    changed = {**latent, "samples": latent["samples"] * 0.5}
    audio, report = NODES["AceSuiteDCAEDecode"]().decode(words["model"], changed)
    assert "was changed after the Sampler" in report
    assert audio["sample_rate"] == 44_100
    plain, _ = NODES["AceSuiteDCAEDecode"]().decode(words["model"], {"samples": changed["samples"]})
    assert torch.equal(audio["waveform"], plain["waveform"])


def test_what_was_cut_or_left_out_is_told(words: dict[str, Any]) -> None:
    """An end beyond the clip, a latent of another clip: in the info and the report."""
    source = clip(4.0)
    latent, _ = sampled(words, seconds=1.0)
    beyond = task_of("AceSuiteInpaintMask", start=2.0, end=50.0, source_audio=source)
    other = task_of(
        "AceSuiteInpaintMask", start=1.0, end=2.0, source_audio=source, source_latent=latent
    )
    for task, said in (
        (beyond, "A region ends at 50.00 s; the clip ends at 4.00 s"),
        (other, "not of the same clip"),
    ):
        _, report, info = run(words, task)
        assert any(said in note for note in info["ace_core"]["notes"]), info["ace_core"]["notes"]
        assert said in report


def test_very_short_songs_are_warned_of(words: dict[str, Any]) -> None:
    _, info = sampled(words, seconds=0.1)
    (warning,) = info["ace_core"]["warnings"]
    assert warning == "0.1 s is very short: music takes 5 s or more."
    assert not sampled(words, seconds=5.0)[1]["ace_core"]["warnings"]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module("nodes.host"), "is_watched", lambda: True)


LOADED = {"prompt": {"3": {"class_type": "LoadAudio", "inputs": {"audio": "song.flac"}}}}
LOADED["prompt"]["7"] = {"class_type": "AceSuiteExtend", "inputs": {"source_audio": ["3", 0]}}


@pytest.mark.usefixtures("watched")
def test_a_page_is_told_the_file_of_the_source() -> None:
    asked = {"before": 1.0, "after": 0.0, "source_audio": clip(2.0)}
    made = NODES["AceSuiteExtend"]().describe(**asked)
    (facts,) = made["ui"]["acesuite"]
    assert set(made["ui"]) == {"acesuite"}, "ui.audio would be taken for a result"
    name, folder = facts["source"].rsplit(" ", 1)
    assert folder == "[temp]"
    wave, _ = module("acestep_core.sound.files").read_audio(Path("temp") / name)
    assert wave.shape == (2, 2 * RATE)
    again = NODES["AceSuiteExtend"]().describe(**{**asked, "before": 2.0})
    assert again["ui"] == made["ui"], "an unchanged source is written once"
    loaded = NODES["AceSuiteExtend"]().describe(**asked, **LOADED, unique_id="7")
    assert loaded["ui"]["acesuite"] == [{"source": "song.flac"}]


@pytest.mark.usefixtures("watched")
def test_a_source_that_cannot_be_drawn_stops_no_run() -> None:
    source = clip(2.0)
    source["waveform"][..., 5] = math.nan
    for given in (
        {"source_audio": source},
        {"source_latent": {"samples": torch.zeros(1, 8, 16, 9)}},
    ):
        made = NODES["AceSuiteExtend"]().describe(before=1.0, after=0.0, **given)
        assert isinstance(made, tuple)
