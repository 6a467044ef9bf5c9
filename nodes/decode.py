"""DCAE Decode and DCAE Encode: a latent to sound, and sound to a latent.

A latent that was sampled for a task brings the task along, and is put into its source.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from ..acestep_core.config import SAMPLE_RATE
from ..acestep_core.editing.request import Edited, Options
from ..acestep_core.pipeline import ACEStep, checked_levels, checked_output, delivered
from ..acestep_core.sound.audio import peak_of
from ..acestep_core.sound.flaws import listening
from ..acestep_core.sound.track import levels_of
from ..acestep_core.types import checked_latent
from . import host, shown, sound
from .task_socket import Given, Sampled, digest_of, finished, seeds_of
from .widgets import MODEL, widgets

log = logging.getLogger(__name__)


class DCAEDecode:
    TITLE = "DCAE Decode (ACE-Step)"
    DESCRIPTION = "Makes sound of a latent, in tiles that give exactly what the whole would give."
    SEARCH_ALIASES = ("vae decode audio", "vocoder", "latent to audio")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("AUDIO", "STRING")
    RETURN_NAMES = ("audio", "report")
    OUTPUT_TOOLTIPS = (
        "Stereo sound at the chosen rate, never over full scale; with a task, as the source is.",
        "Length, peak, what is wrong with the sound, and what a task changed.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        latent = {"tooltip": "From the Sampler, or a native sampler given an ACE-Step 1.0 latent."}
        return {
            "required": {**MODEL, "latent": ("LATENT", latent)},
            "optional": widgets("AceSuiteDCAEDecode", "sample_rate splice crossfade match_level"),
        }

    def show(self, **inputs: Any) -> dict[str, Any]:
        audio, report = self.decode(**inputs)
        facts = {**shown.of_sound(sound.tracks_of(audio)[0])}
        if about := shown.about(audio):
            facts["warnings"], facts["edits"] = list(about.warnings), shown.of_edits(about.reports)
        return shown.shown((audio, report), facts)

    def decode(
        self,
        model: ACEStep,
        latent: sound.Samples,
        sample_rate: int = SAMPLE_RATE,
        **keeping: Any,
    ) -> tuple[sound.Audio, str]:
        with host.errors_of(self.TITLE):
            audio, report = decoded(model, latent, sample_rate, Options(**keeping))
            return audio, "\n".join(report)


def decoded(
    model: ACEStep, latent: sound.Samples, rate: int, options: Options | None = None
) -> tuple[sound.Audio, list[str]]:
    """The sound of a LATENT, put into its source where it was sampled for one, and the report."""
    z, sampled = checked_latent(latent["samples"]), latent.get(sound.KEY)
    notes: list[str] = []
    reports, source = (), None
    if isinstance(sampled, Sampled) and sampled.digest != digest_of(latent["samples"]):
        sampled = None
        notes.append(
            "Warning: the latent was changed after the Sampler, so it is no longer what its task"
            " made. It is decoded whole and not put into its source."
        )
    with sound.not_lost(z):
        if isinstance(sampled, Sampled):
            edited = finished(model, sampled, z, options)
            reports, source = edited.reports, sampled.asked.given
            audio, peak, said = _put_together(edited, source)
        else:
            with listening() as flaws:
                made = sound.decoded(model, z, rate)
            wave, said = delivered(made)
            said += flaws
            audio, peak = sound.audio_of(wave, rate), peak_of(wave)
        notes += said
    for note in notes:
        log.warning(note)
    about = f"{sound.seconds_of(audio):.3f} s at {audio['sample_rate']} Hz, peak {peak:.3f}"
    # For the nodes that save and play it: the Sampler could not know.
    audio = shown.told(
        audio,
        seeds=seeds_of(latent),
        reports=reports,
        warnings=tuple(notes),
        source=source.source_audio if source else None,
        options=(options or Options()) if isinstance(sampled, Sampled) else None,
        model=model.place,
        latent=z,
    )
    return audio, [about, *notes, *(report.text() for report in reports)]


def _put_together(edited: Edited, source: Given | None) -> tuple[sound.Audio, float, list[str]]:
    """The takes as AUDIO, streamed where their source is; their peak, and what is wrong with them.
    The levels of new parts stand in the reports."""
    if source and isinstance(source.source_audio, sound.Streamed):
        peaks, offsets = zip(*(levels_of(sound.Watched(t)) for t in edited.tracks), strict=True)
        peak = sum(peaks) if math.isnan(sum(peaks)) else max(peaks)
        said = checked_levels(peak, max(offsets, key=abs))
        return sound.Streamed(edited.tracks), peak, said
    wave = sound.stacked(edited.tracks)
    return sound.audio_of(wave, edited.rate), peak_of(wave), checked_output(wave)


class DCAEEncode:
    TITLE = "DCAE Encode (ACE-Step)"
    DESCRIPTION = (
        "Makes a latent of sound: the source of a task, encoded once and kept while other"
        " settings change."
    )
    SEARCH_ALIASES = ("vae encode audio", "audio to latent", "source")
    FUNCTION = "encode"
    RETURN_TYPES = ("LATENT",)
    RETURN_NAMES = ("latent",)
    OUTPUT_TOOLTIPS = ("For the source_latent of a task, or ComfyUI's own ACE-Step 1.0 nodes.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        audio = {"tooltip": "Mono or stereo at any rate, one clip or a batch."}
        return {"required": {**MODEL, "audio": ("AUDIO", audio)}}

    def encode(self, model: ACEStep, audio: sound.Audio) -> tuple[sound.Samples]:
        with host.errors_of(self.TITLE):
            latent = sound.encoded(model, [audio["waveform"]], int(audio["sample_rate"]))
            return (sound.latent_out(latent),)
