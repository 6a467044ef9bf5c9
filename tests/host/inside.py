"""Checks with ComfyUI's own modules around the nodes; runs in ComfyUI's Python, not in pytest.

    inside.py CHECKOUT BASE RESULTS.json [CHECK ...]    check_... -> {"ok": ..., "said": ...}

The pack is imported as ComfyUI does it: as a package named after its path. Here are the checks of
memory and files; those of the modules in OTHERS are run with them.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import sys
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PACK = Path(__file__).resolve().parents[2]
OTHERS = ("inside_adapters", "inside_lora", "inside_native", "inside_stop")  # beside this file
RUN = {"seed": 5, "seconds": 2.0, "batch_size": 1, "steps": 6}


@dataclass(frozen=True)
class Inside:
    pack: ModuleType
    base: Path
    checkout: Path

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{self.pack.__name__}.{name}")

    @property
    def nodes(self) -> dict[str, Any]:
        return self.pack.NODE_CLASS_MAPPINGS

    def loaded(self, dtype: str = "auto", memory: str = "auto") -> Any:
        return self.nodes["AceSuiteLoad"]().load("acestep/tiny", dtype, memory)[0]

    def words(self, pipe: Any) -> dict[str, Any]:
        """What the sampler is given, its widgets included."""
        (tags,) = self.nodes["AceSuiteTagEncode"]().encode(pipe, "pop")
        lyrics, _ = self.nodes["AceSuiteLyricEncode"]().encode(pipe, "[inst]")
        return {"model": pipe, "tags": tags, "lyrics": lyrics, **RUN}

    def sampled(self, pipe: Any) -> Any:
        self.module("nodes.again").forget()
        latent, _ = self.nodes["AceSuiteSampler"]().sample(**self.words(pipe))
        return latent["samples"]


def parts_of(pipe: Any) -> dict[str, Any]:
    return {
        name: getattr(pipe.model, name)
        for name in ("transformer", "dcae", "vocoder", "text_encoder")
    }


def check_parameters_live_in_casting_layers(inside: Inside) -> str:
    import comfy.ops

    count = 0
    for name, part in parts_of(inside.loaded()).items():
        assert not list(part.module.buffers()), f"{name} has buffers"
        for path, module in part.module.named_modules():
            if list(module.parameters(recurse=False)):
                where = f"{name}.{path} ({type(module).__name__})"
                assert isinstance(module, comfy.ops.CastWeightBiasOp), where
                assert module.comfy_cast_weights, where
                assert not list(module.children()), where
                count += 1
    return f"{count} layers"


def check_parts_are_in_patchers(inside: Inside) -> str:
    from comfy import model_management, model_patcher

    pipe = inside.loaded()
    for name, part in parts_of(pipe).items():
        assert isinstance(part.patcher, model_patcher.ModelPatcher), name
        assert part.patcher.model is part.module, name
        with part.use(1000) as network:
            assert network is part.module
            assert part.patcher in [m.model for m in model_management.current_loaded_models], name
    return type(pipe.model.transformer.patcher).__name__


def check_another_network_gets_another_patcher(inside: Inside) -> str:
    part, other = inside.loaded().model.vocoder, inside.loaded().model.vocoder
    changed = part.of(other.module)
    assert changed.patcher.model is other.module
    assert part.patcher.model is part.module
    return "ok"


def check_16_bit_weights_give_what_the_plain_network_gives(inside: Inside) -> str:
    """Kept in bfloat16 and cast layer by layer, against torch.nn with the same rounded values."""
    import torch

    pipe = inside.loaded("bfloat16")
    assert pipe.model.transformer.dtype == torch.float32
    assert {p.dtype for p in pipe.model.transformer.module.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in pipe.model.dcae.module.parameters()} == {torch.float32}
    plain = inside.module("acestep_core.pipeline").ACEStep.load(
        inside.base / "models" / "acestep" / "tiny"
    )
    for part in (plain.model.transformer, plain.model.text_encoder):
        for parameter in part.module.parameters():
            parameter.data = parameter.data.bfloat16().float()
    ours, theirs = inside.sampled(pipe), inside.sampled(plain)
    worst = float((ours - theirs).abs().max() / theirs.abs().max())
    assert worst < 1e-5, worst
    exact = float((inside.sampled(inside.loaded()) - theirs).abs().max() / theirs.abs().max())
    return f"relative difference {worst:.1e}; to float32 weights {exact:.1e}"


def check_layers_say_whether_their_weights_are_theirs(inside: Inside) -> str:
    """Where ComfyUI computes on the CPU, its layers take the quicker ways as the plain ones do."""
    import torch

    products = inside.module("acestep_core.networks.products")
    vocoder, x = inside.loaded().model.vocoder, torch.zeros(1)
    block = vocoder.module.backbone.stages[0][0]
    layers = [vocoder.module.head.conv_in, block.expand]
    with vocoder.use(1000):
        for layer in layers:
            assert products.held(layer, x), layer
            assert not products.held(layer, x.bfloat16()), layer
    wide = torch.nn.functional.linear
    given = torch.randn(products.ROWS, block.expand.in_features)
    with torch.inference_mode(), vocoder.use(1000):
        true = wide(given.double(), block.expand.weight.double(), block.expand.bias.double())
        worst = float((block.expand(given) - true).abs().max() / true.abs().max())
    assert worst < 1e-5, worst
    for layer in layers:
        layer.weight_function = [lambda weight: weight + 1]
        assert not products.held(layer, x), layer
        layer.weight_function = []
    return f"{worst:.1e}"


def check_memory_is_handed_back(inside: Inside) -> str:
    """Unloaded by ComfyUI and used again; gone when nobody holds the model."""
    import torch
    from comfy import model_management

    pipe = inside.loaded()
    first = inside.sampled(pipe)
    model_management.unload_all_models()
    assert not model_management.current_loaded_models
    assert torch.equal(inside.sampled(pipe), first)
    gone = weakref.ref(pipe.model.transformer.module)
    del pipe
    gc.collect()
    assert gone() is None, gc.get_referrers(gone())
    model_management.cleanup_models()
    left = [m for m in model_management.current_loaded_models if m.model is None]
    assert not left
    return "ok"


def check_offload_leaves_the_device(inside: Inside) -> str:
    import torch
    from comfy import model_management

    model_management.unload_all_models()
    resident, pipe = inside.loaded(), inside.loaded(memory="offload")
    expected = inside.sampled(resident)
    before = [m.model for m in model_management.current_loaded_models]
    assert torch.equal(inside.sampled(pipe), expected)
    after = [m.model for m in model_management.current_loaded_models]
    assert after == before, "offload unloaded another model, or left its own"
    return f"{len(after)} others stayed"


def check_out_of_memory_is_explained(inside: Inside) -> str:
    import torch
    from comfy import model_management

    said: BaseException | None = None
    try:
        with inside.module("nodes.host").errors_of("Sampler (ACE-Step)"):
            raise torch.OutOfMemoryError("out of memory. Tried to allocate 9 GiB\nmore")
    except model_management.OOM_EXCEPTION as error:
        said = error
    text = str(said)
    assert text.startswith("Sampler (ACE-Step): not enough memory (out of memory. Tried"), text
    assert "GB are free now" in text
    assert "more" not in text
    assert said
    assert said.__context__
    assert said.__context__.__traceback__ is None, "it holds the failed work's tensors"
    return text


def check_folder_lists_only_models(inside: Inside) -> str:
    import folder_paths

    files = folder_paths.get_filename_list("acestep")
    assert files
    assert all(name.endswith(".safetensors") for name in files), files
    choices = inside.module("nodes.checkpoints").choices()
    assert choices[0] == "auto"
    assert choices[-1] == "download"
    assert {"acestep/tiny", "checkpoints/tiny_single.safetensors"} <= set(choices), choices
    assert not any("ace_step_transformer" in choice for choice in choices), choices
    return ", ".join(choices)


def check_vocabulary_is_comfyuis(inside: Inside) -> str:
    path = inside.loaded().vocabulary.path()
    assert inside.checkout in path.parents, path
    return str(path.relative_to(inside.checkout))


def check_layers_on_windows_have_weights(inside: Inside) -> str:
    """Newer versions leave a layer's weight out there, until a state dict brings it."""
    from comfy import model_management

    memory = getattr(importlib.import_module("comfy"), "memory_management", None)
    if memory is None or not hasattr(memory, "aimdo_enabled"):
        return "not in this version"
    before = model_management.WINDOWS, memory.aimdo_enabled
    model_management.WINDOWS, memory.aimdo_enabled = True, True
    try:
        pipe = inside.loaded()
    finally:
        model_management.WINDOWS, memory.aimdo_enabled = before
    assert inside.sampled(pipe).isfinite().all()
    return "ok"


def started(checkout: Path, base: Path) -> Inside:
    """ComfyUI's modules without its server, then the pack."""
    sys.path.insert(0, str(checkout))
    sys.argv = ["main.py", "--cpu", "--base-directory", str(base)]
    importlib.import_module("comfy.options").enable_args_parsing()
    importlib.import_module("comfy.model_management")
    importlib.import_module("folder_paths")
    name = str(PACK).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(
        name, PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    assert spec
    assert spec.loader
    pack = importlib.util.module_from_spec(spec)
    sys.modules[name] = pack
    spec.loader.exec_module(pack)
    return Inside(pack, base, checkout)


def result_of(check: Callable[[Inside], str], inside: Inside) -> dict[str, Any]:
    import torch

    try:
        with torch.inference_mode():  # as ComfyUI runs nodes
            return {"ok": True, "said": check(inside)}
    except BaseException:
        return {"ok": False, "said": traceback.format_exc()}


def checks() -> dict[str, Callable[[Inside], str]]:
    modules = [sys.modules[__name__], *map(importlib.import_module, OTHERS)]
    found = {name: one for module in modules for name, one in vars(module).items()}
    return {name: one for name, one in found.items() if name.startswith("check_")}


def main(checkout: str, base: str, results: str, *wanted: str) -> None:
    own, inside = checks(), started(Path(checkout), Path(base))
    found = {name: result_of(one, inside) for name, one in own.items() if name in (wanted or own)}
    Path(results).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
