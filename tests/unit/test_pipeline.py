"""The whole way, with the tiny model: from words to a latent, and between latent and sound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acestep_core.config import FRAME, SAMPLE_RATE
from acestep_core.lyrics.vocabulary import Vocabulary, VocabularyError
from acestep_core.pipeline import ACEStep, checked_output, delivered, make_each
from acestep_core.sampling.schedule import Step
from acestep_core.settings import SettingError
from acestep_core.sound import audio
from acestep_core.types import (
    Guidance,
    Inpaint,
    Latent,
    Recipe,
    Region,
    Retake,
    Sampling,
    Source,
    Task,
    TextToMusic,
    checked_latent,
)

Drawn = Callable[..., Tensor]
RECIPE = Recipe(
    "pop, piano",
    "[inst]",
    TextToMusic(0.5),
    guidance=Guidance(interval=1),
    sampling=Sampling(3),
    seeds=(42,),
)


def z_of(pipe: ACEStep, recipe: Recipe) -> Tensor:
    return pipe.generate(recipe).latent.z


# --- sampling ----------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_latent_to_the_last_bit(pipe: ACEStep) -> None:
    first = z_of(pipe, RECIPE)
    assert first.shape == (1, 8, 16, 5)
    assert torch.isfinite(first).all()
    assert torch.equal(z_of(pipe, RECIPE), first)
    assert not torch.equal(z_of(pipe, replace(RECIPE, seeds=(43,))), first)


@pytest.mark.parametrize("solver", ["euler", "heun", "pingpong"])
def test_an_item_of_a_batch_is_that_item_alone(solver: str, pipe: ACEStep) -> None:
    recipe = replace(RECIPE, sampling=Sampling(3, solver), seeds=(7, 42))
    both = z_of(pipe, recipe)
    for i, seed in enumerate(recipe.seeds):
        alone = z_of(pipe, replace(recipe, seeds=(seed,)))
        assert torch.allclose(both[i], alone[0], atol=1e-5 * float(alone.abs().max()))


def test_original_batches_depend_on_each_other(pipe: ACEStep) -> None:
    recipe = replace(RECIPE, compat="original", seeds=(7, 42))
    alone = z_of(pipe, replace(recipe, seeds=(42,)))
    assert not torch.allclose(z_of(pipe, recipe)[1], alone[0], atol=1e-5)
    assert torch.allclose(alone, z_of(pipe, RECIPE), atol=1e-5)  # one clip: both modes agree


def test_one_by_one_is_the_same(pipe: ACEStep) -> None:
    recipe = replace(RECIPE, guidance=Guidance(interval=1, text_scale=5, lyric_scale=1.5))
    together, in_turn = z_of(pipe, recipe), z_of(pipe, replace(recipe, in_turn=True))
    assert torch.allclose(together, in_turn, atol=1e-5 * float(together.abs().max()))


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance": Guidance(interval=0, decay=1)},
        {"guidance": Guidance(decay=1), "sampling": Sampling(2)},
        {"guidance": Guidance(interval=1, decay=1), "sampling": Sampling(1)},
        {"guidance": Guidance(interval=1, decay=1), "sampling": Sampling(1, "heun")},
        {"guidance": Guidance("cfg_star", interval=1), "sampling": Sampling(1)},
        {"task": TextToMusic(FRAME / SAMPLE_RATE)},
        {"lyrics": ""},
        {"lyrics": "\n\n"},
    ],
)
def test_the_smallest_runs(changes: dict[str, object], pipe: ACEStep) -> None:
    recipe = replace(RECIPE, **changes)
    assert torch.isfinite(z_of(pipe, recipe)).all()


def test_without_guidance_the_window_does_not_matter(pipe: ACEStep) -> None:
    plain = z_of(pipe, replace(RECIPE, guidance=Guidance(scale=1, interval=1)))
    assert torch.equal(plain, z_of(pipe, replace(RECIPE, guidance=Guidance(interval=0))))
    assert torch.equal(plain, z_of(pipe, replace(RECIPE, guidance=Guidance(scale=0))))
    assert not torch.allclose(plain, z_of(pipe, RECIPE), atol=1e-3)


@pytest.mark.parametrize(
    "sampling",
    [Sampling(3), Sampling(3, "heun"), Sampling(1, "heun"), Sampling(60, chosen=(2, 5, 9))],
)
def test_the_model_is_asked_as_often_as_was_said(sampling: Sampling, pipe: ACEStep) -> None:
    recipe, seen = replace(RECIPE, sampling=sampling), []
    pipe.generate(recipe, lambda step, x, v: seen.append(step.sigma))
    assert len(seen) == pipe.evaluations(recipe)
    assert seen[0] == pytest.approx(1 if not sampling.chosen else 0.96, abs=0.05)


def test_what_is_seen_last_leads_to_the_result(pipe: ACEStep) -> None:
    """x - sigma v is the clean estimate; without granularity the last one is the result."""
    estimates: list[Tensor] = []
    recipe = replace(RECIPE, sampling=Sampling(3, granularity=0))
    made = pipe.generate(recipe, lambda step, x, v: estimates.append(x - step.sigma * v))
    assert torch.allclose(
        estimates[-1], made.latent.z, atol=1e-5 * float(made.latent.z.abs().max())
    )


def test_an_exception_while_watching_cancels_and_leaves_nothing_behind(pipe: ACEStep) -> None:
    before, seen = z_of(pipe, RECIPE), []

    def stop(step: Step, x: Tensor, velocity: Tensor) -> None:
        seen.append(step.index)
        if step.index == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipe.generate(RECIPE, stop)
    assert seen == [0, 1]
    assert torch.equal(z_of(pipe, RECIPE), before)


def test_seeds_that_were_really_used_are_told(pipe: ACEStep) -> None:
    """Where none was given for the new part of a retake, one is derived."""
    assert pipe.generate(RECIPE).recipe.retake_seeds == ()
    made = pipe.generate(replace(RECIPE, task=Retake(0.5, 0.2)))
    (seed,) = made.recipe.retake_seeds
    assert seed not in RECIPE.seeds
    assert torch.equal(z_of(pipe, made.recipe), made.latent.z)


def test_results_left_inference_mode(pipe: ACEStep) -> None:
    latent = pipe.generate(RECIPE).latent
    wave = pipe.decode(Latent(latent.z[..., :1]))
    for result in (latent.z, wave, pipe.encode(wave[0], 48_000).z):
        assert not result.is_inference()
    (latent.z * torch.ones(1, requires_grad=True)).sum().backward()


def test_a_made_clip_says_what_it_took(pipe: ACEStep) -> None:
    made = pipe.generate(RECIPE)
    assert made.recipe.seeds == (42,)
    assert made.times.keys() == {"preprocess", "diffusion"}
    assert all(seconds > 0 for seconds in made.times.values())
    assert [line.text for line in made.lyrics.lines] == ["[inst]"]


# --- words that must fail well -----------------------------------------------------------


def test_empty_tags(pipe: ACEStep) -> None:
    with pytest.raises(SettingError, match=r"Tags are empty\. Describe the style"):
        pipe.generate(replace(RECIPE, tags=" \n"))


@pytest.mark.parametrize("text", ["la " * 33_334, "[verse]\n" * 12_500, "x" * 100_000])
def test_lyrics_of_100_000_characters_fail_before_any_is_read(text: str, pipe: ACEStep) -> None:
    assert len(text) >= 100_000
    unread = ACEStep(pipe.model, Vocabulary(()))
    with pytest.raises(SettingError, match=r"The lyrics have .* Cut them to the words of one song"):
        unread.generate(replace(RECIPE, lyrics=text))


def test_without_a_vocabulary_only_marks_can_be_sung(pipe: ACEStep, tmp_path: Path) -> None:
    place = tmp_path / "vocab.json"
    without = ACEStep(pipe.model, Vocabulary((place,)))
    assert without.lyrics("[verse]\n\n[Chorus]").ids.tolist() == [
        [261, 259, 6683, 2, 2, 259, 6684, 2]
    ]
    with pytest.raises(VocabularyError) as caught:
        without.generate(replace(RECIPE, lyrics="[verse]\nHello"))
    message = str(caught.value)
    assert message.startswith("Lyric line 2 ('Hello'): the lyric vocabulary")
    assert f"\n  {place} (not there)\n" in message
    assert "python -m acestep_core download --vocab" in message
    assert "ACESTEP_VOCAB" in message


def test_unknown_language(pipe: ACEStep) -> None:
    with pytest.raises(SettingError, match="Lyric language is 'xx'; it must be one of: auto, pre"):
        pipe.generate(replace(RECIPE, language="xx"))


def test_a_seed_out_of_range(pipe: ACEStep) -> None:
    with pytest.raises(SettingError, match="Seed -1 must be between 0 and"):
        pipe.generate(replace(RECIPE, seeds=(-1,)))


# --- latent and sound --------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "samples"), [(44_100, 8192), (48_000, 8917), (22_050, 4096)])
def test_length_of_the_sound(rate: int, samples: int, pipe: ACEStep, drawn: Drawn) -> None:
    wave = pipe.decode(Latent(drawn(2, 8, 16, 2)), rate)
    assert wave.shape == (2, 2, samples)
    assert samples == math.ceil(2 * FRAME * rate / SAMPLE_RATE)
    assert wave.dtype == torch.float32


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 31, 53])
def test_a_clip_that_was_saved_does_not_grow(frames: int, pipe: ACEStep, drawn: Drawn) -> None:
    """Saved at 48 kHz and read again it is a sample too long, which must not make a frame."""
    saved = audio.resample(0.1 * drawn(2, frames * FRAME), SAMPLE_RATE, 48_000)
    assert audio.resample(saved, 48_000, SAMPLE_RATE).shape[-1] == frames * FRAME + 1
    assert pipe.encode(saved, 48_000).frames == frames


def test_a_broken_torchaudio_changes_nothing(
    pipe: ACEStep, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    latent, wave = Latent(drawn(1, 8, 16, 2)), 0.1 * drawn(2, 20_000)
    sound, encoded = pipe.decode(latent), pipe.encode(wave, 48_000).z
    monkeypatch.setattr(audio, "torchaudio_resample", lambda: None)
    assert torch.allclose(pipe.decode(latent), sound, atol=1e-5)
    assert torch.allclose(pipe.encode(wave, 48_000).z, encoded, atol=1e-4)


@pytest.mark.parametrize(
    ("wave", "rate", "message"),
    [
        (torch.zeros(2, 0), 48_000, r"Audio has the shape \(2, 0\)"),
        (torch.zeros(100), 48_000, r"Audio has the shape \(100,\)"),
        (torch.full((2, 9000), math.nan), 48_000, "Audio holds 18000 NaN or infinite samples"),
        (torch.zeros(2, 9000), 0, "Audio has a sample rate of 0"),
        (torch.zeros(6, 9000), 48_000, "The audio has 6 channels; it must be mono or stereo"),
        (torch.zeros(2, 9000, dtype=torch.int16), 48_000, "Audio holds torch.int16 samples"),
    ],
)
def test_sound_that_cannot_be_encoded(wave: Tensor, rate: int, message: str, pipe: ACEStep) -> None:
    with pytest.raises(SettingError, match=message):
        pipe.encode(wave, rate)


def test_a_batch_is_encoded_clip_by_clip(pipe: ACEStep, drawn: Drawn) -> None:
    waves = 0.1 * drawn(2, 2, 9000)
    both = pipe.encode(waves, 48_000).z
    for i in range(2):
        assert torch.allclose(both[i], pipe.encode(waves[i], 48_000).z[0], atol=1e-5)


def test_output_that_is_no_sound() -> None:
    with pytest.raises(SettingError, match=r"values that are not numbers\. Decode in float32"):
        checked_output(torch.tensor([[0.0, math.nan]]))
    with pytest.raises(SettingError, match="not numbers"):
        checked_output(torch.tensor([[0.0, math.inf]]))
    assert checked_output(torch.full((1, 2, 9), 5e-5)) == ["The clip is silent (peak 5.0e-05)."]
    assert checked_output(torch.tensor([[0.0, -0.1]])) == []


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (torch.zeros(1, 64, 20), r"\(1, 64, 20\), which is ACE-Step 1\.5, another model"),
        (torch.zeros(1, 4, 64, 64), r"\(1, 4, 64, 64\); ACE-Step v1 has \(batch, 8, 16, frames\)"),
        (torch.zeros(1, 8, 16, 0), r"\(1, 8, 16, 0\)"),
        (torch.full((1, 8, 16, 2), math.nan), r"values that are not numbers\. Sample again"),
    ],
)
def test_latents_from_elsewhere(z: Tensor, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        checked_latent(z)
    assert checked_latent(torch.zeros(2, 8, 16, 3).half()).z.dtype == torch.float32


@pytest.mark.parametrize("task", [TextToMusic(0.5), Retake(0.5, 0.4)], ids=["music", "retake"])
def test_items_one_by_one_are_bit_for_bit_what_they_are_alone(task: Task, pipe: ACEStep) -> None:
    recipe = replace(RECIPE, task=task, seeds=(5, 6, 7), retake_seeds=(15, 16, 17), in_turn=True)
    seen: list[int] = []
    made = pipe.generate(recipe, lambda step, x, v: seen.append(1))
    assert len(seen) == pipe.evaluations(recipe)
    for index in range(3):
        one = replace(recipe, seeds=(5 + index,), retake_seeds=(15 + index,))
        alone = pipe.generate(one)
        assert torch.equal(made.latent.z[index], alone.latent.z[0])
    recipe = replace(recipe, task=Inpaint((Region(0.1, 0.3),), 0.8))
    painted = pipe.generate(recipe, source=Source(made.latent)).latent.z
    one = replace(recipe, seeds=(6,), retake_seeds=(16,))
    alone = pipe.generate(one, source=Source(Latent(made.latent.z[1:2]))).latent.z
    assert torch.equal(painted[1:2], alone)


def test_no_clip_that_is_handed_out_is_over_full_scale() -> None:
    sine = torch.sin(torch.arange(44_100) / 20).expand(2, -1)
    wave = torch.stack([level * sine for level in (0.9, 1.5, 3.0)])
    found, said = delivered(wave)
    assert torch.equal(found[0], wave[0])
    assert float(found.abs().max()) <= 1
    (sentence,) = said
    assert sentence.startswith("Clips 2, 3 were over full scale: their levels")
    assert "brought down by 4.5, 10.5 dB, to -1 dBTP" in sentence
    (sentence,) = delivered(wave[:2])[1]
    assert sentence.startswith("Clip 2 was over full scale: its level was brought down by 4.5 dB")
    assert delivered(wave[:1])[1] == []


@pytest.mark.parametrize(("offset", "is_told"), [(0.0, False), (0.02, False), (0.2, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_codec_that_is_off_the_middle_is_told(offset: float, is_told: bool, sign: int) -> None:
    wave = 0.1 * torch.randn(1, 2, 44_100)
    wave[:, 1] += sign * offset  # one channel is enough
    said = checked_output(wave)
    assert bool(said) == is_told
    assert not is_told or f"{sign * offset:+.2f} of full scale" in said[0]


# --- clips with words of their own -----------------------------------------------------------


@pytest.mark.parametrize("guidance", [Guidance(), Guidance(text_scale=5, lyric_scale=1.5)])
def test_clips_of_other_words_are_together_what_they_are_alone(
    pipe: ACEStep, guidance: Guidance
) -> None:
    recipe = replace(RECIPE, guidance=replace(guidance, interval=1), seeds=(1, 2, 3))
    texts = [("pop", ""), ("slow jazz with a saxophone, 70 bpm", "[inst]"), ("pop", "[verse]")]
    words = [(pipe.tags(tags), pipe.lyrics(lyrics)) for tags, lyrics in texts]
    together = make_each(pipe.model, words, recipe).z
    for index, (tags, lyrics) in enumerate(texts):
        alone = z_of(pipe, replace(recipe, tags=tags, lyrics=lyrics, seeds=(index + 1,)))
        difference = (together[index : index + 1] - alone).abs().max()
        assert difference < 1e-5 * alone.abs().max(), texts[index]
    in_turn = make_each(pipe.model, words, replace(recipe, in_turn=True)).z
    last = replace(recipe, tags="pop", lyrics="[verse]", seeds=(3,), in_turn=True)
    assert torch.equal(in_turn[2:], z_of(pipe, last))
