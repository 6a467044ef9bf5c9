"""The same generators as actors of Ray, on one machine or a cluster whose nodes share a folder.

    groups -> ray.data -> map_batches on a pool of actors, a Generator in each -> results

Ray spreads the work, holds it back while actors are busy, and starts lost ones again; the ledger
stays with the process that began, so what a killed cluster had not told is made again. Groups
travel as JSON: seeds have 64 bits without a sign. The model's files, the sources and the results
lie at the same place on every node: a shared folder.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
import torch
from torch import Tensor

from ..settings import SettingError
from .generator import Loading
from .pool import Answer, Asked

GROUP, TEXT = "group", "text"
PATHS = "PYTHONPATH"
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}

ALIKE = {"worker_niceness": 0}  # as the pool's; else every other program goes before an actor


class Actor:
    """What Ray keeps on each share of a machine: made once, called per batch."""

    def __init__(self, loading: Loading, device: str) -> None:
        self.make = loading(device)

    def __call__(self, asked: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        groups, told = [int(group) for group in asked[GROUP]], []
        for text in asked[TEXT]:
            began = time.perf_counter()
            results = self.make(json.loads(str(text)))
            took = time.perf_counter() - began
            told.append(json.dumps({"results": results, "took": took}))
        return {GROUP: groups, TEXT: told}


class InStore:
    """Memory of Ray's object store: one copy on each node, which all actors there read."""

    def __init__(self, ray: Any) -> None:
        self._ray, self._bytes = ray, np.empty(0, np.uint8)

    def room(self, size: int) -> Tensor:
        self._bytes = np.empty(size, np.uint8)
        return torch.from_numpy(self._bytes)

    def opener(self) -> Stored:
        found = Stored(self._ray.put(self._bytes))
        self._bytes = np.empty(0, np.uint8)
        return found


@dataclass(frozen=True)
class Stored:
    """Opens what lies in the store, in an actor."""

    place: Any  # Ray's reference

    def __call__(self) -> Tensor:
        import ray

        with catch_warnings():
            # Nobody writes to the weights, and who did would be stopped by the system.
            filterwarnings("ignore", "The given NumPy array is not writable")
            return torch.from_numpy(ray.get(self.place))


@dataclass(frozen=True)
class Rays:
    """An engine like `Pool`: a Generator for each of `devices`."""

    loading: Loading
    devices: list[str]
    address: str | None = None

    def made(self, todo: Iterable[Asked]) -> Iterator[Answer]:
        ray, device = _ray(), _kind(self.devices[0])
        groups = [{GROUP: group, TEXT: json.dumps(rows)} for group, rows in todo]
        with self._cluster(ray):
            loading = self.loading.sharing(device, InStore(ray))
            # A block for each group: it is told as soon as it is done.
            data = ray.data.from_items(groups, override_num_blocks=len(groups))
            made = data.map_batches(
                Actor,
                batch_size=1,
                fn_constructor_args=(loading, device),
                # One more than it works on, so that it never waits; further ones could be made by
                # an actor that has nothing.
                compute=ray.data.ActorPoolStrategy(
                    size=len(self.devices), max_tasks_in_flight_per_actor=2
                ),
                **self._share,
            )
            for answer in made.iter_rows():
                told = json.loads(answer[TEXT])
                yield int(answer[GROUP]), told["results"], float(told["took"])

    @contextmanager
    def _cluster(self, ray: Any) -> Iterator[None]:
        """The one that this process is in already, that at the address, or one of this machine."""
        if ray.is_initialized():
            yield
            return
        root = str(Path(__file__).resolve().parents[2])
        if self.address:
            places = {"env_vars": {"PYTHONPATH": root}}
            ray.init(self.address, runtime_env=places, **QUIET)
        else:
            # An environment of a run's own would be started beside that of the cluster.
            with _importable(root):
                cores = self._cores * len(self.devices) + 1
                ray.init(
                    "local",
                    num_cpus=cores,
                    include_dashboard=False,
                    _system_config=ALIKE,
                    **QUIET,
                )
        try:
            yield
        finally:
            ray.shutdown()

    @property
    def _cores(self) -> int:
        return self.loading.work.threads

    @property
    def _share(self) -> dict[str, int]:
        """What of a machine each actor has for itself."""
        if _kind(self.devices[0]) == "cuda":
            return {"num_gpus": 1}
        return {"num_cpus": self._cores}


@contextmanager
def _importable(root: str) -> Iterator[None]:
    """Processes that are started within it find this pack."""
    before = os.environ.get(PATHS)
    os.environ[PATHS] = os.pathsep.join(filter(None, (root, before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ[PATHS]
        else:
            os.environ[PATHS] = before


def _kind(device: str) -> str:
    """Ray shows an actor its own card alone."""
    return device.partition(":")[0]


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise SettingError(
            f"--engine ray needs the package ray, which does not load ({error}). Install it with:"
            ' pip install "ray[data]"; or leave --engine out.'
        ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    return ray
