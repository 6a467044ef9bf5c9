"""Tries every client against every ComfyUI that COMFYUI_PATH names, and prints a table.

    COMFYUI_PATH=... python -m scripts.clients            prints it; 1 where something is not "yes"
    COMFYUI_PATH=... python -m scripts.clients --publish  also replaces the table in docs/api.md

client x version x verb: yes, or a dash where the client has no such verb
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from scripts.host import comfyui

from .known import KNOWN, VERBS, YES, Client, NotInstalledError, tried
from .tls import terminated

PAGE = comfyui.PACK / "docs" / "api.md"
SONG = next((comfyui.PACK / "web" / "examples").glob("*.mp3"))
MARKS = ("<!-- clients -->", "<!-- end clients -->")
HEAD = ("client", "version", "told by", *VERBS)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts.clients", description=(__doc__ or "")[:80])
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--only", default="", metavar="NAME", help="clients whose name has this")
    options = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    clients = [client for client in KNOWN if options.only in client.id]
    checkouts = comfyui.checkouts()
    if not checkouts:
        raise SystemExit("COMFYUI_PATH names no ComfyUI checkout.")
    found = {comfyui.version_of(path): against(path, clients) for path in checkouts}
    text = table(clients, found)
    print(text)
    is_whole = all(cell == YES for one in found.values() for row in one.values() for cell in row)
    if options.publish:
        if not is_whole or len(clients) < len(KNOWN):
            raise SystemExit("Not published: every client has to be tried, and everything yes.")
        publish(text)
    return 0 if is_whole else 1


def against(checkout: Path, clients: list[Client]) -> dict[str, list[str]]:
    """What each client's verbs came to, in the order it has them."""
    found = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base = comfyui.make_base(folder / "base")
        song = Path(shutil.copy(SONG, base / "input" / "song.mp3"))
        server = stack.enter_context(comfyui.running(checkout, base))
        terminator = stack.enter_context(terminated(server.url, folder))
        for client in clients:
            try:
                said = tried(client, server, song, terminator)
            except NotInstalledError as error:
                said = dict.fromkeys(client.verbs, f"not installed: {error}")
            logging.info("%s %s: %s", server.version, client.id, said)
            found[client.id] = list(said.values())
    return found


def table(clients: list[Client], found: dict[str, dict[str, list[str]]]) -> str:
    rows = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for client in clients:
        cells = [client.name, client.version, client.way, *_cells(client, found)]
        rows.append(f"| {' | '.join(cells)} |")
    versions = ", ".join(sorted(found, key=lambda text: [int(n) for n in text.split(".")]))
    end = f"On ComfyUI {versions}. `-`: the client has no such verb, or not when told this way."
    return "\n".join([*rows, "", end])


def _cells(client: Client, found: dict[str, dict[str, list[str]]]) -> list[str]:
    """One cell a verb: yes where every ComfyUI says so, else what the first other said."""
    cells = []
    for verb in VERBS:
        if verb not in client.verbs:
            cells.append("-")
            continue
        place = client.verbs.index(verb)
        said = [one[client.id][place] for one in found.values()]
        cells.append(next((text for text in said if text != YES), YES))
    return cells


def publish(text: str, page: Path = PAGE) -> None:
    """Put the table where the page has it."""
    start, end = MARKS
    head, _, rest = page.read_text(encoding="utf-8").partition(start)
    _, _, tail = rest.partition(end)
    if not tail:
        raise SystemExit(f"{page.name} has no {start} ... {end}.")
    page.write_text(f"{head}{start}\n{text}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
