"""The command line from end to end, with the tiny model."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from acestep_core import pipeline
from acestep_core.cli import takes
from acestep_core.config import VERSION
from acestep_core.sampling.noise import LARGEST_SEED
from acestep_core.sound import audio, files
from acestep_core.sound.files import read_audio
from acestep_core.weights import small
from tests.unit import record_kit as records
from tests.unit.command_kit import SHORT, Run, names_in

pytestmark = pytest.mark.usefixtures("alone")

FRAME_AT_48 = 4096 * 160 / 147


def record_of(song: Path) -> dict[str, Any]:
    return json.loads(song.with_name(song.stem + "_input_params.json").read_text("utf-8"))


# --- generate ----------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["flac", "wav", "mp3", "opus"])
def test_a_song_and_its_record(extension: str, generate: Run, tmp_path: Path) -> None:
    song = tmp_path / "out" / f"a.{extension}"
    said = generate(*SHORT, "--seed", "42", "--output", song)
    assert said.status == 0
    assert said.out == f"{song}  0.279 s  seed 42\n"
    assert names_in(song.parent) == [song.name, "a_input_params.json"]
    wave, rate = read_audio(song)
    assert (len(wave), rate) == (2, 48_000)
    assert 0 <= wave.shape[1] - 3 * FRAME_AT_48 < 1 or extension in ("mp3", "opus")
    assert wave.abs().max() > 1e-3
    record = record_of(song)
    assert (record["format"], record["actual_seeds"]) == (extension, [42])
    assert (record["prompt"], record["audio_path"]) == ("pop", song.name)
    assert record["timecosts"].keys() == {"preprocess", "diffusion", "latent2audio"}  # type: ignore[attr-defined]
    assert record["ace_core"]["version"] == VERSION  # type: ignore[index]


def test_a_batch(generate: Run, tmp_path: Path) -> None:
    said = generate(*SHORT, "--seed", str(LARGEST_SEED), "--batch", "2", "-o", tmp_path / "b.flac")
    assert said.status == 0
    assert said.out.splitlines() == [
        f"{tmp_path / 'b_1.flac'}  0.279 s  seed {LARGEST_SEED}",
        f"{tmp_path / 'b_2.flac'}  0.279 s  seed 0",
    ]
    assert names_in(tmp_path) == [
        "b_1.flac",
        "b_1_input_params.json",
        "b_2.flac",
        "b_2_input_params.json",
    ]
    first, second = (read_audio(tmp_path / f"b_{i}.flac")[0] for i in (1, 2))
    assert first.shape == second.shape
    assert not torch.equal(first, second)
    assert record_of(tmp_path / "b_2.flac")["actual_seeds"] == [0]


def test_a_drawn_seed_is_reported_and_recorded(generate: Run, tmp_path: Path) -> None:
    said = generate(*SHORT, "--seed", "-1", "-o", tmp_path / "a.flac")
    seed = int(said.out.split()[-1])
    assert 0 <= seed < 2**31
    assert record_of(tmp_path / "a.flac")["actual_seeds"] == [seed]


def test_progress_counts_down_to_the_end(generate: Run, tmp_path: Path) -> None:
    said = generate(*SHORT, "--solver", "heun", "-o", tmp_path / "a.flac")
    assert "sampling: 100%" in said.err
    assert "3/3 [" in said.err  # evaluations of two steps of Heun
    assert "decoding: 100%" in said.err


# --- replay ------------------------------------------------------------------------------


def test_our_own_record_gives_the_same_song_to_the_last_bit(generate: Run, tmp_path: Path) -> None:
    words = ("--preset", "fal", "--steps", "3", "--solver", "pingpong", "--guidance-interval", "1")
    generate(*SHORT, *words, "--batch", "2", "--seed", "7", "-o", tmp_path / "a.wav")
    for index in (1, 2):
        record = tmp_path / f"a_{index}_input_params.json"
        said = generate("--replay", record, "-o", tmp_path / f"again_{index}.wav")
        assert said.status == 0
        assert "note:" not in said.err
    first, again = (read_audio(tmp_path / f"{name}_2.wav")[0] for name in ("a", "again"))
    # An item of a batch and the same alone are equal but for rounding; 1 / 2^15 is a step.
    assert (first - again).abs().max() <= 2 / 2**15
    generate("--replay", tmp_path / "again_1_input_params.json", "-o", tmp_path / "third.wav")
    assert (tmp_path / "third.wav").read_bytes() == (tmp_path / "again_1.wav").read_bytes()
    old, new = record_of(tmp_path / "again_1.wav"), record_of(tmp_path / "third.wav")
    for values in (old, new):
        del values["timecosts"], values["audio_path"], values["ace_core"]["replayed"]
    assert old == new


QUICK = {
    "prompt": "folk, acoustic guitar",
    "lyrics": "[verse]\n[inst]",
    "audio_duration": 0.3,
    "infer_step": 2,
    "scheduler_type": "heun",
    "guidance_interval": 1,
}
OLD = {**records.OLD, **QUICK}
NEW = {**records.PLAIN, **QUICK, "use_erg_lyric": True}


@pytest.mark.parametrize("values", [OLD, NEW], ids=["april", "later"])
def test_a_record_of_the_original(values: dict[str, object], generate: Run, tmp_path: Path) -> None:
    assert len(values) in (17, 37)
    (tmp_path / "theirs.json").write_text(json.dumps(values, indent=4), encoding="utf-8")
    said = generate("--replay", tmp_path / "theirs.json", "-o", tmp_path / "a.flac")
    assert said.status == 0
    assert "this run repeats the settings, not that very song" in said.err
    assert said.out == f"{tmp_path / 'a.flac'}  0.279 s  seed 3299954530\n"
    record = record_of(tmp_path / "a.flac")
    assert record["ace_core"]["compat"] == "original"  # type: ignore[index]
    changed = ("timecosts", "format", "audio_path", "retake_seeds")
    for key in OLD.keys() - set(changed):
        assert record[key] == values[key], key


def test_a_record_of_an_edit_needs_its_source(generate: Run, tmp_path: Path) -> None:
    (tmp_path / "edit.json").write_text(json.dumps({**NEW, "task": "edit"}), encoding="utf-8")
    said = generate("--replay", tmp_path / "edit.json", "-o", tmp_path / "a.flac")
    assert said.status == 2
    assert "The record works on a source. Give it: --source the clip it worked on" in said.err


def test_a_recorded_adapter(generate: Run, tmp_path: Path) -> None:
    name = "transformer_blocks.0.attn.to_q"
    halves = {
        f"{name}.lora_A.weight": torch.ones(2, 64),
        f"{name}.lora_B.weight": torch.ones(64, 2),
    }
    save_file(halves, tmp_path / "rap.safetensors")
    words = (*SHORT, "--seed", "1", "-o")
    generate(*words, tmp_path / "with.wav", "--lora", f"{tmp_path / 'rap.safetensors'}=0.5")
    generate(*words, tmp_path / "without.wav")
    replay = ("--replay", tmp_path / "with_input_params.json", "-o")
    said = generate(*replay, tmp_path / "a.wav")
    assert said.status == 2
    assert (
        "was made with the LoRA 'rap', which is not there. Give its place with --lora" in said.err
    )
    generate(*replay, tmp_path / "again.wav", "--lora", tmp_path / "rap.safetensors")
    generate(*replay, tmp_path / "skipped.wav", "--lora", "skip")
    sound = {path.stem: path.read_bytes() for path in tmp_path.glob("*.wav")}
    assert sound["again"] == sound["with"]
    assert sound["skipped"] == sound["without"] != sound["with"]


# --- encode and decode -------------------------------------------------------------------


def test_there_and_back(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    """So many samples at 48 kHz are so many frames, which are so many samples again."""
    samples = 20_000
    wave = 0.1 * torch.sin(torch.arange(2 * samples).reshape(2, -1) / 20)
    files.write_audio(tmp_path / "clip.wav", wave, 48_000)
    said = run("encode", tmp_path / "clip.wav", "--model", tiny_folder)
    assert said.out == f"{tmp_path / 'clip.safetensors'}  5 frames, 0.464 s\n"
    z = load_file(tmp_path / "clip.safetensors")["latent"]
    assert z.shape == (1, 8, 16, 5)
    frames = -(-audio.resample(wave, 48_000, 44_100).shape[1] // 4096)
    assert frames == 5
    words = ("--rate", "44100", "--model", tiny_folder, "-o", tmp_path / "back.wav")
    said = run("decode", tmp_path / "clip.safetensors", *words)
    assert said.out == f"{tmp_path / 'back.wav'}  {5 * 4096} samples at 44100 Hz\n"
    back, rate = read_audio(tmp_path / "back.wav")
    assert (back.shape, rate) == ((2, 5 * 4096), 44_100)


def test_decode_writes_every_item_beside_the_latents(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    save_file({"latent": torch.randn(2, 8, 16, 1)}, tmp_path / "z.safetensors")
    assert run("decode", tmp_path / "z.safetensors", "--model", tiny_folder).status == 0
    assert names_in(tmp_path) == ["z.safetensors", "z_1.flac", "z_2.flac"]


def test_latents_that_are_no_numbers(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    save_file({"latent": torch.full((1, 8, 16, 1), torch.nan)}, tmp_path / "z.safetensors")
    said = run("decode", tmp_path / "z.safetensors", "--model", tiny_folder)
    assert said.status == 2
    assert "values that are not numbers" in said.err
    assert names_in(tmp_path) == ["z.safetensors"]


# --- info and download -------------------------------------------------------------------


def test_info(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    said = run("info", tiny_folder)
    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines()[0].endswith("ACE-Step v1, folder")
    save_file({"latent": torch.zeros(1, 8, 16, 3)}, tmp_path / "z.safetensors")
    assert "1 latent(s) of 3 frames" in run("info", tmp_path / "z.safetensors").out
    shutil.copytree(tiny_folder, tmp_path / "m")
    (tmp_path / "m/music_vocoder/diffusion_pytorch_model.safetensors").unlink()
    said = run("info", tmp_path / "m")
    assert said.status == 2
    assert "vocoder       missing" in said.out
    assert "is incomplete: vocoder missing" in said.err


def test_download_without_a_network(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_route(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", no_route)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk)
    monkeypatch.setattr(urllib.request, "urlopen", no_route)
    for words in ((), ("--vocab",)):
        said = run("download", *words, "--folder", tmp_path / "models")
        assert said.status == 2
        assert said.err.startswith("error: ")
        assert "no route to host" in said.err
        assert "Traceback" not in said.err


class Disk:
    free = 10**12


def test_what_is_there_already_is_not_fetched(
    run: Run, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        "acestep_core.weights.download.download", lambda f: asked.append(f) or tmp_path
    )
    monkeypatch.setenv("ACESTEP_MODEL", str(tiny_folder))
    said = run("download")
    assert said.out == f"{tiny_folder}  is there already; --folder FOLDER fetches another copy\n"
    assert asked == []
    assert run("download", "--folder", tmp_path).out == f"{tmp_path}\n"
    monkeypatch.delenv("ACESTEP_MODEL")
    assert run("download").status == 0  # into the default folder, which is verified
    assert asked == [tmp_path, None]


def test_the_small_model_is_taken_where_there_is_no_other_and_it_is_said(
    run: Run, tmp_path: Path
) -> None:
    words = ("--tags", "opera, tenor", "--lyrics", "[inst]", "--duration", "1")
    said = run("generate", *words, "--steps", "2", "-o", tmp_path / "a.flac")
    assert said.status == 0
    assert "so this is the small demonstration model" in said.err
    assert "Instrumental, 10 styles: lofi, house, rock" in said.err
    for caution in (
        "This model knows none of these tags: opera, tenor. Try lofi, house",
        "1 s is very short: music takes 5 s or more.",
    ):
        assert f"warning: {caution}" in said.err
        assert any(caution in one for one in record_of(tmp_path / "a.flac")["ace_core"]["warnings"])
    named = run("generate", *words, "--model", small.FOLDER, "-o", tmp_path / "b.flac")
    assert "no released checkpoint" not in named.err
    assert record_of(tmp_path / "b.flac")["infer_step"] == small.SAMPLING.steps


def test_no_model_anywhere(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "is_here", lambda: False)
    said = run("generate", *SHORT, "-o", tmp_path / "a.flac")
    assert said.status == 2
    assert "No ACE-Step v1 checkpoint was found. Looked at:" in said.err
    assert "python -m acestep_core download" in said.err


def test_a_model_in_a_known_place_is_taken(
    run: Run, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACESTEP_MODEL", str(tiny_folder))
    assert run("generate", *SHORT, "-o", tmp_path / "a.flac").status == 0


def test_version(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["acestep_core", "--version"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("acestep_core", run_name="__main__")
    assert (caught.value.code, capsys.readouterr().out) == (0, VERSION + "\n")


def test_a_song_killed_before_its_record_is_told_from_the_older_ones(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new sound beside the old record: the record says that it is not of that sound."""
    assert generate(*SHORT, "-o", tmp_path / "a.flac").status == 0
    record = tmp_path / "a_input_params.json"
    again = ("--replay", record, "-o", tmp_path / "b.flac")
    assert "is not the sound that" not in generate(*again).err
    with monkeypatch.context() as killed:
        killed.setattr(takes, "write_record", lambda *_: None)
        assert generate(*SHORT, "--seed", "2", "-o", tmp_path / "a.flac").status == 0
    said = generate(*again)
    assert said.status == 0
    assert "note: a.flac is not the sound that a_input_params.json was written for" in said.err


def test_two_runs_with_one_output_are_told(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song, load = tmp_path / "a.flac", takes.loaded

    def meanwhile(*arguments: object) -> object:
        song.write_bytes(b"of another run")
        return load(*arguments)  # type: ignore[arg-type]

    assert "another run" not in generate(*SHORT, "-o", song).err
    monkeypatch.setattr(takes, "loaded", meanwhile)
    said = generate(*SHORT, "-o", song)
    assert said.status == 0
    assert f"warning: {song} was written by another run meanwhile" in said.err
    assert read_audio(song)[1] == 48_000


def test_too_little_memory_is_said_in_words(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(pipeline, "make", full)
    said = generate(*SHORT, "-o", tmp_path / "a.flac")
    assert said.status == 2
    assert "error: not enough memory (CUDA out of memory" in said.err
    assert "--one-by-one" in said.err


# --- what is wrong is said before the model is loaded ------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--output", "{tmp}/folder"), "folder is a folder. Add a file name to it"),
        (("--output", "{tmp}/folder.flac"), "folder.flac is a folder"),
        (("--output", "{tmp}/file/a.flac"), "a.flac cannot be written ("),
        (("--output", "{tmp}/a.ogg"), "a.ogg has the extension '.ogg'; a sound file ends"),
        (("--output", "{tmp}/blocked.flac"), "blocked_input_params.json is a folder"),
        (("--rate", "0"), "--rate (Hz) is 0; it must be between 8000 and 192000"),
        (("--rate", "-48000"), "--rate (Hz) is -48000"),
        (("--device", "toaster"), "--device toaster cannot be used (Expected one of cpu, cuda"),
        (("--device", "meta"), "--device meta cannot be used"),
        (("--tags", ""), "Tags are empty. Describe the style"),
        (("--duration", "nan"), "Duration (seconds) is nan"),
        (("--lyrics", "x" * 100_000), "The lyrics have 100000 characters"),
        (("--lyrics", "[verse]\nHello"), "Lyric line 2 ('Hello'): the lyric vocabulary"),
        (("--lora", "{tmp}/none"), "none does not exist"),
        (("--replay", "{tmp}/none.json"), "none.json cannot be read"),
    ],
)  # fmt: skip
def test_checked_before_the_model_is_loaded(
    words: tuple[str, ...],
    message: str,
    generate: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline.ACEStep, "load", lambda *_, **__: pytest.fail("was loaded"))
    for name in ("folder", "folder.flac", "blocked_input_params.json"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    before = names_in(tmp_path)
    filled = [word.replace("{tmp}", str(tmp_path)) for word in words]
    said = generate(*SHORT, "--output", tmp_path / "a.flac", *filled)
    assert said.status == 2
    assert said.err.startswith("error: ")
    assert message in said.err
    assert said.out == ""
    assert names_in(tmp_path) == before


def test_encode_and_decode_check_first_too(
    run: Run, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.ACEStep, "load", lambda *_, **__: pytest.fail("was loaded"))
    save_file({"latent": torch.zeros(1, 8, 16, 1)}, tmp_path / "z.safetensors")
    files.write_audio(tmp_path / "a.wav", torch.zeros(1, 100), 48_000)
    model = ("--model", tiny_folder)
    for words, message in (
        (("decode", tmp_path / "z.safetensors", "-o", tmp_path), "is a folder"),
        (("decode", tmp_path / "z.safetensors", "--rate", "1"), "--rate (Hz) is 1"),
        (("decode", tmp_path / "a.wav"), "a.wav is not a whole safetensors file"),
        (("encode", tmp_path / "a.wav", "-o", tmp_path), "is a folder"),
        (("encode", tmp_path / "none.wav"), "none.wav does not exist"),
        (("encode", tmp_path / "z.safetensors"), "z.safetensors cannot be read as sound"),
    ):
        said = run(*words, *model)
        assert (said.status, said.out) == (2, "")
        assert message in said.err


def test_no_file_that_is_written_names_a_folder(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    """Songs, records, reports and latents are shared; a path names its user."""
    made, model = tmp_path / "ann" / "made", ("--model", tiny_folder)
    song = made / "song.mp3"
    assert run("generate", *model, *SHORT, "-o", song).status == 0
    assert run("encode", song, "-o", made / "latent.safetensors", *model).status == 0
    region = ("--region", "0.1:0.2", "--latent", made / "latent.safetensors")
    words = ("--tags", "pop", "--lyrics", "[inst]", "--steps", "2")
    assert run("inpaint", song, *region, *words, "-o", made / "new.opus", *model).status == 0
    names = {path.name for path in made.iterdir()}
    assert names >= {"song.mp3", "latent.safetensors", "new.opus", "new_report.json"}
    for path in made.iterdir():
        content = path.read_bytes()
        for folder in (made, tiny_folder, Path.home()):
            assert f"{folder.parent}/".encode() not in content, path.name
