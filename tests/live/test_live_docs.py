"""docs/live.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from permcheck.live import Way
from permcheck.live.asks_adminservice import ADMIN_SERVICE
from permcheck.live.asks_graph import GRAPH
from permcheck.live.clouds import CLOUDS
from permcheck.live.credentials import TAKES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "live.md").read_text("utf-8")


def table(head):
    """Cells of the table whose first heading is `head`."""
    lines = PAGE.partition(f"| {head} |")[2].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    return [[cell.strip("| `") for cell in row] for row in rows]


def test_every_request_and_its_permission():
    documented = [(row[0], re.sub(r" \(\w\)$", "", row[1]), row[2]) for row in table("Request")]
    asked = [
        (
            ask.path.partition("?")[0],
            ask.permission + (f"; without a person {ask.application}" if ask.application else ""),
            "yes" if ask.required else "no",
        )
        for ask in GRAPH
    ]
    assert documented == asked


def test_every_permission_only_reads():
    assert not [ask for ask in GRAPH if "Write" in ask.permission + ask.application]
    assert all(re.fullmatch(r"User\.Read|\w+\.Read\.(All|Directory|AzureADGroup)", ask.permission) for ask in GRAPH)


def test_every_class():
    named = PAGE.partition("for these classes:")[2].partition("\n\nEvery role")[0]
    assert re.findall(r"`(SMS_\w+)`", named) == [ask.name for ask in ADMIN_SERVICE if ask.per is None]


def test_every_way_to_sign_in():
    rows = table("`sign_in`")
    assert [row[0] for row in rows] == list(get_args(Way))
    for way, _, takes in rows:
        assert set(re.findall(r"(?<![\w`])`?(tenant|client|certificate)`?(?=,|$)", takes)) == set(TAKES[way])


def test_every_cloud():
    assert table("`cloud`") == [[name, cloud.graph, cloud.authority] for name, cloud in CLOUDS.items()]
