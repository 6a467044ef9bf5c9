"""Lyrics from the stock of lines: a form that fits the duration, filled by chance.

    duration -> forms -> each filled -> the one whose estimate comes nearest
    subjects -> frames in chorus and verses;  theme -> the couplets around them

Chance is a generator of the seed and the prompt, so the same request gives the same song. In
one song no couplet comes twice, but for the chorus.
"""

from __future__ import annotations

import random
import re
import zlib
from dataclasses import dataclass, replace

from ..lyrics.estimate import estimate
from ..lyrics.sections import INSTRUMENTAL
from .lines import Couplet, Lines, Theme
from .style import Style
from .subject import Subject, without_article

# One letter a part: v verse, p pre-chorus, c chorus, b bridge, B half a bridge, h half a chorus,
# 1 and 2 a verse of so many lines; i intro, o outro, s solo, n inst, k break: without words.
FORMS = re.findall(
    r"\w+",
    "1 2 2k v 2h vh vc ivc vcvh vcBh vcvc vcBc ivcvc vcvcBc ivcvcBc vcvcbc ivcvcbc ivcvcbco"
    " ivpcvcbco ivpcvpcbc ivpcvpcbco ivcvcsvcbc ivpcvpcsvcbco ivpcvpcsvpcbc ivpcvpcsvpcbco"
    " ivpcvpcnvpcbcco ivpcvpcsvpcbcnvco ivpcvpcsvpcbcnvpcco",
)
MARKS = {"v": "[verse]", "1": "[verse]", "2": "[verse]", "p": "[pre-chorus]", "b": "[bridge]"}
MARKS |= {"B": "[bridge]", "c": "[chorus]", "h": "[chorus]", "i": "[intro]", "o": "[outro]"}
MARKS |= {"s": "[solo]", "n": INSTRUMENTAL, "k": "[break]"}
COUPLETS = {"v": 2, "c": 2, "b": 2, "p": 1, "B": 1, "h": 1, "2": 1, "1": 1}
SAD = frozenset(("sad", "angry", "melancholic"))
TOLERANCE = 0.2
NEEDS_ARTICLE = ("fr", "es")  # where a common noun without one is only called by its name
NEAR = 1.0  # frames that far from the smoothest are as good
CHOICE = 6  # frames to choose from, if so many are smooth enough
LEAST_SMOOTH = 3.0  # beyond, the subject gets a line of its own


@dataclass(frozen=True)
class Topic:
    """What a song is to be about."""

    subjects: tuple[Subject, ...]
    themes: tuple[Theme, ...]


def topic_of(prompt: str, style: Style, subjects: tuple[Subject, ...], lines: Lines) -> Topic:
    """Themes by the words of the subject, then by mood; a subject is made up where none is."""
    spoken = " ".join(subject.text for subject in subjects) or prompt
    hits = [
        (match.start(), theme) for theme in lines.themes if (match := theme.keys.search(spoken))
    ]
    themes = [theme for _, theme in sorted(hits, key=lambda hit: hit[0])]
    moods = style.tags("mood")
    if SAD.intersection(moods):  # glad lines of love have no place there
        themes = [theme for theme in themes if "romantic" not in theme.moods] or themes
    by_mood = [theme for mood in moods for theme in lines.themes if mood in theme.moods]
    return Topic(subjects, tuple(dict.fromkeys([*themes[:1], *by_mood, *themes[1:]]))[:2])


def compose(
    lines: Lines, topic: Topic, duration: float, prompt: str, seed: int
) -> tuple[str, float]:
    """Lyrics and their estimated seconds, as near to the duration as the forms allow."""
    turn = zlib.crc32(prompt.encode()) + seed
    chance = f"{seed} {prompt}"
    songs = [_Draft(lines, topic, form, random.Random(chance), turn).text() for form in FORMS]
    timed = [(text, estimate(text, lines.language).seconds) for text in songs]
    return min(timed, key=lambda pair: abs(pair[1] - duration))


class _Draft:
    """One form being filled; remembers what has been used."""

    def __init__(
        self, lines: Lines, topic: Topic, form: str, choose: random.Random, turn: int
    ) -> None:
        self.lines, self.form, self.choose, self.turn = lines, form, choose, turn
        self.themes = topic.themes or (choose.choice(lines.themes),)
        self.subjects = topic.subjects or self._made_up()
        self.used: set[str] = set()
        self.pool = self._pool()
        self.bridges = choose.sample(lines.bridges, len(lines.bridges))

    def _made_up(self) -> tuple[Subject, ...]:
        count = min(2, len(self.themes[0].about))
        named = self.choose.sample(self.themes[0].about, count)
        return tuple(Subject(text, without_article(text, self.lines.language)) for text in named)

    def _pool(self) -> list[Couplet]:
        """The theme's couplets first, a general one now and then."""
        near = [c for theme in self.themes for c in theme.couplets]
        first = self.choose.sample(near, len(near))
        general = self.choose.sample(self.lines.couplets, len(self.lines.couplets))
        pool = []
        while first or general:
            pool += [*first[:3], *general[:1]]
            first, general = first[3:], general[1:]
        return pool

    def text(self) -> str:
        slots = self._slots()
        parts: dict[str, list[Couplet]] = {}
        rows: list[str] = []
        for place, letter in enumerate(self.form):
            key = "c" if letter in "ch" else f"{letter}{place}"
            if key not in parts:
                parts[key] = [
                    self._couplet(key, i, slots.get((key, i)))
                    for i in range(2 if key == "c" else COUPLETS.get(letter, 0))
                ]
            couplets = parts[key][: COUPLETS.get(letter, 0)]
            sung = [line for couplet in couplets for line in couplet]
            rows += [MARKS[letter], *(sung[:1] if letter == "1" else sung), ""]
        return "\n".join(rows).rstrip() + "\n"

    def _slots(self) -> dict[tuple[str, int], Subject]:
        """Where each subject is sung: the chorus first, then verse by verse."""
        verses = [f"{letter}{place}" for place, letter in enumerate(self.form) if letter in "v12"]
        bridges = [f"{letter}{place}" for place, letter in enumerate(self.form) if letter in "bB"]
        has_chorus = any(letter in "ch" for letter in self.form)
        places = [("c", 0)] if has_chorus else []
        places += [(verse, 0) for verse in verses]
        places += [("c", 1)] if "c" in self.form else []
        places += [(key, 0) for key in bridges]
        places += [(verse, 1) for verse in verses if verse[0] == "v"]
        slots = dict(zip(places, _merged(self.subjects, len(places)), strict=False))
        free = [place for place in places if place not in slots and place[1] == 0]
        if free and has_chorus and self.choose.random() < 0.6:
            slots[free[0]] = self.choose.choice(self.subjects)
        return slots

    def _couplet(self, key: str, index: int, subject: Subject | None) -> Couplet:
        if subject:
            return self._framed(subject, calls=key == "c")
        if key[0] in "bB" and index == 0 and self.bridges:
            return self.bridges.pop()
        return self.pool.pop(0)

    def _framed(self, subject: Subject, calls: bool) -> Couplet:
        """The smoothest frame around a subject, by chance among the best."""
        tells = self.lines.dative_tells if subject.is_dative else self.lines.tells
        called = self.lines.calls if subject.bare else ()
        if self.lines.language in NEEDS_ARTICLE and subject.text == subject.bare:
            tells = () if subject.text[:1].islower() else tells
        frames = [] if subject.is_clause else [*((called if calls else tells) or (*tells, *called))]
        filled = [(_filled(first, subject), second) for first, second in frames]
        open_ones = [c for c in filled if c[0] not in self.used and c[1] not in self.used]
        scored = [(self.lines.unevenness(first), (first, second)) for first, second in open_ones]
        best = min((score for score, _ in scored), default=LEAST_SMOOTH + 1)
        if best > LEAST_SMOOTH:
            answer = self.choose.choice([x for x in self.lines.lone if x not in self.used])
            couplet = _capital(subject.text), answer
        else:
            options = _smoothest(scored)
            # The first goes round with the seed: several seeds then never begin alike.
            first_one = options[self.turn % len(options)]
            couplet = self.choose.choice(options) if self.used else first_one
        self.used.update(couplet)
        return couplet


def _smoothest(scored: list[tuple[float, Couplet]]) -> list[Couplet]:
    """Those near the best, and a few more where that leaves little choice."""
    ranked = sorted(scored, key=lambda pair: pair[0])
    near = [couplet for score, couplet in ranked if score <= ranked[0][0] + NEAR]
    more = [couplet for score, couplet in ranked[:CHOICE] if score <= LEAST_SMOOTH]
    return max(near, more, key=len)


def _merged(subjects: tuple[Subject, ...], places: int) -> list[Subject]:
    """As many subjects as there are places; what is over goes with the last."""
    if len(subjects) <= places:
        return list(subjects)
    head, tail = subjects[: places - 1], subjects[places - 1 :]
    text = ", ".join(subject.text for subject in tail)
    return [*head, replace(tail[0], text=text, bare=text)]


def _filled(line: str, subject: Subject) -> str:
    return _capital(line.replace("{X}", subject.text).replace("{B}", subject.bare))


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]
