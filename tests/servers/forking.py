"""Processes of their own, forked from one that has imported everything: only the seconds that
Python takes to import are saved."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping

_PR_SET_PDEATHSIG = 1

# There is one such server in a process, whoever asks for its context: what is imported into it
# stands here alone.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.servers.warm"])


def begin(environment: Mapping[str, str], log: str) -> None:
    """What a fresh interpreter would have been given: a process group, an environment, and a file
    for its output."""
    os.setsid()
    if sys.platform == "linux":  # a killed test run leaves nobody behind
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
