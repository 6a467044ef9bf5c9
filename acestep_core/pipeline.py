"""ACEStep: load once, generate many. What scripts and the command line use.

    Recipe -> tags, lyrics -> branches -> plan -> run -> Latent -> decode -> waveform

`make` is the step in the middle and all that a host needs: conditions and a recipe in, a
latent out.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from .conditions.branches import branches, branches_of_each, edit_branches, predicting
from .conditions.tags import encode_tags
from .config import OUTPUT_RATE, SAMPLE_RATE
from .lyrics import tokenise
from .lyrics.vocabulary import Vocabulary
from .networks.memory import Part, attention_bytes
from .networks.transformer import Transformer
from .sampling.guidance import Predict, branches_of
from .sampling.loop import See, run
from .sampling.noise import Noise
from .sampling.schedule import Step
from .settings import CORRECTED, SettingError
from .sound.audio import checked_wave, peak_of, resample, without_round_trip_tail
from .sound.codec import Codec
from .sound.flaws import MOST_OFFSET, offset_of
from .sound.loudness import CEILING, within_scale
from .sound.tiles import TILED, Heard, Tick, Tiles, no_tick
from .tasks.behaviours import BEHAVIOURS
from .tasks.kit import Kit
from .tasks.plans import frames_made, plan
from .types import (
    Edit,
    Follow,
    Latent,
    Lyrics,
    Recipe,
    Retake,
    Source,
    Tags,
    TextToMusic,
)
from .weights.checkpoint import recognise
from .weights.lora import Applied, with_adapters
from .weights.model import Model, Placing, Precision, load
from .weights.shared import Weights

log = logging.getLogger(__name__)

SHORTEST = 5.0  # seconds; hosted services make no shorter clips
SILENCE = 1e-4  # peak below which a clip is called silent


@dataclass(frozen=True)
class Made:
    """A result and what it took."""

    latent: Latent
    recipe: Recipe
    lyrics: Lyrics
    times: dict[str, float] = field(default_factory=dict)  # seconds by stage
    warnings: tuple[str, ...] = ()


def unseen(step: Step, x: Tensor, velocity: Tensor) -> None:
    """Nobody is watching."""


def make(
    model: Model,
    tags: Tags,
    lyrics: Lyrics,
    recipe: Recipe,
    see: See = unseen,
    source: Source | None = None,
) -> Latent:
    """Sample a recipe under these conditions. The same inputs give the same latent anywhere.

    In turn: guidance branches one after the other, and the items of a batch too, each then to
    the last bit what it would be alone.
    """
    if _in_turn(recipe):
        items = zip(items_of(recipe), sources_of(source, len(recipe.seeds)), strict=True)
        alone = (make(model, tags, lyrics, one, see, own).z for one, own in items)
        return Latent(torch.cat(list(alone)))
    part, items = model.transformer, len(recipe.seeds)
    with (
        torch.inference_mode(),
        part.use(forecast(model, tags, lyrics, recipe, source)) as network,
    ):

        def ask(tags: Tags, lyrics: Lyrics) -> Predict:
            tags, lyrics = placed(tags, lyrics, part)
            if isinstance(recipe.task, Edit) and not recipe.task.extended:
                prepared = edit_branches(network, tags, lyrics, items)
            else:
                prepared = branches(network, tags, lyrics, recipe.guidance, items)
            return predicting(network, prepared, part.dtype, not recipe.in_turn)

        known = None
        if isinstance(recipe.task, Edit):
            assert source, "an edit works on a source"
            assert source.tags, "an edit needs to know what its source is"
            assert source.lyrics, "an edit needs to know what is sung in its source"
            known = ask(source.tags, source.lyrics)
        kit = replace(_kit(recipe, ask(tags, lyrics), see, known), device=part.device)
        planned = plan(recipe.task, kit, source)
        z = run(planned.stages, planned.canvas)
    # Left inference mode: a host may want to work on the result.
    return Latent(z.float().cpu().clone())


def make_each(
    model: Model, words: Sequence[tuple[Tags, Lyrics]], recipe: Recipe, see: See = unseen
) -> Latent:
    """Clips made together, each from tags and lyrics of its own: those of its seed's place.

    The recipe's own words are not read, and its task has no source.
    """
    if _in_turn(recipe):
        items = zip(words, items_of(recipe), strict=True)
        return Latent(torch.cat([make(model, *own, one, see).z for own, one in items]))
    part = model.transformer
    room = max(forecast(model, tags, lyrics, recipe) for tags, lyrics in words)
    with torch.inference_mode(), part.use(room) as network:
        here = [placed(tags, lyrics, part) for tags, lyrics in words]
        prepared = branches_of_each(network, here, recipe.guidance)
        predict = predicting(network, prepared, part.dtype, not recipe.in_turn)
        kit = replace(_kit(recipe, predict, see, None), device=part.device)
        planned = plan(recipe.task, kit)
        z = run(planned.stages, planned.canvas)
    return Latent(z.float().cpu().clone())


def items_of(recipe: Recipe) -> Iterator[Recipe]:
    """A batch as recipes of one item each."""
    recipe = resolved(recipe)
    for index, seed in enumerate(recipe.seeds):
        retake = recipe.retake_seeds[index : index + 1]
        yield replace(recipe, seeds=(seed,), retake_seeds=retake)


def sources_of(source: Source | None, count: int) -> list[Source | None]:
    """What each item of a batch works on: the one source, or its own of as many."""
    if source is None or len(source.latent.z) == 1:
        return [source] * count
    return [replace(source, latent=Latent(z[None])) for z in source.latent.z]


def forecast(
    model: Model, tags: Tags, lyrics: Lyrics, recipe: Recipe, source: Source | None = None
) -> int:
    """Bytes that sampling will need beside the weights."""
    count = len(recipe.seeds) * (1 if recipe.in_turn else branches_of(recipe.guidance))
    tokens = 1 + tags.mask.shape[1] + lyrics.mask.shape[1]
    width, dtype = model.config.transformer.inner_dim, model.transformer.dtype
    return count * attention_bytes(frames_made(recipe.task, source), tokens, width, dtype)


def evaluations_of(recipe: Recipe, source: Source | None = None) -> int:
    """How often a run will ask the model: the length of its progress bar."""
    count = plan(recipe.task, _kit(recipe, _nothing, unseen, _nothing), source).evaluations
    return count * (len(recipe.seeds) if _in_turn(recipe) else 1)


def _in_turn(recipe: Recipe) -> bool:
    """Whether items run one by one, which some modes' batches cannot."""
    return recipe.in_turn and len(recipe.seeds) > 1 and BEHAVIOURS[recipe.compat].items_in_turn


def resolved(recipe: Recipe) -> Recipe:
    """The recipe with the seeds that will really be used."""
    noise = BEHAVIOURS[recipe.compat].noise(Noise(recipe.seeds, recipe.retake_seeds))
    uses_both = not isinstance(recipe.task, TextToMusic | Follow)
    return replace(recipe, retake_seeds=noise.retake_seeds if uses_both else ())


def _kit(recipe: Recipe, predict: Predict, see: See, source: Predict | None) -> Kit:
    noise = Noise(recipe.seeds, recipe.retake_seeds)
    behaviour = BEHAVIOURS[recipe.compat]
    return Kit(predict, recipe.guidance, recipe.sampling, noise, behaviour, see, source)


def _nothing(x: Tensor, step: Step, count: int) -> list[Tensor]:
    """A model that is never asked."""
    return [torch.zeros_like(x)] * count


def placed(tags: Tags, lyrics: Lyrics, part: Part[Transformer]) -> tuple[Tags, Lyrics]:
    """The conditions on the transformer's device, in its dtype."""
    device, dtype, weak = part.device, part.dtype, tags.weak_states
    return (
        replace(
            tags,
            states=tags.states.to(device, dtype),
            mask=tags.mask.to(device),
            weak_states=None if weak is None else weak.to(device, dtype),
        ),
        replace(lyrics, ids=lyrics.ids.to(device), mask=lyrics.mask.to(device)),
    )


def checked_output(wave: Tensor) -> list[str]:
    """Warnings about a decoded waveform; numbers that are none are an error."""
    return checked_levels(peak_of(wave), offset_of(wave))


def checked_levels(peak: float, offset: float) -> list[str]:
    """The same of its largest sample, and of how far it lies off the middle."""
    if not math.isfinite(peak):
        raise SettingError(
            "The decoded audio holds values that are not numbers. Decode in float32"
            " (DCAE dtype float32), or sample again with the transformer in float32 or bfloat16."
        )
    if peak < SILENCE:
        return [f"The clip is silent (peak {peak:.1e})."]
    if abs(offset) < MOST_OFFSET:
        return []
    return [
        f"The clip lies {offset:+.2f} of full scale off the middle (DC), which costs level and"
        " clicks where it is cut. Decode in float32, or sample again."
    ]


def delivered(wave: Tensor) -> tuple[Tensor, list[str]]:
    """Decoded clips (B, C, N) as they are handed out, and what is to be said of them.

    A clip over full scale, which a file would cut, is brought down; none is ever brought up.
    """
    warnings = checked_output(wave)
    clips, gains = zip(*map(within_scale, wave), strict=True)
    lowered = {number: gain for number, gain in enumerate(gains, start=1) if gain}
    if not lowered:
        return wave, warnings
    return torch.stack(clips), [*warnings, _brought_down(lowered, len(wave))]


def _brought_down(lowered: dict[int, float], count: int) -> str:
    """Number -> dB of the clips that were, of so many, in one sentence."""
    gains = ", ".join(f"{gain:.1f}" for gain in lowered.values())
    numbers = ", ".join(map(str, lowered))
    if len(lowered) > 1:
        return (
            f"Clips {numbers} were over full scale: their levels were brought down by {gains} dB,"
            f" to {CEILING:g} dBTP, so that nothing is cut."
        )
    which = f"Clip {numbers}" if count > 1 else "The clip"
    return (
        f"{which} was over full scale: its level was brought down by {gains} dB, to"
        f" {CEILING:g} dBTP, so that nothing is cut."
    )


def words_of(
    text: str, vocabulary: Vocabulary, language: str = "auto", compat: str = CORRECTED
) -> Lyrics:
    """Lyrics as tokens: what can be wrong with them is known without a model."""
    detector = BEHAVIOURS[compat].detector
    return tokenise(text, language=language, detector=detector, vocabulary=vocabulary)


class ACEStep:
    """A model and everything around it, for scripts."""

    def __init__(
        self, model: Model, vocabulary: Vocabulary | None = None, place: Path | None = None
    ) -> None:
        self.model, self.place = model, place  # where it was loaded from, if that is known
        self.vocabulary = vocabulary or Vocabulary.find()
        self.codec = Codec(model.dcae, model.vocoder, model.config.vocoder, model.sound)

    @classmethod
    def load(
        cls,
        *paths: str | Path,
        device: str = "cpu",
        precision: Precision | None = None,
        offload: bool = False,
        weights: Weights | None = None,
    ) -> ACEStep:
        """From a folder, a single file, or component files; `weights` are those that another
        process has loaded from there."""
        began = time.perf_counter()
        placing = Placing(torch.device(device), offload)
        fill = weights.filling() if weights else None
        model = load(recognise(*paths), precision, placing, fill)
        if weights:
            model = replace(model, adapters=weights.adapters)
        log.info(
            "Loaded %s: %.2f GB in %.1f s",
            model.name,
            model.bytes_kept / 1e9,
            time.perf_counter() - began,
        )
        return cls(model, Vocabulary.find(paths[0]), Path(paths[0]))

    def with_adapters(self, applied: list[Applied]) -> ACEStep:
        """Another pipeline with these adapters; this one stays as it is."""
        return self.with_model(with_adapters(self.model, applied)) if applied else self

    def with_model(self, model: Model) -> ACEStep:
        """Another pipeline around a changed model."""
        return ACEStep(model, self.vocabulary, self.place)

    def tags(self, text: str) -> Tags:
        with torch.inference_mode():
            return encode_tags(text, self.model.tokenizer, self.model.text_encoder)

    def lyrics(self, text: str, language: str = "auto", compat: str = CORRECTED) -> Lyrics:
        return words_of(text, self.vocabulary, language, compat)

    def cautions(self, recipe: Recipe) -> list[str]:
        """Why this model may not do what the recipe asks of it."""
        seconds = recipe.task.seconds if isinstance(recipe.task, TextToMusic | Retake) else None
        found = self.model.card.cautions(recipe.tags, recipe.lyrics, seconds)
        if seconds is not None and seconds < SHORTEST:
            found.append(f"{seconds:g} s is very short: music takes {SHORTEST:g} s or more.")
        return found

    def evaluations(self, recipe: Recipe, source: Source | None = None) -> int:
        """How often a run will ask the model: the length of its progress bar."""
        return evaluations_of(recipe, source)

    def generate(
        self,
        recipe: Recipe,
        see: See = unseen,
        source: Source | None = None,
        lyrics: Lyrics | None = None,
    ) -> Made:
        """Sample a recipe: conditions, then latents; decode() makes it sound.

        A task on a source needs it. `lyrics` are the recipe's, where they are tokenised already.
        """
        began = time.perf_counter()
        recipe = resolved(recipe)
        lyrics = lyrics or self.lyrics(recipe.lyrics, recipe.language, recipe.compat)
        tags = self.tags(recipe.tags)
        ready = time.perf_counter()
        latent = make(self.model, tags, lyrics, recipe, see, source)
        done = time.perf_counter()
        times = {"preprocess": ready - began, "diffusion": done - ready}
        log.info(
            "%.1f s of music, %d frames, in %.1f s", latent.seconds, latent.frames, done - ready
        )
        warnings = (*lyrics.warnings, *self.cautions(recipe))
        return Made(latent, recipe, lyrics, times, warnings)

    def decode(
        self,
        latent: Latent,
        rate: int = OUTPUT_RATE,
        tiles: Tiles = TILED,
        tick: Tick = no_tick,
        heard: Heard = None,
    ) -> Tensor:
        """-> waveform (B, 2, N) float32 at `rate`; where only some latent frames are to be heard,
        there may be zeros elsewhere."""
        with torch.inference_mode():
            wave = self.codec.decode(latent, tiles, tick, heard)
        wave = wave.clone() if wave.is_inference() else wave
        return resample(wave, SAMPLE_RATE, rate)

    def encode(self, wave: Tensor, rate: int, tiles: Tiles = TILED, tick: Tick = no_tick) -> Latent:
        """Waveform (C, N) or (B, C, N) at any rate -> latent.

        Clips this project made do not grow by a frame.
        """
        wave = resample(checked_wave("Audio", wave, rate), rate, SAMPLE_RATE)
        wave = without_round_trip_tail(wave)
        batch = [wave if wave.ndim == 3 else wave[None]]
        del wave  # nothing here holds it while it is encoded
        with torch.inference_mode():
            latent = self.codec.encode(batch.pop(), tiles, tick)
        return Latent(latent.z.clone())
