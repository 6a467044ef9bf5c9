"""https on loopback in front of a ComfyUI, for clients whose addresses begin with it.

    client -> https://127.0.0.1:PORT/path                      -> ComfyUI's /path
    client -> CONNECT queue.fal.run:443 -> https inside of it  -> ComfyUI's /acestep/queue/path

The certificate is its own, made anew; a client trusts it where it is told to.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

# fal's hosts, and where this server has the same.
PLACES = {
    "fal.run": "",
    "queue.fal.run": "/acestep/queue",
    "rest.fal.ai": "/acestep",
    "rest.alpha.fal.ai": "/acestep",
    "fal.media": "/acestep",
    "v3.fal.media": "/acestep",
}
HANDSHAKE = 0x16  # the first byte of TLS
OF_THE_WAY = {"connection", "transfer-encoding", "keep-alive", "host"}  # headers of one hop
PIECE = 2**16


@dataclass(frozen=True)
class Terminator:
    address: str  # host:port
    certificate: Path


@contextmanager
def terminated(url: str, folder: Path) -> Iterator[Terminator]:
    """Runs in threads of its own; `folder` gets the key and the certificate."""
    certificate, key = self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.context, server.behind = context, urlsplit(url).netloc
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Terminator(f"127.0.0.1:{server.server_port}", certificate)
    finally:
        server.shutdown()
        server.server_close()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback and fal's hosts, and its key, good for two days."""
    if shutil.which("openssl") is None:
        raise FileNotFoundError("openssl is not here; it makes the certificate")
    certificate, key = folder / "loopback.pem", folder / "loopback.key"
    names = ",".join(["IP:127.0.0.1", *(f"DNS:{host}" for host in PLACES)])
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=loopback", "-addext", f"subjectAltName={names}"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


class Server(ThreadingHTTPServer):
    context: ssl.SSLContext
    behind: str  # host:port of ComfyUI


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    prefix = ""

    def setup(self) -> None:
        super().setup()
        first = self.connection.recv(1, socket.MSG_PEEK)
        if first and first[0] == HANDSHAKE:
            self._wrap()

    def _wrap(self) -> None:
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        if host not in PLACES:
            self.send_error(403, f"{host} is none of fal's hosts")
            return
        self.prefix = PLACES[host]
        self.send_response(200)
        self.end_headers()
        self._wrap()
        self.close_connection = False

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in OF_THE_WAY}
        behind = http.client.HTTPConnection(self.server.behind, timeout=300)
        behind.request(self.command, self.prefix + self.path, body, headers)
        answer = behind.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_THE_WAY:
                self.send_header(name, value)
        self.send_header("Connection", "close")  # its end is the end of the answer
        self.end_headers()
        while piece := answer.read1(PIECE):
            self.wfile.write(piece)
        behind.close()

    do_GET = do_POST = do_PUT = _pass  # noqa: N815 - named after the methods

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the client says what went wrong."""
