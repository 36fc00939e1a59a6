"""`schema`: loading a company's cached describe for one request, beside `json.loads` of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from benchmarks import describes
from benchmarks.bench import Bench, side_by_side
from benchmarks.describes import Body
from benchmarks.machine import watched
from keeping_plugin.types import ObjectSchema
from keeping_plugin.types.schema_document import dump_schema, load_schema

READ = 12  # fields an object that the request looks at
SHARE = 0.1


def measure(bench: Bench) -> None:
    """All five objects, as a panel asks for them, with twelve fields of each read."""
    objects = describes.company()
    source = "recorded" if describes.recorded() else "shipped"
    if source == "shipped":
        bench.missing("describes of real orgs", "there are none beside the checkout")
    _compare(bench, f"five {source} objects, first time in a process", objects)
    _compare(bench, f"{describes.LARGE} fields, first time in a process", [describes.large()])


def _compare(bench: Bench, case: str, bodies: Sequence[Body]) -> None:
    documents = {body.object: dump_schema(body.schema) for body in bodies}
    texts = [body.text for body in bodies]
    size = sum(map(len, texts))
    fields = sum(body.fields for body in bodies)
    names = {body.object: list(body.schema.fields)[:READ] for body in bodies}

    def ours() -> None:
        for name, document in documents.items():
            _look_at(load_schema(document), names[name])

    def floor() -> None:
        for text in texts:
            json.loads(text)

    with watched() as load:
        took = side_by_side({"ours": ours, "floor": floor}, rounds=bench.size(200, 40))
    ratio = took["ours"].median / took["floor"].median
    bench.point(
        f"{case} ({fields} fields, {size / 1000:.0f} kB)",
        took["ours"].median * 1000,
        "ms",
        against=f"json.loads: {took['floor'].median * 1000:.2f} ms",
        ratio=ratio,
        runs=len(took["ours"].values),
        spread=took["ours"].spread,
        target="at most 0.1",
        met=ratio <= SHARE,
        load=load,
    )


def _look_at(schema: ObjectSchema, names: Sequence[str]) -> None:
    found: Mapping[str, object] = schema.fields
    for name in names:
        found[name]
