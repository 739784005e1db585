"""Every check, with the function that runs it: `rules/pcnnn.py` holds that of PCnnn.

A new one is policy/checks/PCnnn.yaml, a file in rules, and a line here. A rule is imported when it runs: a hundred of
them would take longer than the one that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from permcheck.checks.context import Check

IDS: Final = (
    "PC101",
    "PC102",
    "PC103",
    "PC104",
    "PC105",
    "PC106",
    "PC107",
    "PC108",
    "PC109",
    "PC110",
    "PC111",
    "PC112",
    "PC114",
    "PC115",
    "PC116",
    "PC117",
    "PC118",
    "PC119",
    "PC120",
    "PC121",
    "PC122",
    "PC123",
    "PC125",
    "PC126",
    "PC129",
    "PC130",
    "PC131",
    "PC201",
    "PC202",
    "PC203",
    "PC204",
    "PC205",
    "PC206",
    "PC207",
    "PC208",
    "PC209",
    "PC210",
    "PC211",
    "PC212",
    "PC213",
    "PC214",
    "PC215",
    "PC301",
    "PC302",
    "PC303",
    "PC304",
    "PC305",
    "PC306",
    "PC307",
    "PC308",
    "PC309",
    "PC310",
    "PC311",
    "PC312",
    "PC313",
    "PC314",
    "PC315",
    "PC316",
    "PC317",
    "PC318",
    "PC319",
    "PC320",
    "PC321",
    "PC322",
    "PC323",
    "PC324",
    "PC325",
    "PC401",
    "PC402",
    "PC403",
    "PC404",
    "PC405",
    "PC406",
    "PC407",
    "PC408",
    "PC409",
    "PC410",
    "PC411",
    "PC412",
    "PC413",
    "PC414",
    "PC415",
    "PC417",
    "PC419",
    "PC420",
    "PC421",
    "PC501",
    "PC502",
    "PC503",
    "PC504",
    "PC505",
    "PC508",
    "PC509",
    "PC510",
    "PC601",
    "PC602",
    "PC603",
    "PC604",
    "PC701",
    "PC702",
    "PC703",
    "PC704",
    "PC705",
    "PC706",
    "PC707",
    "PC710",
    "PC711",
    "PC801",
    "PC802",
    "PC803",
    "PC804",
    "PC805",
    "PC901",
    "PC902",
    "PC903",
)


class Registry(Mapping[str, Check]):
    """Check -> its function."""

    def __getitem__(self, id_: str) -> Check:
        if id_ not in IDS:
            raise KeyError(id_)
        found: Check = import_module(f"permcheck.checks.rules.{id_.lower()}").check
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(IDS)

    def __len__(self) -> int:
        return len(IDS)


CHECKS: Final = Registry()
