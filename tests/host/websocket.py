"""A WebSocket client as small as a test needs: it connects, says one thing, and listens."""

from __future__ import annotations

import base64
import os
import socket
import struct
from collections.abc import Iterator

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    def __init__(self, host: str, port: int, path: str) -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.split(b"\r\n", 1)[0], head
        self._socket.settimeout(None)

    def messages(self) -> Iterator[str | bytes]:
        """Texts as str, binary messages as bytes, until the connection is closed."""
        whole, kind = b"", 0
        while True:
            try:
                is_last, code, payload = self._frame()
            except OSError:
                return
            if code == CLOSE:
                return
            if code == PING:
                self.send(payload, PONG)
            elif code != PONG:
                kind, whole = code or kind, whole + payload
                if is_last:
                    yield whole.decode() if kind == TEXT else whole
                    whole = b""

    def send(self, payload: bytes, code: int = TEXT) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        size = len(payload)
        assert size < 65_536
        length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0x80 | 126, size)
        self._socket.sendall(bytes([0x80 | code]) + length + mask + masked)

    def close(self) -> None:
        # Wakes a thread that waits in recv; closing alone would not.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _frame(self) -> tuple[bool, int, bytes]:
        first, second = self._take(2)
        size = second & 0x7F  # a server's frames carry no mask
        if size == 126:
            (size,) = struct.unpack(">H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._take(8))
        return bool(first & 0x80), first & 0x0F, self._take(size)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _receive(self) -> None:
        piece = self._socket.recv(1 << 16)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._buffer += piece
