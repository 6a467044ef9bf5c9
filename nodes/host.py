"""The only file that touches ComfyUI: its files, its memory, its progress bar, its errors.

    nodes -> host -> comfy.*, folder_paths, server

Everything here also answers without ComfyUI, so that the nodes run in tests and scripts:
lists are empty then, networks stay where they were loaded, progress goes nowhere.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..acestep_core.atomic import FileError
from ..acestep_core.checkpoint import CheckpointError, Target
from ..acestep_core.layers import Ops
from ..acestep_core.lora import Applied, fits, with_adapters
from ..acestep_core.lyrics.vocabulary import COMFYUI_PATH
from ..acestep_core.memory import M, Part, is_out_of_memory
from ..acestep_core.model import Added, Model, Placing, Precision
from ..acestep_core.schedule import Step
from ..acestep_core.types import SettingError

log = logging.getLogger(__name__)

# ComfyUI has loaded these before it imports a pack. Importing them to find out could bring in
# somebody else's `server`.
IN_COMFYUI = "comfy.model_management" in sys.modules and "folder_paths" in sys.modules

FOLDER = "acestep"  # below ComfyUI's models
DTYPES = {"auto": None, "bfloat16": torch.bfloat16, "float32": torch.float32}
MEMORY_MODES = ("auto", "offload")

COMPUTING = [torch.bfloat16, torch.float32]  # float16 is too narrow for this transformer
PARAMETERS = 2_600_000_000  # what inference reads of the released transformer


def _management() -> Any:
    from comfy import model_management

    return model_management


def _paths() -> Any:
    import folder_paths

    return folder_paths


# --- files -------------------------------------------------------------------------------


def register_folder() -> None:
    """Make models/acestep known, beside what the user's extra_model_paths.yaml says."""
    if IN_COMFYUI:
        place = os.path.join(_paths().models_dir, FOLDER)
        _paths().add_model_folder_path(FOLDER, place)
        # A new folder knows no extension, which means that every file is listed.
        _paths().folder_names_and_paths[FOLDER][1].add(".safetensors")


def model_files(folder: str) -> list[str]:
    """The .safetensors files below a model folder, relative, with forward slashes."""
    if not IN_COMFYUI:
        return []
    try:
        names = _paths().get_filename_list(folder)
    except (KeyError, OSError):  # a folder that went away must not break the list of nodes
        return []
    return [name.replace("\\", "/") for name in names if name.endswith(".safetensors")]


def path_of(folder: str, name: str) -> Path:
    """Where a file that model_files() listed lies."""
    path = _paths().get_full_path(folder, name)
    if path is None:
        raise CheckpointError(
            f"{folder}/{name} is no longer there. Refresh the page, choose again."
        )
    return Path(path)


def model_folders() -> list[Path]:
    """The folders of models/acestep; a download goes into the first."""
    return [Path(path) for path in _paths().get_folder_paths(FOLDER)] if IN_COMFYUI else []


def models_folder() -> Path | None:
    """ComfyUI's folder of all models."""
    return Path(_paths().models_dir) if IN_COMFYUI else None


def vocabulary_places() -> list[Path]:
    """Where the lyric vocabulary may lie: ComfyUI has a copy of its own."""
    if not IN_COMFYUI:
        return []
    return [Path(_management().__file__).parents[1] / COMFYUI_PATH, *model_folders()]


def output_place(prefix: str, kind: str = "output") -> tuple[Path, str, str, int]:
    """(folder, subfolder, start of the name, counter) for the files of one run."""
    if not IN_COMFYUI:
        folder = Path(kind)
        folder.mkdir(exist_ok=True)
        return folder, "", Path(prefix).name, len(list(folder.iterdir())) + 1
    base = getattr(_paths(), f"get_{kind}_directory")()
    folder, name, counter, subfolder, _ = _paths().get_save_image_path(prefix, base)
    return Path(folder), subfolder, name, counter


def input_folder() -> Path | None:
    """Where users put the files that nodes read."""
    return Path(_paths().get_input_directory()) if IN_COMFYUI else None


def user_file(name: str) -> Path | None:
    """A file of the pack's own in ComfyUI's user folder."""
    return Path(_paths().get_user_directory()) / name if IN_COMFYUI else None


def is_metadata_wanted() -> bool:
    if not IN_COMFYUI:
        return True
    from comfy.cli_args import args

    return not args.disable_metadata


# --- memory ------------------------------------------------------------------------------


@dataclass(frozen=True)
class HostPart(Part[M]):
    """A network in a patcher: ComfyUI brings it to the device, in part where room is short.

    Nothing else may hold the network: ComfyUI frees it when the last patcher is gone.
    """

    kept_on: torch.device = field(default_factory=lambda: torch.device("cpu"))
    leaves: bool = False  # the device, as soon as it has been used
    patcher: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made from the module, so that replace(part, module=...) brings its own patcher.
        if self.patcher is None or self.patcher.model is not self.module:
            object.__setattr__(self, "patcher", _patcher(self.module, self.device, self.kept_on))

    @contextmanager
    def use(self, memory: int = 0) -> Iterator[M]:
        _management().load_models_gpu([self.patcher], memory_required=memory)
        try:
            yield self.module
        finally:
            if self.leaves:
                _unload(self.patcher)


def _patcher(module: nn.Module, device: torch.device, kept_on: torch.device) -> Any:
    from comfy import model_patcher

    # Newer versions page weights in as they are used, and want to know their dtypes for it.
    if hasattr(_management(), "archive_model_dtypes"):
        _management().archive_model_dtypes(module)
    kind = getattr(model_patcher, "CoreModelPatcher", model_patcher.ModelPatcher)
    return kind(module, load_device=device, offload_device=kept_on)


def with_adapter(model: Model, applied: Applied) -> Model:
    """Another model with an adapter: ComfyUI adds it to the shared weights when they are loaded,
    and takes it off again when the given model is used."""
    part = model.transformer
    if not isinstance(part, HostPart):
        return with_adapters(model, [applied])
    from comfy.weight_adapter import LoRAAdapter

    patcher = part.patcher.clone()
    for name, pair in applied.adapter.pairs.items():
        fits(part.module, applied.adapter, name, pair)
        weights = (pair.up, pair.down, None, None, None, None)
        change = {f"{name}.weight": LoRAAdapter(set(), weights)}
        patcher.add_patches(change, applied.factor(pair))
    added = Added(applied.adapter.name, applied.weight, applied.training_scale)
    part = replace(part, patcher=patcher)
    return replace(model, transformer=part, adapters=(*model.adapters, added))


def memory_free() -> tuple[float, float, str] | None:
    """Free and total GB of the device that computes, and its name."""
    if not IN_COMFYUI:
        return None
    management = _management()
    device = management.get_torch_device()
    free, total = (
        size(device) / 2**30 for size in (management.get_free_memory, management.get_total_memory)
    )
    return free, total, str(device)


def _unload(patcher: Any) -> None:
    """Take one network off its device, and no other."""
    loaded = _management().current_loaded_models
    others = [one for one in loaded if one.model is not patcher]
    _management().free_memory(1e30, patcher.load_device, keep_loaded=others)


@cache
def casting_ops() -> Ops:
    """ComfyUI's layers that cast their weights to the input's dtype and device as they run."""
    import comfy.ops

    class CastingOps(comfy.ops.manual_cast):
        class Linear(comfy.ops.manual_cast.Linear):
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
        return HostPart(module, dtype, device, kept_on, self.offload)

    def target(self, name: str, dtype: torch.dtype) -> Target:
        is_large = name in ("transformer", "text_encoder")
        return Target(self.kept if is_large else dtype, _devices(name)[1])


def placement(dtype: str, memory: str) -> tuple[Precision | None, Placing]:
    """What the loader's two choices stand for."""
    chosen, offload = DTYPES[dtype], memory == "offload"
    if not IN_COMFYUI:
        return (None if chosen is None else Precision(chosen, chosen)), Placing(offload=offload)
    management = _management()
    device = management.get_torch_device()
    kept = chosen or management.unet_dtype(device, PARAMETERS, COMPUTING)
    kept = kept if kept in (torch.float16, *COMPUTING) else torch.bfloat16  # --fp8_...-unet
    transformer, text_encoder = (
        management.unet_manual_cast(kept, _devices(name)[0], COMPUTING) or kept
        for name in ("transformer", "text_encoder")
    )
    codec = management.vae_dtype(management.vae_device(), [torch.float32])
    precision = Precision(transformer, text_encoder, codec, codec)
    return precision, HostPlacing(device, offload, casting_ops(), kept)


def _devices(part: str) -> tuple[torch.device, torch.device]:
    """Where a part computes, and where it is kept meanwhile."""
    management = _management()
    if part == "transformer":
        return management.get_torch_device(), management.unet_offload_device()
    if part == "text_encoder":
        return management.text_encoder_device(), management.text_encoder_offload_device()
    return management.vae_device(), management.vae_offload_device()


def handed_on(x: Tensor) -> Tensor:
    """A tensor where ComfyUI wants the results of nodes."""
    return x.to(_management().intermediate_device()).contiguous() if IN_COMFYUI else x


# --- progress ----------------------------------------------------------------------------


def stop_if_asked() -> None:
    """Raise ComfyUI's own exception when the user has pressed stop."""
    if IN_COMFYUI:
        _management().throw_exception_if_processing_interrupted()


Picture = Callable[[Step, Tensor, Tensor], Any]  # -> a PIL image now and then, else None


class Bar:
    """The node's progress bar; each move is also the moment to stop."""

    def __init__(self, total: int = 1, picture: Picture | None = None) -> None:
        self._done, self._total, self._shown, self._picture = 0, total, None, picture
        if IN_COMFYUI:
            from comfy.utils import ProgressBar

            self._shown = ProgressBar(total)

    def tick(self, done: int, total: int, image: Any = None) -> None:
        """Of the codec: pieces done and in all."""
        stop_if_asked()
        if self._shown is not None:
            preview = ("JPEG", image, 512) if image is not None else None
            self._shown.update_absolute(done, total, preview)

    def see(self, step: Step, x: Tensor, velocity: Tensor) -> None:
        """Of the sampler: one evaluation of the model is done."""
        self._done += 1
        image = self._picture(step, x, velocity) if self._picture else None
        self.tick(self._done, self._total, image)


def has_room(part: Part[M]) -> bool:
    """Whether a part can come to its device without another one having to leave it."""
    if not isinstance(part, HostPart):
        return True
    if part.leaves:
        return False
    management, size = _management(), sum(p.nbytes for p in part.module.parameters())
    free = management.get_free_memory(part.device)
    return free > 2 * size + management.minimum_inference_memory()


def say(text: str) -> None:
    """A line on the running node, for the page that started the run and no other."""
    log.info(text)
    server = getattr(sys.modules.get("server"), "PromptServer", None) if IN_COMFYUI else None
    instance = getattr(server, "instance", None)
    # Pages older than this saved the line as a widget's value, which shifts later widgets.
    if instance is not None and hasattr(instance, "node_replace_manager") and instance.client_id:
        instance.send_progress_text(text, instance.last_node_id, instance.client_id)


# --- errors ------------------------------------------------------------------------------


@contextmanager
def errors_of(title: str) -> Iterator[None]:
    """Name the node in what a user can correct, and say what helps when memory runs out."""
    try:
        yield
    except (SettingError, CheckpointError, FileError) as error:
        raise type(error)(f"{title}: {error}") from error
    except Exception as error:
        # On older versions the user's stop is an Exception, too.
        if not _ran_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0]
        log.info("%s", title, exc_info=error)
        error.__traceback__ = None  # it holds the tensors of the failed work
    else:
        return
    raise _no_room(title, reason)


def _ran_out_of_memory(error: Exception) -> bool:
    # Newer versions also know what drivers other than CUDA's say.
    theirs = getattr(_management(), "is_oom", None) if IN_COMFYUI else None
    return is_out_of_memory(error) or bool(theirs and theirs(error))


def _no_room(title: str, reason: str) -> Exception:
    text = (
        f"{title}: not enough memory ({reason}). Lower seconds or batch_size, or choose offload"
        " as memory in Load ACE-Step."
    )
    if not IN_COMFYUI:
        return MemoryError(text)
    free, total, _ = memory_free() or (0.0, 0.0, "")
    # ComfyUI unloads all models when it sees its own type.
    return _management().OOM_EXCEPTION(f"{text} {free:.1f} of {total:.1f} GB are free now.")
