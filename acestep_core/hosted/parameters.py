"""What the hosted endpoints take: every name, range and default, written once.

    ENDPOINTS -> requests.py (checks) -> openapi.py (document) -> graphs.py (inputs of a node)

Names are the services' own. A parameter with `is_for_node` False is about the answer alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..writer import MOST_SEED

Kind: TypeAlias = Literal["audio", "text", "number", "integer", "switch", "choice"]
Value: TypeAlias = "str | int | float | bool | None"

FULL_CONTROL = "full-control"  # name of the endpoint that fal has
PICK = -1  # as a seed: choose one and report it
LONGEST_TAGS, LONGEST_LYRICS = 5_000, 20_000  # characters


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: Kind
    default: Value = None
    is_required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    longest: int = 0  # characters of a text
    about: str = ""
    is_for_node: bool = True
    is_never_true: bool = False  # a switch that is known, and not offered

    @property
    def allowed(self) -> str:
        """What may be given, for people."""
        if self.kind == "audio":
            return (
                "a name in ComfyUI's input folder, a data: URI, an https URL (where they are"
                " switched on) or an uploaded file"
            )
        if self.kind == "switch":
            return "false; true is not offered here" if self.is_never_true else "true or false"
        if self.kind == "choice":
            return "one of: " + ", ".join(self.choices)
        if self.kind == "text":
            least = "1" if self.is_required else "0"
            return f"a text of {least} to {self.longest} characters"
        number = "a whole number" if self.kind == "integer" else "a number"
        return f"{number} from {self.low:g} to {self.high:.10g}"


def _audio(name: str) -> Parameter:
    about = "The source, up to 60 minutes: MP3, WAV, FLAC, OGG, M4A."
    return Parameter(name, "audio", is_required=True, about=about)


def _words(name: str, about: str) -> Parameter:
    return Parameter(name, "text", is_required=True, longest=LONGEST_TAGS, about=about)


def _lyrics(name: str, about: str) -> Parameter:
    text = f"{about} Nothing, [inst] or [instrumental]: no vocals."
    return Parameter(name, "text", "", longest=LONGEST_LYRICS, about=text)


def _number(name: str, default: float, low: float, high: float, about: str) -> Parameter:
    return Parameter(name, "number", default, low=low, high=high, about=about)


def _choice(name: str, choices: tuple[str, ...], about: str) -> Parameter:
    return Parameter(name, "choice", choices[0], choices=choices, about=about)


def _seed(name: str = "seed", default: int | None = PICK, about: str = "") -> Parameter:
    text = about or "-1 picks one; the answer says which."
    return Parameter(name, "integer", default, low=PICK, high=MOST_SEED, about=text)


TAGS = _words("tags", "Style and genre, parted by commas; of an edit, the style it gets.")
LYRICS = _lyrics("lyrics", "With marks such as [verse], [chorus], [bridge].")
SEED = _seed()
DURATION = _number("duration", 60, 5, 240, "Seconds.")
MODE = _choice(
    "edit_mode", ("remix", "lyrics"), "remix changes the style, lyrics the words; the rest stays."
)
ORIGINAL_TAGS = _words("original_tags", "What the source sounds like.")
ORIGINAL_LYRICS = _lyrics("original_lyrics", "What is sung in the source.")

# Of the answer, not of the music. The services know them; a script may send them.
ANSWER = (
    Parameter(
        "enable_sync_mode",
        "switch",
        False,
        about="Answer once the audio is there, instead of at once.",
        is_for_node=False,
    ),
    Parameter(
        "enable_base64_output",
        "switch",
        False,
        about="Audio within the answer; not offered, outputs are URLs.",
        is_for_node=False,
        is_never_true=True,
    ),
)
FAL_ANSWER = (
    Parameter(
        "sync_mode",
        "switch",
        False,
        about="Audio within the answer; not offered, the answer has a URL.",
        is_for_node=False,
        is_never_true=True,
    ),
)

REGION = (
    _choice("start_time_relative_to", ("start", "end"), "Where start_time counts from."),
    _number("start_time", 0, 0, 240, "Seconds; where the new part begins."),
    _choice("end_time_relative_to", ("start", "end"), "Where end_time counts from."),
    _number("end_time", 30, 0, 240, "Seconds; where the new part ends."),
)

SAMPLER_SETTINGS = (
    Parameter(
        "number_of_steps", "integer", 27, low=3, high=60, about="More are slower, seldom better."
    ),
    _seed(default=None, about="Without one, or with -1, one is picked and reported."),
    _seed("original_seed", None, "The seed the source was made with, where it is known."),
    _choice("scheduler", ("euler", "heun"), "How the steps are taken."),
    _choice("guidance_type", ("apg", "cfg", "cfg_star"), "How the prompt is followed."),
    Parameter(
        "granularity_scale", "integer", 10, low=-100, high=100, about="Strength of the mean shift."
    ),
    _number("guidance_interval", 0.5, 0, 1, "Share of the steps that are guided, in the middle."),
    _number("guidance_interval_decay", 0, 0, 1, "How far the scale falls in that interval."),
    _number("guidance_scale", 15, 0, 200, "How closely the prompt is followed."),
    _number("minimum_guidance_scale", 3, 0, 200, "Where the decay ends."),
    _number("tag_guidance_scale", 5, 0, 10, "Of the tags alone; above 1 with lyrics' above 1."),
    _number("lyric_guidance_scale", 1.5, 0, 10, "Of the lyrics alone; both above 1 to count."),
    Parameter(
        "extended",
        "switch",
        False,
        about="Not of the services: obey every setting. Else only number_of_steps and"
        " guidance_scale count, because the original's edit reads no others.",
    ),
)


@dataclass(frozen=True)
class Endpoint:
    """One kind of request, the node that does it and the graph the node is in."""

    name: str
    model: str  # as the records name it
    about: str
    node: str  # class_type in the graph
    graph: str  # workflows/api/GRAPH.json
    parameters: tuple[Parameter, ...]

    @property
    def source(self) -> Parameter | None:
        """The parameter that brings audio."""
        return next((one for one in self.parameters if one.kind == "audio"), None)

    def parameter(self, name: str) -> Parameter | None:
        return next((one for one in self.parameters if one.name == name), None)


ENDPOINTS = {
    one.name: one
    for one in (
        Endpoint(
            "text-to-audio",
            "ace-step",
            "Music from tags and lyrics.",
            "AceSuiteTextToAudio",
            "hosted_text_to_audio",
            (TAGS, LYRICS, DURATION, SEED, *ANSWER),
        ),
        Endpoint(
            "prompt-to-audio",
            "ace-step/prompt-to-audio",
            "Music from a sentence; tags and lyrics are written from it.",
            "AceSuitePromptToAudio",
            "hosted_prompt_to_audio",
            (
                _words("prompt", "The idea, in plain language."),
                Parameter("instrumental", "switch", False, about="Without vocals."),
                DURATION,
                SEED,
                *ANSWER,
            ),
        ),
        Endpoint(
            "audio-to-audio",
            "ace-step/audio-to-audio",
            "Another style or other words over the same song.",
            "AceSuiteAudioToAudio",
            "hosted_audio_to_audio",
            (
                _audio("audio"),
                ORIGINAL_TAGS,
                TAGS,
                MODE,
                ORIGINAL_LYRICS,
                LYRICS,
                SEED,
                *ANSWER,
            ),
        ),
        Endpoint(
            "audio-inpaint",
            "ace-step/audio-inpaint",
            "A part of a song made new; the rest stays sample for sample.",
            "AceSuiteAudioInpaint",
            "hosted_audio_inpaint",
            (
                _audio("audio"),
                TAGS,
                *REGION,
                LYRICS,
                SEED,
                _number("variance", 0.5, 0, 1, "How far the new part may be from the old one."),
                *ANSWER,
            ),
        ),
        Endpoint(
            "audio-outpaint",
            "ace-step/audio-outpaint",
            "A song made longer at either end.",
            "AceSuiteAudioOutpaint",
            "hosted_audio_outpaint",
            (
                _audio("audio"),
                TAGS,
                _number("extend_before_duration", 0, 0, 240, "Seconds before the beginning."),
                _number("extend_after_duration", 30, 0, 240, "Seconds after the end."),
                LYRICS,
                SEED,
                *ANSWER,
            ),
        ),
        Endpoint(
            FULL_CONTROL,
            "fal-ai/ace-step/audio-to-audio",
            "Audio to audio with every setting of the sampler.",
            "AceSuiteAudioToAudio",
            "hosted_full_control",
            (
                _audio("audio_url"),
                MODE,
                ORIGINAL_TAGS,
                ORIGINAL_LYRICS,
                TAGS,
                LYRICS,
                *SAMPLER_SETTINGS,
                *FAL_ANSWER,
            ),
        ),
    )
}
