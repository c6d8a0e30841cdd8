"""A temporary PostgreSQL server, run from the installed binaries; tests use it too."""

from __future__ import annotations

import getpass
import itertools
import os
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
"""Debian and Ubuntu keep the server's binaries here, one folder per version, outside the PATH."""


@dataclass(frozen=True)
class PostgresServer:
    """A running PostgreSQL server."""

    host: str
    port: int
    user: str
    data: Path
    call: Callable[..., None]
    """Runs one of PostgreSQL's commands on the server's data folder."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_database(self) -> str:
        """Creates an empty database and returns its SQLAlchemy URL."""
        name = f"lrlab_{next(self.numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return self._address(name)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stops the server, which breaks every connection, and starts it again at the end."""
        self.call("pg_ctl", "stop", "--wait", "--mode=immediate")
        try:
            yield
        finally:
            self.call("pg_ctl", "start", "--wait", "--options", _options(self.host, self.port))

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Suspends the server's processes: its machine answers, the server does not."""
        main = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        # The main process first, so that it starts no more children.
        main.suspend()
        children = main.children()
        for process in children:
            process.suspend()
        try:
            yield
        finally:
            for process in (*children, main):
                process.resume()

    def _address(self, database: str) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{database}"


@contextmanager
def postgres_server(host: str = "127.0.0.1", namespace: str = "") -> Iterator[PostgresServer]:
    """Starts a server on a free port, and stops and deletes it at the end.

    Args:
        host: the address that it listens on.
        namespace: network namespace to run in, which requires root; the current one if empty.

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
            # The log goes to a file: a pipe would stay open as long as the server lives.
            prefix = (
                ["ip", "netns", "exec", namespace, "runuser", "-u", user, "--"] if namespace else []
            )
            with (folder.parent / f"{folder.name}.log").open("ab") as log:
                subprocess.run(
                    [*prefix, binaries / command, "--pgdata", folder / "data", *arguments],
                    cwd=folder,
                    user=user if os.geteuid() == 0 and not namespace else None,
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
    initdbs = sorted(DEBIAN_BINARIES.glob("*/bin/initdb"))
    if initdbs:
        return initdbs[-1].parent
    raise FileNotFoundError("no PostgreSQL server is installed")


def _server_user() -> str:
    """The user to run the server as; PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    import pwd  # Windows does not have it.

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
