"""Mel front end, autoencoder, vocoder, and whole waveform -> latent -> waveform paths."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from acestep_core.config import SAMPLE_RATE, VocoderConfig
from acestep_core.networks.dcae import DCAE
from acestep_core.networks.memory import Resident
from acestep_core.networks.vocoder import Vocoder
from acestep_core.sound.audio import resample, stereo
from acestep_core.sound.codec import Codec
from acestep_core.sound.mel import log_mel
from acestep_core.types import Latent

from .outcome import LIMITS, Outcome, compare
from .recipe import network
from .record import Record, load
from .where import HERE, Where

RATES = {"22": 22_050, "44": 44_100, "48": 48_000}
INPUTS = ("audio22", "audio44", "audio48", "dcae.latent_in", "vocoder.mel")
# An input of one network and the result of another.
ALSO_RESULTS = ("dcae.mel",)


def cases(directory: Path) -> list[str]:
    names = load(directory, "codec").tensors
    return [f"codec.{n}" for n in names if n not in (*INPUTS, *ALSO_RESULTS)]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    record = load(directory, "codec")
    name = case.removeprefix("codec.")
    with torch.inference_mode():
        result = _produced(record, name, where)
    return compare(where.compared(result), record.tensors[name], LIMITS["codec"])


def _produced(record: Record, name: str, where: Where) -> Tensor:
    given = record.tensors
    dcae = cast(DCAE, network("dcae", record, where))
    vocoder = cast(Vocoder, network("vocoder", record, where))
    if name == "dcae.latent":
        return dcae.encoder(where.cast(given["dcae.mel"]))
    if name == "dcae.mel_out":
        return dcae.decoder(where.cast(given["dcae.latent_in"]))
    if name == "vocoder.wave":
        return vocoder(where.cast(given["vocoder.mel"]))
    mel = VocoderConfig.from_dict(record.info["vocoder"])
    if name == "mel44":
        return log_mel(where.placed(given["audio44"]), mel)
    place = (where.dtype, where.device)
    codec = Codec(Resident(dcae, *place), Resident(vocoder, *place), mel)
    rate = RATES[name[-2:]]
    if name.startswith("latent"):
        wave = resample(stereo(given[f"audio{name[-2:]}"]), rate, SAMPLE_RATE)
        return codec.encode(wave[None]).z
    return resample(codec.decode(Latent(given["dcae.latent_in"])), SAMPLE_RATE, rate)
