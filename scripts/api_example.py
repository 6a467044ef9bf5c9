"""The hosted endpoints against your own ComfyUI, in the call shape of fal's client.

    python -m scripts.api_example song.mp3 --url http://127.0.0.1:8188 -o remix.flac
    python -m scripts.api_example --tags "pop, piano, 120 bpm" -o song.flac

With a file its style is changed (audio to audio); without one a song is made from the tags. The
server's token, if it asks for one, is read from ACESTEP_API_TOKEN.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from acestep_core.hosted.client import (
    Client,
    Event,
    InProgress,
    Queued,
    RequestRefusedError,
    RunFailedError,
)


def on_queue_update(event: Event) -> None:
    if isinstance(event, Queued):
        print(f"waiting; {event.position} before this one")
    if isinstance(event, InProgress):
        for line in event.logs:
            print(line["message"])


def remix(client: Client, options: argparse.Namespace) -> str:
    """URL of the song in another style."""
    result = client.subscribe(
        "fal-ai/ace-step/audio-to-audio",
        arguments={
            "audio_url": client.upload_file(options.source),
            "original_tags": options.original_tags,
            "tags": options.tags,
            "edit_mode": "remix",
        },
        with_logs=True,
        on_queue_update=on_queue_update,
    )
    print(f"seed {result['seed']}, tags {result['tags']}, lyrics {result['lyrics']}")
    audio = result["audio"]
    assert isinstance(audio, dict)
    return str(audio["url"])


def song(client: Client, options: argparse.Namespace) -> str:
    """URL of a new song."""
    arguments = {"tags": options.tags, "lyrics": options.lyrics, "duration": options.duration}
    job = client.submit("text-to-audio", arguments)
    for event in client.progress(job.id):
        on_queue_update(event)
    job = client.result(job.id)
    if job.status != "completed":
        raise RunFailedError(job.error)
    print(f"seed {job.input['seed']}, {job.milliseconds / 1000:.1f} s")
    return job.outputs[0]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", nargs="?", type=Path, help="a sound file to remix")
    parser.add_argument("--url", default="http://127.0.0.1:8188", help="of ComfyUI")
    parser.add_argument("--tags", default="lofi, hiphop, drum and bass, trap, chill")
    parser.add_argument("--original-tags", default="pop, piano")
    parser.add_argument("--lyrics", default="[inst]")
    parser.add_argument("--duration", type=float, default=30.0, help="seconds, 5 to 240")
    parser.add_argument("-o", "--output", type=Path, default=Path("made.flac"))
    options = parser.parse_args()
    client = Client(options.url, os.environ.get("ACESTEP_API_TOKEN", ""))
    try:
        url = remix(client, options) if options.source else song(client, options)
    except (RequestRefusedError, RunFailedError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(client.download(url, options.output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
