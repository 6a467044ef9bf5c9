"""Errors that name their node; what helps when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from ...acestep_core.atomic import FileError
from ...acestep_core.networks.memory import is_out_of_memory
from ...acestep_core.settings import SettingError
from ...acestep_core.weights.checkpoint import CheckpointError
from .found import IN_COMFYUI, log, management
from .memory import memory_free


@cache
def by_name(kind: type[Exception]) -> type[Exception]:
    """The same class by its name alone: pages print its module before the sentence, and that of
    a pack is a path."""
    return type(kind.__name__, (kind,), {"__module__": "builtins"})


@contextmanager
def errors_of(title: str) -> Iterator[None]:
    """Name the node in what a user can correct, and say what helps when memory runs out."""
    try:
        yield
    except (SettingError, CheckpointError, FileError) as error:
        raise by_name(type(error))(f"{title}: {error}") from error
    except Exception as error:
        # On older versions the user's stop is an Exception, too.
        if not _ran_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0]
        log.info("%s", title, exc_info=error)
        error.__traceback__ = None  # it holds the tensors of the failed work
    else:
        return
    raise _no_room(title, reason)


def _ran_out_of_memory(error: Exception) -> bool:
    # Newer versions also know what drivers other than CUDA's say.
    theirs = getattr(management(), "is_oom", None) if IN_COMFYUI else None
    return is_out_of_memory(error) or bool(theirs and theirs(error))


def _no_room(title: str, reason: str) -> Exception:
    text = (
        f"{title}: not enough memory ({reason}). Lower seconds or batch_size, or choose offload"
        " as memory in Load ACE-Step."
    )
    if not IN_COMFYUI:
        return MemoryError(text)
    free, total, _ = memory_free() or (0.0, 0.0, "")
    # ComfyUI unloads all models when it sees its own type.
    return management().OOM_EXCEPTION(f"{text} {free:.1f} of {total:.1f} GB are free now.")
