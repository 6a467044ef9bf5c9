"""How long singing a lyric takes, roughly. An estimate: the model keeps its own time.

    line -> syllables -> seconds = syllables / rate + a breath;  sections -> sum

The rates are what moderate songs have; a ballad takes half as long again, a rap two thirds.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from .script import by_script
from .sections import Section, sections_of

BREATH = 0.9  # seconds between lines
TURN = 1.5  # seconds between sections
WORDLESS_SECONDS = {"[intro]": 6.0, "[inst]": 10.0, "[solo]": 10.0, "[break]": 4.0, "[outro]": 6.0}

# Syllables sung in a second; Japanese counts morae. Languages not named are sung like English.
RATES = {
    **{"en": 2.8, "de": 2.8, "zh": 2.8, "ru": 3.0, "fr": 3.2, "ko": 3.2, "es": 3.4, "it": 3.4},
    **{"pt": 3.4, "ja": 4.2},
}
MARGIN = 0.35  # share by which the estimate may well be wrong

SMALL_KANA = (
    "[\u3041\u3043\u3045\u3047\u3049\u3083\u3085\u3087"
    "\u30a1\u30a3\u30a5\u30a7\u30a9\u30e3\u30e5\u30e7]"
)
KANA = "[\u3041-\u3096\u30a1-\u30fa\u30fc]"
HAN = "[\u3400-\u9fff]"
HANGUL = "[\uac00-\ud7a3]"
CYRILLIC_VOWELS = "[\u0430\u0435\u0451\u0438\u043e\u0443\u044b\u044d\u044e\u044f]"
ARABIC_LETTERS = "[\u0621-\u064a]"
HINDI_CORES = "[\u0904-\u0939]"
HINDI_SILENT = "\u094d"  # joins two consonants without a vowel between them
KANJI_MORAE = 1.8  # a kanji's reading, on the average of words in songs
ARABIC_SHARE = 0.45  # short vowels are not written


@dataclass(frozen=True)
class SectionTime:
    """What one section is estimated to take."""

    mark: str
    number: int  # of its first line
    lines: int
    syllables: int
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """An estimate, never a promise: seconds may be off by about a third."""

    sections: tuple[SectionTime, ...]
    seconds: float

    def fits(self, duration: float) -> bool:
        return self.seconds <= duration * (1 + MARGIN / 2)


def estimate(text: str, language: str = "") -> Estimate:
    """Seconds of every section; `language` of lines in Latin letters, "" for English."""
    times = tuple(_time(section, language) for section in sections_of(text))
    return Estimate(times, round(sum(time.seconds for time in times), 1))


def _time(section: Section, language: str) -> SectionTime:
    counts = [syllables(line.text, language) for line in section.lines]
    seconds = sum(line_seconds(line.text, language) for line in section.lines)
    if section.lines:
        seconds += TURN
    else:
        seconds += WORDLESS_SECONDS.get(section.name, 0.0)
    mark, lines = section.mark, len(section.lines)
    return SectionTime(mark, section.number, lines, sum(counts), round(seconds, 2))


def line_seconds(text: str, language: str = "") -> float:
    code = by_script(text) or language
    return syllables(text, language) / RATES.get(code, RATES["en"]) + BREATH


@functools.lru_cache(maxsize=16_384)
def syllables(text: str, language: str = "") -> int:
    """Syllables of a line in any script; morae for kana. Close for words, no dictionary."""
    folded = unicodedata.normalize("NFC", text).lower()
    kana = len(re.findall(KANA, folded)) - len(re.findall(SMALL_KANA, folded))
    is_japanese = language == "ja" or kana > 0
    count = kana + len(re.findall(HAN, folded)) * (KANJI_MORAE if is_japanese else 1.0)
    count += len(re.findall(HANGUL, folded)) + len(re.findall(CYRILLIC_VOWELS, folded))
    count += ARABIC_SHARE * len(re.findall(ARABIC_LETTERS, folded))
    count += len(re.findall(HINDI_CORES, folded)) - folded.count(HINDI_SILENT)
    words = re.findall(r"[a-z\u00df-\u024f]+(?:['\u2019][a-z]+)*", folded)
    return round(count + sum(_latin(word, language) for word in words))


def _latin(word: str, language: str) -> int:
    """Groups of vowels; what a language leaves unheard is taken off, what it parts is added."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    plain = plain.replace("\u00e6", "e").replace("\u0153", "e").replace("\u0131", "i")
    if language in ("", "en"):
        spoken = re.split(r"['\u2019]", plain)[0]
        return english_syllables(spoken) + (word.endswith("\u00e9") and spoken.endswith("e"))
    if language == "fr":
        plain = re.sub(r"qu|gu(?=[ei])", "k", plain)
        plain = re.sub(r"(?<=[aeiouy])[a-z]?[^aeiouy\W]e(?:s|nt)?$", "", plain) or plain
    if language == "de":
        plain = plain.replace("ie", "i").replace("eue", "e,e").replace("aue", "a,e")
    if language in ("es", "it", "pt"):
        plain = re.sub(r"[qg]u(?=[ei])", "k", plain)
        plain = re.sub(r"([aeo])(?=[aeo])", r"\1,", plain)
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


# What spelling shows of English syllables that are not one group of vowels.
SILENT = re.compile(
    r"[^aeiouyl]e$|[aeiouy]le$"  # stone, smile; but little
    r"|(?<=[^aeiouy\Wszxcgl])(?<!ch)(?<!sh)es$|(?<=[aeiouy])les$"  # stones, smiles; kisses
    r"|(?<=[^aeiouytdl])ed$|(?<=[aeiouy])l{1,2}ed$"  # walked, called; wanted, tangled
    r"|(?<=[aeiouy][^aeiouy])e(?=(?:ly|less|ful|ment|ness)$)"  # lonely
    r"|(?<=som)e(?=[a-z])|(?<=ev)e(?=r[a-z])|(?<=(?:hom|lif|tim|fir|lov|sid))e(?=[^drsnalr])"
)
PARTED = re.compile(
    r"(?<![cstgx])ia|(?<![cstgxl])io|eo(?!u|p)|(?<=[dtns])ua|uie|oe(?=t|m)|(?<=[aeiouy][^aeiouy])ea$|(?<=r)ea(?=te|tio)|ience"
    r"|[aeouy]ing"  # going, playing
)


def english_syllables(word: str) -> int:
    """By spelling, without accents; right for about nineteen words of twenty."""
    groups = len(re.findall("[aeiouy]+", word))
    if len(word) > 2:
        groups += len(PARTED.findall(word)) - len(SILENT.findall(word))
    return max(1, groups)
