"""The small trained model, from tags to sound, beside the same on the CPU.

recipe -> latent on the card (float32, TF32 off)   within the limit of recorded samplings
       -> latent on the card (bfloat16)            error at most twice the CPU's in bfloat16
latent -> log-mel and wave on the card
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from acestep_core.pipeline import ACEStep, checked_output
from acestep_core.types import Latent, Recipe, Sampling, TextToMusic
from acestep_core.weights import small
from acestep_core.weights.model import Precision
from tests.golden_cases import LIMITS

from .card import exact, one_thread
from .parts import Found, Skip, Trial
from .recorded import computes_bfloat16

CPU = torch.device("cpu")


def beside_the_cpu(trial: Trial) -> Found:
    if not small.is_here():
        raise Skip(f"{small.FOLDER.name} is not complete")
    with one_thread():
        return compared(trial)


def compared(trial: Trial) -> Found:
    found, here = Found(), loaded(CPU, Precision.full())
    recipe = recipe_of(*trial.sizes.small)
    plain = here.generate(recipe).latent
    with exact():
        began = time.perf_counter()
        there = loaded(trial.card.device, Precision.full())
        found.figures["load_s"] = round(time.perf_counter() - began, 2)
        began = time.perf_counter()
        made = there.generate(recipe).latent
        took = time.perf_counter() - began
        picture = distance(there.codec.decode_mel(plain), here.codec.decode_mel(plain))
    error = distance(made.z, plain.z)
    found.lines.append(
        f"float32, {plain.seconds:.0f} s in {recipe.sampling.steps} steps: {took:.2f} s, latent"
        f" {error:.1e} from the CPU's, log-mel of one latent {picture:.1e}"
    )
    found.figures |= {"float32_s": round(took, 3), "float32": error, "log_mel": picture}
    if error > LIMITS["sampling"]:
        found.wrong.append(f"float32: {error:.1e} of {LIMITS['sampling']:.0e}")
    if picture > LIMITS["codec"]:
        found.wrong.append(f"log-mel: {picture:.1e} of {LIMITS['codec']:.0e}")
    if computes_bfloat16(trial.card):
        in_sixteen_bits(trial, recipe, plain, found)
    else:
        found.skipped.append("bfloat16: this card does not compute in it")
    sounded(there, plain, found)
    return found


def recipe_of(seconds: float, steps: int) -> Recipe:
    sampling = Sampling(steps, granularity=small.SAMPLING.granularity)
    return Recipe(small.TAGS, small.LYRICS, TextToMusic(seconds), small.GUIDANCE, sampling, (1,))


def loaded(device: torch.device, precision: Precision) -> ACEStep:
    return ACEStep.load(small.FOLDER, device=str(device), precision=precision)


def in_sixteen_bits(trial: Trial, recipe: Recipe, plain: Latent, found: Found) -> None:
    made = loaded(trial.card.device, Precision()).generate(recipe)
    usual = distance(loaded(CPU, Precision()).generate(recipe).latent.z, plain.z)
    error, took = distance(made.latent.z, plain.z), made.times["diffusion"]
    found.lines.append(
        f"bfloat16: {took:.2f} s, latent {error:.1e} from the CPU's float32;"
        f" the CPU in bfloat16 {usual:.1e}"
    )
    found.figures |= {"bfloat16_s": round(took, 3), "bfloat16": error, "cpu_bfloat16": usual}
    if error > 2 * usual:
        found.wrong.append(f"bfloat16: {error:.1e}, more than twice {usual:.1e}")


def sounded(pipe: ACEStep, latent: Latent, found: Found) -> None:
    """The wave as a user gets it, TF32 and all."""
    began = time.perf_counter()
    wave = pipe.decode(latent)
    took = time.perf_counter() - began
    found.lines.append(f"sounded by {pipe.model.sound}: {took:.2f} s, peak {wave.abs().max():.2f}")
    found.figures["sound_s"] = round(took, 3)
    found.wrong += checked_output(wave)


def distance(made: Tensor, plain: Tensor) -> float:
    """Largest difference over the largest value."""
    return float((made.float().cpu() - plain.float().cpu()).abs().max() / plain.abs().max())
