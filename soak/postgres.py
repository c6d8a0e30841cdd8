"""A PostgreSQL server of our own, made from the binaries that are installed; tests use it too."""

from __future__ import annotations

import getpass
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

DEBIAN_BINARIES = Path("/usr/lib/postgresql")
"""Where Debian and Ubuntu keep the server's binaries, a folder a version, outside the PATH."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server."""

    host: str
    port: int
    user: str
    data: Path
    call: Callable[..., None]
    """Runs one of the server's commands on its data."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_database(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        name = f"lrlab_{next(self.numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return self._address(name)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The server is down for a while, and every connection to it lost."""
        self.call("pg_ctl", "stop", "--wait", "--mode=immediate")
        try:
            yield
        finally:
            self.call("pg_ctl", "start", "--wait", "--options", _options(self.host, self.port))

    @contextmanager
    def hung(self) -> Iterator[None]:
        """The server answers nobody for a while, though its machine does."""
        main = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        # It first, that it begins no more of them.
        main.suspend()
        others = main.children()
        for process in others:
            process.suspend()
        try:
            yield
        finally:
            for process in (*others, main):
                process.resume()

    def _address(self, database: str) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{database}"


@contextmanager
def postgres_server(host: str = "127.0.0.1", space: str = "") -> Iterator[PostgresServer]:
    """Start a server on a free port and stop it at the end; nothing of it stays.

    Args:
        host: the address that it listens on.
        space: the network namespace that it lives in, for which one must be root; else this one.

    Raises:
        FileNotFoundError: no PostgreSQL server is installed.
    """
    binaries = _binaries()
    user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix="lrlab-postgres-"))
    try:
        shutil.chown(folder, user)
        port = _free_port()

        def call(command: str, *arguments: str) -> None:
            # The log goes to a file: the server would keep a pipe open for as long as it lives.
            within = ["ip", "netns", "exec", space, "runuser", "-u", user, "--"] if space else []
            with (folder.parent / f"{folder.name}.log").open("ab") as log:
                subprocess.run(
                    [*within, binaries / command, "--pgdata", folder / "data", *arguments],
                    cwd=folder,
                    user=user if os.geteuid() == 0 and not space else None,
                    stdout=log,
                    stderr=log,
                    check=True,
                )

        call("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={user}")
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        call("pg_ctl", "start", "--wait", "--options", _options(host, port))
        try:
            yield PostgresServer(host, port, user, folder / "data", call)
        finally:
            call("pg_ctl", "stop", "--wait", "--mode=immediate")
    finally:
        shutil.rmtree(folder)
        Path(f"{folder}.log").unlink(missing_ok=True)


def _options(host: str, port: int) -> str:
    return f"-h {host} -p {port} -c unix_socket_directories='' -c fsync=off"


def _binaries() -> Path:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(DEBIAN_BINARIES.glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    raise FileNotFoundError("no PostgreSQL server is installed")


def _server_user() -> str:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
