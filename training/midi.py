"""Many pieces in one MIDI file, spaced so that the rendered sound can be cut again.

    pieces -> events in ticks -> one track: program changes, notes, "all sound off" each

Three traps, each of which once made a renderer wait for ever on a hanging note: a note-off
comes at least a tick after its note-on, whatever the rounding; a pitch that is struck again
is released first; and all sound is switched off (controller 120) at the end of every piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .compose import Note, Piece
from .styles import Voice

if TYPE_CHECKING:
    from mido import Message

TICKS = 960  # per quarter, at 120 quarters a minute: 1920 ticks per second
PER_SECOND = 2 * TICKS
GAP = 1.0  # seconds of silence behind every piece
CHANNELS = {"lead": 0, "chords": 1, "bass": 2, "drums": 9}
VOLUME, PAN, SOUND_OFF, RESET = 7, 10, 120, 121  # controllers

Event = tuple[int, int, "Message"]  # tick, order within the tick, message


def starts(pieces: Iterable[Piece]) -> Iterator[float]:
    """Seconds at which each piece begins in the file."""
    place = 0.0
    for piece in pieces:
        yield place
        place += piece.seconds + GAP


def length(pieces: Iterable[Piece]) -> float:
    return sum(piece.seconds + GAP for piece in pieces)


def write(pieces: list[Piece], path: Path) -> None:
    """One track with all of them."""
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    events: list[Event] = []
    for piece, start in zip(pieces, starts(pieces), strict=True):
        events += _events(piece, round(start * PER_SECOND))
    last = round(length(pieces) * PER_SECOND)
    events += [(last, 0, _control(channel, SOUND_OFF, 0)) for channel in CHANNELS.values()]
    track = MidiTrack([MetaMessage("set_tempo", tempo=500_000, time=0)])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        assert isinstance(message, Message)
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(MetaMessage("end_of_track", time=1))
    MidiFile(type=0, ticks_per_beat=TICKS, tracks=[track]).save(str(path))


def _control(channel: int, number: int, value: int) -> Message:
    from mido import Message

    return Message("control_change", channel=channel, control=number, value=value)


def _events(piece: Piece, start: int) -> Iterator[Event]:
    band = piece.ensemble
    voices = {"lead": band.lead, "chords": band.chords, "bass": band.bass}
    if band.kit is not None:
        voices["drums"] = Voice(band.kit, 104, 64)
    for part, voice in voices.items():
        yield from _set_up(CHANNELS[part], voice, start)
    end = start + round(piece.seconds * PER_SECOND)
    for part in voices:
        notes = [note for note in piece.notes if note.part == part]
        yield from _notes(notes, CHANNELS[part], start, end)
    for channel in CHANNELS.values():
        yield end + PER_SECOND // 4, 0, _control(channel, SOUND_OFF, 0)


def _set_up(channel: int, voice: Voice, tick: int) -> Iterator[Event]:
    from mido import Message

    assert isinstance(voice.sound, int), "a plain sound cannot be written as MIDI"
    yield tick, 1, _control(channel, SOUND_OFF, 0)
    yield tick, 1, _control(channel, RESET, 0)
    yield tick, 1, Message("program_change", channel=channel, program=voice.sound)
    yield tick, 1, _control(channel, VOLUME, voice.volume)
    yield tick, 1, _control(channel, PAN, voice.pan)


def _notes(notes: list[Note], channel: int, start: int, end: int) -> Iterator[Event]:
    """Note-ons and note-offs of one channel, no pitch sounding twice at a time."""
    from mido import Message

    following: dict[int, int] = {}  # pitch -> tick of its next note-on
    for note in sorted(notes, key=lambda note: note.start, reverse=True):
        on = min(start + round(note.start * PER_SECOND), end - 2)
        off = min(on + round(note.length * PER_SECOND), following.get(note.pitch, end), end)
        if off <= on:  # struck twice on one tick
            continue
        following[note.pitch] = on
        pitch, velocity = note.pitch, note.velocity
        yield on, 3, Message("note_on", channel=channel, note=pitch, velocity=velocity)
        yield off, 2, Message("note_off", channel=channel, note=pitch, velocity=0)
