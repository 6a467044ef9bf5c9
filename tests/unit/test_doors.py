"""What others meet first: workflows that run what they say, forms that ask what helps, an icon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from scripts import icon
from tests.unit.shell_kit import wrong_with

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
ICON_SIDE = 400  # pixels that the registry takes at most


def read(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def test_there_are_workflows_and_forms() -> None:
    assert [path.stem for path in WORKFLOWS] == ["host", "publish", "tests"]
    assert [path.stem for path in FORMS] == ["bug", "wish"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_may_do_little(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    for one in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one
    assert read(path)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_is_there(path: Path) -> None:
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            own = line.removeprefix("./") if line.startswith((".ci/", "./")) else ""
            assert (ROOT / own).is_file() if own else not wrong_with(line), line


def test_every_system_and_python_is_tried() -> None:
    matrix = read(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["unit"]["strategy"][
        "matrix"
    ]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.10", "3.12", "3.13"]
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={matrix["python"][0]}"' in pyproject


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_form_is_whole(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in form["body"])


def test_a_bug_comes_with_what_setup_check_says() -> None:
    from tests.unit.nodes.pack import NODES

    fields = {field["id"]: field for field in read(ROOT / ".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    setup = fields["setup"]
    assert setup["validations"]["required"] is True
    assert NODES["AceSuiteSetupCheck"].TITLE in setup["attributes"]["description"]


def test_icon_is_what_the_script_draws_and_the_registry_takes() -> None:
    assert (icon.PLACE / "icon.svg").read_text(encoding="utf-8") == icon.svg()
    with Image.open(icon.PLACE / "icon.png") as image:
        assert image.format == "PNG"
        assert image.size == (ICON_SIDE, ICON_SIDE)
        for (left, top, right, bottom), _, colour in icon.shapes():
            middle = image.getpixel((int(left + right) // 2, int(top + bottom) // 2))
            ground = left == 0  # its middle is under a bar
            assert isinstance(middle, tuple)
            assert ground or max(abs(a - b) for a, b in zip(middle, colour, strict=False)) <= 2
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^Icon = "https://\S+/docs/icon\.png"$', text, re.M)


def test_before_a_commit_runs_what_there_is() -> None:
    (repo,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repo["repo"] == "local"
    assert [wrong_with(hook["entry"]) for hook in repo["hooks"]] == [""]
