"""Parts that the graphs have in common: loader, words, sampler, sound."""

from __future__ import annotations

from typing import Any

from scripts.workflows.model import Column, Group, Node, Wire
from scripts.workflows.words import EXAMPLE, GREEN, STYLE, WORDS

LOADER, WIDE, SAMPLER, SOUND = 240, 320, 280, 320  # widths of the four usual columns
OVER_WORDS, OVER_SAMPLER = 104, 54  # drops that leave the loader's wires in sight
# Widths of five columns and the gaps between, where a task stands between words and sampler:
# no name of an input is cut. Four nodes above one another need more room for the wires to them.
ONE_PAIR, FOUR_WIDTHS = (225, 225, 236, 264, 254), (225, 225, 225, 252, 234)
NARROW, ONE_BENDS, FOUR_BENDS = 20, 28, (61, 30)  # 28 also before Decode
OVER_FAR = 78  # as OVER_WORDS, where a task stands between: the sampler is farther away
OVER_TASK, OVER_EDIT = 388, 355  # drops that leave wires from words to the sampler in sight
# Left below Tag Encode, for an error or what the model does not know: two lines; the least where
# four nodes stand above one another.
TOLD, TOLD_LEAST = 66, 52
REPORT = 120  # by which nodes are higher that tell of an edit
MODEL = {"model": Wire("load", "model")}
LOAD = Node("AceSuiteLoad", {"checkpoint": "auto"})
SOURCE = Node("LoadAudio", {"audio": EXAMPLE}, title="Song to change")


def tagged(tags: Any, title: str = "", space: int = 0) -> Node:
    return Node("AceSuiteTagEncode", {"tags": tags, **MODEL}, title, space=space)


def worded(lyrics: Any, title: str = "", height: int = 0) -> Node:
    return Node("AceSuiteLyricEncode", {"lyrics": lyrics, **MODEL}, title, height)


def words(tags: Any = STYLE, lyrics: Any = WORDS, height: int = 0) -> dict[str, Node]:
    """Tag Encode above Lyric Encode, with room for what is wrong with the tags."""
    return {"tags": tagged(tags, space=TOLD), "lyrics": worded(lyrics, "", height)}


def sampler(model: str = "load", **asked: Any) -> Node:
    inputs = {"model": Wire(model, "model"), "tags": Wire("tags", "tags")}
    inputs |= {"lyrics": Wire("lyrics", "lyrics"), "seed": 4242, "seconds": 60.0, **asked}
    return Node("AceSuiteSampler", inputs)


def sound(decode: int = 0, save: int = 0) -> dict[str, Node]:
    """Decode above Save Audio, which may have more to tell after a run than usual."""
    saved = {"audio": Wire("decode", "audio"), "info": Wire("sampler", "info")}
    saved |= {"filename_prefix": "audio/%title%"}
    latent = {"latent": Wire("sampler", "latent"), **MODEL}
    return {
        "decode": Node("AceSuiteDCAEDecode", latent, more=decode),
        "save": Node("AceSuiteSaveAudio", saved, more=save),
    }


def task_to_sound(
    task: Node, widths: tuple[int, ...] = ONE_PAIR, drop: int = OVER_TASK
) -> tuple[Column, ...]:
    """The last three of five columns."""
    music = {"sampler": sampler(seed=7, task=TASK)}
    return (
        Column(widths[2], {"task": task}, drop=drop, gap=NARROW),
        Column(widths[3], music, drop=OVER_SAMPLER, gap=ONE_BENDS),
        Column(widths[4], sound(REPORT, 2 * REPORT)),
    )


RESULT = Group("Music", ("sampler", "decode", "save"), GREEN)
TASK = Wire("task", "task")
