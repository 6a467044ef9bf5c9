"""dev.py without installing anything: its refusals, its environment, what it passes on."""

from __future__ import annotations

import ast
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from tests.golden_cases import lyric_tokens


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two requirement files, as dev.py's root."""
    (tmp_path / "requirements.txt").write_text("einops>=0.6.0\n", encoding="utf-8")
    (tmp_path / "requirements-dev.txt").write_text("torch==2.11.*\npytest\n", encoding="utf-8")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "BESIDE", tmp_path.parent / "shared" / "data" / "vocab.json")
    for name in ("ACESTEP_VENV", dev.VOCABULARY):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been run as `python -m ...`; every call succeeds."""
    seen: list[list[str]] = []

    def note(arguments: list[str], variables: dict[str, str] | None = None) -> int:
        seen.append([*arguments, *(f"{k}={v}" for k, v in (variables or {}).items())])
        return 0

    monkeypatch.setattr(dev, "run_module", note)
    return seen


def pretend_environment(project: Path) -> None:
    dev.python().parent.mkdir(parents=True)
    dev.python().write_text("", encoding="utf-8")
    dev.record().write_text("{}", encoding="utf-8")


def test_an_old_python_can_read_the_file(root: Path) -> None:
    source = (root / "dev.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__" not in source  # 3.6 has no annotations there


def test_an_old_python_is_refused_in_one_line(root: Path) -> None:
    script = (
        "import runpy, sys; sys.version_info = (3, 9, 18); runpy.run_path('dev.py', run_name='m')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("This needs Python 3.10 or newer")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.usefixtures("project")
def test_a_python_without_ensurepip_is_told_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        dev.prepare("run")


def test_installs_once_and_again_when_the_requirements_changed(
    project: Path, calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    pretend_environment(project)
    dev.prepare("run")
    assert len(calls) == 1
    assert "GB to download" in capsys.readouterr().out
    dev.prepare("run")
    assert len(calls) == 1
    (project / "requirements.txt").write_text("einops>=0.7.0\n", encoding="utf-8")
    dev.prepare("run")
    assert len(calls) == 2


def test_the_demo_needs_torch_but_no_test_tools(project: Path, calls: list[list[str]]) -> None:
    pretend_environment(project)
    dev.main(["demo", "--seconds", "3"])
    assert calls[0][-3:] == ["-r", "requirements.txt", "torch==2.11.*"]
    assert calls[1] == ["acestep_core.cli.demo", "--seconds", "3"]


def test_what_is_installed_for_tests_serves_the_demo(project: Path, calls: list[list[str]]) -> None:
    pretend_environment(project)
    dev.prepare("test")
    dev.prepare("run")
    assert len(calls) == 1
    assert set(json.loads(dev.record().read_text(encoding="utf-8"))) == {"run", "test"}


def test_a_failed_installation_is_not_taken_for_done(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_environment(project)
    monkeypatch.setattr(dev, "run_module", lambda *arguments: 1)
    with pytest.raises(SystemExit, match="installation failed"):
        dev.prepare("run")
    assert dev.installed() == {}


def test_an_environment_made_elsewhere_is_left_alone(
    project: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACESTEP_VENV", str(project / "mine"))
    pretend_environment(project)
    dev.record().unlink()
    dev.prepare("test")
    assert calls == []


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows", "FreeBSD"])
def test_the_size_is_said_before_installing(
    system: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    dev.announce("test", {})
    assert "GB to download" in capsys.readouterr().out


def test_golden_paths_are_relative_to_where_the_user_is(
    project: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "prepare", lambda need: None)
    monkeypatch.chdir(project)
    dev.main(["golden", "values", "--only", "codec*", "edit*", "--allow-skip"])
    only = ["--only", "codec*", "edit*"]
    expected = ["tests.golden_cases", str(project / "values"), *only, "--allow-skip"]
    assert calls == [[*expected, "OMP_NUM_THREADS=1"]]


@pytest.mark.parametrize("is_named", [False, True], ids=["beside", "named"])
@pytest.mark.parametrize("command", ["test", "golden"])
def test_the_vocabulary_is_found_and_said_once(
    project: Path,
    calls: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    is_named: bool,
) -> None:
    monkeypatch.setattr(dev, "prepare", lambda need: None)
    monkeypatch.chdir(project)
    place = project / "mine.json" if is_named else project / "beside.json"
    place.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(dev, "BESIDE", project / "beside.json")
    if is_named:
        monkeypatch.setenv(dev.VOCABULARY, "mine.json")
    assert dev.main([command]) == 0
    assert capsys.readouterr().out.count(f"Lyric vocabulary: {place}\n") == 1
    assert all(f"{dev.VOCABULARY}={place}" in call for call in calls)


@pytest.mark.usefixtures("project", "calls")
def test_without_a_vocabulary_that_is_said_and_a_wrong_name_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "prepare", lambda need: None)
    assert dev.main(["test", "--only", "pytest"]) == 0
    assert "Lyric vocabulary: none in " in capsys.readouterr().out
    monkeypatch.setenv(dev.VOCABULARY, "nowhere.json")
    with pytest.raises(SystemExit, match=r"names .*nowhere.json, which is not there"):
        dev.main(["test"])


def test_the_recorded_lyrics_look_beside_the_checkout_too(
    tmp_path: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lyric_tokens, "BESIDE", tmp_path / "shared" / "vocab.json")
    assert tmp_path / "shared" / "vocab.json" in lyric_tokens.vocabulary().places


def test_every_part_of_the_tests_runs_although_one_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def fail_lint(arguments: list[str], variables: dict[str, str] | None = None) -> int:
        seen.append(arguments[0])
        return int(arguments[0] == "ruff")

    monkeypatch.setattr(dev, "prepare", lambda need: None)
    monkeypatch.setattr(dev, "run_module", fail_lint)
    assert dev.main(["test"]) == 1
    assert seen == ["ruff", "ruff", "pyright", "pytest", "tests.golden_cases"]
    assert capsys.readouterr().out.endswith("Failed: lint\n")
    assert dev.main(["test", "--only", "pytest"]) == 0


def test_children_wait_without_spinning() -> None:
    script = "import os, sys; sys.exit(os.environ['OMP_WAIT_POLICY'] != 'PASSIVE')"
    assert dev.run([sys.executable, "-c", script]) == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX")
def test_an_interrupt_waits_for_the_child_to_tidy_up(tmp_path: Path, root: Path) -> None:
    """SIGINT to the whole group, as a terminal sends it; the child leaves a file behind."""
    tidy = (
        "import pathlib, signal, sys, time\n"
        "def stop(*_):\n time.sleep(0.5); pathlib.Path(sys.argv[1]).touch(); sys.exit(1)\n"
        "signal.signal(signal.SIGINT, stop); print('ready', flush=True); time.sleep(30)\n"
    )
    parent = "import dev, sys; sys.exit(dev.run([sys.executable, '-c', *sys.argv[1:]]))"
    mark = tmp_path / "tidied"
    with subprocess.Popen(
        [sys.executable, "-c", parent, tidy, str(mark)],
        cwd=root,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, 2)
        assert process.wait(timeout=10) == 130
    assert mark.exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX")
def test_a_child_is_ended_with_its_parent(tmp_path: Path, root: Path) -> None:
    """SIGTERM to dev.py alone, as a supervisor sends it: nothing may go on without it."""
    tidy = (
        "import os, pathlib, signal, sys, time\n"
        "def stop(*_):\n time.sleep(0.5); pathlib.Path(sys.argv[1]).touch(); sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, stop); print('ready', flush=True); time.sleep(30)\n"
    )
    parent = "import dev, sys; sys.exit(dev.run([sys.executable, '-c', *sys.argv[1:]]))"
    mark = tmp_path / "tidied"
    with subprocess.Popen(
        [sys.executable, "-c", parent, tidy, str(mark)], cwd=root, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=10) == 143
    assert mark.exists()
