"""Checks of the way into ComfyUI's own ACE-Step: its text encoder, its network, its KSampler.

    our tags and lyrics -> To Conditioning -> ComfyUI's KSampler with its ACEStep -> LATENT

ComfyUI's loaders know the released sizes alone, 8 GB of them. Its classes take any sizes, so its
own networks are built here with few of them, by its own model classes, and filled from the same
weights as ours. Nothing of ComfyUI is replaced.
"""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.host.inside import Inside

TAGS = "pop, piano, 100 bpm"
LYRICS = "[verse]\nMorning comes in over the water\n\n[chorus]\nCarry me over"
OTHER_LYRICS = "[verse]\nNothing is left of the light on the wall\n[outro]\nGood night"
SINGLE = "checkpoints/tiny_single.safetensors"
FRAMES = 21
PREFIX = "model.diffusion_model."
# Of the training alone, or made by the network itself, or there and never called.
UNREAD = ("projectors.", "rotary_emb.", "cross_attn.add_", "cross_attn.to_add_out")


def tagged(inside: Inside) -> tuple[Any, Any]:
    pipe, _ = inside.nodes["AceSuiteLoad"]().load(SINGLE, "float32", "auto")
    return pipe, inside.nodes["AceSuiteTagEncode"]().encode(pipe, TAGS)[0]


def conditioning(inside: Inside, lyrics: str, strength: float = 1.0) -> list[list[Any]]:
    """What our three nodes make for KSampler."""
    pipe, tags = tagged(inside)
    encoded, _ = inside.nodes["AceSuiteLyricEncode"]().encode(pipe, lyrics, "en")
    return inside.nodes["AceSuiteToConditioning"]().convert(tags, encoded, strength)[0]


def native_clip(inside: Inside) -> Any:
    """ComfyUI's CLIP for ACE-Step with the tiny text encoder and the checkpoint's tokenizer."""
    import comfy.sd
    import comfy.supported_models_base
    import comfy.text_encoders.ace as ace
    import torch
    from comfy.utils import load_torch_file

    config = inside.module("acestep_core.weights.tiny").CONFIG.text_encoder
    sizes = {name: getattr(config, name) for name in ("vocab_size", "d_model", "d_kv", "d_ff")}
    sizes |= {"num_heads": config.num_heads, "num_layers": config.num_layers}
    stored = load_torch_file(str(inside.base / "models" / SINGLE))
    prefix = "text_encoders."
    weights = {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}
    target = comfy.supported_models_base.ClipTarget(ace.AceT5Tokenizer, ace.AceT5Model)
    options = {"model_name": "tiny", "tiny_model_config": sizes, "dtype": torch.float32}
    clip = comfy.sd.CLIP(
        target, tokenizer_data={"spiece_model": weights["spiece_model"]}, model_options=options
    )
    encoder = "umt5base.transformer."
    missing, _ = clip.load_sd(
        {k.removeprefix(encoder): v for k, v in weights.items() if k.startswith(encoder)}
    )
    assert set(missing) <= {"logit_scale"}, missing
    return clip


def check_conditioning_is_what_the_native_encoder_gives(inside: Inside) -> str:
    """Keys, shapes and values, for words that both read alike."""
    import torch
    from comfy_extras.nodes_ace import TextEncodeAceStepAudio

    ours = conditioning(inside, LYRICS, 0.8)
    made = TextEncodeAceStepAudio.execute(native_clip(inside), TAGS, LYRICS.lower(), 0.8)
    ((states, details),), ((own, own_details),) = made.result[0], ours
    assert set(own_details) == set(details), (set(own_details), set(details))
    assert (own.shape, own.dtype) == (states.shape, states.dtype), (own.shape, states.shape)
    worst = float((own - states).abs().max() / states.abs().max())
    assert worst < 1e-4, worst
    for name, value in details.items():
        if not isinstance(value, torch.Tensor):
            assert own_details[name] == value, name
            continue
        assert (own_details[name].shape, own_details[name].dtype) == (value.shape, value.dtype)
        assert torch.equal(own_details[name], value), name
    return f"{sorted(details)}, states {tuple(states.shape)}, relative difference {worst:.1e}"


@cache
def both(inside: Inside) -> tuple[Any, Any]:
    """(our pipeline, ComfyUI's patcher) of the same small transformer."""
    with tempfile.TemporaryDirectory() as folder:
        place = written(inside, Path(folder) / "small")
        pipe = inside.module("acestep_core.pipeline").ACEStep.load(place)
        return pipe, native_patcher(inside, place)


def written(inside: Inside, place: Path) -> Path:
    """A checkpoint whose fixed sizes are those that ComfyUI's network takes for granted."""
    core = inside.module("acestep_core.config")
    tiny = inside.module("acestep_core.weights.tiny")
    sizes = replace(
        tiny.CONFIG.transformer,
        speaker_embedding_dim=512,
        lyric_hidden_size=1024,
        lyric_encoder=core.LyricEncoderConfig(),
    )
    return tiny.write_folder(place, replace(tiny.CONFIG, transformer=sizes))


def native_patcher(inside: Inside, place: Path) -> Any:
    """As ComfyUI's loader does it, only that the sizes it would detect are changed."""
    import comfy.model_detection
    import comfy.model_management
    import comfy.model_patcher
    import comfy.supported_models
    import torch
    from comfy.utils import load_torch_file

    core = inside.module("acestep_core.weights.checkpoint")
    file = place / core.FOLDERS["transformer"] / core.FILES["transformer"]
    weights = {PREFIX + key: value for key, value in load_torch_file(str(file)).items()}
    detected = comfy.model_detection.detect_unet_config(weights, PREFIX)
    assert detected["audio_model"] == "ace"
    ours = asdict(
        inside.module("acestep_core.weights.checkpoint").recognise(place).config.transformer
    )
    smaller = {name: ours[name] for name in set(ours) & set(detected)}
    config = comfy.supported_models.ACEStep({**detected, **smaller})
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, PREFIX)
    keys = set(model.diffusion_model.state_dict())
    left = {key for key in keys if PREFIX + key not in weights}
    left = [key for key in left if not any(part in key for part in UNREAD)]
    assert not left, left[:5]
    model.load_model_weights(weights, PREFIX)
    cpu = torch.device("cpu")
    kind = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    if hasattr(comfy.model_management, "archive_model_dtypes"):
        comfy.model_management.archive_model_dtypes(model.diffusion_model)
    return kind(model, load_device=cpu, offload_device=cpu)


def check_native_ksampler_takes_our_conditioning(inside: Inside) -> str:
    """The nodes of the shipped native_interop graph, with a small network."""
    import torch
    from comfy_extras.nodes_ace import EmptyAceStepLatentAudio
    from comfy_extras.nodes_model_advanced import ModelSamplingSD3

    native: Any = importlib.import_module("nodes")  # ComfyUI's
    _, patcher = both(inside)
    (shifted,) = ModelSamplingSD3().patch(patcher, 5.0)
    empty = EmptyAceStepLatentAudio.execute(2.0, 1).result[0]
    made = []
    for lyrics, strength in ((LYRICS, 1.0), (OTHER_LYRICS, 1.0), (LYRICS, 0.5), (LYRICS, 1.0)):
        positive = conditioning(inside, lyrics, strength)
        (negative,) = native.ConditioningZeroOut().zero_out(positive)
        (latent,) = native.KSampler().sample(
            shifted, 7, 4, 5.0, "euler", "simple", positive, negative, empty, 1.0
        )
        made.append(latent["samples"])
        assert made[-1].shape == (1, 8, 16, FRAMES)
        assert made[-1].isfinite().all()
    assert torch.equal(made[0], made[3]), "the same words must give the same music"
    words, strength = (float((made[0] - other).abs().max()) for other in made[1:3])
    assert words > 1e-3, words
    assert strength > 1e-3, strength
    pipe = inside.loaded()
    audio, _ = inside.nodes["AceSuiteDCAEDecode"]().decode(pipe, {"samples": made[0]})
    assert audio["waveform"].shape == (1, 2, FRAMES * 4096)
    return f"other words change it by {words:.3f}, lyrics_strength by {strength:.3f}"


def check_native_sampler_and_ours_make_the_same(inside: Inside) -> str:
    """Same weights, words, noise and levels, no guidance: the same latent from both."""
    import comfy.sample

    pipe, patcher = both(inside)
    patcher.model.diffusion_model.eval()  # 0.3.64 leaves the lyric encoder's dropout on
    positive = conditioning(inside, LYRICS)
    own, tags = tagged(inside)
    lyrics = own.lyrics(LYRICS, "en")
    widgets = {"solver": "euler", "steps": 4, "granularity": 0.0}
    (schedule,) = inside.nodes["AceSuiteSchedule"]().settings("custom", **widgets)
    (guidance,) = inside.nodes["AceSuiteGuidance"]().settings("custom", kind="cfg", scale=1.0)
    asked = {"model": pipe, "tags": tags, "lyrics": lyrics, "seed": 7, "seconds": 2.0}
    latent, _ = inside.nodes["AceSuiteSampler"]().sample(
        **asked, batch_size=1, guidance_settings=guidance, schedule=schedule
    )
    noise = inside.module("acestep_core.sampling.noise").Stream((7,)).draw(FRAMES)
    levels = inside.module("acestep_core.sampling.schedule").sigmas(4).float()
    theirs = comfy.sample.sample(
        patcher, noise, 4, 1.0, "euler", "simple", positive, positive, noise * 0, sigmas=levels
    )
    ours = latent["samples"]
    worst = float((ours - theirs).abs().max() / theirs.abs().max())
    assert worst < 1e-3, worst
    return f"relative difference {worst:.1e}"
