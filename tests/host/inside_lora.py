"""Checks of LoRA inside ComfyUI: its patchers add the adapter when the weights are used.

    Load LoRA -> Sampler    against    base + weight x (up @ down), added plainly -> Sampler

Both are added in float32 but in another order, so they agree to its rounding: TOLERANCE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.host.inside import Inside

LORA = "loras/tiny_lora.safetensors"
TOLERANCE = 1e-4  # of the largest value, after six steps


def with_lora(inside: Inside, pipe: Any, weight: float) -> Any:
    return inside.nodes["AceSuiteLoRA"]().add(pipe, LORA, weight)[0]


def plainly(inside: Inside, *weights: float) -> Any:
    """The core alone, without patchers: the changes are added to copies of the weights."""
    core = inside.module("acestep_core.weights.lora")
    pipe = inside.module("acestep_core.pipeline").ACEStep.load(
        inside.base / "models" / "acestep" / "tiny"
    )
    adapter = core.read_adapter(inside.base / "models" / LORA)
    return pipe.with_adapters([core.Applied(adapter, weight) for weight in weights])


def weights_of(pipe: Any) -> dict[str, Any]:
    module = pipe.model.transformer.module
    return {name: one.detach().clone() for name, one in module.named_parameters()}


def difference(made: Any, expected: Any) -> float:
    return float((made - expected).abs().max() / expected.abs().max())


def check_lora_is_the_weights_added_plainly(inside: Inside) -> str:
    base = inside.sampled(inside.loaded())
    said = []
    for weight in (1.0, -0.5, 3.0):
        made = inside.sampled(with_lora(inside, inside.loaded(), weight))
        expected = inside.sampled(plainly(inside, weight))
        off, change = difference(made, expected), difference(expected, base)
        assert change > 100 * TOLERANCE, f"a LoRA that changes {change} shows nothing"
        assert off < TOLERANCE, (weight, off)
        said.append(f"weight {weight:g}: off by {off:.1e}, changes {change:.2f}")
    return "; ".join(said)


def check_loras_in_a_chain_add_up(inside: Inside) -> str:
    chained = with_lora(inside, with_lora(inside, inside.loaded(), 1.0), 0.5)
    off = difference(inside.sampled(chained), inside.sampled(plainly(inside, 1.0, 0.5)))
    assert off < TOLERANCE, off
    return f"off by {off:.1e}"


def check_model_under_a_lora_stays_as_it_was(inside: Inside) -> str:
    """Its weights and what it makes, bit for bit, whatever was sampled in between."""
    import torch
    from comfy import model_management

    for memory in ("auto", "offload"):
        pipe = inside.loaded(memory=memory)
        before, first = weights_of(pipe), inside.sampled(pipe)
        changed = with_lora(inside, pipe, 2.0)
        with_it = inside.sampled(changed)
        assert not torch.equal(with_it, first)
        assert torch.equal(inside.sampled(pipe), first), f"{memory}: other music after a LoRA"
        assert torch.equal(inside.sampled(changed), with_it), f"{memory}: another LoRA"
        del changed
        model_management.unload_all_models()
        after = weights_of(pipe)
        differ = [name for name, one in before.items() if not torch.equal(one, after[name])]
        assert not differ, (memory, differ)
        assert torch.equal(inside.sampled(pipe), first)
    return f"{len(before)} weights, two memory modes"
