"""The documents are true: links lead somewhere, commands parse, Python in them runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import bench.__main__ as benchmarks
import scripts.clients.__main__ as clients
from acestep_core import ACEStep
from tests.unit.shell_kit import wrong_with

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "training" / "README.md",
    ROOT / "small_model" / "README.md",
)
README_LINES = 160
SOUND_BYTES = 1_000_000


def blocks(page: Path, kind: str = "python") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """What its headings are called in a link, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", prose(page), re.M)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in found)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    for link in links:
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), f"{page.name}: {link}"
        assert place.is_relative_to(ROOT), f"{page.name}: {link} leads out of the project"
        if anchor:
            assert anchor in anchors(place), f"{page.name}: {link}"


@pytest.mark.parametrize("name", ["architecture", "adding", "commands", "nodes"])
def test_files_that_a_document_names_exist(name: str) -> None:
    page = ROOT / "docs" / f"{name}.md"
    paths = re.findall(r"`((?:[\w.]+/)+[\w.]*)`", prose(page))
    assert len(paths) > 1
    for path in paths:
        is_example = "oudness_meter" in path or "LoudnessMeter" in path  # of dev.py new node
        is_hosts = path.startswith("models/")
        assert is_example or is_hosts or (ROOT / path).exists(), f"{page.name}: {path}"


@pytest.mark.parametrize("name", ["README.md", "docs/nodes.md"])
def test_templates_are_named_as_their_files_are(name: str) -> None:
    """A table's cells say "08 Takes", or only the number."""
    files = [path.name for path in (ROOT / "workflows").glob("*.json")]
    rows = re.findall(r"^\|.*\|$", prose(ROOT / name), re.M)
    place = r"(?:\| |, )(\d\d)\b ?([A-Z][\w ]*\w)?"
    named = [one for row in rows for one in re.findall(place, row)]
    assert len({number for number, _ in named}) == len(files)
    for number, title in named:
        start = f"ACE-Step v1 {number} {title}"
        assert any(file.startswith(start) for file in files), f"{name}: no template {start}"


def shell_lines(page: Path) -> Iterator[str]:
    """Commands of its blocks, and those that stand in a sentence."""
    for block in blocks(page, "bash"):
        yield from block.replace("\\\n", " ").splitlines()
    text = re.sub(r"\s+", " ", prose(page))
    yield from re.findall(r"`((?:COMFYUI_PATH=\S+ )?python3? [^`]*)`", text)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_parse(page: Path) -> None:
    wrong = {line: wrong_with(line) for line in shell_lines(page)}
    assert {line: reason for line, reason in wrong.items() if reason} == {}


@pytest.mark.parametrize(
    "line",
    [
        "python -m acestep_core generate --lyric words",
        "python -m acestep_core sing --tags pop",
        "python -m scripts.headless graph.json --outputs songs",
        "python -m scripts.heedless graph.json",
        "python -m scripts.headless workflows/api/no_such.json",
        "python -m scripts.headless workflows/api/text_to_music.json --set Samplr.steps=1",
        "python -m scripts.headless workflows/api/text_to_music.json --set AceSuiteSampler.stps=1",
        "curl -s http://127.0.0.1:8188/prompt -d @workflows/api/no_such.json",
        "python3 dev.py test --only everything",
        "python3 dev.py bench everything",
        "python scripts/local.py",
        "pip install -r require.txt",
        "wget somewhere",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    assert wrong_with(line)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=named)
def test_names_that_a_document_imports_exist(page: Path) -> None:
    for block in blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module:
                home = import_module(node.module)
                missing = [name.name for name in node.names if not hasattr(home, name.name)]
                assert not missing, f"{page.name}: {node.module} has no {missing}"


def test_the_readmes_examples_run(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the tiny model, with shorter clips and fewer steps."""
    monkeypatch.chdir(tmp_path)
    load = ACEStep.load
    monkeypatch.setattr(ACEStep, "load", lambda path, device: load(tiny_folder))
    code = "\n".join(blocks(ROOT / "README.md"))
    for long, short in (
        ("TextToMusic(60), seeds=(42,)", "TextToMusic(2), seeds=(42,), sampling=Sampling(2)"),
        ("Region(10, 14)", "Region(0.5, 1.5)"),
    ):
        assert long in code
        code = code.replace(long, short)
    exec(compile(f"from acestep_core import Sampling\n{code}", "README.md", "exec"), {})
    assert (tmp_path / "song.flac").stat().st_size > 1000
    assert (tmp_path / "again.flac").stat().st_size > 1000


def test_the_readme_is_read_in_one_go() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= README_LINES
    for command in ("python3 dev.py demo", "python3 dev.py test"):
        assert command in text


def test_the_readmes_clips_are_small_and_all_shown() -> None:
    from scripts import sounds

    found = {path.name: path.stat().st_size for path in sounds.PLACE.iterdir()}
    assert set(found) == {f"{name}.mp3" for name in sounds.CLIPS}
    assert sum(found.values()) < SOUND_BYTES
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(docs/sound/{name})" in text for name in found)


def test_figures_are_published_where_their_block_is(tmp_path: Path) -> None:
    line = '{"device": "cpu", "threads": 1, "torch": "2", "commit": "abc"}'
    (tmp_path / "other.md").write_text("nothing\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- bench step -->\nold\n<!-- end step -->\nb\n", encoding="utf-8")
    benchmarks.publish("step", ["--long"], f"1.5 s\n{line}\n", tmp_path)
    told = "$ python3 dev.py bench step --long\n1.5 s\n(cpu, 1 threads, torch 2, commit abc)"
    block = f"<!-- bench step -->\n```text\n{told}\n```\n<!-- end step -->"
    assert page.read_text(encoding="utf-8") == f"a\n{block}\nb\n"
    with pytest.raises(SystemExit, match=r"0 pages of .* have a block <!-- bench load -->"):
        benchmarks.publish("load", [], line, tmp_path)


def test_what_is_summed_up_stands_in_the_readme(tmp_path: Path) -> None:
    line = '{"device": "cpu", "threads": 1, "torch": "2", "commit": "abc", "in_short": "0.5 of it"}'
    (tmp_path / "docs").mkdir()
    for page in ("README.md", "docs/page.md"):
        text = "a <!-- bench step -->old<!-- end step --> b\n"
        (tmp_path / page).write_text(text, encoding="utf-8")
    benchmarks.publish("step", [], f"1.5 s\n{line}\n", tmp_path / "docs")
    short = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert short == "a <!-- bench step -->0.5 of it<!-- end step --> b\n"
    (tmp_path / "README.md").write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"README\.md has no block <!-- bench step -->"):
        benchmarks.publish("step", [], line, tmp_path / "docs")


def test_every_block_of_figures_belongs_to_a_benchmark() -> None:
    pages = [page for page in PAGES if page.parent == ROOT / "docs"]
    texts = "".join(page.read_text(encoding="utf-8") for page in pages)
    marked = re.findall(r"<!-- bench ([\w-]+) -->", texts)
    assert {"step", "decode", "load", "repeat", "preview", "seams", "words"} <= set(marked)
    assert sorted(set(marked)) == sorted(marked)
    assert set(marked) <= set(benchmarks.names())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- bench ([\w-]+) -->[^<]+<!-- end \1 -->", readme) == ["against"]


def test_the_table_of_clients_has_every_one_and_nothing_but_yes() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = page.partition(clients.MARKS[0])[2].partition(clients.MARKS[1])[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    wanted = [
        [one.name, one.version, one.way, *("yes" if v in one.verbs else "-" for v in clients.VERBS)]
        for one in clients.KNOWN
    ]
    assert [row for row in rows if row[1:] and "yes" in row] == wanted
