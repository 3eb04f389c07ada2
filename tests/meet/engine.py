"""The engine under test: `concord meet serve` on free ports of 127.0.0.1, or a server that runs already.

MEET_URL, MEET_KEY and MEET_SECRET name a server that runs already - a real LiveKit server, for instance, to see whether the tests
are right. Without them CONCORD_BIN is started (target/debug/concord).
"""

import asyncio
import atexit
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
KEY = os.environ.get("MEET_KEY", "devkey")
SECRET = os.environ.get("MEET_SECRET", "a-secret-of-thirty-two-characters-or-more")
FOREIGN = "MEET_URL" in os.environ


def program() -> str:
    """The program under test."""
    return os.environ.get("CONCORD_BIN", str(HERE / "../../target/debug/concord"))


def free_port() -> int:
    """The first of three ports that nobody has: signalling, TCP media, UDP media."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                with socket.socket() as second, socket.socket(type=socket.SOCK_DGRAM) as third:
                    second.bind(("127.0.0.1", port + 1))
                    third.bind(("127.0.0.1", port + 2))
                    return port
            except OSError:
                continue
    raise RuntimeError("no three ports in a row are free on 127.0.0.1")


class Engine:
    """One running server."""

    def __init__(self, *arguments: str, port: int | None = None, host: str = "127.0.0.1", dev: bool = True):
        self.port = port or free_port()
        self.host = host
        self.url = f"ws://{host}:{self.port}"
        self.http = f"http://{host}:{self.port}"
        self.arguments = (*(["--dev"] if dev else []), *arguments)
        self.process: subprocess.Popen | None = None

    def start(self) -> "Engine":
        """Returns when it answers."""
        command = os.environ.get("MEET_SERVE", f"{program()} meet serve").split()
        self.process = subprocess.Popen(
            [*command, "--bind", f"{self.host}:{self.port}", "--keys", f"{KEY}:{SECRET}", *self.arguments],
            env={**os.environ, "RUST_LOG": os.environ.get("RUST_LOG", "warn")},
        )
        atexit.register(self.stop)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the engine ended with {self.process.returncode}")
            try:
                with urllib.request.urlopen(self.http, timeout=1) as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError("the engine does not answer")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Returns when it has ended."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class Running(Engine):
    """A server that somebody else started."""

    def __init__(self, url: str):
        self.url = url
        self.http = url.replace("ws", "http", 1)

    def start(self) -> "Engine":
        return self

    def stop(self, how: int = signal.SIGTERM) -> None:
        return


_shared: Engine | None = None


def shared() -> Engine:
    """The server that all tests share which need no other."""
    global _shared
    if _shared is None:
        _shared = Running(os.environ["MEET_URL"]) if FOREIGN else Engine().start()
    return _shared


async def within(seconds: float, what: str, awaitable):
    """Awaits, and says what did not come."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"within {seconds} s there was no {what}") from None
