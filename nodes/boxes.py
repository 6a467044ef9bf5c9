"""The hosted endpoints, one box each, under the names, ranges and defaults of those services.

    hosted parameters -> words, task -> sampled -> decoded

A box is what the small nodes do, one after the other, with the preset "fal" for what it has
no input for; a model whose card recommends settings of its own is asked with those.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..acestep_core.config import MAX_SECONDS, SAMPLE_RATE
from ..acestep_core.faces import offered_at
from ..acestep_core.lyrics.sections import INSTRUMENTAL, hosted_lyrics
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.presets import PRESETS, Preset
from ..acestep_core.settings import (
    EDIT_MODES,
    SettingError,
    checked,
    checked_whole,
    chosen_from,
)
from ..acestep_core.tasks.region import resolve
from ..acestep_core.types import Edit, Extend, Guidance, Inpaint, Region, Sampling
from ..acestep_core.writer import write_song
from . import host, sound
from .decode import decoded
from .drawn import HIDDEN, drawn, file_of
from .sampler import Asked, info_of, notes_of, sampled, with_notes
from .settings import GuidanceSettings
from .task_socket import Given, TaskAsked
from .tasks import FEATHER
from .widgets import MODEL, Inputs, widgets
from .words import about

FAL = PRESETS["fal"]
EDIT = "AceSuiteAudioToAudio"
CONTROLS = (
    "number_of_steps scheduler guidance_type granularity_scale guidance_interval"
    " guidance_interval_decay guidance_scale minimum_guidance_scale tag_guidance_scale"
    " lyric_guidance_scale extended"
)
READ_ALWAYS = {"number_of_steps", "guidance_scale"}  # also by an edit that is not extended
# What guiding tags and lyrics apart leaves unread.
REPLACED = {"guidance_type", "guidance_scale", "guidance_interval_decay", "minimum_guidance_scale"}

Results = tuple[sound.Audio, sound.Samples, str, str, str, str]
Values = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a box makes of its inputs: the words as they are used, and how they are sampled."""

    tags: str
    lyrics: str
    seconds: float = MAX_SECONDS  # of a clip without a source
    task: TaskAsked | None = None
    guidance: Guidance | None = None  # None: as usual for the model
    sampling: Sampling | None = None
    notes: list[str] = field(default_factory=list)


class OneBox:
    """What the five have in common."""

    TITLE = ""
    IS_DRAWN = False  # the page draws the source on it
    FUNCTION = "make"
    RETURN_TYPES = ("AUDIO", "LATENT", "STRING", "STRING", "STRING", "STRING")
    RETURN_NAMES = ("audio", "latent", "info", "report", "tags", "lyrics")
    OUTPUT_TOOLTIPS = (
        "The result; made of a source, it has the source's rate and number of channels.",
        "What was sampled, in the model's own space; of a source over 240 s the part worked on.",
        "JSON of the run, for Save Audio: seeds, every setting, warnings.",
        "Length, peak, what changed, and which inputs were without effect.",
        "The tags as they were used.",
        "The lyrics as they were used; [inst] is no singing.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        raise NotImplementedError

    def make(self, model: ACEStep, **given: Any) -> tuple[Any, ...] | dict[str, Any]:
        with host.errors_of(self.TITLE):
            values = _complete(self.INPUT_TYPES(), given)
            if "audio" in values:  # of the others' inputs, prompt is a sentence
                values["file"] = file_of(given.get("prompt"), given.get("unique_id"), "audio")
            wanted = self.wanted(model, values)
            results = _results(model, wanted, values["seed"])
            return drawn(results, wanted.task.given if self.IS_DRAWN and wanted.task else None)

    def wanted(self, model: ACEStep, values: Values) -> Wanted:
        raise NotImplementedError


def _source(values: Values) -> Given:
    return Given(values["audio"], file=values.get("file", ""))


def _complete(inputs: dict[str, Inputs], given: Values) -> Values:
    """The inputs with the defaults of those left out, each in the range its widget shows."""
    values: Values = {}
    for group in ("required", "optional"):
        for name, (kind, options) in inputs[group].items():
            values[name] = given.get(name, options.get("default"))
            if values[name] is not None:
                _check(name, values[name], kind, options)
            if kind == "STRING" and group == "required" and not values[name].strip():
                raise SettingError(f"{name} is empty. Describe the music in a few words.")
    return values


def _check(name: str, value: Any, kind: Any, options: Values) -> None:
    if kind == "AUDIO":
        sound.one_clip(name, value)
    elif kind == "INT":
        checked_whole(name, value, options["min"], options["max"])
    elif kind == "FLOAT":
        checked(name, value, options["min"], options["max"])
    elif isinstance(kind, list):
        chosen_from(name, value, kind)


def usual_of(model: ACEStep) -> Preset:
    """The services' own settings, or those of a model that recommends others than the released."""
    own = model.model.card.recommended
    return own if own != PRESETS["original"] else FAL


def _results(model: ACEStep, wanted: Wanted, seed: int) -> Results:
    """What the small nodes make of it."""
    words = model.tags(wanted.tags), model.lyrics(wanted.lyrics)
    usual = usual_of(model)
    asked = Asked(
        seed,
        wanted.seconds,
        batch_size=1,
        guidance_settings=GuidanceSettings(wanted.guidance or usual.guidance),
        schedule=wanted.sampling or usual.sampling,
    )
    latent, record = sampled(model, words, asked, wanted.task)
    audio, report = decoded(model, latent, SAMPLE_RATE)
    # A box has no sockets for these two: that they replace widgets concerns nobody here.
    notes = [note for note in notes_of(record) if note not in asked.overridden()]
    info = info_of(with_notes(record, [*notes, *wanted.notes]))
    text = "\n".join([*report, *(f"Note: {note}" for note in wanted.notes)])
    return audio, latent, info, text, wanted.tags, wanted.lyrics


class TextToAudio(OneBox):
    TITLE = "Text to Audio (ACE-Step)"
    DESCRIPTION = "A song from tags and lyrics in one box, as the hosted endpoint makes it."
    SEARCH_ALIASES = ("text to music", "hosted", "api", "wavespeed", "one box")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {**MODEL, **widgets("AceSuiteTextToAudio", "tags seed")},
            "optional": widgets("AceSuiteTextToAudio", "lyrics duration"),
        }

    def wanted(self, model: ACEStep, values: Values) -> Wanted:
        return Wanted(values["tags"], hosted_lyrics(values["lyrics"]), values["duration"])


class PromptToAudio(OneBox):
    TITLE = "Prompt to Audio (ACE-Step)"
    DESCRIPTION = "A song from a sentence: tags and lyrics are written first, then sung."
    SEARCH_ALIASES = ("prompt to song", "hosted", "api", "wavespeed", "one box")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {**MODEL, **widgets("AceSuitePromptToAudio", "prompt seed")},
            "optional": widgets("AceSuitePromptToAudio", "instrumental duration back_end"),
        }

    def wanted(self, model: ACEStep, values: Values) -> Wanted:
        asked = {name: values[name] for name in ("seed", "instrumental", "back_end", "duration")}
        song = write_song(values["prompt"], **asked)
        return Wanted(song.tags, song.lyrics, values["duration"], notes=about(song))


class AudioToAudio(OneBox):
    TITLE = "Audio to Audio (ACE-Step)"
    DESCRIPTION = "Another style (remix) or other words (lyrics) for a song, in one box."
    SEARCH_ALIASES = ("remix", "lyric edit", "hosted", "api", "fal", "wavespeed", "one box")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {**MODEL, **AUDIO, **widgets(EDIT, "original_tags tags seed")},
            "optional": {
                **widgets(EDIT, "edit_mode original_lyrics lyrics"),
                **_controls(),
                **widgets(EDIT, "original_seed"),
            },
            "hidden": HIDDEN,
        }

    def wanted(self, model: ACEStep, values: Values) -> Wanted:
        length = sound.seconds_of(values["audio"])
        fix = "Cut it; or edit a part of it with Remix / Edit and a mask."
        checked("Length of audio (seconds)", length, 0, MAX_SECONDS, fix)
        before, lyrics = (hosted_lyrics(values[name]) for name in ("original_lyrics", "lyrics"))
        words = model.tags(values["original_tags"]), model.lyrics(before)
        edit = Edit(*EDIT_MODES[values["edit_mode"]], extended=values["extended"])
        task = TaskAsked(edit, _source(values), values["original_seed"], words)
        notes = [*_falls_silent(before, lyrics), *_without_effect(values)]
        return Wanted(
            values["tags"],
            lyrics,
            task=task,
            guidance=_guidance(values),
            sampling=_sampling(values),
            notes=notes,
        )


def _guidance(values: Values) -> Guidance:
    return replace(
        FAL.guidance,
        kind=values["guidance_type"],
        scale=values["guidance_scale"],
        interval=values["guidance_interval"],
        decay=values["guidance_interval_decay"],
        min_scale=values["minimum_guidance_scale"],
        text_scale=values["tag_guidance_scale"],
        lyric_scale=values["lyric_guidance_scale"],
    )


def _sampling(values: Values) -> Sampling:
    return Sampling(values["number_of_steps"], values["scheduler"], values["granularity_scale"])


def _falls_silent(before: str, lyrics: str) -> list[str]:
    if lyrics != INSTRUMENTAL or before == INSTRUMENTAL:
        return []
    return [
        "lyrics is empty or [inst], which means that nothing is sung any more. To keep the"
        " words, repeat original_lyrics."
    ]


def _without_effect(values: Values) -> list[str]:
    """Which of the inputs that were changed do nothing, in words."""
    names = CONTROLS.split()
    changed = {name for name in names if values[name] != offered_at(EDIT)[name].default}
    if not values["extended"]:
        idle = changed - READ_ALWAYS
        reason = "the original's edit does not read them; switch extended on to have them obeyed"
    elif _guidance(values).is_double:
        idle = changed & REPLACED
        reason = "tag_guidance_scale and lyric_guidance_scale above 1 take their place"
    else:
        return []
    told = ", ".join(name for name in names if name in idle)
    return [f"Without effect here: {told} ({reason})."] if idle else []


class AudioInpaint(OneBox):
    TITLE = "Audio Inpaint (ACE-Step)"
    DESCRIPTION = "A part of a song made new in one box; the rest stays, sample for sample."
    SEARCH_ALIASES = ("repaint", "region", "hosted", "api", "wavespeed", "one box")
    IS_DRAWN = HAS_INTERMEDIATE_OUTPUT = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {**MODEL, **AUDIO, **widgets("AceSuiteAudioInpaint", "tags seed")},
            "optional": widgets(
                "AceSuiteAudioInpaint",
                "start_time_relative_to start_time end_time_relative_to end_time lyrics variance"
                " original_seed",
            ),
            "hidden": HIDDEN,
        }

    def wanted(self, model: ACEStep, values: Values) -> Wanted:
        region = Region(
            values["start_time"],
            values["end_time"],
            values["start_time_relative_to"],
            values["end_time_relative_to"],
            FEATHER,
        )
        given = _source(values)
        resolve((region,), given.seconds)  # what does not fit the clip is refused here
        task = TaskAsked(Inpaint((region,), values["variance"]), given, values["original_seed"])
        return Wanted(values["tags"], hosted_lyrics(values["lyrics"]), task=task)


class AudioOutpaint(OneBox):
    TITLE = "Audio Outpaint (ACE-Step)"
    DESCRIPTION = "New music before a song, after it, or both, in one box; the song itself stays."
    SEARCH_ALIASES = ("extend", "continue", "longer", "hosted", "api", "fal", "one box")
    IS_DRAWN = HAS_INTERMEDIATE_OUTPUT = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {**MODEL, **AUDIO, **widgets("AceSuiteAudioOutpaint", "tags seed")},
            "optional": widgets(
                "AceSuiteAudioOutpaint",
                "extend_before_duration extend_after_duration lyrics original_seed",
            ),
            "hidden": HIDDEN,
        }

    def wanted(self, model: ACEStep, values: Values) -> Wanted:
        before, after = values["extend_before_duration"], values["extend_after_duration"]
        task = TaskAsked(Extend(before, after), _source(values), values["original_seed"])
        return Wanted(values["tags"], hosted_lyrics(values["lyrics"]), task=task)


AUDIO: Inputs = {
    "audio": ("AUDIO", {"tooltip": "The clip: mono or stereo, any rate, up to 60 minutes."}),
}


def _controls() -> Inputs:
    """The sampler's settings, with what most of them are worth without `extended`."""
    inputs = widgets(EDIT, CONTROLS)
    for name in set(inputs) - {*READ_ALWAYS, "extended"}:
        inputs[name][1]["tooltip"] += " Without effect unless extended is on."
    return inputs
