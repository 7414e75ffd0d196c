"""A PostgreSQL server for one test session, where the server's programs are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def why_not() -> str:
    """Why there can be no server, or nothing if there can."""
    if shutil.which("pg_config") is None:
        return "PostgreSQL's server programs are not installed"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return ""


@contextmanager
def server() -> Iterator[str]:
    """Start a cluster in a temporary folder; yield the URL of its server, without a database."""
    told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
    programs = Path(told.stdout.strip())
    folder = Path(tempfile.mkdtemp(prefix="effauto-pg-"))
    # The server refuses to run as root.
    owner: dict[str, Any] = {"user": "postgres"} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(folder, "postgres")

    def call(program: str, *arguments: str) -> None:
        command = [programs / program, "-D", folder / "data", *arguments]
        output = subprocess.DEVNULL
        subprocess.run(command, check=True, cwd=folder, stdout=output, stderr=output, **owner)

    try:
        call("initdb", "--username=effauto", "--auth=trust", "--encoding=UTF8", "--no-sync")
        call("pg_ctl", "start", "-w", "-o", f"-k {folder} -c listen_addresses='' -c fsync=off")
        try:
            yield f"postgresql+psycopg://effauto@/{{}}?host={folder}"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
