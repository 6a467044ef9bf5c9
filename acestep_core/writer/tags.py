"""Tags from what a prompt asks for, filled up with what its genre usually has.

    Style, seed -> genre, moods, instruments, voice, bpm -> "pop, cheerful, bright synth, ..."

What the prompt names comes first and always stays; what it rules out never comes back by way
of the genre.
"""

from __future__ import annotations

import functools
import json
import random
import zlib
from dataclasses import dataclass
from pathlib import Path

from .style import Style
from .subject import Subject

# Sounds that go when another is ruled out; otherwise the last word of the tag decides.
KIN = {
    "drums": "drum kick hi-hat snare percussion congas cajon shaker tambourine breakbeat claps",
    "guitar": "guitar riffs chords",
    "electric guitar": "electric guitar distorted riffs",
    "bass": "bass 808",
    "deep bass": "bass 808",
    "synth": "synth arpeggio pads",
    "synth pads": "pads",
    "piano": "piano keys rhodes",
    "strings": "strings violin cello orchestra",
    "brass": "brass horn trumpet",
    "organ": "organ",
}
# A genre for prompts that name none, by mood.
BY_MOOD = {
    "sad": "ballad folk",
    "calm": "folk ambient classical",
    "gentle": "ballad folk",
    "dark": "electronic indie",
    "epic": "cinematic orchestral",
    "energetic": "rock edm",
    "romantic": "ballad soul",
    "angry": "metal punk",
    "dreamy": "ambient indie",
    "mysterious": "cinematic electronic",
    "groovy": "funk disco",
    "relaxed": "chillout reggae",
    "cozy": "folk chillout",
    "nostalgic": "indie synthwave",
}
USUAL = "pop indie folk"
LEAST_INSTRUMENTS, MOST_INSTRUMENTS = 3, 5
MOST_LENGTH = 400  # characters, well below the 256 tokens of the tag encoder


@dataclass(frozen=True)
class Palette:
    bpm: tuple[int, int]
    instruments: tuple[str, ...]
    moods: tuple[str, ...]


@functools.cache
def palettes() -> dict[str, Palette]:
    path = Path(__file__).with_name("palettes.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Palette(
            (entry["bpm"][0], entry["bpm"][1]),
            tuple(entry["instruments"].split(", ")),
            tuple(entry["moods"].split(", ")),
        )
        for name, entry in table.items()
    }


def tags_for(style: Style, subjects: tuple[Subject, ...], seed: int, instrumental: bool) -> str:
    """One line of tags; `subjects` only where the lyrics will not speak of them."""
    choose = random.Random(f"tags {seed} {style}")
    genres = style.tags("genre")[:3] or _genre_of_mood(style, choose)
    palette = palettes().get(genres[0], palettes()[""])
    tags = [*genres, *style.tags("mood")[:4]]
    tags += choose.sample(palette.moods, 2 if len(style.tags("mood")) < 2 else 1)
    tags += _instruments(style, palette, choose)
    if any(name == "drums" for name in style.absent):
        tags.append("drumless")
    tags += ["instrumental"] if instrumental else _voice(style, genres[0], choose)
    tags += [subject.bare or subject.text for subject in subjects]
    tags += [*style.tags("tempo")[:1], f"{_bpm(style, palette, seed)} bpm"]
    kept = [tag for tag in dict.fromkeys(tags) if not _is_absent(tag, style)]
    return _shortened(kept)


def _genre_of_mood(style: Style, choose: random.Random) -> list[str]:
    names = next((BY_MOOD[mood] for mood in style.tags("mood") if mood in BY_MOOD), USUAL)
    return [choose.choice(names.split())]


def _instruments(style: Style, palette: Palette, choose: random.Random) -> list[str]:
    named = style.tags("instrument")
    usual = [i for i in palette.instruments if not _is_absent(i, style) and not _has(named, i)]
    choose.shuffle(usual)
    missing = max(LEAST_INSTRUMENTS - len(named), 1)
    return [*named, *usual[: max(0, min(missing, MOST_INSTRUMENTS - len(named)))]]


def _has(named: list[str], instrument: str) -> bool:
    """True for another kind of an instrument that the prompt names."""
    return any(name.split()[-1] in instrument for name in named)


def _is_absent(tag: str, style: Style) -> bool:
    if tag == "drumless":
        return False
    for name in style.absent:
        kin = KIN.get(name, name.split()[-1])
        if tag == name or any(word in tag for word in kin.split()):
            return True
    return False


def _voice(style: Style, genre: str, choose: random.Random) -> list[str]:
    named = [voice for voice in style.tags("voice") if voice != "vocals"]
    if named:
        return named[:2]
    singer = choose.choice(("female", "male"))
    return [f"{singer} rap vocals" if genre in ("rap", "hip hop", "trap") else f"{singer} vocals"]


def _bpm(style: Style, palette: Palette, seed: int) -> int:
    """As asked for; else within the genre's range, another one for each of several seeds."""
    if style.bpm is not None:
        return style.bpm
    low, high = palette.bpm
    third = max(2, (high - low) // 3)
    if "slow" in style.tags("tempo"):
        low, high = low - third, low + third
    if "fast" in style.tags("tempo"):
        low, high = high - third, high + third
    start = zlib.crc32(repr(style.found).encode())
    return low + (start + seed) % (high - low + 1)


def _shortened(tags: list[str]) -> str:
    """Whole tags up to the length that is sure to be read; commas part them."""
    text = ""
    for tag in tags:
        longer = f"{text}, {tag.replace(',', ' ')}" if text else tag.replace(",", " ")
        if len(longer) > MOST_LENGTH and text:
            break
        text = longer
    return text
