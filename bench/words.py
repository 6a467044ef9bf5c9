"""Words: time to tokenise a song, to import the lyric package, and who detects languages best.

4-minute songs by our own writer -> tokenise, warm -> median
the longest lyrics that are let through -> refused for their tokens; two long ones -> compared
import in fresh processes, torch loaded before; py3langid's first load on its own
lines of the tests -> both detectors -> share that is right, by language
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from acestep_core.lyrics import DETECTORS, Vocabulary, tokenise
from acestep_core.lyrics.compare import compare
from acestep_core.lyrics.fallbacks import Fallbacks
from acestep_core.lyrics.language import languages_of
from acestep_core.settings import SettingError
from acestep_core.writer import write_song

from .measure import in_fresh_processes, last_line, side_by_side

SECONDS = 240.0
UNITS = ("- ", "5", "5- ", "(", '"', "a1 ", "<a>", "5\u5143", "\u30a2")
COMPARED = "compare 100 lines with 99"
TARGETS = {"tokenise": 0.050, "import": 0.2}  # seconds
PROMPTS = {
    "en": "A pop song about summer memories",
    "de": "Ein Lied über den alten Hafen und das Meer",
    "fr": "Une chanson sur les souvenirs de la mer",
    "es": "Una canción sobre el verano y la playa",
}
LINES = Path(__file__).resolve().parent.parent / "tests" / "unit" / "lyrics" / "detection.tsv"
IMPORT = "import time, torch; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
LOADING = (
    "import time; from acestep_core.lyrics.language import Identifier;"
    " t = time.perf_counter(); Identifier(); print(time.perf_counter() - t)"
)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="bench words", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--vocabulary", type=Path, help="default: the usual places")
    options = parser.parse_args(words)
    songs = _tokenised(Vocabulary.find(options.vocabulary), options.repeats)
    longest = _longest(Vocabulary.find(options.vocabulary), options.repeats)
    imported = in_fresh_processes(IMPORT.format("acestep_core.lyrics"))
    loading = in_fresh_processes(LOADING)
    print(f"import acestep_core.lyrics after torch: {imported * 1e3:.0f} ms (target 200)")
    print(f"py3langid's first load: {loading * 1e3:.0f} ms, once a process\n")
    table = _detection()
    met = {
        "tokenise": all(song["median_s"] < TARGETS["tokenise"] for song in songs.values()),
        "import": imported < TARGETS["import"],
    }
    last_line(
        "words",
        songs=songs,
        longest_s=longest,
        import_s=round(imported, 4),
        py3langid_load_s=round(loading, 4),
        detection=table,
        targets_met=met,
    )
    return 0


def _tokenised(vocabulary: Vocabulary, repeats: int) -> dict[str, dict[str, float]]:
    texts = {
        code: write_song(prompt, duration=SECONDS, seed=0).lyrics
        for code, prompt in PROMPTS.items()
    }
    counts = {
        code: tokenise(text, vocabulary=vocabulary).ids.shape[1] for code, text in texts.items()
    }
    works = {
        code: lambda text=text: tokenise(text, vocabulary=vocabulary)
        for code, text in texts.items()
    }
    timings = side_by_side(works, repeats)  # type: ignore[arg-type]
    print(f"tokenise a song of {SECONDS:g} s, warm (target 50 ms):")
    results = {}
    for code, timing in timings.items():
        text = texts[code]
        results[code] = {
            "lines": text.count("\n"),
            "characters": len(text),
            "tokens": counts[code],
            "median_s": round(timing.median, 5),
            "spread": round(timing.spread, 2),
        }
        print(
            f"  {code}: {text.count(chr(10))} lines, {len(text)} characters, {counts[code]}"
            f" tokens: {timing.median * 1e3:.1f} ms (spread {timing.spread:.0%})"
        )
    return results


def _longest(vocabulary: Vocabulary, repeats: int) -> dict[str, float]:
    """Seconds for what is long on purpose: readers and aligners are slow on repetitions."""

    def refused(unit: str) -> None:
        with contextlib.suppress(SettingError):
            tokenise((unit * 40_000)[:40_000] + "x -" * 3000, vocabulary=vocabulary)

    other = itertools.count()  # nothing is compared twice: likenesses are kept

    def compared() -> None:
        word = next(other)
        old = "\n".join(f"one {i} two {i * 7}" for i in range(100))
        compare(old, "\n".join(f"{word} {i} two {i * 3}" for i in range(99)))

    works: dict[str, Callable[[], object]] = {repr(unit): partial(refused, unit) for unit in UNITS}
    works[COMPARED] = compared
    seconds = {name: x.median for name, x in side_by_side(works, repeats).items()}
    slowest = max(UNITS, key=lambda unit: seconds[repr(unit)])
    print(
        f"a line of 49,000 characters, refused: {seconds[repr(slowest)]:.2f} s at most"
        f" ({slowest!r} repeated); {COMPARED}: {seconds[COMPARED]:.2f} s"
    )
    return {name: round(value, 4) for name, value in seconds.items()}


def _detection() -> dict[str, dict[str, float]]:
    """Share of lines whose language is found, each line on its own."""
    rows = [row.split("\t") for row in LINES.read_text(encoding="utf-8").splitlines()]
    totals = Counter(code for code, _ in rows)
    right: dict[str, Counter[str]] = {name: Counter() for name in DETECTORS}
    for code, line in rows:
        for name in DETECTORS:
            right[name][code] += languages_of([line], name, Fallbacks()) == [code]
    print(f"{'language':<10}{'lines':>6}" + "".join(f"{name:>12}" for name in DETECTORS))
    table = {}
    for code, count in sorted(totals.items()):
        shares = {name: round(right[name][code] / count, 3) for name in DETECTORS}
        table[code] = {"lines": count, **shares}
        print(f"{code:<10}{count:>6}" + "".join(f"{share:>12.0%}" for share in shares.values()))
    whole = {name: round(right[name].total() / len(rows), 3) for name in DETECTORS}
    print(f"{'all':<10}{len(rows):>6}" + "".join(f"{x:>12.0%}" for x in whole.values()), "\n")
    return {**table, "all": {"lines": len(rows), **whole}}


if __name__ == "__main__":
    sys.exit(main())
