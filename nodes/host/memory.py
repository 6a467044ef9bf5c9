"""Networks in ComfyUI's memory: patchers, placing, precision; resident where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ...acestep_core.networks.layers import Ops
from ...acestep_core.networks.memory import M, Part
from ...acestep_core.networks.products import held, multiplied
from ...acestep_core.settings import AUTO
from ...acestep_core.weights.checkpoint import Target
from ...acestep_core.weights.lora import Applied, added, fits, with_adapters
from ...acestep_core.weights.model import Model, Placing, Precision, named_precision
from .adapters import patch_of
from .found import IN_COMFYUI, management
from .progress import stop_if_asked

COMPUTING = [torch.bfloat16, torch.float32]  # float16 is too narrow for this transformer
PARAMETERS = 2_600_000_000  # what inference reads of the released transformer


@dataclass(frozen=True)
class HostPart(Part[M]):
    """A network in a patcher: ComfyUI brings it to the device, in part where room is short.

    Nothing else may hold the network: ComfyUI frees it when the last patcher is gone.
    """

    patcher: Any = field(repr=False, compare=False)
    leaves: bool = False  # the device, as soon as it has been used

    def of(self, module: M) -> HostPart[M]:
        """As this part, with another network, in a patcher of its own."""
        patcher = _patcher(module, self.device, self.patcher.offload_device)
        return replace(self, module=module, patcher=patcher)

    @contextmanager
    def use(self, memory: int = 0) -> Iterator[M]:
        management().load_models_gpu([self.patcher], memory_required=memory)
        try:
            yield self.module
        finally:
            if self.leaves:
                _unload(self.patcher)

    def wide(self, network: M) -> M:
        """As it is: its layers cast their weights to whatever comes in."""
        return network

    def room(self) -> int:
        """ComfyUI sends other networks away for what `use` asks for."""
        manager = management()
        if self.device.type == "cpu":
            return manager.get_free_memory(self.device)
        size = sum(p.nbytes for p in self.module.parameters())
        room = manager.get_total_memory(self.device) - size - manager.minimum_inference_memory()
        return int(max(room, manager.get_free_memory(self.device)))


def _patcher(module: nn.Module, device: torch.device, kept_on: torch.device) -> Any:
    from comfy import model_patcher

    # Newer versions page weights in as they are used, and want to know their dtypes for it.
    if hasattr(management(), "archive_model_dtypes"):
        management().archive_model_dtypes(module)
    kind = getattr(model_patcher, "CoreModelPatcher", model_patcher.ModelPatcher)
    return kind(module, load_device=device, offload_device=kept_on)


def with_adapter(model: Model, applied: Applied) -> Model:
    """Another model with an adapter: ComfyUI adds it to the shared weights when they are loaded,
    and takes it off again when the given model is used."""
    part = model.transformer
    if not isinstance(part, HostPart):
        return with_adapters(model, [applied])
    patcher = part.patcher.clone()
    for name, change in applied.adapter.changes.items():
        shape = fits(part.module, applied.adapter, name, change)
        patch = patch_of(applied.adapter, name, change, shape)
        patcher.add_patches({name: patch}, applied.factor(change))
    part = replace(part, patcher=patcher)
    return replace(model, transformer=part, adapters=(*model.adapters, *added([applied])))


def memory_free() -> tuple[float, float, str] | None:
    """Free and total GB of the device that computes, and its name."""
    if not IN_COMFYUI:
        return None
    manager = management()
    device = manager.get_torch_device()
    free, total = (
        size(device) / 2**30 for size in (manager.get_free_memory, manager.get_total_memory)
    )
    return free, total, str(device)


def _unload(patcher: Any) -> None:
    """Take one network off its device, and no other."""
    loaded = management().current_loaded_models
    others = [one for one in loaded if one.model is not patcher]
    management().free_memory(1e30, patcher.load_device, keep_loaded=others)


def _is_held(layer: Any) -> bool:
    """Whether a layer of ComfyUI's has nothing to do to its weights before it uses them."""
    changes = (getattr(layer, name, None) for name in ("weight_function", "bias_function", "_v"))
    return not any(changes) and type(layer.weight) is nn.Parameter


@cache
def casting_ops() -> Ops:
    """ComfyUI's layers that cast their weights to the input's dtype and device as they run."""
    import comfy.ops

    class CastingOps(comfy.ops.manual_cast):
        class Conv2d(comfy.ops.manual_cast.Conv2d):
            is_held = property(_is_held)

        class Linear(comfy.ops.manual_cast.Linear):
            is_held = property(_is_held)

            def forward(self, x: Tensor, *details: Any, **more: Any) -> Tensor:
                if held(self, x):
                    return multiplied(x, self.weight, self.bias)
                return super().forward(x, *details, **more)

            # On Windows newer versions leave the weight out until a state dict brings it, but
            # not for layers with a loader of their own; ours are filled one by one.
            def _load_from_state_dict(self, *details: Any) -> None:
                super()._load_from_state_dict(*details)

    return CastingOps  # pyright: ignore[reportReturnType]


@dataclass(frozen=True)
class HostPlacing(Placing):
    """Parts in patchers, each on the device that ComfyUI gives to its kind of network."""

    kept: torch.dtype = torch.float32  # dtype of the weights of the two large networks

    def part(self, name: str, module: nn.Module, dtype: torch.dtype) -> Part[nn.Module]:
        stop_if_asked()
        device, kept_on = _devices(name)
        patcher = _patcher(module, device, kept_on)
        return HostPart(module, dtype, device, patcher, self.offload)

    def target(self, name: str, dtype: torch.dtype) -> Target:
        is_large = name in ("transformer", "text_encoder")
        return Target(self.kept if is_large else dtype, _devices(name)[1])


def placement(dtype: str, memory: str, codec_dtype: str) -> tuple[Precision, Placing]:
    """What the loader's choices stand for."""
    offload = memory == "offload"
    if not IN_COMFYUI:
        placing = Placing(offload=offload)
        names = {"dtype": dtype, "codec_dtype": codec_dtype}
        return named_precision(placing, names, "codec_dtype"), placing
    chosen, codec = (None if n == AUTO else getattr(torch, n) for n in (dtype, codec_dtype))
    manager = management()
    device, where = manager.get_torch_device(), manager.vae_device()
    kept = chosen or manager.unet_dtype(device, PARAMETERS, COMPUTING)
    kept = kept if kept in (torch.float16, *COMPUTING) else torch.bfloat16  # --fp8_...-unet
    transformer, text_encoder = (
        manager.unet_manual_cast(kept, _devices(name)[0], COMPUTING) or kept
        for name in ("transformer", "text_encoder")
    )
    codec = codec or manager.vae_dtype(where, [torch.float32])
    precision = Precision(transformer, text_encoder, codec, codec).checked(where, "codec_dtype")
    return precision, HostPlacing(device, offload, casting_ops(), kept)


def _devices(part: str) -> tuple[torch.device, torch.device]:
    """Where a part computes, and where it is kept meanwhile."""
    manager = management()
    if part == "transformer":
        return manager.get_torch_device(), manager.unet_offload_device()
    if part == "text_encoder":
        return manager.text_encoder_device(), manager.text_encoder_offload_device()
    return manager.vae_device(), manager.vae_offload_device()


def handed_on(x: Tensor) -> Tensor:
    """A tensor where ComfyUI wants the results of nodes."""
    return x.to(management().intermediate_device()).contiguous() if IN_COMFYUI else x


def has_room(part: Part[M]) -> bool:
    """Whether a part can come to its device without another one having to leave it."""
    if not isinstance(part, HostPart):
        return True
    if part.leaves:
        return False
    manager, size = management(), sum(p.nbytes for p in part.module.parameters())
    free = manager.get_free_memory(part.device)
    return free > 2 * size + manager.minimum_inference_memory()
