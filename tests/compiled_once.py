"""Each template, each route and each SQL statement is compiled once a test worker, not once for
every app that a test makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


class CompiledOnce(BytecodeCache):
    """In memory. Environments that compile differently share nothing."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        how = (
            environment.trim_blocks,
            environment.lstrip_blocks,
            environment.keep_trailing_newline,
            environment.newline_sequence,
            environment.optimized,
            environment.is_async,
            environment.sandboxed,
            environment.block_start_string,
            environment.variable_start_string,
            environment.line_statement_prefix,
            sorted(environment.extensions),
        )
        key = f"{self.get_cache_key(name, filename)} {how}"
        bucket = Bucket(environment, key, self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Builder = Callable[..., tuple[str, str]]


def builders_once(compile_builder: Callable[[Rule, bool], Builder]) -> Callable[..., Builder]:
    """Werkzeug writes a function for each route that builds its URLs. The function depends on the
    text of the route alone, unless the route has defaults: it is given the route when called."""
    kept: dict[tuple[Any, ...], Builder] = {}

    def compiled(rule: Rule, append_unknown: bool = True) -> Builder:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    return compiled


class _OneEach(type):
    """What is compiled belongs to a dialect, so that engines with the same options get the same."""

    _made: ClassVar[dict[tuple[Any, ...], Any]] = {}

    def __call__(cls, **options: Any) -> Any:
        key = (cls, *sorted(options.items()))
        if key not in cls._made:
            cls._made[key] = super().__call__(**options)
        return cls._made[key]


class OneSQLite(SQLiteDialect_pysqlite, metaclass=_OneEach):
    """Tests make most of their engines on a SQLite file of their own."""

    supports_statement_cache = True
    _statements: ClassVar[dict[Any, Any]] = defaultdict(lambda: LRUCache(4000))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=cls._statements[engine.dialect])


def pytest_configure() -> None:
    """Also of the process that others are forked from (tests.servers.warm)."""
    registry.register("sqlite", __name__, OneSQLite.__name__)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledOnce()}
    Rule._compile_builder = builders_once(Rule._compile_builder)  # type: ignore[method-assign]
