"""The nodes without ComfyUI: defined as its pages want them, and the first five really run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import NODES, imported, module, sampled

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN"}


def inputs_of(node: Any) -> list[tuple[str, str, Any, dict[str, Any]]]:
    """(group, name, type, options) of every input, in order."""
    found = []
    for group, entries in node.INPUT_TYPES().items():
        if group == "hidden":
            continue
        found += [(group, name, kind, options) for name, (kind, options) in entries.items()]
    return found


def wave_of(audio: dict[str, Any]) -> torch.Tensor:
    return audio["waveform"]


def test_nothing_of_comfyui_is_imported() -> None:
    assert not {"comfy", "folder_paths", "server"} & set(sys.modules)


@pytest.mark.parametrize("name", sorted(NODES))
def test_definition_has_what_pages_show(name: str) -> None:
    node = NODES[name]
    assert imported().NODE_DISPLAY_NAME_MAPPINGS[name] == node.TITLE
    assert node.CATEGORY.startswith("ACE-Step/")
    assert node.DESCRIPTION
    assert node.SEARCH_ALIASES
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS)
    assert callable(getattr(node(), node.FUNCTION))
    json.dumps(node.INPUT_TYPES())
    for group, given, kind, options in inputs_of(node):
        assert options["tooltip"], given
        assert "dynamicPrompts" not in options, "it takes // and {} out of the text"
        if kind == "FLOAT":
            assert "round" in options, "without it pages save 0.9900000000000002"
        if group == "optional" and str(kind) in WIDGETS and "forceInput" not in options:
            assert "default" in options, given


def test_inputs_added_later_can_only_be_optional() -> None:
    """A required input more would break every saved API prompt: these are all there may be."""
    required = {name: list(node.INPUT_TYPES()["required"]) for name, node in NODES.items()}
    assert required == {
        "AceSuiteLoad": ["checkpoint"],
        "AceSuiteLoRA": ["model", "lora"],
        "AceSuiteTagEncode": ["model", "tags"],
        "AceSuiteLyricEncode": ["model", "lyrics"],
        "AceSuiteGuidance": ["preset"],
        "AceSuiteSchedule": ["preset"],
        "AceSuiteSampler": ["model", "tags", "lyrics", "seed", "seconds", "batch_size"],
        "AceSuiteInpaintMask": ["start", "end"],
        "AceSuiteExtend": ["before", "after"],
        "AceSuiteRetake": ["source_seed", "variance"],
        "AceSuiteRemixEdit": ["source_tags", "source_lyrics", "mode"],
        "AceSuiteAudioReference": ["strength"],
        "AceSuiteDCAEEncode": ["model", "audio"],
        "AceSuiteDCAEDecode": ["model", "latent"],
        "AceSuiteToConditioning": ["tags", "lyrics"],
        "AceSuiteSaveAudio": ["audio", "filename_prefix"],
        "AceSuitePreviewAudio": ["audio"],
        "AceSuiteMelView": ["audio"],
        "AceSuiteCompareTakes": ["audio"],
        "AceSuiteSongWriter": ["prompt", "seed"],
        "AceSuiteLyricPreview": ["lyrics"],
        "AceSuiteTagPresets": ["genre"],
        "AceSuiteSetupCheck": ["seconds"],
        "AceSuiteLoadParameters": ["file"],
        "AceSuiteTextToAudio": ["model", "tags", "seed"],
        "AceSuitePromptToAudio": ["model", "prompt", "seed"],
        "AceSuiteAudioToAudio": ["model", "audio", "original_tags", "tags", "seed"],
        "AceSuiteAudioInpaint": ["model", "audio", "tags", "seed"],
        "AceSuiteAudioOutpaint": ["model", "audio", "tags", "seed"],
        "AceSuiteFromManifest": ["manifest", "row"],
        "AceSuiteOpenAudio": ["audio"],
    }


def test_from_words_to_sound(words: dict[str, Any]) -> None:
    latent, info = sampled(words)
    assert latent["type"] == "audio"
    assert latent["samples"].shape == (1, 8, 16, 21)
    assert latent["samples"].dtype == torch.float32
    audio, report = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)
    assert (wave_of(audio).shape, audio["sample_rate"]) == ((1, 2, 21 * 4096), 44_100)
    assert wave_of(audio).isfinite().all()
    assert report.startswith("1.950 s at 44100 Hz, peak 0.")
    assert info["ace_core"]["seconds_made"] == 1.95


def test_sound_over_full_scale_is_brought_down(
    words: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    latent, _ = sampled(words)
    kind = type(words["model"])
    usual = kind.decode
    monkeypatch.setattr(kind, "decode", lambda *given, **more: 90 * usual(*given, **more))
    audio, report = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)
    assert float(wave_of(audio).abs().max()) < 0.95
    assert "brought down by " in report


def test_defaults_are_what_the_model_recommends(words: dict[str, Any]) -> None:
    options = {name: given for _, name, _, given in inputs_of(NODES["AceSuiteSampler"])}
    named = ("steps", "solver", "guidance", "guidance_scale")
    shown = {name: options[name]["default"] for name in named}
    assert shown == {"steps": -1, "solver": "auto", "guidance": "auto", "guidance_scale": -1.0}
    asked = {"seed": 3, "seconds": 0.5, "batch_size": 1}
    _, info = NODES["AceSuiteSampler"]().sample(**words, **asked, **{**shown, "steps": 2})
    used = json.loads(info)
    # The tiny model recommends nothing: those of the original.
    assert (used["scheduler_type"], used["cfg_type"], used["guidance_scale"]) == (
        *("euler", "apg"),
        15.0,
    )
    assert "As the model recommends: solver euler, guidance apg, guidance_scale 15." in info


def test_info_repeats_the_run(words: dict[str, Any], tmp_path: Path) -> None:
    asked = {"seed": 2**64 - 1, "batch_size": 2, "solver": "heun", "guidance": "cfg"}
    _, info = sampled(words, **asked)
    path = tmp_path / "info.json"
    path.write_text(json.dumps(info), encoding="utf-8")
    record = module("acestep_core.records.record").read_record(path)
    recipe = module("acestep_core.records.replay").request_of(record).recipe
    assert recipe.seeds == (2**64 - 1, 0)
    assert (recipe.tags, recipe.lyrics) == ("pop, piano", "[verse]\n\n[inst]")
    assert (recipe.sampling.solver, recipe.sampling.steps) == ("heun", 3)
    assert (recipe.guidance.kind, recipe.task.seconds) == ("cfg", 2.0)


def test_batch_is_what_its_seeds_give_one_by_one(words: dict[str, Any]) -> None:
    both = sampled(words, batch_size=2)[0]["samples"]
    for index in range(2):
        one = sampled(words, seed=3 + index)[0]["samples"]
        assert torch.allclose(both[index : index + 1], one, atol=1e-4)


def test_widgets_end_where_the_core_does(words: dict[str, Any]) -> None:
    """The ranges pages check are the ones that the core checks."""
    asked = module("nodes.sampler").Asked
    usual = {"seed": 0, "seconds": 1.0, "batch_size": 1}
    for _, name, kind, options in inputs_of(NODES["AceSuiteSampler"]):
        if kind not in ("INT", "FLOAT") or name == "seed":
            continue
        for end, beyond in ((options["min"], -1), (options["max"], 1)):
            given = words["tags"], words["lyrics"], words["model"].model.card.recommended
            asked(**{**usual, name: end}).recipe(*given)
            with pytest.raises(ValueError, match="must be between"):
                asked(**{**usual, name: end + beyond}).recipe(*given)


def test_preview_shows_every_line_with_its_language(model: Any) -> None:
    text = "[Verse]\n\n[chorus]"
    _, preview = NODES["AceSuiteLyricEncode"]().encode(model, text, "de")
    assert preview.split("\n")[:3] == ["[en] [verse]", "", "[en] [chorus]"]


def test_report_says_what_was_loaded(checkpoint: Path) -> None:
    _, report = NODES["AceSuiteLoad"]().load("auto", "bfloat16", "offload")
    assert "tiny" in report
    assert "computing in bfloat16 on cpu, sound in float32" in report
    _, report = NODES["AceSuiteLoad"]().load("auto", codec_dtype="bfloat16")
    assert "computing in float32 on cpu, sound in bfloat16" in report


def test_sound_in_float16_asks_for_a_card(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match=r"^Load ACE-Step: codec_dtype is float16, which needs"):
        NODES["AceSuiteLoad"]().load("auto", codec_dtype="float16")


@pytest.mark.parametrize("wrong", [{"seconds": float("nan")}, {"seconds": 300.0}, {"steps": 0}])
def test_wrong_setting_names_the_node(words: dict[str, Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^Sampler \(ACE-Step\): .* must be between"):
        sampled(words, **wrong)


def test_empty_tags_name_the_node(model: Any) -> None:
    with pytest.raises(ValueError, match=r"^Tag Encode \(ACE-Step\): Tags are empty"):
        NODES["AceSuiteTagEncode"]().encode(model, " ")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 64, 50), "ACE-Step 1.5"),
        ((1, 4, 8, 8), r"\(1, 4, 8, 8\)"),
        ((1, 8, 16, 0), "frames"),
    ],
)
def test_latent_of_another_model_is_refused(
    model: Any, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=rf"^DCAE Decode \(ACE-Step\): The latent .*{message}"):
        NODES["AceSuiteDCAEDecode"]().decode(model, {"samples": torch.zeros(shape)})


def test_latent_that_is_no_number_is_refused(model: Any) -> None:
    latent = torch.full((1, 8, 16, 4), torch.nan)
    with pytest.raises(ValueError, match="values that are not numbers"):
        NODES["AceSuiteDCAEDecode"]().decode(model, {"samples": latent})


def test_half_precision_latent_is_taken(words: dict[str, Any]) -> None:
    latent, _ = sampled(words)
    half = {"samples": latent["samples"].half()}
    audio, _ = NODES["AceSuiteDCAEDecode"]().decode(words["model"], half, 48_000)
    assert wave_of(audio).dtype == torch.float32
    assert wave_of(audio).shape[-1] == -(-21 * 4096 * 160 // 147)
    assert half["samples"].dtype == torch.float16, "what came in may lie in the cache"


class ShortOfMemory:
    """A model whose decoding only fits in small tiles."""

    place = None  # no file

    def __init__(self) -> None:
        self.tried: list[int] = []

    def decode(self, latent: Any, rate: int, tiles: Any, tick: Any, heard: Any) -> torch.Tensor:
        self.tried.append(tiles.frames)
        if tiles.frames > 8:
            raise torch.OutOfMemoryError("out of memory")
        return torch.ones(1, 2, 10)


def test_decoding_goes_on_in_smaller_tiles() -> None:
    model = ShortOfMemory()
    NODES["AceSuiteDCAEDecode"]().decode(model, {"samples": torch.zeros(1, 8, 16, 4)})
    assert model.tried == [256, 64, 8]


def test_no_memory_at_all_is_explained(words: dict[str, Any]) -> None:
    host = module("nodes.host")
    with (
        pytest.raises(MemoryError, match=r"^Sampler \(ACE-Step\): not enough memory .*Lower sec"),
        host.errors_of("Sampler (ACE-Step)"),
    ):
        raise torch.OutOfMemoryError("out of memory")


def test_stop_is_asked_for_after_each_evaluation(
    words: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress, asked = module("nodes.host.progress"), []

    def stop_at_third() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress, "stop_if_asked", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        sampled(words, steps=50)
    assert len(asked) == 3
