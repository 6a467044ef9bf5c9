"""One song of the model made in place, its phases timed one by one.

    tags -> states | lyrics -> branches | noise -> latent, evaluation by evaluation | -> wave

A step asks all guidance branches inside the guidance window and one outside: the two kinds are
told apart. The first run only warms up.
"""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median

import torch

from acestep_core.conditions.branches import branches
from acestep_core.conditions.tags import encode_tags
from acestep_core.pipeline import make, placed
from acestep_core.sampling.guidance import GuidanceWindow
from acestep_core.sampling.schedule import Step
from acestep_core.sound.codec import Codec
from acestep_core.types import Guidance, Latent, Lyrics, Recipe, Sampling, Tags, TextToMusic
from acestep_core.weights.model import Model

from .card import Card
from .parts import Found, Trial

TAGS = "pop, piano, female voice, warm, 120 bpm, verse and chorus"
Given = tuple[Tags, Lyrics]


def song(trial: Trial) -> Found:
    found, model, card, sizes = Found(), trial.made(), trial.card, trial.sizes
    given, recipe = conditions(trial, model), recipe_of(sizes.seconds, sizes.steps)
    text = card.timed(lambda: tags_of(model), sizes.repeats).median
    prepared = card.timed(lambda: prepare(model, given, recipe.guidance), sizes.repeats).median
    began = time.perf_counter()
    whole(model, given, recipe, trial)
    cold = time.perf_counter() - began
    trial.needs(1.2 * cold, f"the song again, after a first one of {cold:.1f} s")
    with card.memory() as sampling:
        latent, watch = sampled(trial, model, given, recipe)
    with card.memory() as sounding:
        wave, sound = decoded(card, codec_of(model), latent)
    trial.song = text + watch.whole + sound
    guided, plain = (middle(watch.seconds(kind)) for kind in (True, False))
    found.lines += [
        f"{latent.seconds:.1f} s of music in {sizes.steps} steps, {trial.card.name}:"
        f" {trial.song:.2f} s ({latent.seconds / trial.song:.1f} times as fast as it plays);"
        f" the first time {cold:.2f} s",
        f"text {1000 * text:.1f} ms, lyrics and guidance branches {1000 * prepared:.1f} ms",
        f"denoising {watch.whole:.2f} s: {spoken(guided)} a step with all branches,"
        f" {spoken(plain)} with one",
        f"decoding {sound:.2f} s",
        f"peak memory: sampling {sampling.said}; decoding {sounding.said}",
    ]
    found.figures = {
        "seconds": latent.seconds,
        "steps": sizes.steps,
        "guided_step_s": guided,
        "plain_step_s": plain,
        "sampling_peak": sampling.bytes,
        "decoding_peak": sounding.bytes,
        **rounded(song=trial.song, cold=cold, text=text, lyrics=prepared),
        **rounded(denoise=watch.whole, decode=sound),
    }
    if not bool(torch.isfinite(wave).all()):
        found.wrong.append("the wave holds values that are not numbers")
    return found


class Watch:
    """Marks every evaluation of the transformer: a See."""

    def __init__(self, card: Card, guidance: Guidance, steps: int) -> None:
        self.card, self.window = card, GuidanceWindow.of(guidance, steps)
        self.marks, self.indices = [card.mark()], []

    def __call__(self, step: Step, x: torch.Tensor, velocity: torch.Tensor) -> None:
        self.marks.append(self.card.mark())
        self.indices.append(step.index)

    def seconds(self, guided: bool) -> list[float]:
        """Of the steps whose branches are all asked, or of the others. The first is left out:
        it includes the conditions."""
        return [
            self.card.between(self.marks[place], self.marks[place + 1])
            for place, index in enumerate(self.indices)
            if place and (index in self.window) == guided
        ]

    @property
    def whole(self) -> float:
        return self.card.between(self.marks[0], self.marks[-1])


def rounded(**seconds: float) -> dict[str, float]:
    return {f"{name}_s": round(value, 5) for name, value in seconds.items()}


def middle(times: list[float]) -> float | None:
    return round(median(times), 5) if times else None


def spoken(seconds: float | None) -> str:
    return "not seen" if seconds is None else f"{1000 * seconds:.1f} ms"


def conditions(trial: Trial, model: Model) -> Given:
    return tags_of(model), lyrics_of(trial)


def tags_of(model: Model) -> Tags:
    with torch.inference_mode():
        return encode_tags(TAGS, model.tokenizer, model.text_encoder)


def lyrics_of(trial: Trial) -> Lyrics:
    """Random tokens: real ones need the vocabulary, and cost the same."""
    count = trial.sizes.config.transformer.lyric_encoder_vocab_size
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(3, count, (1, trial.sizes.tokens), generator=draw).to(trial.card.device)
    return Lyrics(ids, torch.ones_like(ids))


def prepare(model: Model, given: Given, guidance: Guidance) -> None:
    """What is computed once for all steps."""
    with torch.inference_mode(), model.transformer.use() as network:
        branches(network, *placed(*given, model.transformer), guidance)


def recipe_of(seconds: float, steps: int, guidance: Guidance | None = None) -> Recipe:
    sampling = Sampling(steps)
    return Recipe(TAGS, "", TextToMusic(seconds), guidance or Guidance(), sampling, (1,))


def sampled(
    trial: Trial, model: Model, given: Given, recipe: Recipe, together: bool = True
) -> tuple[Latent, Watch]:
    """A latent, and when its evaluations came."""
    watch = Watch(trial.card, recipe.guidance, recipe.sampling.steps)
    return make(model, *given, replace(recipe, in_turn=not together), watch), watch


def codec_of(model: Model) -> Codec:
    return Codec(model.dcae, model.vocoder, model.config.vocoder, model.sound)


def decoded(card: Card, codec: Codec, latent: Latent) -> tuple[torch.Tensor, float]:
    """A wave, and the seconds that it took."""
    first = card.mark()
    with torch.inference_mode():
        wave = codec.decode(latent)
    return wave, card.between(first, card.mark())


def whole(model: Model, given: Given, recipe: Recipe, trial: Trial) -> None:
    latent, _ = sampled(trial, model, given, recipe)
    decoded(trial.card, codec_of(model), latent)
