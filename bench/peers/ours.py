"""This pack, as a peer like the others."""

from __future__ import annotations

from typing import cast

import torch

from acestep_core.conditions.branches import predicting, stacked
from acestep_core.config import ModelConfig
from acestep_core.networks.memory import Resident
from acestep_core.networks.transformer import Transformer
from acestep_core.sampling.schedule import Step
from acestep_core.sound.codec import Codec
from acestep_core.types import Latent
from acestep_core.weights.checkpoint import Target, load_part, recognise
from acestep_core.weights.model import build

from .talk import SIGMA, Asked, Work, serve

CPU = torch.device("cpu")


def network(asked: Asked, part: str) -> torch.nn.Module:
    checkpoint = recognise(asked.folder)
    module = build(part, checkpoint.config)
    load_part(module, part, checkpoint, Target(asked.dtype, CPU))
    return module.eval().requires_grad_(False)


class Ours:
    def step(self, asked: Asked) -> Work:
        transformer = cast(Transformer, network(asked, "transformer"))
        states, ids = asked.tag_states, asked.lyric_ids
        present, sung = torch.ones(1, asked.tags), torch.ones(1, asked.lyrics)
        cond = transformer.encode(states, present, ids, sung)
        null = transformer.encode(torch.zeros_like(states), present, torch.zeros_like(ids), sung)
        prepared = stacked(transformer, [cond, null], [1.0, 1.0], 1)
        predict = predicting(transformer, prepared, asked.dtype)
        x, step = asked.latent, Step(0, 60, SIGMA, 0.6)
        return lambda: torch.cat(list(predict(x, step, 2)))

    def decode(self, asked: Asked) -> Work:
        dcae, vocoder = (
            Resident(network(asked, part), asked.dtype, CPU) for part in ("dcae", "vocoder")
        )
        codec = Codec(dcae, vocoder, ModelConfig().vocoder)  # pyright: ignore[reportArgumentType]
        latent = Latent(asked.latent.float())
        return lambda: codec.decode(latent)[0]

    def load(self, asked: Asked) -> None:
        for part in ("transformer", "dcae", "vocoder"):
            network(asked, part)


if __name__ == "__main__":
    serve(Ours())
