"""The report: build/bench.json, and a table that a person reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.points import Point


def write_json(path: Path, points: Sequence[Point], **about: object) -> None:
    """`{"figures": [...]}` with when and where it was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {**about, "figures": [asdict(point) for point in points]}
    path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


_BEGIN, _END = "<!-- measured -->", "<!-- /measured -->"


def keep(path: Path, points: Sequence[Point], **about: object) -> None:
    """Put the table between the page's two marks. Raises ValueError when they are not there."""
    text = path.read_text(encoding="utf-8")
    if _BEGIN not in text or _END not in text:
        raise ValueError(f"{path} has no {_BEGIN} and {_END}")
    size = ", QUICK=1" if about.get("quick") else ""
    said = f"Measured {about['measured_at']} on {about['machine']}{size}: {summary(points)}."
    before, after = text.partition(_BEGIN)[0], text.rpartition(_END)[2]
    body = f"{before}{_BEGIN}\n{said}\n\n{table(points)}\n{_END}{after}"
    path.write_text(body, encoding="utf-8")


def row(point: Point) -> tuple[str, ...]:
    """A point as the table shows it."""
    return (
        point.name,
        point.case,
        f"{shown(point.value)} {point.unit}".strip(),
        point.against,
        "" if point.ratio is None else f"{shown(point.ratio)}",
        point.target,
        point.verdict,
        _circumstances(point),
    )


HEAD = ("figure", "case", "value", "against", "ratio", "target", "verdict", "runs, CPU, remarks")


def table(points: Sequence[Point]) -> str:
    """A Markdown table that is also readable as it stands."""
    rows = [HEAD, *map(row, points)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(HEAD) - 1)]
    lines = [
        "| "
        + " | ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]])
        + " |"
        for line in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|---|")
    return "\n".join(lines)


def summary(points: Sequence[Point]) -> str:
    """How many of each verdict."""
    verdicts = [point.verdict for point in points]
    return ", ".join(
        f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(verdicts))
    )


def shown(value: float | None) -> str:
    """Three digits that matter."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _circumstances(point: Point) -> str:
    parts = []
    if point.runs:
        parts.append(f"{point.runs:,} runs" if point.runs > 1 else "1 run")
    if point.spread is not None:
        parts.append(f"± {point.spread:.0%}")
    if point.cpu is not None and point.cpu_others is not None:
        parts.append(f"CPU {point.cpu:.0%}, of others {point.cpu_others:.0%}")
    if point.note:
        parts.append(point.note)
    return "; ".join(parts)
