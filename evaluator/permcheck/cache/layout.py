"""How compiled answers are laid out in pages: what is written in one room and read in another."""

from __future__ import annotations

from typing import Final

ESTATE: Final = "estate"
"""Warnings, and the areas of hierarchies."""
ACTS: Final = "acts"
"""By name, with the variant behind a colon: its number, and what it is about."""
USERS: Final = "users"
"""By name: the user as the estate writes it, and its row in every area."""
DEVICES: Final = "devices"
"""By name: the device as the estate writes it, its area, and its class there."""
PLANS: Final = "plans"
"""By area and act: what is needed in every world."""
ROWS: Final = "rows"
"""By area and number: what every test says of some users, as numbers of regions."""
REGIONS: Final = "regions"
"""By area and number: of which marks a test holds certainly, and of which possibly."""
CLASSES: Final = "classes"
"""By area and number: the marks of the devices of a class."""
SOME: Final = 16
"""So many numbered things share a page."""
NAMED: Final = 64
"""So many names do."""

UNMET, MET, OPEN = 0, 1, 2
"""Regions that are the same everywhere."""
ALL, ANY, NEED, FACT, PLACE = "all", "any", "need", "fact", "place"
"""Kinds of a part of a plan. A fact is looked up by what the device is, a place by where it lies."""


def numbered(area: int, number: int) -> str:
    """Return the name of the page in which a numbered thing of an area lies."""
    return f"{area}/{number // SOME:08d}"


def plan_name(area: int, act: int) -> str:
    """Return the name of the plan of an act in an area, and of its page."""
    return f"{area}/{act:04d}"
