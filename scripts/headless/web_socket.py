"""A WebSocket client as small as a script needs: it connects, says little, and listens.

    ws://host/path -> handshake -> frames -> text as str, binary as bytes

Only the standard library. A frame that is not complete when the time is up stays in the buffer,
so that waiting in short turns loses nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LARGEST = 1 << 28  # bytes of a frame; more is nonsense or meant to fill the memory
SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455: every server answers with it


class WebSocket:
    def __init__(self, url: str, headers: Mapping[str, str] | None = None, timeout: float = 30):
        """Connect to ws://, wss://, http:// or https://; OSError where that is impossible."""
        place = urlsplit(url)
        is_safe = place.scheme in ("wss", "https")
        port = place.port or (443 if is_safe else 80)
        host = place.hostname or "127.0.0.1"
        self._buffer, self._whole, self._kind = bytearray(), b"", TEXT
        self._socket = socket.create_connection((host, port), timeout=timeout)
        try:
            if is_safe:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
            path = (place.path or "/") + (f"?{place.query}" if place.query else "")
            self._shake_hands(path, place.netloc.rpartition("@")[2], dict(headers or {}))
        except BaseException:
            self._socket.close()
            raise

    def receive(self, timeout: float) -> str | bytes | None:
        """The next message, or None when none came in time; ConnectionError when it is over."""
        until = time.monotonic() + timeout
        while True:
            frame = self._frame()
            if frame is None:
                left = until - time.monotonic()
                if left <= 0 or not self._filled(left):
                    return None
                continue
            message = self._understood(*frame)
            if message is not None:
                return message

    def send(self, payload: bytes, code: int = TEXT) -> None:
        mask = os.urandom(4)  # a client's frames have to be masked
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        size = len(payload)
        assert size < 65_536
        length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0x80 | 126, size)
        self._socket.sendall(bytes([0x80 | code]) + length + mask + masked)

    def close(self) -> None:
        self._socket.close()

    def _shake_hands(self, path: str, host: str, headers: dict[str, str]) -> None:
        key = base64.b64encode(os.urandom(16))
        asked = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items())]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > 65_536 or not self._filled(30):
                raise ConnectionError("no answer to the WebSocket's handshake")
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        first, *others = head.decode("latin-1").split("\r\n")
        fields = {n.strip().lower(): v.strip() for n, _, v in (o.partition(":") for o in others)}
        expected = base64.b64encode(hashlib.sha1(key + SALT).digest()).decode()
        if first.split(" ")[1:2] != ["101"] or fields.get("sec-websocket-accept") != expected:
            raise ConnectionError(f"the server does not speak WebSocket there: {first}")

    def _understood(self, is_last: bool, code: int, payload: bytes) -> str | bytes | None:
        """A whole message, or None where the frame was part of one or about the connection."""
        if code == CLOSE:
            raise ConnectionError("the server closed the connection")
        if code == PING:
            self.send(payload, PONG)
        if code in (PING, PONG):
            return None
        self._kind, self._whole = code or self._kind, self._whole + payload
        if not is_last:
            return None
        whole, self._whole = self._whole, b""
        return whole.decode("utf-8", "replace") if self._kind == TEXT else whole

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """(is the last of its message, code, payload) of the next frame, once all of it is here."""
        if len(self._buffer) < 2:
            return None
        size, start = self._buffer[1] & 0x7F, 2  # a server's frames carry no mask
        if size > 125:
            form, start = (">H", 4) if size == 126 else (">Q", 10)
            if len(self._buffer) < start:
                return None
            (size,) = struct.unpack(form, self._buffer[2:start])
        if size > LARGEST:
            raise ConnectionError(f"the server announces a frame of {size} bytes")
        if len(self._buffer) < start + size:
            return None
        first, payload = self._buffer[0], bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return bool(first & 0x80), first & 0x0F, payload

    def _filled(self, timeout: float) -> bool:
        """Whether something more came in time."""
        self._socket.settimeout(timeout)
        try:
            piece = self._socket.recv(1 << 16)
        except TimeoutError:
            return False
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._buffer += piece
        return True
