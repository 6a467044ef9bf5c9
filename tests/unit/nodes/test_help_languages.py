"""Help pages in both languages: every node has both, and they name the node's own inputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import locales
from tests.unit.nodes.pack import NODES, ROOT

HELP = ROOT / "web" / "docs"
ENGLISH, CHINESE = locales.read("en"), locales.read("zh")
# Where the page looks for them: docs/ID/LANGUAGE.md, and docs/ID.md for all others.
PAGES = {"en": "{}.md", "zh": "{}/zh.md"}
HEAD = re.compile(r"^- (\*\*\w+\*\*.*?)(?:: |\uff1a)", re.M)
ADVICE = "both help pages of a node name its inputs and outputs: bring the other one up to date"


def page(kind: str, language: str) -> str:
    return (HELP / PAGES[language].format(kind)).read_text(encoding="utf-8")


def sections(text: str) -> list[str]:
    """Inputs, and outputs where there are any."""
    return [
        part
        for part in re.split(r"^## ", text, flags=re.M)
        if part.startswith(("Input", "Output", "\u8f93\u5165", "\u8f93\u51fa"))
    ]


def named(text: str) -> list[str]:
    return [name for head in HEAD.findall(text) for name in re.findall(r"\*\*(\w+)\*\*", head)]


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("kind", sorted(NODES))
def test_page_names_every_input_and_output(kind: str, language: str) -> None:
    assert (HELP / PAGES[language].format(kind)).is_file(), f"{kind} has no {language} help page"
    inputs, *outputs = sections(page(kind, language))
    groups = NODES[kind].INPUT_TYPES()
    given = [name for part in ("required", "optional") for name in groups.get(part, {})]
    assert sorted(named(inputs)) == sorted(given), ADVICE
    told = [name for part in outputs for name in named(part)]
    assert told == list(NODES[kind].RETURN_NAMES if outputs else ()), ADVICE
    assert outputs or not NODES[kind].RETURN_NAMES


@pytest.mark.parametrize("kind", sorted(NODES))
def test_both_pages_say_the_same_things(kind: str) -> None:
    english, chinese = page(kind, "en"), page(kind, "zh")
    assert [named(part) for part in sections(english)] == [named(p) for p in sections(chinese)]
    assert english.count("\n## ") == chinese.count("\n## ")
    code = set(re.findall(r"`[^`\n]+`", english))
    assert code <= set(re.findall(r"`[^`\n]+`", chinese)), "a value to be typed or chosen is lost"
    assert english.splitlines()[0].partition("](")[2] == chinese.splitlines()[0].partition("](")[2]


@pytest.mark.parametrize("kind", sorted(NODES))
def test_chinese_page_names_things_as_the_node_does(kind: str) -> None:
    text, told = page(kind, "zh"), CHINESE[kind]
    assert f"\n# {told['display_name']}\n" in text
    inputs, *outputs = sections(text)
    for name, one in told["inputs"].items():
        assert f"**{name}**\uff08{one['name']}\uff09" in inputs, one
    for slot, one in told["outputs"].items():
        name = ENGLISH[kind]["outputs"][slot]["name"]
        assert f"**{name}**\uff08{one['name']}\uff09" in outputs[0], one


def test_no_page_of_a_node_that_is_gone() -> None:
    pages: list[Path] = [*HELP.glob("*.md"), *HELP.glob("*/*.md")]
    assert {path.relative_to(HELP).as_posix() for path in pages} == {
        form.format(kind) for kind in NODES for form in PAGES.values()
    }
