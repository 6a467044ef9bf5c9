"""Every stage of the small model's training, with tiny networks on seconds of plain sound.

    plain pieces -> two steps of each stage -> export -> two more from that alone -> sound

FluidSynth is needed by one test only, which says so when it is missing.
"""

from __future__ import annotations

import json
import math
import random
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from acestep_core.config import (
    DCAEConfig,
    LyricEncoderConfig,
    ModelConfig,
    TextEncoderConfig,
    TransformerConfig,
    VocoderConfig,
    seconds_of,
)
from acestep_core.pipeline import ACEStep
from acestep_core.sound.mel import log_mel
from acestep_core.types import Recipe, Sampling, TextToMusic
from training import (
    autoencoder,
    compose,
    curves,
    data,
    denoiser,
    export,
    midi,
    opponents,
    probe,
    prompts,
    render,
    spectra,
    text,
    vocoder,
)
from training.card import BEGIN, END
from training.card import write as write_card
from training.features import features
from training.kept import kept
from training.places import Places
from training.stage import LAST_RATE, Job
from training.styles import BEAT_ANGLES, BY_GENRE, STYLES

FRAMES = 20  # latent frames of a test clip, 1.86 s
TINY = ModelConfig(
    TransformerConfig(
        attention_head_dim=8,
        num_attention_heads=2,
        inner_dim=16,
        speaker_embedding_dim=4,
        text_embedding_dim=16,
        lyric_hidden_size=16,
        lyric_encoder=LyricEncoderConfig(2, 16, 6),
    ),
    DCAEConfig(
        attention_head_dim=16,
        encoder_block_out_channels=(4, 8, 8, 16),
        decoder_block_out_channels=(4, 8, 8, 16),
    ),
    VocoderConfig(
        depths=(1, 1, 1, 1),
        dims=(8, 8, 8, 16),
        num_mels=16,
        upsample_initial_channel=16,
        upsample_rates=(8, 64),
        upsample_kernel_sizes=(16, 128),
        resblock_kernel_sizes=(3,),
        resblock_dilation_sizes=((1, 3),),
    ),
    TextEncoderConfig(vocab_size=512, d_model=16, d_kv=4, d_ff=16, num_heads=4),
)


def make_clips(folder: Path) -> None:
    """A shard of the first twenty plain pieces, numbered from 0."""
    pieces = data.pieces_of(data.Wanted(plain_only=True), range(150), FRAMES)[:20]
    numbered = [(number, piece) for number, (_, piece) in enumerate(pieces)]
    data.make_shard(folder, 0, numbered, FRAMES)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Two steps of everything, on twenty plain clips."""
    folder = tmp_path_factory.mktemp("training")
    places = Places(folder / "work", folder / "runs")
    places.data.mkdir(parents=True)
    make_clips(places.data)
    return Job(places, TINY, steps=2, batch=2)


@pytest.fixture(scope="module")
def trained(job: Job) -> Job:
    for stage in (autoencoder, vocoder, text, denoiser):
        stage.run(job)
    return job


@pytest.fixture(autouse=True)
def small_opponents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opponents, "WIDTH", 1)
    monkeypatch.setattr(vocoder, "MEASURED", 1)


def test_a_piece_is_its_seed_and_number() -> None:
    assert compose.piece(0, 5, 10.0) == compose.piece(0, 5, 10.0)
    assert compose.piece(0, 5, 10.0) != compose.piece(1, 5, 10.0)


def test_tags_are_what_the_notes_were_made_from() -> None:
    for number in range(60):
        piece = compose.piece(3, number, 9.9)
        angle = 2 * math.pi * seconds_of(1) * piece.tempo / 60
        assert angle == pytest.approx(BEAT_ANGLES[piece.tags["tempo"]])
        assert piece.ensemble in BY_GENRE[piece.tags["genre"]].ensembles
        assert all(0 <= n.start < n.start + n.length <= 9.95 for n in piece.notes)
        has_drums = any(note.part == "drums" for note in piece.notes)
        assert has_drums == (piece.ensemble.kit is not None)


def test_tempi_stay_apart_when_halved_or_doubled() -> None:
    for one in BEAT_ANGLES.values():
        for other in (beat for beat in BEAT_ANGLES.values() if beat != one):
            for factor in (0.5, 1, 2):
                assert abs(np.log(factor * one / other)) > np.log(1.15)


def test_patterns_are_one_bar() -> None:
    for style in STYLES:
        lines = [pattern for drums in style.drums for pattern in drums.values()]
        lines += [*style.bass, *style.chords, *style.sparse, *style.busy]
        assert {len(line) for line in lines} == {16}, style.genre


def test_midi_releases_every_note(tmp_path: Path) -> None:
    mido = pytest.importorskip("mido", reason="mido is missing: MIDI files are not tested")
    pieces = [compose.piece(1, number, 5.0) for number in range(40)]
    pieces = [piece for piece in pieces if not render.is_plain(piece)]
    midi.write(pieces, tmp_path / "pieces.mid")
    sounding: set[tuple[int, int]] = set()
    for message in mido.MidiFile(str(tmp_path / "pieces.mid")):
        if message.type == "note_on":
            assert (message.channel, message.note) not in sounding
            sounding.add((message.channel, message.note))
        elif message.type == "note_off":
            sounding.remove((message.channel, message.note))
    assert not sounding


@pytest.mark.skipif(
    not render.can_render(), reason="FluidSynth, FluidR3 or mido is missing: nothing is rendered"
)
def test_sound_font_pieces_sound_where_they_should() -> None:
    pieces = [compose.piece(0, number, 1.8) for number in (1, 2, 3, 4)]
    waves = render.rendered(pieces, FRAMES)
    assert waves.shape == (4, 2, FRAMES * 4096)
    assert np.abs(waves).max((1, 2)).min() > 0.85 * 32767
    first = np.abs(waves[:, :, : 44_100 // 2]).max((1, 2))  # every piece begins at once
    assert first.min() > 1000


def test_clips_are_the_same_when_made_again(job: Job, tmp_path: Path) -> None:
    make_clips(tmp_path)
    first = sorted(job.places.data.iterdir())
    assert [path.name for path in first] == ["audio-0000.npy", "clips-0000.json", "mel-0000.npy"]
    for path in first:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_clips_are_read_as_they_were_made(job: Job) -> None:
    clips = data.Clips(job.places.data)
    assert len(clips.all) == 20
    assert [clip.number for clip in clips.held_out] == [9, 19]
    _, made = data.pieces_of(data.Wanted(plain_only=True), range(150), FRAMES)[3]
    clip = clips.all[3]
    assert (clip.tags, clip.bpm) == (made.tags, round(made.tempo))
    wave = clips.wave(clip)
    assert float((log_mel(wave, VocoderConfig()) - clips.mel(clip)).abs().max()) < 0.01


def test_probe_reads_what_is_there() -> None:
    draw = torch.Generator().manual_seed(0)
    labels = ["a", "b", "c"] * 30
    x = torch.randn(90, 12, generator=draw)
    x[:, 0] += torch.tensor([0.0, 6.0, 12.0] * 30)
    verdict = probe.judged(probe.fit(x[:60], labels[:60]), x[60:], labels[60:])
    assert verdict.accuracy > 0.9
    assert verdict.is_usable


def test_features_tell_tempos_apart() -> None:
    """Clicks at two tempos: the strongest beat is the one that was played."""
    for bpm, other in ((70, 90), (90, 70)):
        mel = torch.full((2, 128, 860), -8.0)
        places = (torch.arange(0, 9.9, 60 / bpm) * 86.13).long()
        mel[..., places] = 0.0
        strength = features(mel)[-50:]
        step = {tempo: round(np.log(tempo / 60) / np.log(1.015)) for tempo in (bpm, other)}
        assert strength[step[bpm]] > strength[step[other]] + 0.1


def test_prompts_are_true(job: Job) -> None:
    draw = random.Random(2)
    for clip in data.Clips(job.places.data).all:
        text_, said = prompts.drawn(clip.tags, clip.bpm, ("genre", "tempo"), draw)
        true = {word for words in prompts.words_of(clip.tags).values() for word in words}
        assert set(text_.split(", ")) <= true | {f"{clip.bpm} bpm"}
        assert said


def test_spectral_figures_of_the_same_wave_are_perfect() -> None:
    wave = torch.randn(1, 30_000, generator=torch.Generator().manual_seed(0))
    found = spectra.figures(wave, wave, VocoderConfig())
    assert found == {"lsd": 0, "multi_resolution": 0, "mel_l1": 0, "tonality": 1}


@pytest.mark.parametrize("stage", ["autoencoder", "vocoder", "text", "denoiser"])
def test_stage_commits_what_is_needed_to_go_on(trained: Job, stage: str) -> None:
    folder = trained.places.runs / stage
    about = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    assert about["step"] == 2
    entries = [json.loads(line) for line in (folder / "losses.jsonl").open(encoding="utf-8")]
    assert any(key.startswith("held_out") for entry in entries for key in entry)
    # matplotlib belongs to the training alone; without it the losses are kept and not drawn.
    picture, can_draw = folder / "losses.png", find_spec("matplotlib") is not None
    assert picture.is_file() == can_draw
    assert not can_draw or picture.stat().st_size > 500


def test_curves_need_matplotlib_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(curves, "find_spec", lambda name: None)
    journal = tmp_path / curves.JOURNAL
    journal.write_text('{"step": 1, "seconds": 2.0, "loss": 0.5}\n', encoding="utf-8")
    assert not curves.draw(journal, tmp_path / curves.PICTURE, "text")
    assert "no curves without matplotlib: pip install -r training/" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [curves.JOURNAL]


def test_curves_are_drawn_of_every_stage(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        lines = [f'{{"step": {step}, "loss": {1 / step}, "held_out": 0}}' for step in (1, 2, 3)]
        (tmp_path / name / curves.JOURNAL).write_text("\n".join(lines), encoding="utf-8")
    curves.of_all(tmp_path)
    for name in ("one", "two"):
        with Image.open(tmp_path / name / curves.PICTURE) as picture:
            assert picture.size == (900, 420)
    found = curves.series(tmp_path / "one" / curves.JOURNAL)
    assert found == {"loss": [(1, 1), (2, 0.5), (3, 1 / 3)]}


def test_going_on_equals_never_stopping(trained: Job, tmp_path: Path) -> None:
    """One step, a stop and a second step: the same weights as two steps at once."""
    places = replace(trained.places, runs=tmp_path / "runs", work=tmp_path / "work")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "data").symlink_to(trained.places.data, target_is_directory=True)
    course = replace(autoencoder.COURSE, steps=2)
    stopped = replace(trained, places=places, minutes=0.0)
    run = autoencoder.teach(autoencoder.Autoencoding(stopped), course, stopped)
    assert run.step == 1
    run = autoencoder.teach(autoencoder.Autoencoding(stopped), course, stopped)
    assert run.step == 2
    whole, halves = (one.private("autoencoder") for one in (trained.places, places))
    assert (halves / "dcae.safetensors").read_bytes() == (whole / "dcae.safetensors").read_bytes()


def elsewhere(trained: Job, folder: Path, shipped: Path | None) -> Job:
    """The same training on a machine that has its clips and what is committed, no more."""
    places = Places(folder / "work", shutil.copytree(trained.places.runs, folder / "runs"), shipped)
    (folder / "work").mkdir()
    (folder / "work" / "data").symlink_to(trained.places.data, target_is_directory=True)
    return replace(trained, places=places, steps=4)


def test_nothing_committed_by_a_stage_is_a_weight(trained: Job) -> None:
    assert not list(trained.places.runs.rglob("*.safetensors"))


@pytest.mark.parametrize("stage", [autoencoder, vocoder, denoiser])
def test_going_on_from_the_exported_checkpoint_alone(
    trained: Job, tmp_path: Path, stage: ModuleType
) -> None:
    shipped = export.write_folder(tmp_path / "small", trained)
    job = elsewhere(trained, tmp_path, shipped)
    for part in export.PARTS:
        found = export.source(part, job)
        assert found is not None
        assert found.path.is_relative_to(shipped)
    if stage is denoiser:  # it needs the tokenizer, which is committed, and no encoder of "text"
        assert kept(job.places, "text", "text_encoder") is None
    run = stage.run(job)
    assert (run.step, run.fresh_since) == (4, 2)
    found = kept(job.places, run.course.name, next(iter(run.lesson.parts)))
    assert found is not None
    assert (found.step, found.path.is_relative_to(job.places.work)) == (4, True)


def test_a_stage_without_weights_starts_anew(trained: Job, tmp_path: Path) -> None:
    run = autoencoder.run(elsewhere(trained, tmp_path, None))
    assert (run.step, run.fresh_since) == (4, 0)


def test_exporting_onto_itself_keeps_the_weights(trained: Job, tmp_path: Path) -> None:
    shipped = export.write_folder(tmp_path / "small", trained)
    before = {path: path.read_bytes() for path in shipped.rglob("*.*")}
    export.write_folder(shipped, elsewhere(trained, tmp_path, shipped))
    assert {path: path.read_bytes() for path in shipped.rglob("*.*")} == before


def test_another_descent_begins_at_its_rate_and_ends_with_the_last_step(
    trained: Job, tmp_path: Path
) -> None:
    shipped = export.write_folder(tmp_path / "small", trained)
    run = denoiser.run(replace(elsewhere(trained, tmp_path, shipped), steps=5, rate=0.5))
    assert (run.course.first, run.course.rate) == (2, 0.5)
    warm = 10_000  # steps since the moments began
    rates = [run.course.rate_at(step, warm) for step in range(2, 6)]
    assert rates[0] == 0.5
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.5 * LAST_RATE)


def test_every_second_time_is_noisier() -> None:
    drawn = denoiser.times(4000, torch.Generator().manual_seed(0))
    usual, noisier = drawn[::2], drawn[1::2]
    assert float(usual.median()) == pytest.approx(0.75, abs=0.02)
    assert float(noisier.median()) == pytest.approx(16 / 17, abs=0.01)


def test_opponents_take_over_from_the_spectral_stage(trained: Job) -> None:
    run = vocoder.run_adversarial(trained)
    assert run.step == 2
    place = trained.places.private("vocoder_adversarial") / "state.safetensors"
    assert place.is_file()


def test_exported_folder_makes_music(trained: Job, tmp_path: Path) -> None:
    folder = export.write_folder(tmp_path / "small", trained)
    write_card(folder, trained)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert BEGIN in card
    assert END in card
    pipe = ACEStep.load(folder)
    assert pipe.model.is_demo
    assert "demonstration" in pipe.model.name
    recipe = Recipe("jazz, fast", "[inst]", TextToMusic(2.0), sampling=Sampling(2), seeds=(1,))
    wave = pipe.decode(pipe.generate(recipe).latent)
    assert wave.shape[:2] == (1, 2)
    assert wave.shape[-1] > 1.8 * 48_000
    assert bool(torch.isfinite(wave).all())


def test_measured_figures_survive_a_new_card(trained: Job, tmp_path: Path) -> None:
    path = write_card(tmp_path, trained)
    card = path.read_text(encoding="utf-8")
    begin, end = card.index(BEGIN) + len(BEGIN), card.index(END)
    path.write_text(f"{card[:begin]}\nmeasured: 1\n{card[end:]}", encoding="utf-8")
    assert "measured: 1" in write_card(tmp_path, trained).read_text(encoding="utf-8")


def test_export_before_anything_is_trained(job: Job, tmp_path: Path) -> None:
    """The folder loads from the first day on, and says what it is."""
    empty = replace(job, places=Places(tmp_path / "work", tmp_path / "runs"))
    pipe = ACEStep.load(export.write_folder(tmp_path / "small", empty))
    assert "not trained yet" in pipe.model.name
