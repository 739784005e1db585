"""Ask single cells of a review again, with the evaluator that explains: both must say the same."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from permcheck.bulk.answers import Area
from permcheck.errors import SelfCheckError
from permcheck.model.state import VERDICT_OF
from permcheck.model.tables import Key
from permcheck.review.review import Review


def verify(review: Review, number: int, chance: Random) -> int:
    """Ask cells drawn at random again, and return how many. Raises SelfCheckError with every one that differs."""
    wrong = tuple(_different(review, number, chance))
    if wrong:
        raise SelfCheckError(number, wrong)
    return number


def _different(review: Review, number: int, chance: Random) -> Iterator[str]:
    answers = review.answers
    persons = {user: person for person in answers.persons for user in person.members}
    users, acts = tuple(persons), review.selection.acts
    for _ in range(number):
        user, act = chance.choice(users), chance.choice(acts)
        places = answers.areas_of(act)
        if not places:
            continue
        place = chance.choices(places, [_size(answers.areas[index]) for index in places])[0]
        area = answers.areas[place]
        index, device = _device(area, chance)
        said = VERDICT_OF[area.regions.state(answers.region(0, persons[user], act, place), index)]
        decision = review.decision(user, act, area.hierarchy, device)
        if decision.verdict is not said:
            where = decision.device or decision.hierarchy or "the tenant"
            yield f"{decision.user} {act} {where}: {said.value} at once, {decision.verdict.value} alone"


def _size(area: Area) -> int:
    return area.regions.count(area.regions.full) if area.on_devices else 1


def _device(area: Area, chance: Random) -> tuple[int, Key | None]:
    """Draw a class by its size, and one of its devices."""
    if not area.on_devices:
        return 0, None
    index = chance.choices(range(area.ground.size), area.regions.sizes)[0]
    return index, chance.choice(area.ground.members[index])
