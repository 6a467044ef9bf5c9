"""Requests that nobody would think of, made from the shipped document by schemathesis.

    document -> cases, half of them wrong on purpose -> HTTP -> held against the document

ACESTEP_FUZZ says how many; 2000 take a few minutes. The queue accepts everything and cancels it.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings

from tests.unit.hosted.fake_queue import FakeQueue
from tests.unit.hosted.kit import errors, queue, serving, write_wav

log = logging.getLogger(__name__)

COUNT = int(os.environ.get("ACESTEP_FUZZ", "80"))


class Cancelling(FakeQueue):
    async def put(self, job_id: str, graph: Any) -> None:
        self.graphs[job_id] = graph
        self.history[job_id] = queue.Ended(error="It was cancelled.")


def test_generated_requests(tmp_path: Path) -> None:
    import schemathesis
    from schemathesis import checks

    held = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    counted: Counter[tuple[str, int]] = Counter()
    with serving(tmp_path, Cancelling(queue, errors)) as server:
        write_wav(tmp_path / "input" / "song.wav")
        document = server.get("/acestep/v1/openapi.json").body
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=server.url)
        operations: list[Any] = [found.ok() for found in list[Any](schema.get_all_operations())]
        # What has a body can be wrong in many ways, an id in few.
        full = [one for one in operations if one.body]
        right, wrong = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
        per = -(-COUNT // (2 * len(full)))
        for operation in operations:
            _try(operation, right, per if operation in full else 1, held, counted)
        # Bytes have no shape that they could lack.
        shaped = [one for one in full if "octet" not in str(next(iter(one.body)).media_type)]
        for operation in shaped:
            _try(operation, wrong, per, held, counted)
    total = sum(counted.values())
    log.info("%d requests: %s", total, dict(counted))
    statuses = {status for _, status in counted}
    assert total >= COUNT
    assert not [status for status in statuses if status >= 500]
    assert {200, 400, 404} <= statuses
    assert counted["POST", 200] > total / 5, "too few were right"


def _try(operation: Any, mode: Any, per: int, held: list[Any], counted: Counter[Any]) -> None:
    cases = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=per,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=cases)
    def one(case: Any) -> None:
        _with_a_source(case, mode)
        answer = case.call()
        counted[operation.method.upper(), answer.status_code] += 1
        case.validate_response(answer, checks=held)

    one()


def _with_a_source(case: Any, mode: Any) -> None:
    """In a right request the audio has to be there; no text made up by chance names it."""
    is_right = mode.value == "positive" and case.media_type == "application/json"
    for name in ("audio", "audio_url"):
        if is_right and isinstance(case.body, dict) and name in case.body:
            case.body[name] = "song.wav"
