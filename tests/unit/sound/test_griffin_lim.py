"""Sound from a log-mel alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from acestep_core.config import HOP, SAMPLE_RATE, VocoderConfig
from acestep_core.sound import griffin_lim as griffin_lim_module
from acestep_core.sound.griffin_lim import REACH, first_phase, griffin_lim
from acestep_core.sound.mel import log_mel

CONFIG = VocoderConfig()


def chord(seconds: float) -> Tensor:
    """Three tones that fade, left and right (2, N)."""
    count = round(seconds * SAMPLE_RATE / HOP) * HOP
    t = torch.arange(count) / SAMPLE_RATE
    tones = sum(torch.sin(2 * math.pi * hertz * t) for hertz in (220.0, 277.2, 329.6))
    wave = 0.2 * torch.exp(-1.5 * t) * tones
    return torch.stack((wave, 0.5 * wave))


def test_its_mel_is_the_given_one() -> None:
    mel = log_mel(chord(1.0), CONFIG)
    made = griffin_lim(mel, CONFIG)
    assert made.shape == (2, mel.shape[-1] * HOP)
    audible = mel > -6
    audible[..., :4] = audible[..., -4:] = False  # mirrored samples: no wave fits them all
    error = (log_mel(made, CONFIG) - mel).abs()[audible]
    assert float(error.mean()) < 0.3
    noise = torch.randn(made.shape, generator=torch.Generator().manual_seed(0)) * 0.1
    other = (log_mel(noise, CONFIG) - mel).abs()[audible]
    assert float(other.mean()) > 1


def test_momentum_comes_closer_than_twice_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    mel = log_mel(chord(1.0), CONFIG)
    audible = mel > -6
    errors = []
    for momentum, steps in ((griffin_lim_module.MOMENTUM, 32), (0.0, 64)):
        monkeypatch.setattr(griffin_lim_module, "MOMENTUM", momentum)
        monkeypatch.setattr(griffin_lim_module, "ITERATIONS", steps)
        made = log_mel(griffin_lim(mel, CONFIG), CONFIG)
        errors.append(float((made - mel).abs()[audible].mean()))
    assert errors[0] < errors[1], errors


def test_the_reach_is_enough_and_needed() -> None:
    """What lies further away than the reach changes nothing; what lies nearer does."""
    mel = log_mel(chord(4.0), CONFIG)[:1]
    phase, middle = first_phase(mel.shape[-1], CONFIG), mel.shape[-1] // 2
    whole = griffin_lim(mel, CONFIG, phase)[:, middle * HOP : (middle + 4) * HOP]

    def piece(reach: int) -> Tensor:
        wide = slice(middle - reach, middle + 4 + reach)
        made = griffin_lim(mel[..., wide], CONFIG, phase[wide])
        return made[:, reach * HOP : (reach + 4) * HOP]

    assert float((piece(REACH) - whole).norm() / whole.norm()) < 1e-3
    assert float((piece(8) - whole).norm() / whole.norm()) > 1e-2


def test_a_longer_clip_begins_with_the_same_phases() -> None:
    assert torch.equal(first_phase(30, CONFIG)[:20], first_phase(20, CONFIG))
