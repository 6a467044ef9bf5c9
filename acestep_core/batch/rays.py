"""The same generators as actors of Ray, on one machine or a cluster whose nodes share a folder.

    groups -> ray.data -> map_batches on a pool of actors, a Generator in each -> results

Ray spreads the work, holds it back while actors are busy, and starts lost ones again; the ledger
stays with the process that began, so what a killed cluster had not told is made again. Groups
travel as JSON: seeds have 64 bits without a sign. The model's files, the sources and the results
lie at the same place on every node: a shared folder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..settings import SettingError
from .generator import Loading
from .pool import Answer, Asked

GROUP, TEXT = "group", "text"


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


@dataclass(frozen=True)
class Rays:
    """An engine like `Pool`: a Generator for each of `devices`."""

    loading: Loading
    devices: list[str]
    address: str | None = None

    def made(self, todo: Iterable[Asked]) -> Iterator[Answer]:
        ray = _ray()
        groups = [{GROUP: group, TEXT: json.dumps(rows)} for group, rows in todo]
        root = str(Path(__file__).resolve().parents[2])
        is_ours = not ray.is_initialized()
        if is_ours:
            # A cluster knows its own processors; one begun here has room for every actor.
            room = {} if self.address else {"num_cpus": self._cores * len(self.devices) + 1}
            ray.init(
                address=self.address or "local",
                log_to_driver=False,
                runtime_env={"env_vars": {"PYTHONPATH": root}},
                **room,
            )
        try:
            # A block for each group: it is told as soon as it is done.
            data = ray.data.from_items(groups, override_num_blocks=len(groups))
            made = data.map_batches(
                Actor,
                batch_size=1,
                fn_constructor_args=(self.loading, _kind(self.devices[0])),
                compute=ray.data.ActorPoolStrategy(size=len(self.devices)),
                **self._share,
            )
            for answer in made.iter_rows():
                told = json.loads(answer[TEXT])
                yield int(answer[GROUP]), told["results"], float(told["took"])
        finally:
            if is_ours:
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
    return ray
