"""The original project, by its public classes; its checkout is this process's first path."""

from __future__ import annotations

from typing import Any

import torch
from acestep.models.ace_step_transformer import (  # pyright: ignore[reportMissingImports]
    ACEStepTransformer2DModel,
)
from acestep.music_dcae.music_dcae_pipeline import (  # pyright: ignore[reportMissingImports]
    MusicDCAE,
)

from .talk import SIGMA, Asked, Work, serve


class Original:
    def step(self, asked: Asked) -> Work:
        model, states, ids = self.transformer(asked), asked.tag_states, asked.lyric_ids
        speaker = torch.zeros(1, 512, dtype=asked.dtype)
        present = torch.ones(1, asked.tags, dtype=asked.dtype)
        sung = torch.ones(1, asked.lyrics, dtype=torch.long)
        contexts = [
            model.encode(states, present, speaker, ids, sung),
            model.encode(torch.zeros_like(states), present, speaker, torch.zeros_like(ids), sung),
        ]
        x, frames = asked.latent, torch.ones(1, asked.frames, dtype=asked.dtype)
        timestep = torch.tensor([1000 * SIGMA], dtype=asked.dtype)

        def work() -> torch.Tensor:
            found = [
                model.decode(
                    hidden_states=x,
                    attention_mask=frames,
                    encoder_hidden_states=context,
                    encoder_hidden_mask=mask,
                    timestep=timestep,
                    output_length=asked.frames,
                ).sample
                for context, mask in contexts
            ]
            return torch.cat(found)

        return work

    def decode(self, asked: Asked) -> Work:
        codec, latent = self.codec(asked), asked.latent
        return lambda: codec.decode(latent)[1][0]

    def load(self, asked: Asked) -> None:
        self.transformer(asked)
        self.codec(asked)

    def transformer(self, asked: Asked) -> Any:
        place = str(asked.folder / "ace_step_transformer")
        model = ACEStepTransformer2DModel.from_pretrained(place, torch_dtype=asked.dtype)
        return model.eval().requires_grad_(False)

    def codec(self, asked: Asked) -> MusicDCAE:
        model = MusicDCAE(
            dcae_checkpoint_path=str(asked.folder / "music_dcae_f8c8"),
            vocoder_checkpoint_path=str(asked.folder / "music_vocoder"),
        )
        return model.to(asked.dtype).eval().requires_grad_(False)


if __name__ == "__main__":
    serve(Original())
