"""What a ComfyUI tells while it works, one message at a time, by aiohttp where that is installed.

    http://host/ws -> aiohttp's WebSocket, in a loop of its own -> text as str, binary as bytes

The loop runs in a thread of its own: where the caller has one that runs (a notebook, a browser
driven by a test), no second one can run beside it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from aiohttp import ClientSession, ClientWebSocketResponse

T = TypeVar("T")

LARGEST = 1 << 28  # bytes of a message; more is nonsense or meant to fill the memory
PATIENCE = 30.0  # seconds until a server that does not answer counts as silent


class Messages:
    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """Connect to http:// or https://; ImportError without aiohttp, OSError where it fails."""
        import aiohttp

        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse[bool] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._run(self._connect(url, dict(headers or {})))
        except BaseException as error:
            self.close()
            if isinstance(error, aiohttp.ClientError | asyncio.TimeoutError):
                raise ConnectionError(str(error) or "no answer") from error
            raise

    def receive(self, timeout: float) -> str | bytes | None:
        """The next message, or None when none came in time; ConnectionError when it is over."""
        return self._run(self._next(timeout))

    def close(self) -> None:
        if self._loop.is_closed():
            return
        try:
            self._run(self._leave())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C leaves nothing waiting
            raise

    async def _connect(self, url: str, headers: dict[str, str]) -> None:
        from aiohttp import ClientSession

        self._session = ClientSession()  # no proxy of the environment: it would look for itself
        opening = self._session.ws_connect(url, headers=headers, max_msg_size=LARGEST)
        self._socket = await asyncio.wait_for(opening, PATIENCE)

    async def _next(self, timeout: float) -> str | bytes | None:
        assert self._socket is not None
        try:
            message = await self._socket.receive(timeout)
        except asyncio.TimeoutError:
            return None
        if isinstance(message.data, str | bytes):
            return message.data
        raise ConnectionError("the server closed the connection")

    async def _leave(self) -> None:
        """Without waiting for the server's last word: it may be the one that is gone."""
        if self._session is not None:
            await self._session.close()
