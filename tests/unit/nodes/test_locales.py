"""The page's names and tooltips in two languages: complete, and nothing that is gone."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from scripts import locales
from tests.unit.nodes.pack import NODES

EXPECTED = locales.english(NODES)
HAN = re.compile("[\u4e00-\u9fff]")
# The same in both languages.
NAMES = {"LoRA", "Latent"}


@pytest.mark.parametrize("language", locales.LANGUAGES)
def test_language_has_every_text_and_no_other(language: str) -> None:
    assert locales.findings(EXPECTED, locales.read(language)) == []


def test_every_node_input_and_output_is_expected() -> None:
    assert set(EXPECTED) == set(NODES)
    for name, node in NODES.items():
        groups = node.INPUT_TYPES()
        given = {key for kind in ("required", "optional") for key in groups.get(kind, {})}
        assert set(EXPECTED[name]["inputs"]) == given
        assert list(EXPECTED[name]["outputs"]) == [str(i) for i in range(len(node.RETURN_TYPES))]


def test_english_is_what_the_nodes_say() -> None:
    assert locales.read("en") == EXPECTED, "run python scripts/locales.py"


def test_file_is_as_the_script_writes_it() -> None:
    for language in locales.LANGUAGES:
        text = locales.place(language).read_text(encoding="utf-8")
        assert text == locales.written(locales.read(language))


def test_chinese_is_chinese() -> None:
    texts = list(locales.texts(locales.read("zh")))
    foreign = [text for _, text in texts if not HAN.search(text) and text not in NAMES]
    assert not foreign, foreign


def test_numbers_and_choices_survive_translation() -> None:
    """What a tooltip names to be typed or chosen is the same in both languages."""
    english, chinese = (dict(locales.texts(locales.read(name))) for name in locales.LANGUAGES)
    for path, text in english.items():
        for word in set(re.findall(r"\[[a-z]+\]|models/\w+|\b\d+\.\d+\b|%\w+%|\w+_params", text)):
            assert word in chinese[path], f"{path}: {word} is lost"


def test_chinese_sends_nobody_to_other_nodes() -> None:
    """A node that Chinese names in quotes is named in English too, where it is no mere verb."""
    english, chinese = (dict(locales.texts(locales.read(name))) for name in locales.LANGUAGES)
    titles = {}
    for path, text in english.items():
        if path.endswith("display_name") and " " in (title := text.removesuffix(" (ACE-Step)")):
            titles[title] = f"\u201c{chinese[path].removesuffix(' (ACE-Step)')}\u201d"
    for path, text in english.items():
        for title, quoted in titles.items():
            assert title in text or quoted not in chinese[path], f"{path}: {quoted}, not in {text}"


@pytest.mark.parametrize("kind", ["missing", "stale", "empty"])
def test_what_is_wrong_is_found(kind: str) -> None:
    found: dict[str, Any] = copy.deepcopy(EXPECTED)
    seed = found["AceSuiteSampler"]["inputs"]["seed"]
    if kind == "missing":
        del seed["tooltip"]
    elif kind == "stale":
        seed["hint"] = "gone"
    else:
        seed["tooltip"] = ""
    (finding,) = locales.findings(EXPECTED, found)
    assert finding.startswith(f"{kind}: AceSuiteSampler.inputs.seed")
