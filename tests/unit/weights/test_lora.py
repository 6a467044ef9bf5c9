from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from acestep_core.networks.layers import joined_weights
from acestep_core.networks.transformer import Block
from acestep_core.pipeline import ACEStep
from acestep_core.settings import SettingError
from acestep_core.types import Recipe, Sampling, TextToMusic
from acestep_core.weights.checkpoint import CheckpointError
from acestep_core.weights.lora import (
    FILE,
    Adapter,
    Applied,
    Change,
    Pair,
    read_adapter,
    with_adapters,
)
from acestep_core.weights.model import Added, Model

Drawn = Callable[..., Tensor]
QUERY = "transformer_blocks.3.attn.to_q"
OURS = "blocks.3.self_attention.query"
WIDTH = 64
# One product serves these three, so they are another model's own together.
BESIDE = tuple(f"blocks.3.self_attention.{name}." for name in ("query", "key", "value"))


@pytest.fixture
def model(pipe: ACEStep) -> Model:
    return pipe.model


def pair(seed: int = 0, rank: int = 2, width: int = WIDTH) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: 0.1 * torch.randn(shape, generator=generator)  # noqa: E731
    return draw(rank, width), draw(width, rank)


def written(
    path: Path, modules: dict[str, tuple[Tensor, Tensor]], metadata: dict[str, str] | None = None
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, (down, up) in modules.items():
        tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"] = down, up
    save_file(tensors, path, metadata)
    return path


def weight(model: Model, name: str = OURS) -> Tensor:
    return model.transformer.module.get_submodule(name).get_parameter("weight")


def only(changes: Mapping[str, Change]) -> Pair:
    (one,) = changes.values()
    assert isinstance(one, Pair)
    return one


# --- what an adapter does ----------------------------------------------------------------


def test_the_weight_changes_by_up_times_down(model: Model, tmp_path: Path) -> None:
    down, up = pair()
    adapter = read_adapter(written(tmp_path / "rap.safetensors", {QUERY: (down, up)}))
    changed = with_adapters(model, [Applied(adapter, 0.5)])
    assert torch.allclose(weight(changed), weight(model) + 0.5 * up @ down, atol=1e-6)
    assert changed.adapters == (Added("rap", 0.5),)


@pytest.mark.parametrize("has_run", [False, True])
def test_one_product_serves_queries_keys_and_values_whether_the_model_has_run_or_not(
    tiny_folder: Path, tmp_path: Path, has_run: bool
) -> None:
    model = ACEStep.load(tiny_folder).model
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}))
    if has_run:
        model.transformer.module.lay()
    changed = with_adapters(model, [Applied(adapter, 3)]).transformer.module
    changed.lay()
    for block in changed.blocks:
        part = cast(Block, block).self_attention
        assert joined_weights((part.query, part.key, part.value))


def test_everything_else_is_shared_and_the_old_model_untouched(
    model: Model, tmp_path: Path
) -> None:
    before = {name: p.clone() for name, p in model.transformer.module.named_parameters()}
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}))
    changed = with_adapters(model, [Applied(adapter, 3)])
    old = dict(model.transformer.module.named_parameters())
    for name, parameter in changed.transformer.module.named_parameters():
        assert (parameter is old[name]) != name.startswith(BESIDE), name
        assert torch.equal(parameter, old[name]) == (name != f"{OURS}.weight"), name
    assert all(torch.equal(old[name], before[name]) for name in before)
    assert changed.dcae is model.dcae
    assert model.adapters == ()


def test_a_run_after_dropping_the_new_model_is_bit_identical(pipe: ACEStep, tmp_path: Path) -> None:
    recipe = Recipe("pop", "[inst]", TextToMusic(0.5), sampling=Sampling(2))
    before = pipe.generate(recipe).latent.z
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}))
    assert not torch.equal(
        pipe.with_adapters([Applied(adapter, 3)]).generate(recipe).latent.z, before
    )
    assert torch.equal(pipe.generate(recipe).latent.z, before)
    assert pipe.with_adapters([]) is pipe


def test_several_add_up(model: Model, tmp_path: Path) -> None:
    first = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair(1)}))
    second = read_adapter(written(tmp_path / "b.safetensors", {QUERY: pair(2, rank=3)}))
    applied = [Applied(first, 2.0), Applied(second, -1.0)]
    both = with_adapters(model, applied)
    in_turn = with_adapters(with_adapters(model, applied[:1]), applied[1:])
    expected = weight(model) + 2 * pair(1)[1] @ pair(1)[0] - pair(2, 3)[1] @ pair(2, 3)[0]
    assert torch.allclose(weight(both), expected, atol=1e-6)
    assert torch.allclose(weight(in_turn), expected, atol=1e-6)
    assert both.adapters == in_turn.adapters == (Added("a", 2), Added("b", -1))


def test_a_weight_of_zero_changes_nothing(model: Model, tmp_path: Path) -> None:
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}))
    assert torch.equal(weight(with_adapters(model, [Applied(adapter, 0)])), weight(model))


@pytest.mark.parametrize("weight", [3.1, -3.1, float("nan"), float("inf")])
def test_weights_have_a_range(weight: float) -> None:
    message = rf"Weight of LoRA rap is {weight}; it must be between -3 and 3"
    with pytest.raises(SettingError, match=message):
        Applied(Adapter("rap", {}), weight)


# --- how files spell it ------------------------------------------------------------------

SPELLINGS = {
    "diffusers": ("", ".lora_A.weight", ".lora_B.weight"),
    "peft": ("base_model.model.", ".lora_A.weight", ".lora_B.weight"),
    "named": ("transformer.", ".lora_A.default.weight", ".lora_B.default.weight"),
    "kohya": ("diffusion_model.", ".lora_down.weight", ".lora_up.weight"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings(spelling: str, tmp_path: Path) -> None:
    prefix, down, up = SPELLINGS[spelling]
    parts = {f"{prefix}{QUERY}{down}": pair()[0], f"{prefix}{QUERY}{up}": pair()[1]}
    save_file(parts, tmp_path / "a.safetensors")
    found = read_adapter(tmp_path / "a.safetensors").changes
    assert list(found) == [f"{OURS}.weight"]
    assert torch.equal(only(found).up, pair()[1])
    assert only(found).rank == 2


@pytest.mark.parametrize(
    "module",
    [
        "transformer_blocks.23.attn.to_out.0",
        "transformer_blocks.0.cross_attn.to_k",
        "lyric_encoder.encoders.5.self_attn.linear_v",
        "speaker_embedder",
    ],
)
def test_every_published_target_is_known(module: str, model: Model, tmp_path: Path) -> None:
    path = written(tmp_path / "a.safetensors", {module: pair()})
    (name,) = read_adapter(path).changes
    name = name.removesuffix(".weight")
    rows, columns = weight(model, name).shape
    modules = {module: (torch.ones(1, columns), torch.ones(rows, 1))}
    adapter = read_adapter(written(tmp_path / "b.safetensors", modules))
    changed = with_adapters(model, [Applied(adapter)])
    assert torch.allclose(weight(changed, name), weight(model, name) + 1)


def test_a_folder_lends_its_name(tmp_path: Path) -> None:
    written(tmp_path / "chinese-rap" / FILE, {QUERY: pair()})
    assert read_adapter(tmp_path / "chinese-rap").name == "chinese-rap"
    assert read_adapter(tmp_path / "chinese-rap" / FILE).name == "chinese-rap"
    assert read_adapter(written(tmp_path / "my.rap.safetensors", {QUERY: pair()})).name == "my.rap"


# --- the scale it was trained with -------------------------------------------------------


@pytest.mark.parametrize("alpha", [1.0, 4.0, 8.0, 16.0])
@pytest.mark.parametrize("training_scale", [False, True])
def test_an_alpha_in_the_file_is_applied(
    alpha: float, training_scale: bool, model: Model, tmp_path: Path
) -> None:
    """alpha / rank, as ComfyUI does, whatever the option for the official format says."""
    about = {"lora_adapter_metadata": json.dumps({"lora_alpha": 64})}
    path = written(tmp_path / "a.safetensors", {QUERY: pair(rank=8)}, about)
    save_file({**load_file(path), f"{QUERY}.alpha": torch.tensor(alpha)}, path)
    changed = with_adapters(model, [Applied(read_adapter(path), 0.5, training_scale)])
    expected = 0.5 * alpha / 8 * pair(rank=8)[1] @ pair(rank=8)[0]
    assert torch.allclose(weight(changed) - weight(model), expected, atol=1e-6)


def test_without_an_alpha_the_weight_alone_counts(tmp_path: Path) -> None:
    """The official format: what its metadata tells is an option."""
    about = {"lora_adapter_metadata": json.dumps({"lora_alpha": 8})}
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}, about))
    assert Applied(adapter, 0.5).factor(only(adapter.changes)) == 0.5
    assert Applied(adapter, 0.5, training_scale=True).factor(only(adapter.changes)) == 0.5 * 8 / 2


def test_an_alpha_is_one_number(tmp_path: Path) -> None:
    path = written(tmp_path / "a.safetensors", {QUERY: pair()})
    save_file({**load_file(path), f"{QUERY}.alpha": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match=r"has an alpha of \(2,\); one number is expected"):
        read_adapter(path)


@pytest.mark.parametrize(
    ("about", "scale"),
    [
        ({"lora_alpha": 32, "r": 2}, 16),
        ({"lora_alpha": 32, "r": 2, "use_rslora": True}, 32 / 2**0.5),
        ({"transformer.lora_alpha": 32, "transformer.use_rslora": True}, 32 / 2**0.5),
    ],
)
def test_scale_in_the_metadata(about: dict[str, object], scale: float, tmp_path: Path) -> None:
    metadata = {"lora_adapter_metadata": json.dumps(about)}
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}, metadata))
    assert adapter.training_scale(only(adapter.changes)) == pytest.approx(scale)


def test_scale_in_the_configuration_beside(tmp_path: Path) -> None:
    """The published rap adapter: rank 256, alpha 32, rank-stabilised, so 2."""
    written(tmp_path / FILE, {QUERY: pair(rank=256)})
    config = {"r": 256, "lora_alpha": 32, "use_rslora": True}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    adapter = read_adapter(tmp_path)
    assert adapter.training_scale(only(adapter.changes)) == 2
    shutil.copy(tmp_path / FILE, tmp_path / "other.safetensors")
    other = read_adapter(tmp_path / "other.safetensors")  # that config is not about this file
    assert other.training_scale(only(other.changes)) is None


def test_an_unknown_scale_cannot_be_applied(model: Model, tmp_path: Path) -> None:
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair()}))
    with pytest.raises(SettingError, match=r"LoRA a does not say the alpha .* Switch the training"):
        with_adapters(model, [Applied(adapter, 1.0, training_scale=True)])


# --- files that do not fit ---------------------------------------------------------------


def test_adapter_of_version_1_5(tmp_path: Path) -> None:
    module = "base_model.model.layers.0.self_attn.q_proj"
    path = written(tmp_path / "a.safetensors", {module: pair()})
    with pytest.raises(CheckpointError, match=r"a.safetensors was made for ACE-Step 1\.5, which"):
        read_adapter(path)


@pytest.mark.parametrize(
    "module",
    [
        "unet.down_blocks.0.attentions.0.to_q",
        "transformer.single_transformer_blocks.0.attn.to_q",
    ],
)
def test_adapter_of_another_model(module: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.safetensors", {module: pair()})
    message = r"a.safetensors was not made for ACE-Step v1: it changes .*\.lora_A\.weight"
    with pytest.raises(CheckpointError, match=message):
        read_adapter(path)


def test_adapter_for_other_sizes(model: Model, tmp_path: Path) -> None:
    adapter = read_adapter(written(tmp_path / "a.safetensors", {QUERY: pair(width=80)}))
    message = (
        rf"LoRA a does not fit this model: {OURS} is \(64, 64\), the adapter changes \(80, 80\)"
        r" at rank 2\. It was made for other sizes"
    )
    with pytest.raises(CheckpointError, match=message):
        with_adapters(model, [Applied(adapter)])


def test_halves_of_two_ranks_do_not_fit(model: Model, tmp_path: Path) -> None:
    modules = {QUERY: (pair(rank=2)[0], pair(rank=3)[1])}
    adapter = read_adapter(written(tmp_path / "a.safetensors", modules))
    with pytest.raises(CheckpointError, match="does not fit this model"):
        with_adapters(model, [Applied(adapter)])


def test_a_block_the_model_does_not_have(model: Model, tmp_path: Path) -> None:
    modules = {"transformer_blocks.24.attn.to_q": pair()}
    adapter = read_adapter(written(tmp_path / "a.safetensors", modules))
    with pytest.raises(CheckpointError, match=r"blocks.24.self_attention.query is \(0,\)"):
        with_adapters(model, [Applied(adapter)])


def test_an_incomplete_pair(tmp_path: Path) -> None:
    save_file({f"{QUERY}.lora_A.weight": pair()[0]}, tmp_path / "a.safetensors")
    with pytest.raises(
        CheckpointError, match=rf"a.safetensors is incomplete: {OURS}.weight lacks one"
    ):
        read_adapter(tmp_path / "a.safetensors")


def test_halves_that_are_no_matrices(tmp_path: Path) -> None:
    path = written(tmp_path / "a.safetensors", {QUERY: (torch.ones(2), torch.ones(2))})
    with pytest.raises(
        CheckpointError, match=rf"{OURS}.weight has down \(2,\), up \(2,\); two matrices"
    ):
        read_adapter(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"metadata of .*a.safetensors is not valid JSON"),
        ('{"lora_alpha": "32"}', r"says its alpha is '32'; it must be a number"),
    ],
)
def test_broken_metadata(text: str, message: str, tmp_path: Path) -> None:
    metadata = {"lora_adapter_metadata": text}
    path = written(tmp_path / "a.safetensors", {QUERY: pair()}, metadata)
    with pytest.raises(CheckpointError, match=message):
        read_adapter(path)


def test_no_adapter_at_all(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=rf"{FILE} does not exist"):
        read_adapter(tmp_path)
    save_file({}, tmp_path / "empty.safetensors")
    with pytest.raises(CheckpointError, match="it changes nothing"):
        read_adapter(tmp_path / "empty.safetensors")
    torch.save({"a": torch.zeros(1)}, tmp_path / "old.pt")
    with pytest.raises(CheckpointError, match="is a pickled file"):
        read_adapter(tmp_path / "old.pt")
