"""What adapter files spell, as ComfyUI's loader reads it for this model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from acestep_core.pipeline import ACEStep
from acestep_core.weights.checkpoint import CheckpointError
from acestep_core.weights.lora import (
    Applied,
    Difference,
    Foreign,
    Pair,
    deltas,
    read_adapter,
    with_adapters,
)
from acestep_core.weights.model import Model
from acestep_core.weights.spellings import DOTTED, FLAT, HALVES, spelled

QUERY = "transformer_blocks.3.attn.to_q"
OURS = "blocks.3.self_attention.query.weight"
DEPTH = "transformer_blocks.0.ff.depth_conv.conv"
NORM = "lyric_encoder.after_norm"
WIDTH, LYRIC_WIDTH = 64, 48


@pytest.fixture
def model(pipe: ACEStep) -> Model:
    return pipe.model


def of_one(path: Path, **parts: Tensor) -> Path:
    """A file that changes one query; "__" stands for a dot."""
    save_file({f"{QUERY}.{key.replace('__', '.')}": part for key, part in parts.items()}, path)
    return path


@pytest.mark.parametrize("prefix", ["", *DOTTED, "base_model.model.diffusion_model.", *FLAT])
@pytest.mark.parametrize("halves", HALVES)
def test_every_prefix_with_every_ending(
    prefix: str, halves: tuple[str, str], tmp_path: Path
) -> None:
    down, up = torch.rand(2, WIDTH), torch.rand(WIDTH, 2)
    path = prefix + (QUERY.replace(".", "_") if prefix in FLAT else QUERY)
    keys = {path + halves[0]: down, path + halves[1]: up, f"{path}.alpha": torch.tensor(3)}
    save_file(keys, tmp_path / "a.safetensors")
    adapter = read_adapter(tmp_path / "a.safetensors")
    (change,) = adapter.changes.values()
    assert list(adapter.changes) == [OURS]
    assert isinstance(change, Pair)
    assert torch.equal(change.up, up)
    assert torch.equal(change.down, down)
    assert change.alpha == 3


@pytest.mark.parametrize(
    ("key", "parameter"),
    [
        ("lora_unet_lyric_encoder_encoders_5_self_attn_linear_v.alpha", "attention.value.weight"),
        ("lora_unet_transformer_blocks_11_cross_attn_to_out_0.alpha", "blocks.11.cross_attention"),
        ("diffusion_model.proj_in.early_conv_layers.1.diff", "patch_norm.weight"),
        ("diffusion_model.proj_in.early_conv_layers.1.diff_b", "patch_norm.bias"),
        ("diffusion_model.final_layer.linear.bias.diff", "final.bias"),
        ("diffusion_model.final_layer.scale_shift_table.diff", "final_modulation.weight"),
        ("lyric_encoder.after_norm.w_norm", "lyric_encoder.norm.weight"),
        ("lyric_encoder.after_norm.b_norm", "lyric_encoder.norm.bias"),
    ],
)
def test_places(key: str, parameter: str) -> None:
    found = spelled(key)
    assert found
    assert found.parameter
    assert parameter in found.parameter


def test_flattened_convolutions(model: Model, tmp_path: Path) -> None:
    """Two matrices, as ComfyUI's trainer writes them, or kernels as LyCORIS does."""
    shape = model.transformer.module.get_submodule("blocks.0.feed_forward.depth").weight.shape
    up, down = torch.rand(shape[0], 2), torch.rand(2, 3)
    flat = {f"{DEPTH}.lora_up.weight": up, f"{DEPTH}.lora_down.weight": down}
    save_file(flat, tmp_path / "flat.safetensors")
    kernels = {
        f"{DEPTH}.lora_up.weight": up[..., None],
        f"{DEPTH}.lora_down.weight": down[:, None],
    }
    save_file(kernels, tmp_path / "kernels.safetensors")
    network = model.transformer.module
    made = [
        deltas(network, [Applied(read_adapter(tmp_path / f"{name}.safetensors"))])
        for name in ("flat", "kernels")
    ]
    name = "blocks.0.feed_forward.depth.weight"
    assert torch.equal(made[0][name], made[1][name])
    assert torch.allclose(made[0][name], (up @ down)[:, None, None])


def test_a_difference_has_the_shape_of_the_file(model: Model, tmp_path: Path) -> None:
    network = model.transformer.module
    shape = network.get_submodule("blocks.0.feed_forward.depth").weight.shape
    value = torch.rand(shape[0], 1, 3)  # the file's: its convolutions are of sequences
    save_file({f"{DEPTH}.diff": value}, tmp_path / "diff.safetensors")
    made = deltas(network, [Applied(read_adapter(tmp_path / "diff.safetensors"))])
    assert torch.equal(made["blocks.0.feed_forward.depth.weight"], value[:, :, None])


def test_differences_of_weights_and_biases(model: Model, tmp_path: Path) -> None:
    given = {f"{NORM}.{part}": torch.rand(LYRIC_WIDTH) for part in ("diff", "diff_b")}
    save_file(given, tmp_path / "a.safetensors")
    adapter = read_adapter(tmp_path / "a.safetensors")
    assert all(isinstance(change, Difference) for change in adapter.changes.values())
    changed = with_adapters(model, [Applied(adapter, -2)]).transformer.module.lyric_encoder.norm
    before = model.transformer.module.lyric_encoder.norm
    assert torch.allclose(changed.weight, before.weight - 2 * given[f"{NORM}.diff"])
    assert torch.allclose(changed.bias, before.bias - 2 * given[f"{NORM}.diff_b"])


def test_what_inference_never_reads_is_counted_and_left_out(tmp_path: Path) -> None:
    unread = {
        "projectors.1.4.diff_b": torch.ones(3),
        "transformer_blocks.0.cross_attn.add_q_proj.lora_up.weight": torch.ones(8, 1),
    }
    save_file(unread, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"only parts of ACE-Step v1 that inference does not"):
        read_adapter(tmp_path / "a.safetensors")
    save_file({**unread, f"{NORM}.diff": torch.ones(LYRIC_WIDTH)}, tmp_path / "b.safetensors")
    adapter = read_adapter(tmp_path / "b.safetensors")
    assert adapter.unread == 2
    assert adapter.about() == "1 x difference; 2 tensors left out, which inference does not use"


# --- kinds that only ComfyUI's code adds -------------------------------------------------

FOREIGN = {
    "LoHa": ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"),
    "LoKr": ("lokr_w1", "lokr_w2_a", "lokr_w2_b"),
    "OFT": ("oft_blocks",),
    "GLoRA": ("a1__weight", "a2__weight", "b1__weight", "b2__weight"),
    "DoRA": ("lora_up__weight", "lora_down__weight", "dora_scale"),
    "LoCon with a middle": ("lora_up__weight", "lora_down__weight", "lora_mid__weight"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_kinds_are_read_and_refused_by_their_true_name(
    kind: str, model: Model, tmp_path: Path
) -> None:
    parts = {name: torch.ones(2, 2) for name in FOREIGN[kind]}
    adapter = read_adapter(of_one(tmp_path / "a.safetensors", alpha=torch.tensor(4.0), **parts))
    change = adapter.changes[OURS]
    assert isinstance(change, Foreign)
    assert (change.kind, change.alpha) == (kind, 4)
    assert set(change.parts) == {name.replace("__", ".") for name in FOREIGN[kind]}
    with pytest.raises(CheckpointError, match=rf"LoRA a is for ACE-Step v1 and of the kind {kind}"):
        with_adapters(model, [Applied(adapter)])


# --- files that do not fit ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (f"{QUERY}.set_weight", "is for ACE-Step v1, but .*set_weight is a kind of change that"),
        (f"lora_unet_{QUERY.replace('.', '_')}.lora_B.bias", "is for ACE-Step v1, but lora_unet_"),
        ("text_encoders.umt5base.transformer.encoder.block.0.diff", "changes the text encoder"),
        ("lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha", "changes the text encoder"),
        ("base_model.model.layers.0.self_attn.q_proj.lora_A.weight", r"made for ACE-Step 1\.5"),
        ("lora_unet_down_blocks_0_attentions_0_to_q.alpha", "was not made for ACE-Step v1"),
        ("transformer_blocks.3.attn.to_z.alpha", "was not made for ACE-Step v1"),
    ],
)
def test_reasons(key: str, message: str, tmp_path: Path) -> None:
    save_file({key: torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=message):
        read_adapter(tmp_path / "a.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float8_e5m2])
def test_broken_numbers_are_named(value: float, dtype: torch.dtype, tmp_path: Path) -> None:
    up = torch.ones(WIDTH, 2)
    up[3, 1] = value
    parts = {"lora_down__weight": torch.ones(2, WIDTH), "lora_up__weight": up.to(dtype)}
    path = of_one(tmp_path / "nan.safetensors", **parts)
    name = re.escape(f"{QUERY}.lora_up.weight")
    with pytest.raises(CheckpointError, match=rf"nan.safetensors is broken: {name} holds NaN or"):
        read_adapter(path)


def test_one_weight_changed_twice(tmp_path: Path) -> None:
    halves = {"lora_A__weight": torch.ones(2, WIDTH), "lora_B__weight": torch.ones(WIDTH, 2)}
    again = {"lora_down__weight": torch.ones(2, WIDTH)}
    with pytest.raises(CheckpointError, match=rf"changes {OURS} twice: .* repeats it"):
        read_adapter(of_one(tmp_path / "a.safetensors", **halves, **again))
    path = of_one(tmp_path / "b.safetensors", **halves, diff=torch.ones(WIDTH, WIDTH))
    with pytest.raises(CheckpointError, match=rf"changes {OURS} twice, in two ways"):
        read_adapter(path)


@pytest.mark.parametrize("shape", [(WIDTH,), (WIDTH, 1), (2, WIDTH)])
def test_a_difference_of_another_shape(
    shape: tuple[int, ...], model: Model, tmp_path: Path
) -> None:
    adapter = read_adapter(of_one(tmp_path / "a.safetensors", diff=torch.ones(shape)))
    with pytest.raises(
        CheckpointError, match=re.escape(f"is (64, 64), the adapter changes {shape}")
    ):
        with_adapters(model, [Applied(adapter)])


def test_no_rank_at_all(tmp_path: Path) -> None:
    parts = {"lora_down__weight": torch.ones(0, WIDTH), "lora_up__weight": torch.ones(WIDTH, 0)}
    with pytest.raises(CheckpointError, match=r"has down \(0, 64\)"):
        read_adapter(of_one(tmp_path / "a.safetensors", **parts))
