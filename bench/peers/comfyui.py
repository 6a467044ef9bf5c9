"""ComfyUI's own nodes for the model; its checkout is this process's first path."""

from __future__ import annotations

import inspect
import json
from typing import Any

import comfy.options  # pyright: ignore[reportMissingImports]

comfy.options.enable_args_parsing(False)
from comfy.cli_args import args  # noqa: E402 # pyright: ignore[reportMissingImports]

args.cpu = True  # before anything that looks for a card
import comfy.ops  # noqa: E402 # pyright: ignore[reportMissingImports]
import comfy.sd  # noqa: E402 # pyright: ignore[reportMissingImports]
import comfy.utils  # noqa: E402 # pyright: ignore[reportMissingImports]
import torch  # noqa: E402
from comfy.ldm.ace.model import (  # noqa: E402 # pyright: ignore[reportMissingImports]
    ACEStepTransformer2DModel,
)

from .talk import SIGMA, Asked, Work, serve  # noqa: E402

TRANSFORMER = "ace_step_transformer/diffusion_pytorch_model.safetensors"
CONFIG = "ace_step_transformer/config.json"
CODEC = {
    "dcae.": "music_dcae_f8c8/diffusion_pytorch_model.safetensors",
    "vocoder.": "music_vocoder/diffusion_pytorch_model.safetensors",
}


class ComfyUI:
    def step(self, asked: Asked) -> Work:
        model = self.transformer(asked)
        states, ids = asked.tag_states, asked.lyric_ids
        context = torch.cat([states, torch.zeros_like(states)])
        lyrics = torch.cat([ids, torch.zeros_like(ids)])
        x = asked.latent.repeat(2, 1, 1, 1)
        timestep = torch.full((2,), 1000 * SIGMA, dtype=asked.dtype)
        given = {
            "context": context,
            "lyric_token_idx": lyrics,
            "speaker_embeds": torch.zeros(2, 512, dtype=asked.dtype),
        }
        return lambda: model(x, timestep, **given)

    def decode(self, asked: Asked) -> Work:
        codec, latent = self.codec(asked), asked.latent.float()
        return lambda: codec.decode(latent).movedim(-1, 1)[0]

    def load(self, asked: Asked) -> None:
        self.transformer(asked)
        self.codec(asked)

    def transformer(self, asked: Asked) -> Any:
        """As its loader makes it, which always makes all 24 blocks."""
        said = json.loads((asked.folder / CONFIG).read_text(encoding="utf-8"))
        known = inspect.signature(ACEStepTransformer2DModel.__init__).parameters
        sizes = {name: value for name, value in said.items() if name in known}
        model = ACEStepTransformer2DModel(
            **sizes, dtype=asked.dtype, device="cpu", operations=comfy.ops.disable_weight_init
        )
        weights = comfy.utils.load_torch_file(str(asked.folder / TRANSFORMER))
        missing, _ = model.load_state_dict(weights, strict=False)
        assert not missing, f"weights that the file does not have: {missing[:3]}"
        return model.eval().requires_grad_(False)

    def codec(self, asked: Asked) -> comfy.sd.VAE:
        read = comfy.utils.load_torch_file
        files = {prefix: read(str(asked.folder / name)) for prefix, name in CODEC.items()}
        weights = {prefix + key: w for prefix, found in files.items() for key, w in found.items()}
        return comfy.sd.VAE(sd=weights, dtype=asked.dtype)


if __name__ == "__main__":
    serve(ComfyUI())
