"""Lays down every file that a new node touches: `python3 dev.py new node "Name of the Node"`.

name, menu -> class, id, menu, test, texts and help pages in two languages

Nothing but Python is needed. What it lays down is a small node that works, to be changed; it
passes the tests but that of its picture, which `python -m scripts.screenshots nodes` makes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MENU = "look and compare"
LINE = 100  # characters
# Headings of a help page, and the mark of what waits for its translation.
LANGUAGES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
ABOUT = "Swaps left and right of a stereo sound; a mono sound stays as it is."
TAKES, GIVES = "Mono or stereo, at any rate.", "The same clips, left and right swapped."

NODE = '''"""{words}: {about}

AUDIO -> AUDIO
"""

from __future__ import annotations

from typing import Any

from . import host, sound


class {kind}:
    TITLE = "{title}"
    DESCRIPTION = "{about}"
    SEARCH_ALIASES = ("{alias}",)
    FUNCTION = "make"
    RETURN_TYPES = ("AUDIO",)
    RETURN_NAMES = ("audio",)
    OUTPUT_TOOLTIPS = ("{gives}",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {{"required": {{"audio": ("AUDIO", {{"tooltip": "{takes}"}})}}}}

    def make(self, audio: sound.Audio) -> tuple[sound.Audio]:
        with host.errors_of(self.TITLE):
            return (sound.audio_of(audio["waveform"].flip(-2), audio["sample_rate"]),)
'''
TEST = '''"""{words} without ComfyUI."""

from __future__ import annotations

import torch

from tests.unit.nodes.pack import NODES


def test_left_and_right_are_swapped() -> None:
    wave = torch.randn(1, 2, 100, generator=torch.Generator().manual_seed(1))
    (made,) = NODES["{id}"]().make({{"waveform": wave, "sample_rate": 8000}})
    assert made["sample_rate"] == 8000
    assert torch.equal(made["waveform"], wave[:, [1, 0]])
'''
PAGE = """![{title}](img/{id}.jpg)

# {mark}{title}

{about}

## {inputs}

- **audio**{label}{colon}{takes}

## {outputs}

- **audio**{label}{colon}{gives}
"""


@dataclass(frozen=True)
class Node:
    words: str  # as it was given

    @property
    def parts(self) -> list[str]:
        return re.findall(r"[A-Za-z0-9]+", self.words)

    @property
    def kind(self) -> str:
        return "".join(part[:1].upper() + part[1:] for part in self.parts)

    @property
    def id(self) -> str:
        return f"AceSuite{self.kind}"

    @property
    def file(self) -> str:
        return "_".join(self.parts).lower()

    @property
    def title(self) -> str:
        return f"{self.words} (ACE-Step)"


def checked(words: str, menu: str, root: Path) -> Node:
    """The node of this name, or the reason why there cannot be one."""
    node = Node(words.strip())
    if not node.parts or not node.kind.isidentifier() or not re.fullmatch(r"[\w /-]+", node.words):
        raise SystemExit(f"{words!r} is no name for a node: letters first, then digits and spaces.")
    ids = (root / "nodes" / "__init__.py").read_text(encoding="utf-8")
    if f'"{node.id}"' in ids or (root / "nodes" / f"{node.file}.py").exists():
        raise SystemExit(f"There is a node {node.id} already, or a file nodes/{node.file}.py.")
    known = menus(root)
    if menu not in known:
        raise SystemExit(f"--menu is {menu!r}; it must be one of: {', '.join(known)}.")
    return node


def menus(root: Path) -> list[str]:
    text = (root / "nodes" / "manners.py").read_text(encoding="utf-8")
    table = text.partition("MENUS = {")[2].partition("\n}")[0]
    return re.findall(r'^    "([^"]+)": \(', table, re.M)


def lay_down(node: Node, menu: str, root: Path) -> list[Path]:
    """Write and change the files; they are returned in the order of docs/adding.md."""
    told = {
        "words": node.words,
        "kind": node.kind,
        "id": node.id,
        "title": node.title,
        "alias": node.words.lower(),
        "about": ABOUT,
        "takes": TAKES,
        "gives": GIVES,
    }
    new = {
        root / "nodes" / f"{node.file}.py": NODE.format(**told),
        root / "tests" / "unit" / "nodes" / f"test_{node.file}.py": TEST.format(**told),
        root / "web" / "docs" / f"{node.id}.md": PAGE.format(**told, **LANGUAGES["en"]),
        root / "web" / "docs" / node.id / "zh.md": PAGE.format(**told, **LANGUAGES["zh"]),
    }
    changed = {
        root / "nodes" / "__init__.py": _registered(node, root),
        root / "nodes" / "manners.py": _in_menu(node, menu, root),
        root / "tests" / "unit" / "nodes" / "test_nodes.py": _required(node, root),
        **{_texts(root, language): _told(node, root, language) for language in LANGUAGES},
    }
    for path, text in (new | changed).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return [*new, *changed]


def _registered(node: Node, root: Path) -> str:
    lines = (root / "nodes" / "__init__.py").read_text(encoding="utf-8").splitlines()
    modules = [line for line in lines if re.match(r"from \.\w+ import ", line)]
    own = f"from .{node.file} import {node.kind}"
    later = [line for line in modules if line.split()[1] > own.split()[1]]
    place = lines.index(later[0]) if later else lines.index(modules[-1]) + 1
    lines.insert(place, own)
    end = lines.index("}", next(i for i, one in enumerate(lines) if "CLASS_MAPPINGS = {" in one))
    lines.insert(end, f'    "{node.id}": {node.kind},')
    return "\n".join(lines) + "\n"


def _in_menu(node: Node, menu: str, root: Path) -> str:
    text = (root / "nodes" / "manners.py").read_text(encoding="utf-8")
    head, start, rest = text.partition(f'    "{menu}": (')
    inside, end, tail = rest.partition(")")
    ids = [*re.findall(r'"(\w+)"', inside), node.id]
    line = f"{start}{', '.join(map(_quoted, ids))}{end},"
    if "\n" in inside or len(line) > LINE:
        line = start + "".join(f"\n        {_quoted(one)}," for one in ids) + f"\n    {end},"
    return head + line.removesuffix(",") + tail


def _quoted(name: str) -> str:
    return f'"{name}"'


def _required(node: Node, root: Path) -> str:
    text = (root / "tests" / "unit" / "nodes" / "test_nodes.py").read_text(encoding="utf-8")
    head, start, rest = text.partition("    assert required == {\n")
    inside, end, tail = rest.partition("    }\n")
    return f'{head}{start}{inside}        "{node.id}": ["audio"],\n{end}{tail}'


def _texts(root: Path, language: str) -> Path:
    return root / "locales" / language / "nodeDefs.json"


def _told(node: Node, root: Path, language: str) -> str:
    mark = LANGUAGES[language]["mark"]
    texts = json.loads(_texts(root, language).read_text(encoding="utf-8"))
    texts[node.id] = {
        "display_name": mark + node.title,
        "description": mark + ABOUT,
        "inputs": {"audio": {"name": f"{mark}audio", "tooltip": mark + TAKES}},
        "outputs": {"0": {"name": f"{mark}audio", "tooltip": mark + GIVES}},
    }
    return json.dumps(texts, indent=2, ensure_ascii=False) + "\n"


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="dev.py new node", description="Lay down a node's files.")
    parser.add_argument("name", help='such as "Loudness Meter"')
    parser.add_argument("--menu", default=MENU, help=f"one of: {', '.join(menus(root))} ({MENU})")
    options = parser.parse_args(words)
    node = checked(options.name, options.menu, root)
    for path in lay_down(node, options.menu, root):
        print(path.relative_to(root).as_posix())
    print(
        f"\n{node.id} works and passes the tests but that of its picture. Now make it yours:\n"
        "its class, its test, its help pages; then python scripts/locales.py for the texts,\n"
        "python -m scripts.screenshots nodes for the picture, a line in README.md and in\n"
        "CHANGELOG.md. docs/adding.md has the list."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
