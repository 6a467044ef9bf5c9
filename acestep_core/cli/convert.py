"""Commands that make one kind of file of another.

parameter file    -> ComfyUI graph
checkpoint folder -> one .safetensors
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("replay-graph", help="a ComfyUI graph of a parameter file")
    command.add_argument("record", type=Path, metavar="FILE.json")
    command.add_argument("--output", "-o", type=Path, default=Path("graph.json"))
    command.add_argument(
        "--lora",
        action="append",
        default=[],
        metavar="ENTRY",
        help='its place in ComfyUI, such as loras/rap.safetensors; or "skip"',
    )
    command.set_defaults(run=replay_graph)

    command = commands.add_parser("single-file", help="a checkpoint folder as one .safetensors")
    command.add_argument("folder", type=Path, nargs="?", help="default: the small model")
    command.add_argument("--output", "-o", type=Path, required=True, metavar="FILE.safetensors")
    command.set_defaults(run=single_file)


def replay_graph(options: argparse.Namespace) -> int:
    import json

    from ..atomic import check_place, replaced
    from ..records.graph import graph_of, placed_adapters
    from ..records.record import read_record
    from ..records.replay import adapters_of
    from ..settings import FAIL, SKIP

    path, output = options.record, check_place(options.output)
    record = read_record(path)
    adapters = placed_adapters(adapters_of(record), options.lora, path)
    lora = SKIP if options.lora == [SKIP] else FAIL
    graph = graph_of(record, adapters, lora)
    with replaced(output) as place:
        place.write_text(json.dumps(graph.prompt, indent=1) + "\n", encoding="utf-8")
    for note in graph.notes:
        print(f"note: {note}", file=sys.stderr)
    print(output)
    return 0


def single_file(options: argparse.Namespace) -> int:
    from ..weights.single_file import write_single_file
    from ..weights.small import FOLDER

    print(write_single_file(options.folder or FOLDER, options.output))
    return 0
