"""Jobs from their acceptance to their end, and over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acestep_core.hosted import errors, queue
from acestep_core.hosted import jobs as module
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.jobs import CANCELLED, REMOVED, RESTARTED, Jobs
from acestep_core.hosted.parameters import ENDPOINTS
from acestep_core.hosted.queue import LATE, Ended, OutputFile, Standing
from acestep_core.hosted.requests import read, with_seeds
from acestep_core.hosted.store import Job, Store, StoreError
from tests.unit.hosted.fake_queue import MILLISECONDS, FakeQueue

SONG = ENDPOINTS["text-to-audio"]


def fake_queue() -> FakeQueue:
    return FakeQueue(queue, errors)


GOOD = Ended((OutputFile("a.flac", "acestep_api"),), "", 1500)


@dataclass
class Bench:
    queue: FakeQueue
    store: Store

    def jobs(self) -> Jobs:
        return Jobs(self.queue, self.store)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(fake_queue(), Store(tmp_path / "jobs.sqlite3"))


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


async def submitted(jobs: Jobs) -> Job:
    return await jobs.submit(SONG, with_seeds(read(SONG, {"tags": "pop"})), "")


def test_from_created_to_completed(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        first, second = await submitted(jobs), await submitted(jobs)
        assert first.status == "created"
        look = await jobs.look(second.id)
        assert (look.job.status, look.ahead) == ("created", 1)
        bench.queue.start()
        look = await jobs.look(first.id)
        assert (look.job.status, look.progress and look.progress.text) == (
            "processing",
            "AceSuiteTextToAudio: 3 of 27",
        )
        assert (await jobs.look(second.id)).ahead == 1
        bench.queue.end_as(GOOD)
        job = (await jobs.look(first.id)).job
        assert (job.status, job.files, job.milliseconds) == ("completed", GOOD.files, 1500)
        assert (await jobs.look(second.id)).ahead == 0

    run(work())


def test_the_end_is_noted_without_anybody_asking(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)

    async def work() -> None:
        job = await submitted(bench.jobs())
        bench.queue.start()
        bench.queue.end_as(GOOD)
        await asyncio.sleep(0.2)
        bench.queue.history.clear()
        kept = bench.store.get(job.id)
        assert kept
        assert kept.status == "completed"
        assert (await bench.jobs().look(job.id)).job.files == GOOD.files

    run(work())


def test_after_a_restart(bench: Bench) -> None:
    async def before() -> None:
        jobs = bench.jobs()
        for _ in range(3):
            ids.append((await submitted(jobs)).id)
        bench.queue.start()
        bench.queue.end_as(GOOD)
        await jobs.look(ids[0])
        bench.queue.start()

    async def after() -> None:
        jobs = Jobs(fake_queue(), bench.store)
        assert (await jobs.look(ids[0])).job.status == "completed"
        for job_id in ids[1:]:
            job = (await jobs.look(job_id)).job
            assert (job.status, job.error) == ("failed", RESTARTED)
            assert (await jobs.cancel(job_id)).error == RESTARTED

    ids: list[str] = []
    run(before())
    run(after())


def test_after_a_restart_the_history_is_asked_first(bench: Bench) -> None:
    async def work() -> None:
        job = await submitted(bench.jobs())
        another = fake_queue()
        another.history[job.id] = GOOD
        assert (await Jobs(another, bench.store).look(job.id)).job.status == "completed"

    run(work())


def test_cancelling(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        running, waiting = await submitted(jobs), await submitted(jobs)
        bench.queue.start()
        job = await jobs.cancel(waiting.id)
        assert (job.status, job.error) == ("failed", CANCELLED)
        assert (await jobs.look(running.id)).job.status == "processing"
        job = await jobs.cancel(running.id)
        assert (job.status, job.milliseconds) == ("failed", MILLISECONDS)
        assert await jobs.cancel(running.id) == job

    run(work())


def test_removed_from_the_queue_by_somebody_else(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        job = await submitted(jobs)
        bench.queue.waiting.clear()
        assert (await jobs.look(job.id)).job.error == REMOVED

    run(work())


def test_failures_keep_their_reason(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        for ended in (Ended(error="out of memory", milliseconds=7), Ended()):
            job = await submitted(jobs)
            bench.queue.start()
            bench.queue.end_as(ended)
            found = (await jobs.look(job.id)).job
            assert found.status == "failed"
            assert found.error == (ended.error or "The run ended without a file.")

    run(work())


def test_what_is_kept_of_a_failure_names_no_folder(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        job = await submitted(jobs)
        bench.queue.start()
        bench.queue.end_as(Ended(error="Load ACE-Step: /home/ann/a.safetensors is not whole."))
        await jobs.look(job.id)
        kept = bench.store.get(job.id)
        assert kept
        assert kept.error == "Load ACE-Step: a.safetensors is not whole."

    run(work())


def test_a_graph_that_is_refused(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        bench.queue.refusal = "ComfyUI does not take the graph"
        with pytest.raises(RequestError, match="does not take"):
            await submitted(jobs)

    run(work())


def test_waiting_ends_with_whoever_waited(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)

    async def work() -> None:
        jobs = bench.jobs()
        job = await submitted(jobs)
        bench.queue.start()
        looks = iter([True, True, False])
        found = await jobs.wait(job.id, lambda: next(looks))
        assert (found.status, bench.queue.running) == ("failed", [])

    run(work())


def test_there_is_a_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 2)

    async def work() -> None:
        jobs = bench.jobs()
        for _ in range(2):
            await submitted(jobs)
        with pytest.raises(RequestError) as caught:
            await submitted(jobs)
        assert caught.value.status == 429

    run(work())


def test_an_id_that_was_never_given(bench: Bench) -> None:
    async def work() -> None:
        for name in ("", "x", "\0", "a" * 5000, "' OR 1=1 --"):
            with pytest.raises(RequestError) as caught:
                await bench.jobs().look(name)
            assert caught.value.status == 404

    run(work())


def test_a_store_that_fails_is_said_once_and_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.005)
    save, is_full = bench.store.save, [False]

    def failing(job: Job) -> None:
        if is_full[0]:
            raise StoreError("database or disk is full")
        save(job)

    monkeypatch.setattr(bench.store, "save", failing)

    async def work() -> None:
        jobs = bench.jobs()
        job = await submitted(jobs)
        bench.queue.start()
        is_full[0] = True
        with pytest.raises(StoreError, match="cannot note requests"):
            await submitted(jobs)
        assert not bench.queue.waiting
        bench.queue.end_as(GOOD)
        await asyncio.sleep(0.3)
        bench.queue.history.clear()
        for _ in range(3):  # answered all the same
            assert (await jobs.look(job.id)).job.files == GOOD.files
        is_full[0] = False
        while jobs._unsaved:
            await asyncio.sleep(0.01)
        kept = bench.store.get(job.id)
        assert kept
        assert kept.status == "completed"

    with caplog.at_level("INFO"):
        run(work())
    assert [one.levelname for one in caplog.records] == ["ERROR", "INFO"]


def test_trouble_of_any_kind_is_said_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.005)

    def broken() -> Standing:
        raise RuntimeError("no queue")

    async def work() -> None:
        await submitted(bench.jobs())
        monkeypatch.setattr(bench.queue, "standing", broken)
        await asyncio.sleep(0.2)

    run(work())
    assert [one.levelname for one in caplog.records] == ["ERROR"]


def test_whoever_follows_hears_every_change_and_a_sign_of_life(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.005)
    monkeypatch.setattr(module, "QUIET", 0.02)

    async def work() -> None:
        jobs = bench.jobs()
        job = await submitted(jobs)
        seen = []
        async for look in jobs.follow(job.id):
            seen.append(look and look.job.status)
            if look is None:
                (bench.queue.start if bench.queue.waiting else lambda: bench.queue.end_as(GOOD))()
        assert seen == ["created", None, "processing", None, "completed"]

    run(work())


def test_what_does_not_begin_in_time_is_taken_out_and_says_so(bench: Bench) -> None:
    async def work() -> None:
        jobs = bench.jobs()
        first, second, third = [await submitted(jobs) for _ in range(3)]
        for job in (first, second):
            jobs.expect(job.id, 0.05)
        bench.queue.start()
        assert (await jobs.look(first.id)).job.status == "processing"
        await asyncio.sleep(0.1)
        await jobs.look(second.id)
        ended = (await jobs.look(second.id)).job
        assert (ended.status, ended.error) == ("failed", LATE)
        assert bench.queue.waiting == [third.id]
        bench.queue.end_as(GOOD)  # what began in time goes on, however long it takes
        assert (await jobs.look(first.id)).job.status == "completed"

    run(work())
