"""The guide agrees with the code it tells of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa

from keeping_plugin import config
from keeping_plugin.cli import keeping
from tests.servers.needs import ROOT

GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


def default_of(setting: config.Setting) -> str:
    if setting.default is config._REQUIRED:
        return "required"
    if setting.default is None:
        return "none"
    if isinstance(setting.default, tuple):
        return ", ".join(f"`{part}`" for part in setting.default)
    return f"`{setting.default}`"


def settings_table() -> str:
    rows = [
        f"| `{setting.key}` | {default_of(setting)} | {setting.sentence} |"
        for setting in config.SETTINGS
    ]
    return "\n".join(["| Key | Default | What it is |", "|---|---|---|", *rows])


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    found = re.search(r"<!-- settings -->\n(.*?)\n?<!-- /settings -->", GUIDE, re.DOTALL)
    assert found is not None
    assert found[1] == settings_table(), f"put this into docs/guide.md:\n{settings_table()}"


def test_the_lines_for_sqlite_let_a_writer_wait_for_another(tmp_path: Path) -> None:
    """The guide's own lines, run: the second writer waits instead of failing."""
    found = re.search(r"<!-- sqlite -->\n```python\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"event": sa.event}
    exec(textwrap.dedent(found[1]), names)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    names["set_up_sqlite"](engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    with engine.connect().execution_options(begin="IMMEDIATE") as first:
        first.exec_driver_sql("SELECT * FROM t")
        with engine.connect() as reader:  # readers never wait
            assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        impatient = sa.create_engine(engine.url, connect_args={"timeout": 0})
        with impatient.connect() as second:
            second.exec_driver_sql("PRAGMA busy_timeout=0")
            with pytest.raises(sa.exc.OperationalError, match="locked"):
                second.exec_driver_sql("BEGIN IMMEDIATE")
        first.commit()
    engine.dispose()


def test_every_page_that_the_guide_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        if "://" not in link:
            assert (ROOT / "docs" / link).exists(), link


def test_every_command_stands_in_the_guide() -> None:
    def names(group: click.Group, before: str) -> Iterator[str]:
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                yield from names(command, f"{before} {name}")
            else:
                yield f"{before} {name}"

    for command in names(keeping, "flask keeping"):
        assert f"`{command}" in GUIDE, command
