"""Writes supervisor's configuration: which processes run, how they are restarted, and where their logs go.

It contains no secret: the processes read their settings themselves, from the environment and from `.env`.

If a process keeps ending, its restarts slow down: after a run shorter than `STEADY_S` there is a pause of one second,
then of two, and so on. After `TRIES` such runs it is given up for a while (see `restart_policy`, which also handles
runs that are a little longer).
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONTROL: Final = "supervisor.sock"
FILE: Final = "supervisord.conf"
PID_FILE: Final = "supervisord.pid"
LOGS: Final = "logs"
OWN_LOG: Final = "supervisor"

PASSERBY: Final = (sys.executable, "-m", "passerby.cli")

STEADY_S: Final = 10
TRIES: Final = 8
GRACE_S: Final = 7.0
"""A process is killed if it needs this much longer than SHUTDOWN_TIMEOUT_S to end."""

GROUP: Final = "passerby"
"""supervisor ends one group after another, but the processes of one group at the same time."""

LOG_BYTES: Final = 10 * 1024 * 1024
LOG_FILES: Final = 5

_HEAD = """\
; Written by `passerby cluster` at every start: changes made here are lost.
[unix_http_server]
file = %(here)s/{control}
chmod = 0600

[supervisord]
pidfile = %(here)s/{pid_file}
logfile = %(here)s/{logs}/{own_log}.log
logfile_maxbytes = {log_bytes}
logfile_backups = {log_files}
childlogdir = %(here)s/{logs}
umask = 077
identifier = passerby
silent = true
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:passerby]
supervisor.rpcinterface_factory = passerby.ops.cluster.restart_policy:install
style = {style}
"""

_PROGRAM = """
[program:{name}]
command = {command}
process_name = %(program_name)s
autorestart = true
exitcodes = 0
startsecs = {steady_s}
startretries = {tries}
stopsignal = TERM
stopwaitsecs = {stop_s}
redirect_stderr = true
stdout_logfile = %(here)s/{logs}/{name}.log
stdout_logfile_maxbytes = {log_bytes}
stdout_logfile_backups = {log_files}
"""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name, and the `passerby` command that it runs: `worker`, `web`, or `run`, which does both."""

    name: str
    role: str


def programs(workers: int, webs: int = 0) -> tuple[Program, ...]:
    return (
        *(Program(f"worker-{number}", "worker") for number in range(1, workers + 1)),
        *(Program(f"web-{number}", "web") for number in range(1, webs + 1)),
    )


def configuration(
    names: tuple[Program, ...],
    *,
    shutdown_s: float,
    root: bool,
    command: tuple[str, ...] = PASSERBY,
    style: str = "console",
) -> str:
    """The file's text. `root`: this user is root; supervisor complains unless it is told so. `style`: LOG_FORMAT.

    `command` is followed by the role and `--name <name>`.
    """
    parts = [
        _HEAD.format(
            control=CONTROL,
            pid_file=PID_FILE,
            logs=LOGS,
            own_log=OWN_LOG,
            log_bytes=LOG_BYTES,
            log_files=LOG_FILES,
            user="user = root\n" if root else "",
            style=style,
        )
    ]
    parts.append(f"\n[group:{GROUP}]\nprograms = {','.join(program.name for program in names)}\n")
    for program in names:
        words = [*command, program.role, "--name", program.name]
        parts.append(
            _PROGRAM.format(
                name=program.name,
                # supervisor replaces %(name)s in all values.
                command=shlex.join(words).replace("%", "%%"),
                steady_s=STEADY_S,
                tries=TRIES,
                stop_s=round(shutdown_s + GRACE_S),
                logs=LOGS,
                log_bytes=LOG_BYTES,
                log_files=LOG_FILES,
            )
        )
    return "".join(parts)


def write(directory: Path, text: str) -> Path:
    """Write the file into the run directory. Makes the directory if needed; only this user can read it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / LOGS).mkdir(mode=0o700, exist_ok=True)
    path = directory / FILE
    path.write_text(text, "utf-8")
    return path
