"""The two switches that decide who decides: how they stand, and what flipping one of them would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.finding import NotRun
from permcheck.checks.security_view import SecurityView, security_view
from permcheck.evaluate.worlds import switch_value, worlds
from permcheck.model.change import Change, SetFact
from permcheck.model.estate import Hierarchy
from permcheck.model.state import UNMET
from permcheck.model.tables import Key, hierarchy_of

if TYPE_CHECKING:
    from permcheck.api import Estate

INTUNE = frozenset({"intune"})


class Flip(NamedTuple):
    """One switch that would leave the decision about a hierarchy to Intune alone."""

    hierarchy: Key
    words: str
    after: Estate


class Switches:
    """The toggle, the checkboxes, and who holds what of Intune; made once for a run."""

    def __init__(self, estate: Estate, cloud: CloudView, security: SecurityView) -> None:
        self.estate, self.cloud, self.security = estate, cloud, security
        self.tables, self.policy = estate.tables, estate.policy
        self.toggle = switch_value(self.tables.tenant.use_intune_rbac)
        self._devices: dict[Key, Devices] = {}
        self.flips = tuple(self._flips())

    @property
    def release(self) -> int:
        """Return the first release in which Intune may decide."""
        needs = self.policy.authority.switch_requirements
        return int(next(need.at_least for need in needs if need.at_least))

    def checkbox(self, hierarchy: Key) -> bool | None:
        """Tell whether a hierarchy enforces its own permissions; None where nobody said."""
        return switch_value(self.tables.hierarchies[hierarchy].enforce_configmgr_rbac)

    def attached(self) -> Iterator[tuple[Key, Hierarchy]]:
        """Return the hierarchies of which nothing says that they are not attached."""
        return (item for item in self.tables.hierarchies.items() if item[1].tenant_attached is not False)

    def is_old(self, hierarchy: Key) -> bool:
        """Tell whether some site certainly is older than the release in which Intune may decide."""
        form = self.tables.hierarchies[hierarchy]
        releases = [form.version, *(site.version for site in form.sites or ())]
        return any(release is not None and release < self.release for release in releases)

    def decides(self, hierarchy: Key, estate: Estate | None = None) -> frozenset[str]:
        """Return who may be the authority of a hierarchy: more than one where a switch is unknown."""
        asked = estate or self.estate
        found = worlds(asked.tables, asked.policy, self.security.readings, hierarchy, asked.settings.edition)
        return frozenset(world.row.authority for world in found if world.row is not None)

    def holders(self, permissions: set[str], planes: tuple[str, ...] = ("intune", "entra")) -> tuple[Key, ...]:
        """Return the enabled users who certainly hold one of these permissions in the cloud."""
        return tuple(
            user
            for user, held in self.cloud.holdings.items()
            if any(one.plane in planes and one.permissions & permissions for one in held) and self.cloud.is_active(user)
        )

    def possible(self, permissions: set[str]) -> bool:
        """Tell whether anybody holds, or may hold, one of these permissions in the cloud."""
        for user in self.tables.users:
            rights = self.estate.grants.rights(user)
            ways = (way for way in (*rights.intune, *rights.entra) if way.state is not UNMET)
            if any(not permissions.isdisjoint(self.estate.grants.gives(way.role)) for way in ways):
                return True
        return bool(self.tables.doubtful("groups", "intune_assignments", "entra_roles"))

    def is_doubtful(self, user: Key) -> bool:
        """Tell whether Intune may keep a person out after all: no licence, or a role without the tag of the devices."""
        ends = [one.end for one in self.cloud.holdings[user] if one.plane == "intune"]
        tags = [self.tables.intune_assignments[end].tags for end in ends]
        return self.tables.users[user].licensed is False or any(
            one is not None and one and self.cloud.default_tag not in one for one in tags
        )

    def devices(self, hierarchy: Key) -> Devices:
        """Return the devices of a hierarchy that nothing keeps out of the admin center."""
        found = self._devices.get(hierarchy)
        if found is None:
            forms, view = self.tables.devices.items(), self.security.devices
            own = (key for key, form in forms if hierarchy_of(key) == hierarchy and form.uploaded is not False)
            chosen = self._chosen(hierarchy)
            found = view.these(own) if chosen is None else view.these(own) & view.reached(chosen)
            self._devices[hierarchy] = found
        return found

    def _chosen(self, hierarchy: Key) -> tuple[Key, ...] | None:
        """Return the collection to which the upload is limited; None where it is not."""
        found = self.tables.uploaded_collection(hierarchy)
        return None if found is None else (found,)

    def _flips(self) -> Iterator[Flip]:
        for key, form in self.attached():
            checked = self.checkbox(key)
            change: Change
            if self.toggle is True and checked is True:
                change = SetFact("hierarchy", key, "enforce_configmgr_rbac", value=False)
                words = f"clearing the checkbox of hierarchy `{form.id}`"
            elif self.toggle is False and checked is False:
                change = SetFact("tenant", "", "use_intune_rbac", value=True)
                words = f"turning `{self.policy.authority.toggle.name}` on"
            else:
                continue
            after = self.estate.with_changes(change)
            if self.decides(key, after) == INTUNE:
                yield Flip(key, words, after)


def without_toggle(context: Context) -> Iterator[NotRun]:
    """Say that a check can't tell, where nobody said how the toggle stands."""
    if switches(context).toggle is None:
        yield context.not_run(f"the estate does not say how `{context.policy.authority.toggle.name}` stands")


def switches(context: Context) -> Switches:
    """Return the view of this run."""
    found = context.shared.get("switches")
    if found is None:
        found = context.shared["switches"] = Switches(context.estate, cloud_view(context), security_view(context))
    assert isinstance(found, Switches)
    return found
