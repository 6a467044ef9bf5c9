"""Lyrics to tokens, the whole way.

    text -> pieces -> language -> normalised text -> ids, line by line -> Lyrics

Lines are independent, each in its own language. A line that cannot be tokenised stops the
work with its number and text; none is ever left out.
"""

from __future__ import annotations

import re

import torch

from ..config import MAX_LYRIC_TOKENS, REFUSED_LYRIC_TOKENS
from ..settings import SettingError, chosen_from
from ..types import LyricLine, Lyrics
from .fallbacks import Fallbacks, Warn
from .language import DETECTORS, languages_of
from .languages import LANGUAGES
from .normalise import encode, normalise
from .structure import BREAK, START, STOP, is_tagged, mark_ids, pieces_of
from .vocabulary import Vocabulary

LANGUAGE_CHOICES = ("auto", "prefix", *LANGUAGES)

# No lyric of this size fits: words and their spaces need more than one token for six characters.
REFUSED_CHARACTERS = 6 * REFUSED_LYRIC_TOKENS


class LyricError(SettingError):
    """A line that cannot be tokenised: says which and why."""


def tokenise(
    text: str | None,
    *,
    language: str = "auto",
    detector: str = "corrected",
    vocabulary: Vocabulary | None = None,
) -> Lyrics:
    """Token ids of lyrics, one line at a time: ids and mask (1, L).

    `language` is "auto", a fixed code, or "prefix": as "auto", but a line may begin with its
    own code in brackets, as in "[de] Guten Morgen". `detector` is "corrected", or "original" to
    repeat the original project's choices. Without a vocabulary it is looked for in the usual
    places, and only when a line needs it.
    """
    chosen_from("Lyric language", language, LANGUAGE_CHOICES)
    chosen_from("Language detector", detector, DETECTORS)
    text = text or ""
    if not text:
        return Lyrics(torch.tensor([[STOP]]), torch.tensor([[0]]))
    pieces = pieces_of(text)
    _refuse_characters(pieces)
    _refuse_half_characters(pieces)
    fallbacks = Fallbacks()
    vocabulary = vocabulary or Vocabulary.find()
    ids, lines = [START], list[LyricLine]()
    coded = _with_languages(pieces, language, detector, fallbacks)
    for number, (piece, code) in enumerate(coded, start=1):
        line = _line(number, piece, code, vocabulary, fallbacks)
        lines.append(line)
        ids += line.ids
        _refuse_tokens(len(ids), number, len(pieces))
    if len(ids) > MAX_LYRIC_TOKENS:
        fallbacks(
            f"The lyrics have {len(ids)} tokens; the model was trained with at most "
            f"{MAX_LYRIC_TOKENS}, and the rest may not be sung. Shorten them."
        )
    row = torch.tensor([ids])
    ones = torch.ones_like(row)
    return Lyrics(row, ones, tuple(lines), text, fallbacks.messages, language)


def _with_languages(
    pieces: list[str], language: str, detector: str, warn: Warn
) -> list[tuple[str, str]]:
    """Each piece with its language: "" for blank ones, English for tagged ones."""
    coded: dict[int, tuple[str, str]] = {}
    for i, piece in enumerate(pieces):
        chosen, rest = prefixed(piece) if language == "prefix" else ("", piece)
        code = chosen or fixed_language(language)
        if not rest:
            coded[i] = rest, ""
        elif is_tagged(rest):
            coded[i] = rest, "en"
        elif code:
            coded[i] = rest, code
    open_lines = [i for i in range(len(pieces)) if i not in coded]
    codes = languages_of([pieces[i] for i in open_lines], detector, warn)
    for i, code in zip(open_lines, codes, strict=True):
        coded[i] = pieces[i], code if code in LANGUAGES else "en"
    return [coded[i] for i in range(len(pieces))]


def fixed_language(language: str) -> str:
    """The code that every line is read in; "" where each line has its own."""
    return language if language in LANGUAGES else ""


def prefixed(line: str) -> tuple[str, str]:
    """Language code and rest of a line like "[de] Guten Morgen"; code "" for any other line."""
    match = re.fullmatch(r"\[([a-z]{2})(?:-[a-z]+)?\]\s*(.*)", line, re.IGNORECASE | re.DOTALL)
    if match and match[1].lower() in LANGUAGES:
        return match[1].lower(), match[2]
    return "", line


def _line(number: int, piece: str, code: str, vocabulary: Vocabulary, warn: Warn) -> LyricLine:
    """One line; its ids end with the line break."""
    if not piece:
        return LyricLine(piece, code, "", (BREAK,))
    mark = mark_ids(piece)
    if mark:
        return LyricLine(piece, code, piece.lower(), (*mark, BREAK))
    try:
        normalised = normalise(piece, code, warn)
        ids = encode(normalised, code, vocabulary)
    except SettingError as error:
        raise type(error)(f"Lyric line {number} ({_short(piece)}): {error}") from error
    except Exception as error:
        raise LyricError(
            f"Lyric line {number} ({_short(piece)}) could not be read as {LANGUAGES[code].name}: "
            f"{error!r}. Rewrite it, or choose its language by hand."
        ) from error
    return LyricLine(piece, code, normalised, (*ids, BREAK))


def _short(piece: str) -> str:
    return repr(piece if len(piece) <= 60 else piece[:57] + "...")


def _refuse_characters(pieces: list[str]) -> None:
    characters = sum(map(len, pieces))
    if characters > REFUSED_CHARACTERS:
        raise SettingError(
            f"The lyrics have {characters} characters, more than {REFUSED_LYRIC_TOKENS} tokens can "
            f"hold; the model was trained with at most {MAX_LYRIC_TOKENS} tokens. Cut them to the "
            "words of one song."
        )


def _refuse_half_characters(pieces: list[str]) -> None:
    for number, piece in enumerate(pieces, start=1):
        if re.search("[\ud800-\udfff]", piece):
            raise LyricError(
                f"Lyric line {number} ({_short(piece)}) holds half of a character, as broken "
                "copies of emoji do. Type it again."
            )


def _refuse_tokens(count: int, number: int, lines: int) -> None:
    if count > REFUSED_LYRIC_TOKENS:
        raise SettingError(
            f"The lyrics have more than {REFUSED_LYRIC_TOKENS} tokens (reached in line {number} of "
            f"{lines}); the model was trained with at most {MAX_LYRIC_TOKENS}. Cut them to the "
            "words of one song."
        )
