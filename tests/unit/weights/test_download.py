"""No byte comes from the network here: what would fetch is replaced by small fakes."""

from __future__ import annotations

import hashlib
import io
import shutil
import urllib.error
import urllib.request
from collections import namedtuple
from http.client import IncompleteRead
from pathlib import Path

import huggingface_hub
import pytest

from acestep_core.lyrics import vocabulary
from acestep_core.weights import download as module
from acestep_core.weights.checkpoint import CheckpointError
from acestep_core.weights.download import (
    FOLDER_NAME,
    REVISION,
    SINGLE_FILE,
    SIZES,
    download,
    download_vocabulary,
    found,
    found_or_explained,
)

pytestmark = pytest.mark.usefixtures("alone")

CONTENT = {
    "ace_step_transformer/config.json": b"{}",
    "umt5-base/tokenizer.json": b"tokens",
    "umt5-base/model.safetensors": b"weights",
}
Usage = namedtuple("Usage", "total used free")


# --- what is there already ---------------------------------------------------------------


def test_nothing_there_lists_the_places_and_the_command(alone: Path, tmp_path: Path) -> None:
    assert found() is None
    with pytest.raises(CheckpointError) as caught:
        found_or_explained([tmp_path / "extra"])
    message = str(caught.value)
    assert "python -m acestep_core download` (8.3 GB), or give --model PATH" in message
    for place in (tmp_path / "extra" / SINGLE_FILE, alone / "acestep" / "models" / FOLDER_NAME):
        assert f"\n  {place}\n" in message


@pytest.mark.parametrize(
    "place",
    [
        "acestep/models/ACE-Step-v1-3.5B",
        ".cache/ace-step/checkpoints",
        ".cache/huggingface/hub/models--ACE-Step--ACE-Step-v1-3.5B/snapshots/" + REVISION,
    ],
)
def test_a_folder_in_a_known_place_is_found(place: str, alone: Path, tiny_folder: Path) -> None:
    shutil.copytree(tiny_folder, alone / place)
    assert found_or_explained() == alone / place


@pytest.mark.parametrize(("name", "folder"), [("HF_HOME", "hub"), ("HF_HUB_CACHE", "")])
def test_the_hubs_cache_may_lie_elsewhere(
    name: str, folder: str, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = "models--ACE-Step--ACE-Step-v1-3.5B/snapshots/abc"
    shutil.copytree(tiny_folder, tmp_path / "cache" / folder / snapshot)
    monkeypatch.setenv(name, str(tmp_path / "cache"))
    assert found() == tmp_path / "cache" / folder / snapshot


def test_a_single_file_in_the_usual_folder_is_found(alone: Path) -> None:
    path = alone / "acestep" / "models" / SINGLE_FILE
    path.parent.mkdir(parents=True)
    path.touch()
    assert found() == path


def test_the_variable_comes_first_then_extra_folders(
    tiny_folder: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_folder, alone / "acestep" / "models" / FOLDER_NAME)
    (tmp_path / SINGLE_FILE).touch()
    assert found([tmp_path]) == tmp_path / SINGLE_FILE
    monkeypatch.setenv("ACESTEP_MODEL", str(tiny_folder))
    assert found([tmp_path]) == tiny_folder


@pytest.mark.parametrize(
    "missing", ["music_vocoder/diffusion_pytorch_model.safetensors", "umt5-base/tokenizer.json"]
)
def test_half_a_download_is_not_taken_for_a_model(
    missing: str, alone: Path, tiny_folder: Path
) -> None:
    folder = alone / "acestep" / "models" / FOLDER_NAME
    shutil.copytree(tiny_folder, folder)
    (folder / missing).unlink()
    assert found() is None


# --- fetching ----------------------------------------------------------------------------


class Hub:
    """Stands in for the hub: writes the published files, and remembers what was asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.asked = files, []

    def __call__(self, repository: str, name: str, *, revision: str, local_dir: Path) -> str:
        assert (repository, revision) == ("ACE-Step/ACE-Step-v1-3.5B", REVISION)
        self.asked.append(name)
        path = local_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.files[name])
        return str(path)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(dict(CONTENT))
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(module, "HASHES", hashes)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    return hub


def test_every_file_is_fetched_once(hub: Hub, alone: Path) -> None:
    folder = download()
    assert folder == alone / "acestep" / "models" / FOLDER_NAME
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT
    assert sorted(hub.asked) == sorted(CONTENT)
    hub.asked.clear()
    assert download() == folder
    assert hub.asked == []


def test_a_file_that_was_changed_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    folder = download(tmp_path)
    assert folder == tmp_path / FOLDER_NAME
    (folder / "umt5-base/model.safetensors").write_bytes(b"damaged")
    hub.asked.clear()
    download(tmp_path)
    assert hub.asked == ["umt5-base/model.safetensors"]


def test_a_whole_file_is_not_read_twice(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing gigabytes takes longer than loading them: the answer is kept beside the file."""
    download(tmp_path)
    monkeypatch.setattr(module, "sha256", lambda path: pytest.fail(f"{path} was read again"))
    download(tmp_path)


def test_what_arrives_damaged_is_removed(hub: Hub, tmp_path: Path) -> None:
    hub.files["umt5-base/model.safetensors"] = b"something else"
    with pytest.raises(CheckpointError, match=r"umt5-base/model.safetensors arrived damaged"):
        download(tmp_path)
    assert not (tmp_path / FOLDER_NAME / "umt5-base/model.safetensors").exists()
    assert (tmp_path / FOLDER_NAME / "umt5-base/tokenizer.json").exists()


@pytest.mark.parametrize(
    "error", [ConnectionError("no route"), RuntimeError("peer closed connection")]
)
def test_a_connection_that_breaks_can_be_taken_up(
    error: Exception, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", broken)
    message = rf"could not be fetched \({error}\)\. What has arrived is kept: try again, and"
    with pytest.raises(CheckpointError, match=message):
        download(tmp_path)


def test_too_little_space_is_said_before_anything_is_fetched(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 0, 10**9))
    with pytest.raises(CheckpointError, match=r"need 1\.1 GB; .* has 1\.0 GB free\. Free some"):
        download(tmp_path)
    assert hub.asked == []


def test_space_is_counted_for_what_is_still_missing(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = download(tmp_path)
    (folder / "umt5-base/tokenizer.json").unlink()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 0, 10**6))
    download(tmp_path)
    assert hub.asked[-1] == "umt5-base/tokenizer.json"


def test_sizes_of_the_released_files() -> None:
    assert set(SIZES) == {name for name in module.HASHES if name.endswith(".safetensors")}
    assert sum(SIZES.values()) == pytest.approx(8_275_790_207, rel=0.003)


def test_a_folder_that_cannot_be_made(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"file.* cannot be made .* another one with --fold"):
        download(tmp_path / "file")
    with pytest.raises(CheckpointError, match="cannot be made"):
        download_vocabulary(tmp_path / "file")


# --- the vocabulary ----------------------------------------------------------------------

WORDS = b'{"model": {}}\n'


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the network answers; its first entry is the genuine vocabulary."""
    monkeypatch.setattr(vocabulary, "SHA256", hashlib.sha256(WORDS).hexdigest())
    answers = [WORDS]
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(answers[0]))
    return answers


def test_vocabulary_is_fetched_and_found_again(
    answer: list[bytes], alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = download_vocabulary()
    assert path == alone / "acestep" / "models" / "vocab.json"
    assert path.read_bytes() == WORDS
    assert vocabulary.Vocabulary.find().path() == path
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("fetched again"))
    assert download_vocabulary() == path


def test_another_vocabulary_is_not_kept(answer: list[bytes], tmp_path: Path) -> None:
    answer[0] = b"<html>Please log in</html>"
    with pytest.raises(CheckpointError, match=r"is not the lyric vocabulary \(SHA-256 .* was exp"):
        download_vocabulary(tmp_path / "v")
    assert list((tmp_path / "v").iterdir()) == []


@pytest.mark.parametrize("error", [urllib.error.URLError("no route"), IncompleteRead(b"half")])
def test_vocabulary_without_a_network(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", broken)
    message = r"could not be fetched from https://raw.* Fetch it by other means and put it at"
    with pytest.raises(CheckpointError, match=message):
        download_vocabulary(tmp_path)
    assert list(tmp_path.glob("*.json")) == []
