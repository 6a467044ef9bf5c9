"""What commands share: the model, places for results, progress, errors in words."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import AUTO, SettingError, setting

if TYPE_CHECKING:
    from torch import Tensor

    from ..lyrics.vocabulary import Vocabulary
    from ..pipeline import ACEStep
    from ..records.record import Record
    from ..sampling.loop import See
    from ..sampling.schedule import Step
    from ..sound.tiles import Tick
    from ..weights.lora import Applied
    from ..weights.model import Precision


STOPPED, ENDED = 130, 143  # the statuses a shell gives to SIGINT and SIGTERM
UNREAD = 141  # to SIGPIPE


class EndedError(KeyboardInterrupt):
    """SIGTERM: what Ctrl-C does, and the status of its own."""


def end_as_interrupt() -> None:
    """A run that is asked to end tidies up as one that is interrupted."""

    def end(number: int, frame: object) -> None:
        raise EndedError

    signal.signal(signal.SIGTERM, end)


def stopped(error: KeyboardInterrupt) -> int:
    print("\nStopped; nothing half-written was left.", file=sys.stderr)
    return ENDED if isinstance(error, EndedError) else STOPPED


def reported(run: Callable[[], int]) -> int:
    """The exit status of a command; what went wrong is said in words."""
    try:
        status = _explained(run)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as error:
        return stopped(error)
    except BrokenPipeError:  # as of `| head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD


def _explained(run: Callable[[], int]) -> int:
    from ..networks.memory import is_out_of_memory
    from ..weights.checkpoint import CheckpointError

    try:
        return run()
    except (CheckpointError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        print(
            f"error: not enough memory ({error}). Make a shorter clip or fewer at once, or try"
            " --one-by-one and --offload.",
            file=sys.stderr,
        )
        return 2


def loaded(
    options: argparse.Namespace, applied: Sequence[Applied] = (), record: Record | None = None
) -> ACEStep:
    """The pipeline that the model options ask for, or that a record was made with."""
    from ..pipeline import ACEStep
    from .places import notes_of, places_of

    device, paths = device_of(options.device), places_of(options)
    precision = _precision(options, device, record)
    for note in notes_of(options, paths):
        print(note, file=sys.stderr)
    pipe = ACEStep.load(*paths, device=device, precision=precision, offload=options.offload)
    return pipe.with_adapters(list(applied))


def vocabulary_of(options: argparse.Namespace) -> Vocabulary:
    from ..lyrics.vocabulary import Vocabulary
    from ..weights.download import download_vocabulary
    from .places import places_of

    vocabulary = Vocabulary.find(places_of(options)[0])
    if options.allow_download and not any(place.is_file() for place in vocabulary.places):
        return Vocabulary.find(download_vocabulary())
    return vocabulary


def device_of(name: str) -> str:
    import torch

    if name != "auto":
        try:
            torch.zeros(1, device=name).cpu()
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise SettingError(
                f"--device {name} cannot be used ({str(error).splitlines()[0]})."
                " Choose cpu, cuda, mps or auto."
            ) from error
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _precision(options: argparse.Namespace, device: str, record: Record | None) -> Precision:
    """What is asked for; else, on the same kind of device, what a repeated run was made in."""
    import torch

    from ..weights.model import PARTS_OF, Placing, named_precision

    place = torch.device(device)
    made = record.ace_core if record and record.ace_core.get("device") == place.type else {}
    names = {key: getattr(options, key) for key in PARTS_OF}
    told = {key: str(made.get(key, AUTO)) if one == AUTO else one for key, one in names.items()}
    return named_precision(Placing(place), told)


def checked_outputs(output: Path, rate: int, count: int) -> list[Path]:
    """Where so many clips of this rate go, once it is sure that they can be written."""
    from ..sound.files import check_writable

    setting("sample_rate").check(rate, "--rate (Hz)")
    return [check_writable(path) for path in outputs(output, count)]


def outputs(path: Path, count: int) -> list[Path]:
    """song.flac for one clip; song_1.flac, song_2.flac, ... for several."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}_{i + 1}{path.suffix}") for i in range(count)]


@contextmanager
def watched(label: str, total: int) -> Iterator[See]:
    """A progress bar with seconds left, moved by model evaluations."""
    from tqdm import tqdm

    with tqdm(total=total, desc=label, unit="step", file=sys.stderr) as bar:

        def see(step: Step, x: Tensor, velocity: Tensor) -> None:
            bar.update(1)

        yield see


@contextmanager
def ticking(label: str) -> Iterator[Tick]:
    from tqdm import tqdm

    with tqdm(desc=label, unit="tile", file=sys.stderr) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tick


@contextmanager
def stepping() -> Iterator[See]:
    """A progress bar of schedule steps; how many passes there will be shows as they come."""
    from tqdm import tqdm

    with tqdm(desc="sampling", unit="step", file=sys.stderr) as bar:

        def see(step: Step, x: Tensor, velocity: Tensor) -> None:
            bar.total = step.count
            bar.n = step.index + 1
            bar.refresh()

        yield see
