"""`schema`: loading a company's cached describe for one request, beside `json.loads` of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import process_time

from sqlalchemy import create_engine

from benchmarks import describes
from benchmarks.bench import Bench, side_by_side
from benchmarks.describes import Body
from benchmarks.machine import watched
from keeping_plugin.models import Base, Database, SchemaDocument
from keeping_plugin.services.schema.describe import schemas
from keeping_plugin.types import ObjectSchema
from keeping_plugin.types.schema_document import dump_schema, load_schema

READ = 12  # fields an object that the request looks at
SHARE = 0.1

Load = Callable[[], Mapping[str, ObjectSchema]]


def measure(bench: Bench) -> None:
    """All five objects, as a panel asks for them, with twelve fields of each read; the loading that
    a process does once for a document is told apart from the reading."""
    bodies = describes.company()
    if not describes.recorded():
        bench.missing("describes of real orgs", "there are none beside the checkout")
    source = "five recorded objects" if describes.recorded() else "five shipped objects"
    for case, part in ((source, bodies), ("large Contact", [describes.large()])):
        documents = {body.object: dump_schema(body.schema) for body in part}
        database = _cached(bench.folder / f"{len(part)}.sqlite3", documents)
        session = bench.clean_up.enter_context(database.read())  # the request's own, open anyway
        loads: dict[str, tuple[Load, int, bool]] = {
            "a request, from SQLite, unchanged": (partial(schemas, session, 1), READ, True),
            "first time in a process, document at hand": (partial(_first, documents), 0, True),
            f"the same, {READ} fields each read": (partial(_first, documents), READ, False),
        }
        for how, (load, read, aimed) in loads.items():
            _compare(bench, f"{case}, {how}", part, load=load, read=read, aimed=aimed)


def _first(documents: Mapping[str, str]) -> Mapping[str, ObjectSchema]:
    return {name: load_schema(document) for name, document in documents.items()}


def _compare(
    bench: Bench, case: str, bodies: Sequence[Body], *, load: Load, read: int, aimed: bool
) -> None:
    names = {body.object: list(body.schema.fields)[:read] for body in bodies}
    texts = [body.text for body in bodies]

    def ours() -> None:
        for name, schema in load().items():
            fields = schema.fields
            for field in names[name]:
                fields[field]

    def floor() -> None:
        for text in texts:
            json.loads(text)

    with watched() as busy:
        took = side_by_side(
            {"ours": ours, "floor": floor}, rounds=bench.size(200, 40), clock=process_time
        )
    ratio = took["ours"].median / took["floor"].median
    size = f"{sum(body.fields for body in bodies)} fields, {sum(map(len, texts)) / 1000:.0f} kB"
    bench.point(
        f"{case} ({size})",
        took["ours"].median * 1000,
        "ms",
        against=f"json.loads: {took['floor'].median * 1000:.2f} ms",
        ratio=ratio,
        runs=len(took["ours"].values),
        spread=took["ours"].spread,
        target="at most 0.1" if aimed else "",
        met=ratio <= SHARE if aimed else None,
        load=busy,
    )


def _cached(path: Path, documents: Mapping[str, str]) -> Database:
    """A database that holds these documents."""
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    database = Database(lambda: engine)
    with database.write() as session:
        for name, document in documents.items():
            digest = hashlib.sha256(document.encode()).hexdigest()
            row = SchemaDocument(connection_id=1, object=name, document=document, digest=digest)
            row.fetched_at = datetime.now(UTC)
            session.add(row)
    return database
