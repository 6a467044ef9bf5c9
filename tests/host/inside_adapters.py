"""Checks of adapter files inside ComfyUI: merged weights, ours against its own loader's.

    file -> Load LoRA (ACE-Step) -> our patcher -> weights
         -> ComfyUI's load_lora  -> its patcher -> weights      both must be the same

The files are made by its own Train LoRA node, and by hand for each spelling and kind that its
loader reads. `pytest -m host -k adapters --log-cli-level info` shows the table.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from tests.host.inside import Inside

native: Any = importlib.import_module("inside_native")  # beside this file
TOLERANCE = 1e-5  # of the largest weight
STRENGTHS = (1.0, -0.5)
TRAINED = ("LoRA", "LoHa", "LoKr", "OFT")
QUERY = "transformer_blocks.1.attn.to_q"  # (64, 64)
STEM = "proj_in.early_conv_layers.0"  # a convolution in two dimensions
DEPTH = "transformer_blocks.0.ff.depth_conv.conv"  # in one, by channel
NORM = "proj_in.early_conv_layers.1"
FLAT = f"lora_unet_{QUERY.replace('.', '_')}"
WIDTH, RANK = 64, 8


@dataclass(frozen=True)
class Pair:
    """The same small network, ours in a patcher and ComfyUI's in another."""

    pipe: Any
    theirs: Any
    base: Mapping[str, Tensor]  # by our names


def pair_of(inside: Inside) -> Pair:
    import torch

    checkpoint = inside.module("acestep_core.weights.checkpoint")
    host = inside.module("nodes.host")
    load = inside.module("acestep_core.weights.model").load
    # Training needs weights that autograd may touch.
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(False):
        place = native.written(inside, Path(folder) / "small")
        precision, placing = host.placement("float32", "auto", "auto")
        model = load(checkpoint.recognise(place), precision, placing)
        pipe = inside.module("acestep_core.pipeline").ACEStep(model)
        theirs, *others = (native.native_patcher(inside, place) for _ in range(1 + len(TRAINED)))
        # From 0.33 on Train LoRA works on another network, made by what a loader left here.
        if hasattr(theirs, "cached_patcher_init"):
            theirs.cached_patcher_init = (lambda disable_dynamic=True: others.pop(), ())
        return Pair(pipe, theirs, weights(model.transformer.module))


def weights(module: Any) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in module.named_parameters()}


def drawn(*shape: int) -> Tensor:
    import torch

    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def low_rank(path: str, down: str, up: str, alpha: float | None = None) -> dict[str, Tensor]:
    import torch

    made = {path + down: drawn(RANK, WIDTH), path + up: drawn(WIDTH, RANK)}
    return made if alpha is None else {**made, f"{path}.alpha": torch.tensor(alpha)}


def plain_files() -> dict[str, dict[str, Tensor]]:
    """What the core reads outside of ComfyUI, too."""
    kohya, official = (".lora_down.weight", ".lora_up.weight"), (".lora_A.weight", ".lora_B.weight")
    files = {"official": low_rank(QUERY, *official)}
    files |= {f"alpha {alpha}": low_rank(QUERY, *kohya, alpha) for alpha in (1.0, 4.0, 8.0, 16.0)}
    return files | {
        "official with alpha": low_rank(QUERY, *official, 2.0),
        "kohya names": low_rank(FLAT, *kohya, 4.0),
        "diffusion_model names": low_rank(f"diffusion_model.{QUERY}", *kohya, 4.0),
        "lora.up": low_rank(QUERY, ".lora.down.weight", ".lora.up.weight"),
        "_lora.up": low_rank(QUERY, "_lora.down.weight", "_lora.up.weight"),
        "lora_A alone": low_rank(QUERY, ".lora_A", ".lora_B"),
        "lora_A.default": low_rank(QUERY, ".lora_A.default.weight", ".lora_B.default.weight"),
        "lora_linear_layer": low_rank(
            QUERY, ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"
        ),
        "flattened convolution": {
            f"{DEPTH}.lora_up.weight": drawn(320, 2),
            f"{DEPTH}.lora_down.weight": drawn(2, 3),
        },
        "convolution in kernels": {
            f"{STEM}.lora_up.weight": drawn(2048, 2, 1, 1),
            f"{STEM}.lora_down.weight": drawn(2, 8, 16, 1),
        },
        "diff and diff_b": {f"{NORM}.diff": drawn(2048), f"{NORM}.diff_b": drawn(2048)},
        "w_norm and b_norm": {f"{NORM}.w_norm": drawn(2048), f"{NORM}.b_norm": drawn(2048)},
        "diff of a whole matrix": {f"{QUERY}.diff": drawn(WIDTH, WIDTH)},
    }


def host_files() -> dict[str, dict[str, Tensor]]:
    """What ComfyUI's own code alone adds."""
    import torch

    alpha = {f"{QUERY}.alpha": torch.tensor(2.0)}
    loha = {f"{QUERY}.hada_{name}_a": drawn(WIDTH, 4) for name in ("w1", "w2")}
    loha |= {f"{QUERY}.hada_{name}_b": drawn(4, WIDTH) for name in ("w1", "w2")}
    lokr = {
        f"{QUERY}.lokr_w1": drawn(8, 8),
        f"{QUERY}.lokr_w2_a": drawn(8, 2),
        f"{QUERY}.lokr_w2_b": drawn(2, 8),
    }
    lora = low_rank(QUERY, ".lora_down.weight", ".lora_up.weight", 4.0)
    glora = {f"{QUERY}.{n}.weight": drawn(4, WIDTH) for n in ("a1", "b1")}
    glora |= {f"{QUERY}.{n}.weight": drawn(WIDTH, 4) for n in ("a2", "b2")}
    return {
        "LoHa with alpha": loha | alpha,
        "LoKr, one half low-rank": lokr | alpha,
        "DoRA by output": {**lora, f"{QUERY}.dora_scale": drawn(WIDTH, 1).abs()},
        "DoRA by input": {**lora, f"{QUERY}.dora_scale": drawn(1, WIDTH).abs()},
        "OFT with rescale": {
            f"{QUERY}.oft_blocks": drawn(4, 16, 16),
            f"{QUERY}.rescale": drawn(WIDTH, 1).abs(),
            **alpha,
        },
        "BOFT": {f"{QUERY}.oft_blocks": drawn(2, 4, 16, 16), **alpha},
        "GLoRA": glora | alpha,
        "LoCon with a middle": {
            f"{STEM}.lora_up.weight": drawn(2048, 2, 1, 1),
            f"{STEM}.lora_down.weight": drawn(2, 8, 1, 1),
            f"{STEM}.lora_mid.weight": drawn(2, 2, 16, 1),
        },
    }


def trained(inside: Inside, both: Pair, algorithm: str) -> dict[str, Tensor]:
    """Two steps of ComfyUI's own Train LoRA node on its own network."""
    import torch

    own: Any = importlib.import_module("comfy_extras.nodes_train")
    with torch.inference_mode(False), torch.enable_grad():
        given = {
            "model": both.theirs,
            "latents": {"samples": drawn(1, 8, 16, 21)},
            "positive": cloned(native.conditioning(inside, native.LYRICS)),
            "batch_size": 1,
            "steps": 2,
            "grad_accumulation_steps": 1,
            "learning_rate": 0.01,
            "rank": 4,
            "optimizer": "AdamW",
            "loss_function": "MSE",
            "seed": 3,
            "training_dtype": "fp32",
            "lora_dtype": "fp32",
            "quantized_backward": False,
            "algorithm": algorithm,
            "gradient_checkpointing": False,
            "checkpoint_depth": 1,
            "offloading": False,
            "existing_lora": "[None]",
            "bucket_mode": False,
            "bypass_mode": False,
        }
        node = own.TrainLoraNode
        if hasattr(node, "train"):  # 0.3.64
            names = inspect.signature(node.train).parameters
            _, lora, _, _ = node().train(**{k: v for k, v in given.items() if k in names})
        else:
            names = inspect.signature(node.execute).parameters
            lists = {k: [v] for k, v in given.items() if k in names}
            lora = node.execute(**lists).result[0]
    return {name: one.detach().clone().contiguous() for name, one in lora.items()}


def cloned(made: list[list[Any]]) -> list[list[Any]]:
    """A conditioning whose tensors autograd may touch."""
    import torch

    def own(value: Any) -> Any:
        return value.clone() if isinstance(value, torch.Tensor) else value

    return [[own(states), {k: own(v) for k, v in about.items()}] for states, about in made]


def theirs_of(inside: Inside, both: Pair, file: Path, strength: float) -> dict[str, Tensor]:
    """ComfyUI's loader and patcher, its names made ours."""
    import comfy.sd
    import comfy.utils
    from comfy import model_management

    stored = comfy.utils.load_torch_file(str(file), safe_load=True)
    patcher, _ = comfy.sd.load_lora_for_models(both.theirs, None, stored, strength, 0.0)
    model_management.load_models_gpu([patcher], force_full_load=True)
    keys = inside.module("acestep_core.weights.keys").TRANSFORMER
    merged = {}
    for name, one in patcher.model.diffusion_model.named_parameters():
        try:
            ours = keys.ours(name)
        except KeyError:
            continue
        if ours is not None:
            # Convolutions of sequences there are pictures, or rows, here.
            merged[ours] = one.detach().clone().reshape(both.base[ours].shape)
    model_management.unload_all_models()
    return merged


@contextmanager
def ours_in(
    inside: Inside, both: Pair, file: Path, strength: float
) -> Iterator[Mapping[str, Tensor]]:
    """Our loader and patcher; the weights as long as they are patched."""
    from comfy import model_management

    core = inside.module("acestep_core.weights.lora")
    applied = core.Applied(core.read_adapter(file), strength)
    part = inside.module("nodes.host").with_adapter(both.pipe.model, applied).transformer
    with part.use() as network:
        yield dict(network.named_parameters())
    model_management.unload_all_models()


def alone_of(inside: Inside, both: Pair, file: Path, strength: float) -> dict[str, Tensor]:
    """The core by itself, as outside of ComfyUI."""
    core = inside.module("acestep_core.weights.lora")
    network = both.pipe.model.transformer.module
    applied = core.Applied(core.read_adapter(file), strength)
    return dict(core.merged(network, core.deltas(network, [applied])).named_parameters())


def row(
    both: Pair, ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]
) -> tuple[float, float, int]:
    """Change ours/theirs, the worst difference relative to the largest weight, weights changed."""
    import torch

    assert set(ours) == set(theirs) == set(both.base)
    above = below = worst = 0.0
    changed = 0
    for name, before in both.base.items():
        if torch.equal(ours[name], before) and torch.equal(theirs[name], before):
            continue
        own, other = ours[name].double() - before, theirs[name].double() - before
        above, below = above + float((own * other).sum()), below + float((other**2).sum())
        changed += bool(other.abs().max() > 0)
        worst = max(worst, float((own - other).abs().max() / theirs[name].abs().max()))
    assert below, "ComfyUI's loader changed nothing"
    return above / below, worst, changed


def check_adapters_are_what_comfyui_makes_of_them(inside: Inside) -> str:
    from safetensors.torch import save_file

    both, plain = pair_of(inside), plain_files()
    made = {f"Train LoRA: {kind}": trained(inside, both, kind) for kind in TRAINED}
    files = {**made, **plain, **host_files()}
    gc.collect()
    lines = ["", f"{'file':26} {'weights':>7} {'host':>6} {'worst':>8} {'alone':>6}"]
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "adapter.safetensors"
        for name, tensors in files.items():
            save_file(tensors, file)
            for strength in STRENGTHS:
                line, right = compared(inside, both, file, strength, name in plain)
                lines.append(f"{name:26} {line}")
                wrong += [] if right else [lines[-1]]
    table = "\n".join(lines)
    assert not wrong, table
    return table


def compared(
    inside: Inside, both: Pair, file: Path, strength: float, is_plain: bool
) -> tuple[str, bool]:
    """One line of the table, and whether all of it is as it should be."""
    theirs = theirs_of(inside, both, file, strength)
    with ours_in(inside, both, file, strength) as ours:
        ratio, worst, count = row(both, ours, theirs)
    right = abs(ratio - 1) < 5e-4 and worst < TOLERANCE
    alone = "-"
    if is_plain:
        own, far, _ = row(both, alone_of(inside, both, file, strength), theirs)
        right, alone = right and abs(own - 1) < 5e-4 and far < TOLERANCE, f"{own:.3f}"
    return f"{count:7} {ratio:6.3f} {worst:8.1e} {alone:>6} at {strength:g}", right


def check_adapters_that_do_not_fit_are_refused(inside: Inside) -> str:
    """ComfyUI would log it and go on without."""
    from safetensors.torch import save_file

    both, said = pair_of(inside), []
    wrong: dict[str, Callable[[Tensor], Tensor]] = {
        "hada_w1_a": lambda one: one[:-1],
        "lokr_w1": lambda one: one[:, :-1],
        "oft_blocks": lambda one: one[:-1],
        "dora_scale": lambda one: one[:-1],
    }
    error = inside.module("acestep_core.weights.checkpoint").CheckpointError
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "adapter.safetensors"
        for part, cut in wrong.items():
            tensors = next(f for f in host_files().values() if f"{QUERY}.{part}" in f)
            save_file(
                {k: cut(t).contiguous() if k.endswith(part) else t for k, t in tensors.items()},
                file,
            )
            try:
                ours_in(inside, both, file, 1.0).__enter__()
            except error as refused:
                said.append(str(refused))
            else:
                raise AssertionError(f"{part} of another size was taken")
    assert all("does not make a change of (64, 64)" in text for text in said), said
    return said[0]
