"""Guidance and Schedule: presets, widgets, and what the sampler does with them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.unit.nodes.pack import NODES, module, sampled

presets, types = module("acestep_core.presets"), module("acestep_core.types")


def settings_of(name: str, **widgets: Any) -> Any:
    (made,) = NODES[name]().settings(**{"preset": "custom", **widgets})
    return made


@pytest.mark.parametrize("name", sorted(presets.PRESETS))
def test_preset_brings_every_value(name: str) -> None:
    preset = presets.PRESETS[name]
    guidance = settings_of("AceSuiteGuidance", preset=name, scale=3.0, erg_tag=False)
    assert guidance.guidance == preset.guidance
    assert settings_of("AceSuiteSchedule", preset=name, steps=5) == preset.sampling


def test_custom_defaults_are_the_originals() -> None:
    assert settings_of("AceSuiteGuidance").guidance == types.Guidance()
    assert settings_of("AceSuiteSchedule") == types.Sampling()


def test_every_setting_has_a_widget_with_its_default() -> None:
    guidance = NODES["AceSuiteGuidance"].INPUT_TYPES()["optional"]
    defaults = {**asdict(types.Guidance()), "compat": "corrected"}
    assert {name: options["default"] for name, (_, options) in guidance.items()} == defaults
    schedule = NODES["AceSuiteSchedule"].INPUT_TYPES()["optional"]
    assert list(schedule) == ["steps", "solver", "granularity", "chosen_steps"]


def test_chosen_steps_are_read() -> None:
    assert settings_of("AceSuiteSchedule", chosen_steps=" 2, 5,9,").chosen == (2, 5, 9)


@pytest.mark.parametrize(
    ("name", "widgets", "message"),
    [
        ("AceSuiteGuidance", {"scale": 201.0}, r"^Guidance \(ACE-Step\): Guidance scale is 201"),
        ("AceSuiteGuidance", {"compat": "old"}, "compat is 'old'"),
        ("AceSuiteGuidance", {"preset": "best"}, "preset is 'best'"),
        ("AceSuiteSchedule", {"steps": 0}, r"^Schedule \(ACE-Step\): Steps is 0"),
        ("AceSuiteSchedule", {"chosen_steps": "2, x"}, "whole numbers with commas"),
        ("AceSuiteSchedule", {"chosen_steps": "5, 2"}, "must rise"),
    ],
)
def test_wrong_setting_names_the_node(name: str, widgets: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_of(name, **widgets)


def test_connected_settings_replace_the_widgets_and_info_says_so(words: dict[str, Any]) -> None:
    guidance = settings_of("AceSuiteGuidance", kind="cfg", scale=5.0, compat="original")
    schedule = settings_of("AceSuiteSchedule", steps=2, solver="heun")
    connected = {"guidance_settings": guidance, "schedule": schedule}
    latent, info = sampled(words, batch_size=2, guidance="apg", steps=50, **connected)
    assert (info["cfg_type"], info["guidance_scale"], info["infer_step"]) == ("cfg", 5.0, 2)
    assert (info["scheduler_type"], info["ace_core"]["compat"]) == ("heun", "original")
    assert info["actual_seeds"] == [3, 3], "the original gives every clip the same seed"
    notes = " ".join(info["ace_core"]["notes"])
    assert "connected Guidance" in notes
    assert "connected Schedule" in notes
    widgets = {"guidance": "cfg", "guidance_scale": 5.0, "steps": 2, "solver": "heun"}
    plain, other = sampled(words, batch_size=2, **widgets)
    assert not other["ace_core"]["notes"]
    assert not (latent["samples"] == plain["samples"]).all(), "the second clip differs"
    assert (latent["samples"][:1] - plain["samples"][:1]).abs().max() < 0.5


def test_auto_is_what_the_model_recommends_and_what_is_said_stays(words: dict[str, Any]) -> None:
    own = presets.Preset(types.Sampling(2, "heun"), types.Guidance("cfg", 3.0, erg_tag=False), "")
    card = replace(words["model"].model.card, recommended=own)
    changed = {
        **words,
        "model": words["model"].with_model(replace(words["model"].model, card=card)),
    }
    auto = {
        "guidance_settings": settings_of("AceSuiteGuidance", preset="auto", scale=9.0),
        "schedule": settings_of("AceSuiteSchedule", preset="auto", steps=9),
    }
    left = {"steps": -1, "solver": "auto", "guidance": "auto", "guidance_scale": -1.0}
    for connected in (auto, {}, left):
        _, info = sampled(changed, **{"steps": -1, **connected})
        assert (info["infer_step"], info["scheduler_type"]) == (2, "heun")
        assert (info["cfg_type"], info["guidance_scale"], info["use_erg_tag"]) == (
            "cfg",
            3.0,
            False,
        )
        note = "As the model recommends: steps 2, solver heun, guidance cfg, guidance_scale 3."
        assert note in info["ace_core"]["notes"]
    _, info = sampled(changed, steps=3, guidance="apg", guidance_scale=0.0)
    assert (info["infer_step"], info["scheduler_type"]) == (3, "heun")
    assert (info["cfg_type"], info["guidance_scale"], info["use_erg_tag"]) == ("apg", 0.0, False)
    assert "As the model recommends: solver heun." in info["ace_core"]["notes"]
