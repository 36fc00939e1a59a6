"""Processes of their own, forked from one that has imported everything: only the seconds that
Python takes to import are saved."""

from __future__ import annotations

import multiprocessing

# There is one such server in a process, whoever asks for its context: what is imported into it
# stands here alone.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.servers.warm"])
