"""What a prompt is about, in its own words.

    prompt -> pieces -> after "about", or what no style word explains -> Subject phrases

The phrases keep their articles and their case, for they are put into lines as they are; `bare`
is the phrase without its article, to call it by its name. In languages without spaces the
marks of a topic stand before it (Chinese) or after it (Japanese, Korean).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from ..lyrics.estimate import syllables
from .style import Style, masked, prompt_words

LONG = 6  # syllables; a longer phrase is parted where a small word allows it
MOST = 5
CLAUSE = (
    r"(?i)\b(?:i|he|she|we|they|who|ich|er|wir|je|nous|ils|yo|he)\b.*\w"
    r"|\b(?:is|are|was|were|has|have|had|died|left|lost|ist|sind|war|est|sont)\b"
)
REQUEST = r"(?i)\b(?:want|need|like|write|make|create|song|track|music|lied|chanson|canci\u00f3n)\b"


@dataclass(frozen=True)
class Subject:
    text: str  # as the prompt has it
    bare: str  # without its article; "" where that would be wrong
    is_clause: bool = False
    is_dative: bool = False  # German, after "von"


def read_subjects(prompt: str, style: Style, language: str) -> tuple[Subject, ...]:
    """Phrases by their place in the prompt; none for a prompt of style words alone."""
    prompt = re.sub(r"(?i)\d{2,3}\s*bpm", lambda m: " " * len(m[0]), prompt)
    if language in ("zh", "ja", "ko"):
        texts = [(text, False) for text in _unspaced(prompt, style, language)]
    else:
        texts = list(_spaced(prompt, style, language))
    unique = dict.fromkeys((text.strip(" ,\"'\u201c\u201d"), dative) for text, dative in texts)
    found = [_subject(text, dative, language) for text, dative in unique if text]
    return tuple(found[:MOST])


def _subject(text: str, is_dative: bool, language: str) -> Subject:
    if language in ("zh", "ja", "ko"):
        return Subject(text, text)
    is_clause = bool(re.search(CLAUSE, text)) and len(text.split()) > 2
    bare = without_article(text, language)
    inflected = language == "de" and bare != text and bare[:1].islower()
    return Subject(text, "" if inflected or is_dative else bare, is_clause, is_dative)


def without_article(text: str, language: str) -> str:
    return re.sub(_article(language), "", text) if _article(language) else text


@functools.cache
def _article(language: str) -> str:
    words = prompt_words().articles.get(language, "").split()
    pattern = "|".join(re.escape(w) + ("" if w.endswith("'") else r"\s+") for w in words)
    return rf"(?i)^(?:{pattern})" if words else ""


def _spaced(prompt: str, style: Style, language: str) -> list[tuple[str, bool]]:
    blank = masked(prompt, style)
    found: list[tuple[str, bool]] = []
    is_list = False  # "about love, loss and rain": the topic goes on after the comma
    for match in re.finditer(r"[^.,;:!?\n\u2014]+", prompt):
        start, end = match.span()
        marker = _marker(prompt[start:end], language)
        if marker:
            head, prefix, tail = marker
            found += _left_over(prompt, blank, (start, start + head), style, language)
            topic = _cut(prompt, (start + tail, end), style, language)
            is_dative = language == "de" and prompt[start + head :].lower().startswith("vo")
            texts = _parted(prefix + prompt[slice(*topic)].strip(), language)
            found += [(text, is_dative) for text in texts]
            found += _left_over(prompt, blank, (topic[1], end), style, language)
            is_list = True
        elif is_list and not _styled(style, start, end):
            tail_text = re.sub(rf"(?i)^\s*(?:{_any('split', language)})\b", "", match[0])
            found += [(text, False) for text in _parted(tail_text.strip(), language)]
        else:
            is_list = False
            found += _left_over(prompt, blank, (start, end), style, language)
    return found


def _marker(piece: str, language: str) -> tuple[int, str, int] | None:
    """Where the first word like "about" begins, what it stands for, and where it ends."""
    table = prompt_words().about.get(language) or prompt_words().about["en"]
    best: tuple[int, str, int] | None = None
    for words in sorted(table, key=len, reverse=True):
        end = "" if words.endswith("'") else r"\s+"
        match = re.search(rf"(?i)(?<![^\W_]){re.escape(words)}{end}(?=\S)", piece)
        if match and (best is None or match.start() < best[0]):
            best = (match.start(), table[words], match.end())
    return best


def _cut(prompt: str, span: tuple[int, int], style: Style, language: str) -> tuple[int, int]:
    """A topic ends where its sentence goes on about the sound: "... with soft guitars"."""
    start, end = span
    joints = re.finditer(rf"(?i)\s(?:{_any('weak', language)}|ohne|without|sans|sin)\s", prompt)
    for joint in joints:
        if start < joint.start() < end and _styled(style, joint.start(), end):
            return start, joint.start()
    return start, end


def _styled(style: Style, start: int, end: int) -> bool:
    """True where a stretch names a sound; moods alone may belong to a topic."""
    return any(f.kind != "mood" and start <= f.start < end for f in style.found)


def _parted(text: str, language: str) -> list[str]:
    """A long phrase at its small words, so that each part fits into a line."""
    joints = _any("split", language)
    if not joints or syllables(text, language) <= LONG or re.search(CLAUSE, text):
        return [text]
    pieces = re.split(rf"(?i)\s+(?:{joints})\s+", text)
    if any(piece.lower() in _words("pronouns") for piece in pieces):
        return [text]
    return pieces


def _left_over(
    prompt: str, blank: str, span: tuple[int, int], style: Style, language: str
) -> list[tuple[str, bool]]:
    """Phrases that neither style nor small words explain: "... for late-night studying"."""
    found: list[tuple[str, bool]] = []
    start, end = span
    edges = [start]
    for joint in re.finditer(rf"(?i)(?<!\w)(?:{_any('weak', language)})(?!\w)", prompt[:end]):
        if joint.start() >= start:
            edges += [joint.start(), joint.end()]
    edges.append(end)
    for first, last in zip(edges[::2], edges[1::2], strict=False):
        if _styled(style, first, last) and any(
            f.kind in ("instrument", "voice", "tempo")
            for f in style.found
            if first <= f.start < last
        ):
            continue
        words = [w for w in re.findall(r"[^\W\d_][\w'\u2019-]*", blank[first:last])]
        kept = [w for w in words if w.lower() not in _words("filler")]
        original = prompt[first:last].strip()
        if len(kept) > 1 and re.search(CLAUSE, original) and not re.search(REQUEST, original):
            found.append((original, False))
        elif kept:
            found.append((_between(blank[first:last], kept, language), False))
    return found


def _between(text: str, kept: list[str], language: str) -> str:
    """From the first kept word to the last, with an article or "my" that stands before it."""
    begin, stop = text.index(kept[0]), text.rindex(kept[-1]) + len(kept[-1])
    before = text[:begin].split()
    if before and before[-1].lower() in prompt_words().articles.get(language, "").split():
        begin = text.rindex(before[-1], 0, begin)
        return before[-1].lower() + re.sub(r"\s+", " ", text[begin + len(before[-1]) : stop])
    return re.sub(r"\s+", " ", text[begin:stop])


@functools.cache
def _words(name: str) -> frozenset[str]:
    return frozenset(getattr(prompt_words(), name).split())


@functools.cache
def _any(name: str, language: str) -> str:
    table: dict[str, str] = getattr(prompt_words(), name)
    listed = (table.get(language) or table["en"]).split()
    return "|".join(re.escape(word.replace("_", " ")) for word in listed)


def _unspaced(prompt: str, style: Style, language: str) -> list[str]:
    found = []
    for match in re.finditer("[^\u3002\uff0c\u3001,.;!?\uff01\uff1f\n]+", prompt):
        text = _topic(match[0], language)
        if text is None:
            text = _trimmed(masked(prompt, style)[match.start() : match.end()])
            styled = _styled(style, match.start(), match.end())
            if styled and len(text.replace(" ", "")) < 2:
                continue
        found += [part for part in _short_parts(_trimmed(text, style)) if part]
    return found


def _topic(piece: str, language: str) -> str | None:
    """What stands after "guanyu" or before "ni tsuite"; None where neither is."""
    table = prompt_words()
    if language == "zh":
        for word in table.cjk_about:
            head, found, tail = piece.partition(word)
            if found:
                ends = "|".join(table.cjk_about_end)
                return re.split(ends, tail)[0]
        return None
    for word in table.cjk_about_after:
        head, found, _ = piece.partition(word)
        if found:
            return head
    return None


def _trimmed(text: str, style: Style | None = None) -> str:
    """Without small words at the ends, and without a closing name of a genre."""
    filler = sorted(prompt_words().filler_cjk, key=len, reverse=True)
    before = ""
    text = text.strip()
    while text != before:
        before = text
        for word in filler:
            text = text.removesuffix(word).strip()
            if len(word) > 1 or word in "\u7684\u306e":
                text = text.removeprefix(word).strip()
        if style is not None:
            text = _without_style(text)
    return text


def _without_style(text: str) -> str:
    from .style import read_style

    last = [f for f in read_style(text).found if f.kind != "mood" and f.end == len(text)]
    return text[: last[-1].start].strip() if last else text


def _short_parts(text: str) -> list[str]:
    return re.split("[\u548c\u4e0e]|\\s{2,}", text) if len(text) > 7 else [text]
