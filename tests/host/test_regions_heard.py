"""What comes out of the page: only what a region names is heard to have changed.

Every player's sound is taken where it goes to the loudspeaker: what the picture plays of the
source, and what the node that saved it plays of the result. No file is looked into.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acestep_core.config import SAMPLE_RATE
from acestep_core.sound.files import read_audio
from scripts.host import page
from tests.host import shipped
from tests.host.test_regions import LATE, MASK, drag, seen, values, write_beats
from tests.host.test_shown import succeeded

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("_pictures")]

FILE, SECONDS = "heard.flac", 6.0
NOISE = 0.05  # there at every moment, and never twice
REGION = (2.0, 4.0)
WINDOW = 0.25  # seconds
REACH = 0.5  # seconds by which a busy machine may be late
SAME, OTHER = 0.02, 0.2  # of the level there: less is the same sound, more is another
Wave = Any  # (N,) of numpy
# All that players say, in the order they begin: window.heard[n] = {parts, isDone}.
LISTEN = """async rate => {
    const context = new AudioContext({sampleRate: rate});
    const code = `registerProcessor('tap', class extends AudioWorkletProcessor {
        process([input]) {
            if (input.length) this.port.postMessage(input[0].slice());
            return true;
        }
    })`;
    await context.audioWorklet.addModule(URL.createObjectURL(
        new Blob([code], {type: 'application/javascript'})));
    window.heard = [];
    document.addEventListener('pointerdown', () => context.resume(), true);
    const make = document.createElement.bind(document);
    document.createElement = (name, ...words) => {
        const made = make(name, ...words);
        if (name === 'audio') made.addEventListener('play', () => take(made), {once: true});
        return made;
    };
    const take = player => {
        const one = {parts: [], isDone: false};
        window.heard.push(one);
        const tap = new AudioWorkletNode(context, 'tap');
        tap.port.onmessage = ({data}) => one.parts.push(data);
        context.createMediaElementSource(player).connect(tap).connect(context.destination);
        player.addEventListener('ended', () => setTimeout(() => { one.isDone = true; }, 500));
    };
}"""
HEARD = """n => {
    const {parts} = window.heard[n];
    const all = new Float32Array(parts.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const one of parts) { all.set(one, at); at += one.length; }
    const bytes = new Uint8Array(all.buffer);
    let text = '';
    for (let n = 0; n < bytes.length; n += 8192)
        text += String.fromCharCode(...bytes.subarray(n, n + 8192));
    return btoa(text);
}"""


@pytest.fixture
def _pictures(panels: bool) -> None:
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")


def heard(opened: page.Opened, number: int) -> Wave:
    """What the player that began as the n-th has said to its end."""
    done = "n => window.heard[n]?.isDone"
    opened.page.wait_for_function(done, arg=number, timeout=LATE)
    return np.frombuffer(base64.b64decode(opened.page.evaluate(HEARD, number)), np.float32)


def best(there: Wave, part: Wave) -> int:
    """Where in a sound a part of it lies."""
    size = 2 ** int(np.ceil(np.log2(len(there) + len(part))))
    product = np.fft.rfft(there, size) * np.conj(np.fft.rfft(part, size))
    return int(np.argmax(np.fft.irfft(product, size)[: len(there) - len(part) + 1]))


def differences(truth: Wave, sound: Wave) -> list[float]:
    """By how much a sound differs from another, of its level there, window by window."""
    length, reach = round(WINDOW * SAMPLE_RATE), round(REACH * SAMPLE_RATE)
    padded = np.pad(sound, (reach + length, 2 * reach + length))
    middle = round(0.75 * len(truth))  # behind the region
    late = best(padded, truth[middle:]) - middle
    found = []
    for first in range(0, len(truth) - length + 1, length):
        part = truth[first : first + length]
        low = max(first + late - reach, 0)
        there = padded[low : low + length + 2 * reach]
        at = best(there, part)
        found.append(float(np.std(there[at : at + length] - part) / np.std(part)))
    return found


def test_only_the_region_is_heard_to_change(opened: page.Opened, base: Path) -> None:
    write_beats(base / "input" / FILE, SECONDS, NOISE)
    opened.page.evaluate(LISTEN, SAMPLE_RATE)
    opened.load(shipped.on_song("inpaint", FILE))
    opened.set("AceSuiteSampler", steps=4)
    drag(opened, seen(opened, MASK), REGION[0] + 0.1, REGION[1] - 0.1, SECONDS)
    start, end = values(opened, "start", "end")
    assert (start, end) == pytest.approx(REGION, abs=0.03)

    opened.page.keyboard.press(" ")
    source = heard(opened, 0)
    succeeded(opened.run())
    opened.seen("AceSuiteSaveAudio")
    player = opened.page.locator("audio[aria-label^=Song]").last
    box = player.bounding_box()
    assert box, "no player is in sight"
    opened.page.mouse.click(box["x"] + 24, box["y"] + box["height"] / 2)
    result = heard(opened, 1)

    file = read_audio(base / "input" / FILE)[0][0].numpy()
    plays = differences(file, source)[1:]  # the first is over before anyone listens
    assert sum(one > SAME for one in plays) <= 1, plays
    first = round(WINDOW * SAMPLE_RATE)
    both = differences(file[first:], result)
    times = [WINDOW * (number + 1) for number in range(len(both))]
    outside = [
        one for at, one in zip(times, both, strict=True) if at + WINDOW <= start or at >= end
    ]
    inside = [
        one
        for at, one in zip(times, both, strict=True)
        if start + WINDOW <= at and at + 2 * WINDOW <= end
    ]
    assert sum(one > SAME for one in outside) <= 1, outside  # a buffer that came too late
    assert len(inside) >= 3
    assert min(inside) > OTHER, inside
    assert not opened.errors()
