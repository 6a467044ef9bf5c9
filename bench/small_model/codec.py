"""How well the codec keeps a clip, and whether its vocoder beats Griffin-Lim.

held-out clips -> latent -> log-mel, error; -> wave by the vocoder and by Griffin-Lim
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acestep_core.atomic import replaced
from acestep_core.config import GRIFFIN_LIM, HOP, SAMPLE_RATE, VOCODER, VocoderConfig
from acestep_core.pictures.sound import mel_picture
from acestep_core.pipeline import ACEStep
from acestep_core.sound.griffin_lim import griffin_lim
from acestep_core.sound.mel import log_mel
from training.data import Clip, Clips
from training.places import Places
from training.probe import short
from training.spectra import figures

SOUNDED = 32  # clips whose waves are compared
PICTURED = (0, 5)
BELOW = 0.22  # log-mel L1 that was asked for
QUALITY = 88  # of the pictures' JPEG


def measured(pipe: ACEStep, place: Path) -> dict[str, Any]:
    clips = Clips(Places.usual().data)
    chosen = short(clips.held_out, clips)
    errors, pictures = [], []
    distances = {"vocoder": [], "griffin_lim": [], "griffin_lim_true_mel": []}
    for index, clip in enumerate(chosen):
        wave = clips.wave(clip)
        mel = log_mel(wave, VocoderConfig())
        latent = pipe.encode(wave, SAMPLE_RATE)
        decoded = pipe.codec.decode_mel(latent)[0][..., : mel.shape[-1]]
        errors.append(float((decoded - mel).abs().mean()))
        if index < SOUNDED:
            waves = _waves(pipe, latent, mel)
            for name, made in waves.items():
                length = min(made.shape[-1], wave.shape[-1])
                found = figures(made[:, :length], wave[:, :length], VocoderConfig())
                distances[name].append(found)
            if index in PICTURED:
                pictures.append(_draw(clip, mel, waves, place))
    return {
        "clips": len(chosen),
        "log_mel_l1": round(sum(errors) / len(errors), 4),
        "asked": BELOW,
        "sounded": min(SOUNDED, len(chosen)),
        "distances": {name: _mean(rows) for name, rows in distances.items()},
        "sound": pipe.model.sound,
        "pictures": pictures,
    }


def _waves(pipe: ACEStep, latent: Any, mel: Tensor) -> dict[str, Tensor]:
    with torch.inference_mode():
        made = {
            name: replace(pipe.codec, sound=kind).decode(latent)[0]
            for name, kind in (("vocoder", VOCODER), ("griffin_lim", GRIFFIN_LIM))
        }
        return {**made, "griffin_lim_true_mel": griffin_lim(mel, VocoderConfig())}


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(sum(row[name] for row in rows) / len(rows), 3) for name in rows[0]}


def _draw(clip: Clip, mel: Tensor, waves: dict[str, Tensor], place: Path) -> str:
    """Original, vocoder and Griffin-Lim side by side, one channel each; the file's name."""
    from PIL import Image

    seconds = mel.shape[-1] * HOP / SAMPLE_RATE
    shown = {"original": mel, **{n: log_mel(w, VocoderConfig()) for n, w in waves.items()}}
    del shown["griffin_lim_true_mel"]
    pictures = [
        mel_picture(one[:1], seconds, f"{clip.tags['ensemble']}: {name.replace('_', '-')}")
        for name, one in shown.items()
    ]
    whole = Image.new("RGB", (sum(one.width for one in pictures), pictures[0].height))
    for index, one in enumerate(pictures):
        whole.paste(one, (index * one.width, 0))
    whole = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.LANCZOS)
    name = f"codec_{clip.number}.jpg"
    with replaced(place / name) as temporary:
        whole.save(temporary, format="JPEG", quality=QUALITY)
    return name
