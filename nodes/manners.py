"""Where each node stands in the menus, and which of its settings few people need.

NODE_CLASS_MAPPINGS -> CATEGORY of each node, "advanced" on some inputs

Newer pages fold away what is advanced; 0.3.64 hides it behind a right click. So nothing a
person has to see is: no region, no length, no words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HOME = "ACE-Step"
# Menu below HOME -> nodes.
MENUS = {
    "song": (
        "AceSuiteLoad",
        "AceSuiteLoRA",
        "AceSuiteTagEncode",
        "AceSuiteLyricEncode",
        "AceSuiteSampler",
        "AceSuiteDCAEDecode",
        "AceSuiteSaveAudio",
        "AceSuitePreviewAudio",
    ),
    "change a song": (
        "AceSuiteInpaintMask",
        "AceSuiteExtend",
        "AceSuiteRetake",
        "AceSuiteRemixEdit",
        "AceSuiteAudioReference",
        "AceSuiteDCAEEncode",
        "AceSuiteOpenAudio",
    ),
    "words": ("AceSuiteSongWriter", "AceSuiteTagPresets", "AceSuiteLyricPreview"),
    "look and compare": ("AceSuiteCompareTakes", "AceSuiteMelView"),
    "settings": (
        "AceSuiteGuidance",
        "AceSuiteSchedule",
        "AceSuiteLoadParameters",
        "AceSuiteToConditioning",
        "AceSuiteSetupCheck",
        "AceSuiteFromManifest",
    ),
    "all in one": (
        "AceSuiteTextToAudio",
        "AceSuitePromptToAudio",
        "AceSuiteAudioToAudio",
        "AceSuiteAudioInpaint",
        "AceSuiteAudioOutpaint",
    ),
}
ADVANCED = {
    "AceSuiteLoad": {"dtype", "memory", "codec_dtype"},
    "AceSuiteLoRA": {"training_scale"},
    "AceSuiteLyricEncode": {"language", "compat"},
    "AceSuiteLyricPreview": {"language"},
    "AceSuiteGuidance": {"compat"},
    "AceSuiteSampler": {"solver", "guidance", "one_by_one"},
    "AceSuiteExtend": {"context"},
    "AceSuiteRemixEdit": {"edit_start", "edit_stop", "average", "extended"},
    "AceSuiteDCAEDecode": {"sample_rate", "splice", "crossfade", "match_level"},
    "AceSuiteSaveAudio": {"bits", "kilobits", "save_workflow", "save_settings"},
    "AceSuiteSongWriter": {"back_end"},
    "AceSuitePromptToAudio": {"back_end"},
    "AceSuiteAudioToAudio": {
        "scheduler",
        "guidance_type",
        "granularity_scale",
        "guidance_interval",
        "guidance_interval_decay",
        "minimum_guidance_scale",
        "tag_guidance_scale",
        "lyric_guidance_scale",
        "extended",
    },
}


def arrange(nodes: Mapping[str, Any]) -> None:
    """Give every node its menu, and mark its advanced inputs."""
    for menu, kinds in MENUS.items():
        for kind in kinds:
            nodes[kind].CATEGORY = f"{HOME}/{menu}"
    for kind, names in ADVANCED.items():
        _mark(nodes[kind], names)


def _mark(node: Any, names: set[str]) -> None:
    asked = node.INPUT_TYPES

    def with_marks() -> dict[str, Any]:
        groups = asked()
        for group, given in groups.items():
            groups[group] = {
                name: _advanced(one) if name in names else one for name, one in given.items()
            }
        return groups

    node.INPUT_TYPES = staticmethod(with_marks)


def _advanced(given: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    kind, options = given
    return kind, {**options, "advanced": True}
