"""The task nodes: they describe what is to be done to a source, and do nothing themselves.

source, settings -> ACESUITE_TASK -> Sampler
source           -> a file that the page draws, where one is open
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..acestep_core import types as core
from ..acestep_core.settings import CUSTOM, EDIT_MODES, ENDS, SettingError, chosen_from
from ..acestep_core.tasks.region import read_regions, resolve
from ..acestep_core.types import Lyrics, Region, Tags
from . import host
from .drawn import HIDDEN, drawn, file_of
from .task_socket import Given, TaskAsked
from .widgets import Inputs, usual, widgets

FEATHER: float = usual("AceSuiteInpaintMask", "feather")

SOURCES: Inputs = {
    "source_audio": (
        "AUDIO",
        {"tooltip": "The clip: mono or stereo, any rate. The result keeps both."},
    ),
    "source_latent": (
        "LATENT",
        {
            "tooltip": "The clip as a latent, from the Sampler or DCAE Encode: spares encoding it."
            " Alone, or with the sound of the same clip."
        },
    ),
}
MASK = (
    "MASK",
    {
        "tooltip": "White is made new: its width is the length of the clip, as that of Mel View"
        " for masks is. Takes the place of the start and end below."
    },
)


class TaskNode:
    """What the task nodes have in common."""

    FUNCTION = "describe"
    HAS_INTERMEDIATE_OUTPUT = True  # the source that the page draws, told again when it is cached
    RETURN_TYPES = ("ACESUITE_TASK",)
    RETURN_NAMES = ("task",)
    OUTPUT_TOOLTIPS = ("For the task of the Sampler.",)


def _given(inputs: dict[str, Any]) -> Given:
    """The source of a task node, with the file that it was loaded from."""
    prompt, own = inputs.pop("prompt", None), inputs.pop("unique_id", None)
    return Given(**inputs, file=file_of(prompt, own, "source_audio"))


def masked(mask: Tensor, seconds: float, feather: float) -> tuple[Region, ...]:
    """Runs of white columns of a mask (..., H, W), as regions of a clip of so many seconds."""
    white = (mask.flatten(0, -2).amax(0) >= 0.5).tolist()
    ends = [i for i, one in enumerate(white) if one != (white[i - 1] if i else False)]
    ends += [len(white)] if white[-1] else []
    second = seconds / len(white)
    found = zip(ends[::2], ends[1::2], strict=True)
    regions = tuple(Region(a * second, b * second, feather=feather) for a, b in found)
    if not regions:
        raise SettingError("The mask is black: it names nothing to make new. Draw some white.")
    return regions


def _asked(asked: TaskAsked) -> tuple[Any, ...] | dict[str, Any]:
    return drawn((asked,), asked.given)


def _marked(text: str, mask: Tensor | None, given: Given, feather: float) -> tuple[Region, ...]:
    """Regions of the source that are written or drawn; empty where neither is given."""
    found = read_regions(text, feather)
    if found and mask is not None:
        raise SettingError(
            "Both regions and a mask are given. Empty regions, or disconnect the mask."
        )
    if mask is not None:
        found = masked(mask, given.seconds, feather)
    if found:
        resolve(found, given.seconds)  # what does not fit the clip is refused here
    return found


class InpaintMask(TaskNode):
    TITLE = "Inpaint Mask (ACE-Step)"
    DESCRIPTION = "Makes a part of a song new; the rest stays as it is, sample for sample."
    SEARCH_ALIASES = ("repaint", "inpaint", "region", "mask", "fix a part")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteInpaintMask", "start end"),
            "optional": {
                **SOURCES,
                **widgets(
                    "AceSuiteInpaintMask", "start_from end_from feather variance source_seed"
                ),
                "mask": MASK,
                **widgets("AceSuiteInpaintMask", "regions"),
            },
            "hidden": HIDDEN,
        }

    def describe(
        self,
        start: float,
        end: float,
        variance: float = core.Inpaint.variance,
        feather: float = FEATHER,
        mask: Tensor | None = None,
        regions: str = "",
        **others: Any,
    ) -> tuple[Any, ...] | dict[str, Any]:
        with host.errors_of(self.TITLE):
            first, last = (others.pop(name, ENDS[0]) for name in ("start_from", "end_from"))
            seed, given = others.pop("source_seed", None), _given(others)
            marked = _marked(regions, mask, given, feather)
            if not marked:
                marked = (Region(start, end, first, last, feather),)
                resolve(marked, given.seconds)
            return _asked(TaskAsked(core.Inpaint(marked, variance), given, seed))


class Extend(TaskNode):
    TITLE = "Extend (ACE-Step)"
    DESCRIPTION = "Adds music before a song, after it, or both; the song itself stays as it is."
    SEARCH_ALIASES = ("outpaint", "continue", "longer", "intro", "outro")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteExtend", "before after"),
            "optional": {**SOURCES, **widgets("AceSuiteExtend", "context source_seed")},
            "hidden": HIDDEN,
        }

    def describe(
        self, before: float, after: float, context: float = core.Extend.context, **others: Any
    ) -> tuple[Any, ...] | dict[str, Any]:
        with host.errors_of(self.TITLE):
            seed, given = others.pop("source_seed", None), _given(others)
            return _asked(TaskAsked(core.Extend(before, after, context), given, seed))


class Retake(TaskNode):
    TITLE = "Retake (ACE-Step)"
    DESCRIPTION = "Variations of a clip this model made, from its seed, tags, lyrics and length."
    SEARCH_ALIASES = ("variation", "vary", "takes", "subseed")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": widgets("AceSuiteRetake", "source_seed variance")}

    def describe(self, source_seed: int, variance: float) -> tuple[TaskAsked]:
        with host.errors_of(self.TITLE):
            return (TaskAsked(core.Retake(variance=variance), source_seed=source_seed),)


class RemixEdit(TaskNode):
    TITLE = "Remix / Edit (ACE-Step)"
    DESCRIPTION = (
        "Another style, or other words, for a song: the Sampler's tags and lyrics are the new"
        " ones, those connected here are what the song has now."
    )
    SEARCH_ALIASES = ("remix", "lyric edit", "flow edit", "cover", "change words")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "source_tags": ("ACESUITE_TAGS", {"tooltip": "What the song is now."}),
                "source_lyrics": ("ACESUITE_LYRICS", {"tooltip": "What is sung in it now."}),
                **widgets("AceSuiteRemixEdit", "mode"),
            },
            "optional": {
                **SOURCES,
                **widgets("AceSuiteRemixEdit", "edit_start edit_stop average extended source_seed"),
                "mask": (
                    "MASK",
                    {"tooltip": "White is edited, the rest stays; without, the whole clip is."},
                ),
                **widgets("AceSuiteRemixEdit", "regions feather"),
            },
            "hidden": HIDDEN,
        }

    def describe(
        self,
        source_tags: Tags,
        source_lyrics: Lyrics,
        mode: str,
        mask: Tensor | None = None,
        regions: str = "",
        feather: float = FEATHER,
        **others: Any,
    ) -> tuple[Any, ...] | dict[str, Any]:
        with host.errors_of(self.TITLE):
            chosen_from("mode", mode, [*EDIT_MODES, CUSTOM])
            own = others.pop("edit_start", core.Edit.start), others.pop("edit_stop", core.Edit.stop)
            start, stop = EDIT_MODES.get(mode, own)
            details = {name: others.pop(name) for name in ("average", "extended") if name in others}
            seed, given = others.pop("source_seed", None), _given(others)
            marked = _marked(regions, mask, given, feather)
            task = core.Edit(start, stop, **details, regions=marked)
            return _asked(TaskAsked(task, given, seed, (source_tags, source_lyrics)))


class AudioReference(TaskNode):
    TITLE = "Audio Reference (ACE-Step)"
    DESCRIPTION = "A new clip along the lines of another, as long as that one."
    SEARCH_ALIASES = ("audio to audio", "audio2audio", "reference", "img2img", "denoise")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteAudioReference", "strength"),
            "optional": SOURCES,
            "hidden": HIDDEN,
        }

    def describe(self, strength: float, **others: Any) -> tuple[TaskAsked]:
        with host.errors_of(self.TITLE):
            return (TaskAsked(core.Follow(strength), _given(others)),)
