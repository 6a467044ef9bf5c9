"""What the hosted endpoints take, of the table of settings, and what is about the answer alone.

    settings -> ENDPOINTS -> requests.py (checks) -> openapi.py (document) -> graphs.py (a node)

Names are the services' own. A parameter with `is_for_node` False is about the answer alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..config import LONGEST_SOURCE
from ..faces import Offered, offered_at
from ..settings import FULL_CONTROL, Value

Kind: TypeAlias = Literal["audio", "text", "number", "integer", "switch", "choice"]
KINDS: dict[str, Kind] = {
    "number": "number",
    "whole": "integer",
    "switch": "switch",
    "choice": "choice",
    "text": "text",
    "words": "text",
}


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
    about = f"The source, up to {LONGEST_SOURCE / 60:g} minutes: MP3, WAV, FLAC, OGG, M4A."
    return Parameter(name, "audio", is_required=True, about=about)


def _parameter(one: Offered) -> Parameter:
    """A setting of the table as the endpoints have it; words without a default are required."""
    is_text = one.kind in ("text", "words")
    return Parameter(
        one.name,
        KINDS[one.kind],
        one.default,
        is_required=is_text and one.default is None,
        low=one.low,
        high=None if is_text else one.high,
        choices=one.choices,
        longest=int(one.high or 0) if is_text else 0,
        about=one.about,
    )


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


def _endpoint(name: str, model: str, node: str, about: str, order: str) -> Endpoint:
    """`order`: names of the parameters, of which only the audio is no setting."""
    known = offered_at(name)
    parameters = [_parameter(known[one]) if one in known else _audio(one) for one in order.split()]
    answer = FAL_ANSWER if name == FULL_CONTROL else ANSWER
    graph = "hosted_" + name.replace("-", "_")
    return Endpoint(name, model, about, node, graph, (*parameters, *answer))


ENDPOINTS = {
    one.name: one
    for one in (
        _endpoint(
            "text-to-audio",
            "ace-step",
            "AceSuiteTextToAudio",
            "Music from tags and lyrics.",
            "tags lyrics duration seed",
        ),
        _endpoint(
            "prompt-to-audio",
            "ace-step/prompt-to-audio",
            "AceSuitePromptToAudio",
            "Music from a sentence; tags and lyrics are written from it.",
            "prompt instrumental duration seed",
        ),
        _endpoint(
            "audio-to-audio",
            "ace-step/audio-to-audio",
            "AceSuiteAudioToAudio",
            "Another style or other words over the same song.",
            "audio original_tags tags edit_mode original_lyrics lyrics seed",
        ),
        _endpoint(
            "audio-inpaint",
            "ace-step/audio-inpaint",
            "AceSuiteAudioInpaint",
            "A part of a song made new; the rest stays sample for sample.",
            "audio tags start_time_relative_to start_time end_time_relative_to end_time lyrics"
            " seed variance",
        ),
        _endpoint(
            "audio-outpaint",
            "ace-step/audio-outpaint",
            "AceSuiteAudioOutpaint",
            "A song made longer at either end.",
            "audio tags extend_before_duration extend_after_duration lyrics seed",
        ),
        _endpoint(
            FULL_CONTROL,
            "fal-ai/ace-step/audio-to-audio",
            "AceSuiteAudioToAudio",
            "Audio to audio with every setting of the sampler.",
            "audio_url edit_mode original_tags original_lyrics tags lyrics number_of_steps seed"
            " original_seed scheduler guidance_type granularity_scale guidance_interval"
            " guidance_interval_decay guidance_scale minimum_guidance_scale tag_guidance_scale"
            " lyric_guidance_scale extended",
        ),
    )
}
