"""A model of the released size without a file: random weights, made where they are used.

config -> networks on the meta device -> filled on the card -> Model
                                         or, where that does not fit, in main memory, each
                                         network on the card while it is used
"""

from __future__ import annotations

import time
from typing import Any

from acestep_core.config import ModelConfig
from acestep_core.networks.memory import Visiting, first_that_fits
from acestep_core.weights.checkpoint import PARTS
from acestep_core.weights.model import Model, Placing, Precision, build, default_precision
from bench.measure import filled

from .card import Card
from .parts import Found, Trial


def load(trial: Trial) -> Found:
    """Made, and what it takes to bring a network from main memory to the card and back."""
    found, card = Found(), trial.card
    precision = default_precision(Placing(card.device))
    began = time.perf_counter()
    trial.model = first_that_fits(
        [
            lambda: synthetic(trial.sizes.config, Placing(card.device), precision),
            lambda: synthetic(trial.sizes.config, Placing(card.device, True), precision),
        ],
        lambda message: found.lines.append("does not fit as a whole: networks visit the card"),
    )
    card.wait()
    took, size = time.perf_counter() - began, trial.model.bytes_kept
    dtype = str(precision.transformer).removeprefix("torch.")
    found.lines.append(f"{size / 1e9:.2f} GB made in {took:.1f} s; transformer in {dtype}")
    found.figures = {"GB": round(size / 1e9, 3), "made_s": round(took, 2), "transformer": dtype}
    if card.is_cuda:
        found.figures |= visited(trial.model, card, found)
    else:
        found.skipped.append("a visit to the card: there is none")
    return found


def synthetic(config: ModelConfig, placing: Placing, precision: Precision) -> Model:
    parts: dict[str, Any] = {}
    for name in PARTS:
        dtype = getattr(precision, name)
        place = placing.target(name, dtype).device
        module = filled(build(name, config), dtype, place)
        parts[name] = placing.part(name, module, dtype)
    vocabulary = config.text_encoder.vocab_size - 3

    def tokenizer(text: str) -> list[int]:
        return [3 + ord(letter) % vocabulary for letter in text]

    return Model("synthetic", config, tokenizer=tokenizer, **parts)


def visited(model: Model, card: Card, found: Found) -> dict[str, object]:
    """Seconds of the largest network's way to the card and back, as with offloading."""
    part = model.transformer
    size = sum(p.numel() * p.element_size() for p in part.module.parameters())
    stays = not isinstance(part, Visiting)
    try:
        part.module.to("cpu")
        card.tidy()
        marks = [time.perf_counter()]
        with Visiting(part.module, part.dtype, part.device).use():
            card.wait()
            marks.append(time.perf_counter())
        marks.append(time.perf_counter())
    finally:
        if stays:
            part.module.to(part.device)
    there, back = marks[1] - marks[0], marks[2] - marks[1]
    found.lines.append(
        f"transformer to the card in {there:.2f} s ({size / there / 1e9:.1f} GB/s),"
        f" back in {back:.2f} s ({size / back / 1e9:.1f} GB/s)"
    )
    return {"to_card_s": round(there, 3), "from_card_s": round(back, 3)}
