"""The writer that needs nothing: no model, no network.

prompt -> style, subjects, language -> tags + lyrics
"""

from __future__ import annotations

import re

from ..lyrics.corrected import hints
from ..lyrics.fallbacks import Fallbacks
from ..lyrics.language import languages_of
from ..lyrics.languages import LANGUAGES as SUNG
from ..lyrics.script import by_script
from ..lyrics.sections import INSTRUMENTAL
from .compose import TOLERANCE, compose, topic_of
from .lines import LANGUAGES, lines_of
from .song import Song
from .style import prompt_words, read_style
from .subject import read_subjects
from .tags import tags_for

SURE = 2  # common words of one language that decide
NOT_WORDS = '[\\[\\](){}<>|\\\\/*_#`"\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]'


def write(prompt: str, *, instrumental: bool, duration: float, seed: int) -> Song:
    """Tags and lyrics of a prompt; the same for the same arguments."""
    fallbacks = Fallbacks()
    plain = re.sub(NOT_WORDS, " ", prompt)
    spoken = language_of(plain, fallbacks)
    style = read_style(plain)
    subjects = read_subjects(plain, style, spoken)
    if style.is_instrumental and not instrumental:
        fallbacks("The prompt asks for music without singing, so the lyrics are [inst].")
    instrumental = instrumental or style.is_instrumental
    language = spoken if spoken in LANGUAGES else "en"
    is_foreign = language != spoken
    tags = tags_for(style, subjects if instrumental or is_foreign else (), seed, instrumental)
    if instrumental:
        return Song(tags, INSTRUMENTAL, "", fallbacks.messages, seed)
    if is_foreign:
        name = SUNG[spoken].name if spoken in SUNG else "this language"
        fallbacks(
            f"The built-in writer has no lines in {name}: the lyrics are English, what the song is"
            " about stands in the tags."
        )
    lines = lines_of(language)
    topic = topic_of(plain, style, () if is_foreign else subjects, lines)
    lyrics, seconds = compose(lines, topic, duration, plain, seed)
    if abs(seconds - duration) > TOLERANCE * duration:
        fallbacks(
            f"Estimate: the lyrics take about {seconds:.0f} s of {duration:g} s; no form of the"
            " built-in writer comes nearer."
        )
    return Song(tags, lyrics, language, fallbacks.messages, seed)


def language_of(prompt: str, fallbacks: Fallbacks) -> str:
    """The prompt's language: by its letters, by common words, by the detector."""
    script = by_script(prompt)
    if script:
        return script
    words = re.findall(r"[^\W\d_]+'?", prompt.lower().replace("\u2019", "'"))
    counts = {code: sum(w in common for w in words) for code, common in hints().words.items()}
    for code, markers in prompt_words().about.items():
        counts[code] = counts.get(code, 0) + any(marker in words for marker in markers)
    most = max(counts.values())
    best = [code for code, count in counts.items() if count == most]
    if most >= SURE and len(best) == 1:
        return best[0]
    (code,) = languages_of([prompt], "corrected", fallbacks) if words else ("en",)
    return code
