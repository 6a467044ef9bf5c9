"""Decoding one latent in each dtype: seconds, peak memory, and whether it stays finite."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import torch

from acestep_core.config import frames_of
from acestep_core.networks.memory import Resident
from acestep_core.sound.codec import Codec
from acestep_core.types import Latent
from acestep_core.weights.model import Model

from .card import Card, exact
from .parts import Found, Trial
from .rates import DTYPES
from .song import decoded

WITHOUT_TF32 = "float32, TF32 off"


def decode(trial: Trial) -> Found:
    found, model = Found(), trial.made()
    draw = torch.Generator().manual_seed(0)
    latent = Latent(torch.randn((1, 8, 16, frames_of(trial.sizes.seconds)), generator=draw))
    for name in (*DTYPES, WITHOUT_TF32):
        if name == "float16" and not trial.card.is_cuda:
            found.skipped.append("float16: a processor is far too slow at it")
            continue
        trial.needs(0.5 * (trial.song or 0.0), f"decoding in {name}")
        try:
            measured(trial, model, latent, name, found)
        except RuntimeError as error:  # a processor may lack a kernel for 16 bits
            found.skipped.append(f"{name}: {str(error).splitlines()[0]}")
        trial.card.tidy()
    return found


def measured(trial: Trial, model: Model, latent: Latent, name: str, found: Found) -> None:
    codec = codec_in(model, DTYPES.get(name, torch.float32), trial.card)
    with exact() if name == WITHOUT_TF32 else nullcontext():
        decoded(trial.card, codec, latent)
        with trial.card.memory() as peak:
            wave, seconds = decoded(trial.card, codec, latent)
    finite = bool(torch.isfinite(wave).all())
    found.lines.append(
        f"{name:17} {seconds:.3f} s, peak {peak.said}{'' if finite else '; NOT FINITE'}"
    )
    found.figures[name] = {"s": round(seconds, 4), "peak": peak.bytes, "finite": finite}


def codec_in(model: Model, dtype: torch.dtype, card: Card) -> Codec:
    """The model's codec in another dtype, on the card; the model's own stays as it is."""
    dcae, vocoder = (
        copy.deepcopy(module).to(card.device, dtype)
        for module in (model.dcae.module, model.vocoder.module)
    )
    return Codec(
        Resident(dcae, dtype, card.device),  # pyright: ignore[reportArgumentType]
        Resident(vocoder, dtype, card.device),  # pyright: ignore[reportArgumentType]
        model.config.vocoder,
        model.sound,
    )
