"""Ten styles, each with its own ensembles and its own drum, bass, chord and lead patterns.

Patterns are strings of sixteen steps, one bar of 4/4. Drums: x is a hit. Chords: x strikes,
- holds, . rests. Bass: 1, 3, 5, 8 are chord tones and 6 is the sixth. An arpeggio is written
with digits in the chord line. Numbers of instruments are those of General MIDI counted from 0;
"plain" ensembles are synthesised without a sound font.
"""

from __future__ import annotations

from dataclasses import dataclass

# General MIDI drum keys.
DRUM_KEYS = {
    "kick": 36,
    "snare": 38,
    "stick": 37,
    "clap": 39,
    "hat": 42,
    "open": 46,
    "ride": 51,
    "tambourine": 54,
    "shaker": 70,
}

# How far a beat's phase moves in a latent frame, in radians: 64.3, 77.1 and 102.8 beats a minute.
# The denoiser counts frames by angles of 1, 1/2, 1/4, ... (sizes.py), so that beats and bars of
# these tempos are sums of angles that it has. Halved or doubled, no tempo is another: a pattern of
# eighths cannot be taken for one of quarters at twice the tempo.
BEAT_ANGLES = {"slow": 5 / 8, "medium tempo": 3 / 4, "fast": 1.0}
DENSITIES = ("sparse", "busy")
MODES = ("major", "minor")


@dataclass(frozen=True)
class Voice:
    """One instrument: a General MIDI program or the name of a plain sound, and how it sits."""

    sound: int | str
    volume: int  # 0 to 127
    pan: int  # 0 left, 64 middle, 127 right
    low: int = 48  # lowest MIDI pitch it plays


@dataclass(frozen=True)
class Ensemble:
    name: str
    words: tuple[str, ...]  # what a listener would call it; every word is true
    lead: Voice
    chords: Voice
    bass: Voice
    kit: int | str | None = 0


@dataclass(frozen=True)
class Style:
    genre: str
    words: tuple[str, ...]  # other true words for the genre
    ensembles: tuple[Ensemble, ...]
    drums: tuple[dict[str, str], ...]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    sparse: tuple[str, ...]  # lead rhythms
    busy: tuple[str, ...]
    swing: float = 0.5  # where the second eighth of a beat falls
    sevenths: bool = False


def _font(name: str, words: str, programs: tuple[int, int, int], kit: int | None) -> Ensemble:
    lead, chords, bass = programs
    return Ensemble(
        name,
        tuple(words.split(", ")),
        Voice(lead, 112, 80, 64),
        Voice(chords, 80, 44, 52),
        Voice(bass, 104, 64, 33),
        kit,
    )


def _plain(name: str, words: str, sounds: tuple[str, str, str], kit: str | None) -> Ensemble:
    lead, chords, bass = sounds
    return Ensemble(
        name,
        tuple(words.split(", ")),
        Voice(lead, 100, 80, 67),
        Voice(chords, 70, 44, 55),
        Voice(bass, 100, 64, 36),
        kit,
    )


STYLES: tuple[Style, ...] = (
    Style(
        "lofi",
        ("lo-fi hip hop", "chill"),
        (
            _font("lofi keys", "electric piano, vibraphone, bass, drums", (11, 4, 33), 8),
            _font("lofi guitar", "nylon guitar, kalimba, bass, drums", (108, 24, 33), 8),
        ),
        (
            {"kick": "x......x..x.....", "stick": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "x..x......x.....", "stick": "....x.......x..x", "hat": "x.x.x.x.x.x.x.x."},
        ),
        ("1-------..1-5---", "1-----..5-----1-"),
        ("x-----------x---", "x-----x---------"),
        ("x-----....x-----", "....x-----..x---"),
        ("x.x.x-..x.x.x-..", "x-x.x.x-x.x.x.x-"),
        0.58,
        True,
    ),
    Style(
        "house",
        ("electronic", "dance"),
        (
            _font("house synth", "synthesizer, synth bass, electronic drums", (80, 81, 38), 25),
            _font("house piano", "piano, saw lead, synth bass, electronic drums", (81, 0, 38), 24),
        ),
        (
            {"kick": "x...x...x...x...", "clap": "....x.......x...", "open": "..x...x...x...x."},
            {"kick": "x...x...x...x...", "clap": "....x.......x..x", "hat": "..x...x...x...x."},
        ),
        ("..1-..1-..1-..1-", ".11-.11-.11-.15-"),
        ("x..x..x...x..x..", "x..x...x..x..x.."),
        ("x-------x---....", "x---........x---"),
        ("x.xx.x.xx.xx.x.x", "xxx.xxx.xxx.xxx."),
    ),
    Style(
        "rock",
        ("band", "energetic"),
        (
            _font("rock guitars", "distorted guitar, electric bass, drums", (29, 30, 34), 16),
            _font("rock organ", "rock organ, guitar solo, electric bass, drums", (30, 18, 34), 16),
        ),
        (
            {"kick": "x.......x.x.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "x..x..x.x..x....", "snare": "....x.......x...", "ride": "x...x...x...x..."},
        ),
        ("1.1.1.1.1.1.1.1.", "1-1.1.1.1-1.5.5."),
        ("x---------------", "x-x-..x-x-..x-x-"),
        ("x-------x-------", "x-----------x---"),
        ("x-x-x-x-x-x-x-x-", "x-x-xxx-x-x-xxx-"),
    ),
    Style(
        "jazz",
        ("swing", "combo"),
        (
            _font("jazz saxophone", "saxophone, piano, double bass, brushes", (66, 0, 32), 40),
            _font("jazz trumpet", "trumpet, jazz guitar, double bass, drums", (56, 26, 32), 32),
        ),
        (
            {"ride": "x...x.x.x...x.x.", "hat": "....x.......x...", "kick": "x..............."},
            {"ride": "x...x.x.x...x.x.", "stick": "....x.......x...", "kick": "x.......x......."},
        ),
        ("1---3---5---6---", "1---5---8---5---"),
        ("x-....x-........", "..x-......x-...."),
        ("x---x-----......", "....x-----x-----"),
        ("x.x.x.x.x.x.x-..", "x.x.x-x.x.x.x.x."),
        0.66,
        True,
    ),
    Style(
        "classical",
        ("orchestral", "acoustic"),
        (
            _font("string orchestra", "strings, violin, cello, no drums", (40, 48, 42), None),
            _font("harp and oboe", "harp, oboe, cello, no drums", (68, 46, 42), None),
        ),
        ({},),
        ("1-------5-------", "1---------------"),
        ("x---x---x---x---", "1.3.5.3.1.3.5.3."),
        ("x-------x-------", "x-----------x---"),
        ("x-x-x-x-x-x-x-x-", "x-xxx-xxx-xxx-xx"),
    ),
    Style(
        "folk",
        ("country", "rustic"),
        (
            _font("folk flute", "acoustic guitar, flute, shaker", (73, 25, 32), 0),
            _font("folk fiddle", "banjo, fiddle, tambourine", (110, 105, 32), 0),
        ),
        (
            {"shaker": "x.x.x.x.x.x.x.x."},
            {"tambourine": "....x.......x..."},
        ),
        ("1-------5-------",),
        ("1.5.3.5.8.5.3.5.", "1.3.5.8.5.3.5.3."),
        ("x-----x-x-------", "x-------x---x---"),
        ("x-x-x-x-x-x-x-x-", "x-xxx-x-x-xxx-x-"),
    ),
    Style(
        "reggae",
        ("ska", "sunny"),
        (
            _font("reggae organ", "organ, trombone, electric bass, drums", (57, 16, 33), 0),
            _font("reggae steel drum", "clean guitar, steel drum, bass, drums", (114, 27, 33), 0),
        ),
        (
            {"kick": "........x.......", "stick": "........x.......", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "x.......x.......", "snare": "........x.......", "hat": "x.x.x.x.x.x.x.x."},
        ),
        ("1---..3-5-..1-..", "..1-1-..5-5-3-.."),
        ("....x.......x...", "..x...x...x...x."),
        ("x-----..x-------", "....x-------x---"),
        ("x.x-x.x.x.x-x.x.", "x-x.x-x.x-x.x-x."),
    ),
    Style(
        "funk",
        ("groovy", "soul"),
        (
            _font("funk brass", "brass section, clavinet, slap bass, drums", (61, 7, 36), 8),
            _font("funk guitar", "muted guitar, alto saxophone, slap bass", (65, 28, 36), 8),
        ),
        (
            {"kick": "x..x..x...x..x..", "snare": "....x..x.x..x...", "hat": "xxxxxxxxxxxxxxxx"},
            {"kick": "x.x....x..x.....", "snare": "....x..x....x..x", "hat": "xxxxxxxxxxxxxxxx"},
        ),
        ("1..18.1..1.18.5.", "1.8..1.1.8..15.8"),
        ("x..x.x..x..x.x..", "..x.x..x..x.x..x"),
        ("x.x-........x.x-", "x.......x.x-...."),
        ("x.xx.xx.x.xx.xx.", "xx.xx.x.xx.xx.x."),
    ),
    Style(
        "chiptune",
        ("8-bit", "video game"),
        (
            _plain("chiptune square", "square wave, retro", ("pulse", "pluck", "triangle"), "chip"),
            _plain("chiptune saw", "saw wave, arcade", ("saw", "pulse", "triangle"), "chip"),
        ),
        (
            {"kick": "x...x...x...x...", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "x..x..x.x..x..x.", "snare": "....x.......x.x.", "hat": "x.x.x.x.x.x.x.x."},
        ),
        ("1.8.1.8.1.8.1.8.", "1.1.8.1.1.1.8.5."),
        ("1358135813581358", "1.3.5.8.5.3.5.8."),
        ("x---x---x-------", "x-------x---x---"),
        ("x.x.xxx.x.x.xxx.", "xxxxx.x.xxxxx.x."),
    ),
    Style(
        "ambient",
        ("calm", "dreamy"),
        (
            _plain("ambient bells", "pad, bells, no drums", ("bell", "pad", "sine"), None),
            _plain("ambient flute", "pad, soft synth, no drums", ("soft", "strings", "sine"), None),
        ),
        ({},),
        ("1---------------", "1-------5-------"),
        ("x---------------", "x-------x-------"),
        ("x---....x---....", "x-------x-------"),
        ("x-x-x-x-x-x-x-x-", "x.x.x.x.x.x.x.x."),
    ),
)
BY_GENRE = {style.genre: style for style in STYLES}

# Degrees of the scale on which the chords of a turn stand.
PROGRESSIONS = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 3, 4, 3)),
    "minor": ((0, 5, 2, 6), (0, 3, 6, 2), (0, 5, 3, 4), (0, 6, 5, 6)),
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
