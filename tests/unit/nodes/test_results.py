"""What becomes of a song: saved, drawn, compared, handed to native nodes; adapters and checks."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import av
import pytest
import torch
from safetensors.torch import save_file

from tests.unit.nodes.pack import NODES, module, sampled

host, save = module("nodes.host"), module("nodes.save")
checkpoints = module("nodes.checkpoints")
TEXT = "caf\u00e9 \u4f60\u597d \U0001f3b5"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def audio() -> dict[str, Any]:
    wave = torch.randn(2, 2, 30_000, generator=torch.Generator().manual_seed(1)) * 0.1
    return {"waveform": wave, "sample_rate": 48_000}


def tags_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as file:
        return {**file.metadata, **file.streams.audio[0].metadata}


def saved(audio: dict[str, Any], **inputs: Any) -> list[Path]:
    answer = NODES["AceSuiteSaveAudio"]().save(audio, "audio/song", **inputs)
    files = answer["result"][0].split("\n")
    assert [one["filename"] for one in answer["ui"]["audio"]] == files
    return [Path("output") / name for name in files]


@pytest.mark.parametrize("kind", ["flac", "mp3", "opus", "wav"])
def test_file_says_how_it_was_made(words: dict[str, Any], audio: dict[str, Any], kind: str) -> None:
    _, info = sampled(words, batch_size=2)
    info["prompt"] = TEXT
    inputs = {"prompt": {"1": {"text": TEXT}}, "extra_pnginfo": {"workflow": {"nodes": [TEXT]}}}
    first, second = saved(audio, format=kind, info=json.dumps(info), model=words["model"], **inputs)
    tags = {name.lower(): value for name, value in tags_of(second).items()}
    own = json.loads(tags["comment" if kind == "wav" else "acesuite"])
    assert (own["actual_seeds"], own["prompt"]) == ([4], TEXT)
    assert len(own["ace_core"]["model_sha256"]) == 64
    # Pages read the settings as Latin-1; players read the rest as it is.
    assert all(tags[name].isascii() for name in ("acesuite", "prompt", "workflow") if name in tags)
    assert tags["title"] == "Caf\u00e9 \u4f60\u597d \U0001f3b5"
    assert ("workflow" in tags) == (kind != "wav")
    assert first.stem.endswith("_00001_")


def test_settings_beside_the_file_repeat_the_run(
    words: dict[str, Any], audio: dict[str, Any]
) -> None:
    _, info = sampled(words)
    (path, _) = saved(audio, info=json.dumps(info), save_settings=True, save_workflow=False)
    place = module("acestep_core.records.record").record_path(path)
    record = module("acestep_core.records.record").read_record(place)
    recipe = module("acestep_core.records.replay").request_of(record).recipe
    assert (recipe.seeds, recipe.task.seconds, record.audio_path) == ((3,), 2.0, path.name)
    assert "prompt" not in tags_of(path)
    assert place.name == "song_00001_input_params.json"


def test_sound_from_elsewhere_is_saved_with_the_model_alone(
    words: dict[str, Any], audio: dict[str, Any]
) -> None:
    """As of a native node: no Sampler has said anything of it."""
    (path, _) = saved(audio, model=words["model"], save_settings=True)
    (own,) = json.loads(tags_of(path)["acesuite"]).values()
    assert list(own) == ["model_sha256"]
    assert not list(path.parent.glob("*.json"))


def test_repeated_song_names_no_folder_of_where_it_was_first_made(
    words: dict[str, Any], audio: dict[str, Any]
) -> None:
    _, info = sampled(words)
    paths = {"audio_path": "/home/ann/a.wav", "lora_name_or_path": "C:\\ann\\style", "x": "/a/n/n"}
    old = json.dumps({**info, **paths})
    (path, _) = saved(audio, info=json.dumps(info), replayed=old, save_settings=True)
    beside = module("acestep_core.records.record").record_path(path).read_text("utf-8")
    kept = json.loads(beside)
    assert (kept["lora_name_or_path"], kept["x"]) == ("style", "n")
    assert "/ann" not in beside + tags_of(path)["acesuite"]
    assert "ann\\" not in beside + tags_of(path)["acesuite"]


def test_names_say_what_a_file_is(words: dict[str, Any], audio: dict[str, Any]) -> None:
    _, info = sampled(words)
    told = {"info": json.dumps({**info, "lyrics": "[verse]\nWhy? Because/so"})}
    save, names = NODES["AceSuiteSaveAudio"]().save, []
    for prefix, inputs in (("%title% %seed%", told), ("%title%", {**told, "title": "My song"})):
        names += save(audio, f"audio/{prefix}", **inputs)["result"][0].split("\n")
    names += save(audio, "audio/%title%")["result"][0].split("\n")
    starts = [name[: -len("_00001_.flac")] for name in names]
    assert starts == [*["Why Because so 3"] * 2, *["My song"] * 2, *["ACE-Step"] * 2]
    assert tags_of(Path("output") / names[2])["TITLE"] == "My song"
    assert tags_of(Path("output") / names[0])["LYRICS"] == "[verse]\nWhy? Because/so"


def test_rate_that_mp3_has_not_is_told_on_the_node(audio: dict[str, Any]) -> None:
    answer = NODES["AceSuiteSaveAudio"]().save(audio, "x", format="mp3", kilobits=33)
    assert any(
        "MP3 has no 33 kbit/s: 32 were written." in n for n in answer["ui"]["acesuite"][0]["notes"]
    )


INFO = '{"task": "retake", "prompt": "pop", "lyrics": "", "audio_duration": 5}'


def test_workflow_too_large_for_a_format_is_left_out(audio: dict[str, Any]) -> None:
    inputs = {"prompt": {"1": "x" * 70_000}, "info": INFO}
    assert "prompt" in tags_of(saved(audio, format="flac", **inputs)[0])
    (path, _) = saved(audio, format="opus", **inputs)
    assert "prompt" not in tags_of(path)
    assert json.loads(tags_of(path)["acesuite"])["task"] == "retake"


def test_hash_is_computed_once_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = tmp_path / "model.safetensors", []
    file.write_bytes(b"one")
    monkeypatch.setattr(host, "user_file", lambda name: tmp_path / name)
    monkeypatch.setattr(save, "sha256", lambda path: read.append(path) or f"hash {len(read)}")
    assert [save.hash_of(file), save.hash_of(file)] == ["hash 1", "hash 1"]
    file.write_bytes(b"other")
    assert save.hash_of(file) == "hash 2"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null", b'{"a": 1}', b"[" * 100_000]
)
def test_a_damaged_file_of_hashes_is_made_again(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, store = tmp_path / "model.safetensors", tmp_path / save.HASHES
    file.write_bytes(b"one")
    store.write_bytes(content)
    monkeypatch.setattr(host, "user_file", lambda name: tmp_path / name)
    found = save.hash_of(file)
    assert list(json.loads(store.read_text(encoding="utf-8")).values()) == [found]


def test_hashes_that_cannot_be_kept_lose_no_song(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    monkeypatch.setattr(host, "user_file", lambda name: tmp_path / "not there" / name)
    assert len(save.hash_of(file)) == 64
    assert "could not be written" in caplog.text


@pytest.mark.parametrize("inputs", [{"info": "no json"}, {"info": "[]"}, {"format": "ogg"}])
def test_wrong_input_names_the_saver(audio: dict[str, Any], inputs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^Save Audio"):
        saved(audio, **inputs)


def test_pictures_of_sound(audio: dict[str, Any]) -> None:
    (pictures,) = NODES["AceSuiteMelView"]().draw(audio, "two clips")
    assert pictures.shape[0] == 2
    assert pictures.shape[3] == 3
    assert 0 <= float(pictures.min()) < float(pictures.max()) <= 1


def test_a_mask_over_a_picture_for_masks_means_what_it_shows() -> None:
    """White where the picture is bright: the seconds of the sound that is seen there."""
    wave = torch.zeros(1, 2, 30 * 44_100)
    time = torch.arange(10 * 44_100) / 44_100
    wave[..., 10 * 44_100 : 20 * 44_100] = 0.5 * torch.sin(2 * math.pi * 500 * time)
    audio = {"waveform": wave, "sample_rate": 44_100}
    (pictures,) = NODES["AceSuiteMelView"]().draw(audio, for_masks=True)
    mask = (pictures.amax((1, 3)) > 0.6).float()[:, None]
    (task,) = NODES["AceSuiteInpaintMask"]().describe(0, 1, mask=mask, source_audio=audio)
    (region,) = task.task.regions
    pixel = 30 / pictures.shape[2]
    assert (region.start, region.end) == pytest.approx((10, 20), abs=2 * pixel)


def test_takes_are_compared_and_played(audio: dict[str, Any]) -> None:
    longer = {"waveform": torch.zeros(1, 1, 60_000), "sample_rate": 44_100}
    node = NODES["AceSuiteCompareTakes"]()
    answer = node.compare([audio], takes=[longer])
    assert len(answer["ui"]["audio"]) == 3
    assert all((Path("temp") / one["filename"]).is_file() for one in answer["ui"]["audio"])
    assert len(answer["result"][0]) == 2
    inputs = {"start": 0.1, "end": 0.2, "source_audio": longer}
    (task,) = NODES["AceSuiteInpaintMask"]().describe(**inputs)
    marked = node.compare([longer], task=[task])["result"][0]
    assert not torch.equal(marked, node.compare([longer])["result"][0])


def test_conditioning_is_what_native_nodes_make(words: dict[str, Any]) -> None:
    node = NODES["AceSuiteToConditioning"]()
    ((states, details),) = node.convert(words["tags"], words["lyrics"], 0.9)[0]
    assert states.shape[-1] == words["tags"].states.shape[-1]
    assert details["conditioning_lyrics"].dtype == torch.int64
    assert details["conditioning_lyrics"].tolist() == words["lyrics"].ids.tolist()
    assert (details["pooled_output"], details["lyrics_strength"]) == (None, 0.9)


def test_setup_check_says_what_is_there(words: dict[str, Any]) -> None:
    (report,) = NODES["AceSuiteSetupCheck"]().check(60.0, words["model"])["result"]
    assert "OK model: tiny (complete)" in report
    assert re.search(r"Models and files in Load's list: [1-9]", report)
    assert "60 s are 645 frames" in report


@pytest.fixture
def adapter(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A LoRA in models/loras, with ComfyUI's folders stood in for."""
    name = "transformer_blocks.0.attn.to_q"
    width = model.model.config.transformer.inner_dim
    generator = torch.Generator().manual_seed(2)
    down, up = (torch.randn(shape, generator=generator) for shape in ((2, width), (width, 2)))
    path = tmp_path / "style.safetensors"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)
    monkeypatch.setattr(host, "model_files", lambda folder: [path.name] * (folder == "loras"))
    monkeypatch.setattr(host, "path_of", lambda folder, file: tmp_path / file)
    return "loras/style.safetensors"


def test_lora_makes_another_model(words: dict[str, Any], adapter: str) -> None:
    node, model = NODES["AceSuiteLoRA"](), words["model"]
    assert adapter in node.INPUT_TYPES()["required"]["lora"][0]
    before, _ = sampled(words)
    changed, report = node.add(model, adapter, 0.5)
    twice, _ = node.add(changed, adapter, 0.5)
    assert "style, weight 0.5: 1 x LoRA of rank 2" in report
    with_one, info = sampled({**words, "model": changed})
    assert not torch.equal(with_one["samples"], before["samples"])
    assert info["lora_name_or_path"] == "style"
    assert len(twice.model.adapters) == 2
    assert torch.equal(sampled(words)[0]["samples"], before["samples"])
    assert node.add(model, "none")[0] is model
    with pytest.raises(Exception, match=r"^Load LoRA \(ACE-Step\): .* no longer there"):
        node.add(model, "loras/gone.safetensors")
