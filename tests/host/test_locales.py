"""The server hands out the texts of both languages, and the page shows them."""

from __future__ import annotations

import pytest

from scripts import locales
from scripts.host import page
from scripts.host.comfyui import Running, get_json
from tests.host import shipped

NAMES = """() => app.graph._nodes.map(node => [node.type, node.getTitle(),
    (node.widgets ?? []).map(widget => [widget.name, widget.label ?? widget.name])])"""


@pytest.mark.parametrize("language", locales.LANGUAGES)
def test_texts_are_served(server: Running, language: str) -> None:
    served = get_json(server.url + "/i18n")[language]["nodeDefs"]
    for name, texts in locales.read(language).items():
        assert served[name] == texts, name


@pytest.mark.page
@pytest.mark.parametrize("language", locales.LANGUAGES)
def test_page_speaks_the_language(server: Running, language: str) -> None:
    texts = locales.read(language)
    workflow = shipped.page_form("inpaint")
    with page.opened(server.url, language=language) as opened:
        opened.load(workflow)
        shown = opened.page.evaluate(NAMES)
        assert not opened.said()
    ours = [one for one in shown if one[0] in texts]
    assert len(ours) == sum(node["type"] in texts for node in workflow["nodes"])
    for kind, title, widgets in ours:
        assert title == texts[kind]["display_name"]
        for name, label in widgets:
            if name in texts[kind]["inputs"]:  # a seed's control and players are the page's own
                assert label == texts[kind]["inputs"][name]["name"]
