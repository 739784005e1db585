"""A second evaluator: slow, plain, and written from the documents alone.

It works on the plain values of an estate file, with sets and recursion; it knows no graph, no keys, no
caches, and nothing of permcheck.evaluate. Of permcheck it takes what Microsoft's documents state (the
policy's permissions, roles, requirements and actions), not how to reason with it.

Truth is True, False or None (nobody can say).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from permcheck.loading.policy import load_policy

Data: TypeAlias = Mapping[str, Any]
Truth: TypeAlias = bool | None

IN_TOKEN = {"security", "mail-enabled-security"}
"""Types of group that stand in a token, and pass on what they are in."""
GATE = "any Intune role"
DERIVED = {
    "hierarchy.lowest_version",
    "user.sign_in_matches",
    "user.direct_role_member",
    "user.discovered_upn_kind",
    "device.uploaded",
    "device.in_tenant",
    "device.client_current",
    "script.authored_by_user",
    "application.user_targeted",
    "action.entity_documented",
}
"""Facts that follow from others; the oracle knows most of them."""
EVERYTHING = {"all", "sms00all"}
ROOTS = {"SMS00001": "device", "SMS00004": "user"}


def both(values: Iterable[Truth]) -> Truth:
    """Every one is needed: a certain no beats an unknown."""
    found = list(values)
    return False if False in found else (None if None in found else True)


def some(values: Iterable[Truth]) -> Truth:
    """One is enough: a certain yes beats an unknown."""
    found = list(values)
    return True if True in found else (None if None in found else False)


def reads_as(switch: Any) -> bool:
    """Whether a switch stands on On or checked."""
    return switch is True or str(switch).casefold() in {"on", "checked"}


def edition_of(version: int) -> str:
    """Which pages a release is judged by: each set of pages belongs to the releases of its time."""
    for low, edition in ((2309, "2023-12"), (2207, "2022-08"), (2103, "2022-07"), (2010, "2020-12")):
        if version >= low:
            return edition
    return "2020-09"


def authority(*, toggle: bool, checked: bool, version: int, edition: str, along: bool) -> str:
    """Who decides: only the toggle On, the checkbox cleared and 2207 or later leave Intune alone.

    `along` says whether an enforced Configuration Manager decides along with Intune, or alone.
    """
    if edition < "2022-08" or version < 2207 or not toggle:
        return "configmgr"
    if not checked:
        return "intune"
    return "both" if along else "configmgr"


@dataclass(frozen=True)
class Oracle:
    """Answers questions about one user and one device."""

    data: Data
    user: str
    action: str
    device: str
    object: str | None = None

    # --- the records asked about ------------------------------------------------------------------------------------

    @cached_property
    def policy(self) -> Any:
        return load_policy()

    @cached_property
    def rule(self) -> Any:
        return self.policy.actions[self.action.partition(":")[0]]

    @cached_property
    def variant(self) -> str | None:
        return self.action.partition(":")[2].casefold() or None

    @cached_property
    def person(self) -> Data:
        return next(u for u in self.data["users"] if u["upn"] == self.user)

    @cached_property
    def machine(self) -> Data:
        return next(d for d in self.data["devices"] if d["name"] == self.device)

    @cached_property
    def hierarchy(self) -> Data:
        return next(h for h in self.data["hierarchies"] if h["id"] == self.machine["hierarchy"])

    @cached_property
    def thing(self) -> Data | None:
        section = {"script": "scripts", "application": "applications"}.get(self.rule.object or "")
        here = self.here(section) if section else []
        return next((o for o in here if o["name"] == self.object), None) if self.object else None

    @cached_property
    def readings(self) -> dict[str, str]:
        return {**{k: r.default for k, r in self.policy.readings.items()}, **self.data.get("readings", {})}

    @cached_property
    def edition(self) -> str:
        return edition_of(self.hierarchy["version"])

    def here(self, section: str) -> list[Data]:
        """Records of the device's hierarchy."""
        return [r for r in self.data[section] if r["hierarchy"] == self.hierarchy["id"]]

    # --- who decides ------------------------------------------------------------------------------------------------

    def sides(self) -> list[str]:
        """Which lists of needs count."""
        if not self.rule.authority:
            return ["common"]
        who = authority(
            toggle=reads_as(self.data["tenant"]["use_intune_rbac"]),
            checked=reads_as(self.hierarchy["enforce_configmgr_rbac"]),
            version=self.hierarchy["version"],
            edition=self.edition,
            along=self.readings["toggle-on-checkbox-checked"] == "both",
        )
        return ["common", *{"configmgr": ["configmgr"], "intune": ["intune"], "both": ["configmgr", "intune"]}[who]]

    def verdict(self) -> Truth:
        """Whether the person can do it."""
        answers = [self.need(need) for side in self.sides() for need in getattr(self.rule.requires, side)]
        return both([*answers, True if self.edition >= self.rule.documented_from else None])

    # --- the trees of needs --------------------------------------------------------------------------------------------

    def need(self, need: Any) -> Truth:
        """Whether one need, or a tree of them, is met."""
        if not self.applies(need.when):
            return True
        if need.id:
            return self.requirement(need)
        if need.use:
            return both(self.need(inner) for inner in self.policy.bundles[need.use])
        if need.all:
            return both(self.need(inner) for inner in need.all)
        return some(self.need(inner) for inner in need.any if self.applies(inner.when))

    def requirement(self, need: Any) -> Truth:
        """The first case that applies decides; if none does, nothing is asked."""
        for case in self.policy.requirements[need.id].tests:
            if self.applies(case.when):
                return self.test(case.test, need)
        return True

    def applies(self, when: Any) -> bool:
        """Whether a condition of the policy holds."""
        if when is None:
            return True
        version = self.hierarchy["version"]
        return all(
            [
                when.from_edition is None or self.edition >= when.from_edition,
                when.before_edition is None or self.edition < when.before_edition,
                when.from_version is None or version >= when.from_version,
                when.below_version is None or version < when.below_version,
                when.variants is None or self.variant in when.variants,
                when.not_variants is None or self.variant not in when.not_variants,
                when.object_named is None or when.object_named == (self.object is not None),
                all(self.readings[name] in those for name, those in when.readings.items()),
            ]
        )

    def test(self, test: Any, need: Any) -> Truth:
        """Whether one test holds."""
        if test.kind in {"all", "any"}:
            inner = [self.test(case.test, need) for case in test.of if self.applies(case.when)]
            return True if not inner else (both if test.kind == "all" else some)(inner)
        answer: Truth = getattr(self, "test_" + test.kind.replace("-", "_"))(test, need)
        return answer

    # --- facts ----------------------------------------------------------------------------------------------------------

    def test_fact(self, test: Any, need: Any) -> Truth:
        value = self.fact(test.fact)
        if value is None:
            return True if test.unstated == "met" else None
        if test.equals is not None:
            return bool(value == test.equals)
        if test.one_of:
            return value in test.one_of
        if test.contains is not None:
            return (need.value if test.contains == "$value" else test.contains) in value
        least = need.at_least if test.at_least == "$at_least" else test.at_least
        return numbers(str(value)) >= numbers(least)

    def test_version(self, _: Any, need: Any) -> Truth:
        release, least = self.fact("hierarchy.lowest_version"), int(need.at_least)
        if release != least or not need.updates:
            return bool(release >= least)
        return set(need.updates) <= set(self.hierarchy["updates"])

    def test_same(self, test: Any, _: Any) -> Truth:
        one, other = (self.fact(name) for name in test.facts)
        return None if one is None or other is None else str(one).casefold() == str(other).casefold()

    def test_undocumented(self, *_: Any) -> Truth:
        return None

    def fact(self, name: str) -> Any:
        """A fact, stated or following from stated ones."""
        own = getattr(self, name.replace(".", "_"), None)
        if own is not None:
            return own()
        if name in DERIVED:
            raise NotImplementedError(name)
        subject, _, attribute = name.partition(".")
        records = {
            "tenant": self.data["tenant"],
            "hierarchy": self.hierarchy,
            "user": self.person,
            "device": self.machine,
            "script": self.thing,
            "application": self.thing,
        }
        return (records[subject] or {}).get(attribute)

    def hierarchy_lowest_version(self) -> int:
        return min([self.hierarchy["version"], *(site["version"] for site in self.hierarchy.get("sites", ()))])

    def user_sign_in_matches(self) -> bool | None:
        other = self.person.get("signs_in_with")
        return None if other is None else other == self.user

    def user_direct_role_member(self) -> Truth:
        """Without a licence only direct members of a role's group get the role, not those of a nested group.

        It is of no concern to whom a directory role gives rights in Intune, or who has no Intune role.
        """
        mine = self.assignments(of_type=True)
        direct = {g["name"] for g in self.data["groups"] if g["type"] == "security" and self.user in g["members"]}
        if not mine or any(set(a["members"]) & direct for a in mine):
            return True
        return self.directory_rights()

    def user_discovered_upn_kind(self) -> str:
        found = self.person["discovered_upn"]
        if not found:
            return "empty"
        return "on-premises" if found == self.person["on_premises_upn"] else "cloud"

    def device_uploaded(self) -> bool:
        """Stated; else every device is uploaded, or those of one collection and, from 2010, of those limited to it."""
        stated = self.machine.get("uploaded")
        if stated is not None:
            return bool(stated)
        if not self.hierarchy["tenant_attached"]:
            return False
        upload = self.hierarchy["upload"]
        if upload == "all":
            return True
        inside = self.holding_device()
        if self.hierarchy["version"] >= 2010:
            inside = {above for one in inside for above in self.line(one)}
        return upload["collection"] in inside

    def device_client_current(self) -> bool | None:
        """Stated; else the client's build is that of the release, or a later one."""
        stated = self.machine.get("client_current")
        if stated is not None:
            return bool(stated)
        release = self.policy.versions[self.fact("hierarchy.lowest_version")]
        return numbers(self.machine["client_version"])[:3] >= numbers(release.build)

    def application_user_targeted(self) -> bool | None:
        if self.thing is None:
            return None
        return bool(self.targets())

    def action_entity_documented(self) -> bool:
        return self.variant is None or self.variant in {v.id for v in self.rule.variants}

    # --- Configuration Manager ---------------------------------------------------------------------------------------------

    def groups(self) -> set[str]:
        """Every group of the person: own ones, and those that a security group of these is nested in."""
        found: set[str] = set()
        passing = {g["name"] for g in self.data["groups"] if g["type"] in IN_TOKEN}
        while (
            more := {g["name"] for g in self.data["groups"] if {self.user, *found & passing} & set(g["members"])}
            - found
        ):
            found |= more
        return found

    def rows(self) -> Iterator[Data]:
        """Each pair of role and reach of every administrative user in the person's token.

        The token holds the account and its groups. Only domain users and groups can be administrative
        users, so the rights of a cloud-only account are none.
        """
        if not self.person["synced"]:
            return
        groups = (g for g in self.data["groups"] if g["name"] in self.groups() and g["type"] in IN_TOKEN)
        token = [self.person, *groups]
        accounts = {p["account"] for p in token if "account" in p}
        for admin in self.here("administrative_users"):
            if admin["name"] in accounts:
                yield from admin["assignments"]

    def operations(self, role: str) -> set[str]:
        """Permissions of a security role: all for Full Administrator, else as stated; Run Script includes CMPivot."""
        every = {id_ for id_, plane in self.policy.planes.items() if plane == "configmgr"}
        if role == "Full Administrator":
            return every
        stated = next(r["permissions"] for r in self.here("security_roles") if r["name"] == role)
        found = {f"{kind}/{name}" for kind, names in stated.items() for name in names}
        if "Collection/Run Script" in found and self.hierarchy["version"] >= 1906:
            found.add("Collection/Run CMPivot")
        return found

    def holding_device(self) -> set[str]:
        """Collections that contain the device; All Systems contains every one."""
        return {*self.machine["collections"], "SMS00001"}

    def line(self, collection: str) -> list[str]:
        """A collection and all above it: what it is limited to, what that is limited to, and so on."""
        found: list[str] = []
        top: str | None = collection
        while top is not None and top not in found:
            found.append(top)
            record = next(c for c in self.here("collections") if c["id"] == top)
            above = record.get("limited_to")
            top = next((c["id"] for c in self.here("collections") if above in {c["id"], c["name"]}), None)
        return found

    def collection_operations(self, collection: str) -> set[str]:
        """What the person may do on a collection: permissions flow down from what it is limited to.

        Modify and Delete can't be used on a collection that is assigned directly, only on those limited to it.
        """
        found: set[str] = set()
        withheld = {"Collection/Modify", "Collection/Delete"}
        direct = False
        for row in self.rows():
            everywhere = self.readings["all-scope-on-collections"] == "every-collection"
            if set(self.line(collection)) & set(row["collections"]) or (everywhere and self.sees_all(row)):
                found |= self.operations(row["role"])
                direct = direct or collection in row["collections"]
        return found - withheld if direct else found

    def sees_all(self, row: Data) -> bool:
        """Whether a row is for the All scope."""
        return any(scope.casefold() in EVERYTHING for scope in row["scopes"])

    def for_scopes(self, permission: str, scopes: Iterable[str]) -> bool:
        """Whether a row with the permission is for All, or shares a scope: a scope never applies apart from its role."""
        return any(
            self.sees_all(row) or set(row["scopes"]) & set(scopes)
            for row in self.rows()
            if permission in self.operations(row["role"])
        )

    def targets(self) -> list[str]:
        """User collections that the application is deployed to."""
        kinds = {c["id"]: c.get("kind", "device") for c in self.here("collections")}
        return [c for c in (self.thing or {})["deployed_to"] if kinds[c] == "user"]

    def test_right(self, test: Any, _: Any) -> Truth:
        permission = test.permission
        if permission == "any":
            if test.over == "any":
                return any(True for _ in self.rows())
            return any(self.collection_operations(c) or self.reaches(c) for c in self.holding_device())
        if test.over == "device":
            return any(permission in self.collection_operations(c) for c in self.holding_device())
        if test.over == "default-scope":
            return self.for_scopes(permission, ["Default"])
        if test.over in {"script", "application"} and self.thing is not None:
            return self.for_scopes(permission, self.thing["scopes"])
        if test.over == "target-collections" and self.thing is not None:
            return any(permission in self.collection_operations(c) for c in self.targets())
        return any(permission in self.operations(row["role"]) for row in self.rows())

    def reaches(self, collection: str) -> bool:
        """Whether any row, whatever its role, reaches a collection."""
        return any(set(self.line(collection)) & set(row["collections"]) for row in self.rows())

    def test_same_collection(self, *_: Any) -> Truth:
        """One collection with the device gives all that the Configuration Manager side asks for on it."""
        needed = set(self.on_device(self.rule.requires.configmgr))
        return any(needed <= self.collection_operations(c) for c in self.holding_device())

    def on_device(self, needs: Iterable[Any]) -> Iterator[str]:
        for need in needs:
            if self.applies(need.when):
                yield from self.on_device([*need.all, *self.policy.bundles.get(need.use or "", ())])
                for case in self.policy.requirements[need.id].tests if need.id else ():
                    if case.test.kind == "right" and case.test.over == "device" and case.test.permission != "any":
                        yield case.test.permission

    def test_role_exists(self, *_: Any) -> Truth:
        """Full Administrator, which has every permission, is always there."""
        return True

    # --- Intune and Entra --------------------------------------------------------------------------------------------------

    def assignments(self, *, of_type: bool) -> list[Data]:
        """Intune role assignments through a security group of the person, or through a group of another type."""
        kinds = {g["name"]: g["type"] == "security" for g in self.data["groups"]}
        mine = [a for a in self.data["intune_assignments"] if set(a["members"]) & self.groups()]
        good = [a for a in mine if any(kinds[g] for g in set(a["members"]) & self.groups())]
        return good if of_type else [a for a in mine if a not in good]

    def in_role(self, names: Iterable[str]) -> Truth:
        """Holder of a directory role: by name or as a direct member of a group; nobody says what nesting does."""
        direct = {g["name"] for g in self.data["groups"] if self.user in g["members"]}
        if {self.user, *direct} & set(names):
            return True
        return None if self.groups() & set(names) else False

    def entra_permissions(self) -> Iterator[tuple[set[str], Truth]]:
        for role in self.data["entra_roles"]:
            record = next(r for r in self.policy.roles.values() if r.name == role["role"])
            yield self.listed(record), self.in_role(role["members"])

    def directory_rights(self) -> Truth:
        """Whether a directory role gives the person rights in Intune, past groups and scope tags."""
        return some(held for permissions, held in self.entra_permissions() if GATE in permissions)

    def listed(self, role: Any) -> set[str]:
        """Permissions of a built-in role, and whether it counts as an Intune role."""
        found: set[str] = set()
        for grant in role.grants:
            if grant.by_reading and self.readings[grant.by_reading.reading] not in grant.by_reading.granted:
                continue
            found |= set(grant.permissions)
            if grant.any_role:
                found.add(GATE)
            if grant.every == "all":
                found |= {id_ for id_, plane in self.policy.planes.items() if plane == grant.plane}
        return found

    def intune_permissions(self, assignment: Data) -> set[str]:
        custom = next((r for r in self.data["intune_roles"] if r["name"] == assignment["role"]), None)
        if custom is not None:
            return {*custom["permissions"], GATE}
        return {*self.listed(next(r for r in self.policy.roles.values() if r.name == assignment["role"])), GATE}

    def holds(self, permission: str) -> Truth:
        """Rights add up over all assignments and roles; nothing takes them away."""
        if any(permission in self.intune_permissions(a) for a in self.assignments(of_type=True)):
            return True
        return some(held for permissions, held in self.entra_permissions() if permission in permissions)

    def test_grant(self, test: Any, need: Any) -> Truth:
        permission = need.permission if test.permission == "$permission" else test.permission
        if self.policy.planes[permission] == "entra":
            return some([self.has_app_role(), self.holds(permission)])
        return self.holds(permission)

    def test_any_role(self, *_: Any) -> Truth:
        return self.holds(GATE)

    def app_role_ways(self) -> list[Truth]:
        """Direct, or through a group: then with Entra ID P1 or P2, and for direct members only."""
        ways: list[Truth] = []
        for role in self.data["app_roles"]:
            ways += [True for name in role["assigned_to"] if name == self.user]
            for group in set(role["assigned_to"]) & self.groups():
                members = next(g["members"] for g in self.data["groups"] if g["name"] == group)
                ways.append(self.user in members and self.data["tenant"]["entra_premium"])
        return ways

    def has_app_role(self) -> Truth:
        return some(self.app_role_ways())

    def test_app_role_group(self, *_: Any) -> Truth:
        return some(self.app_role_ways()) if self.app_role_ways() else True

    def test_group_type(self, *_: Any) -> Truth:
        """An assignment through a group of another type is lost; it matters to who has no rights in Intune besides."""
        if self.assignments(of_type=True) or not self.assignments(of_type=False):
            return True
        return self.directory_rights()

    def test_scope_tag(self, *_: Any) -> Truth:
        """Whether a tag of the device is among those that the person's assignments show.

        A device that is only attached carries Default and no other tag; without it nobody sees it. One that Intune
        manages has its own tags, and Default where it has none. Directory roles with rights in Intune bypass tags.
        """
        tags = self.machine.get("scope_tags")
        own = None if tags is None else {"0" if tag == "Default" else tag for tag in tags} or {"0"}
        answers: list[Truth] = []
        if self.machine.get("management") in {None, "configmgr"}:
            lost = tags is not None and not {"Default", "0"} & set(tags)
            answers.append(False if lost else some([self.directory_rights(), self.shown({"0"})]))
        if self.machine.get("management") != "configmgr":
            answers.append(some([self.directory_rights(), self.shown(own)]))
        return answers[0] if len(set(answers)) == 1 else None

    def shown(self, carried: set[str] | None) -> Truth:
        """Whether assignments show what carries some tags; None: nobody told which.

        Merged: the tags of all assignments with permissions of the category asked for count together, and only
        without any does one see everything. Scoped takes away from that: each assignment's permissions stay inside
        its own tags.
        """
        asked = self.asked_permission()
        near = asked if self.readings["scope-tags-merge"] == "permission-category" else None
        alike = [p for p in self.policy.permissions if near and self.category(p) == self.category(near)]
        mine = [
            (a, {"0" if tag == "Default" else tag for tag in a["scope_tags"]}) for a in self.assignments(of_type=True)
        ]
        lent = [tags for a, tags in mine if near is None or set(alike) & self.intune_permissions(a)]
        together = self.shows(set().union(*lent), carried)
        if self.data["tenant"]["scoped_permissions"] == "merged":
            return together
        able = [tags for a, tags in mine if asked is None or asked in self.intune_permissions(a)]
        return both([together, some(self.shows(tags, carried) for tags in able) if able else True])

    def category(self, permission: str) -> tuple[str, str]:
        return self.policy.planes[permission], self.policy.permissions[permission].category

    def shows(self, tags: set[str], carried: set[str] | None) -> Truth:
        """Whether some tags of assignments show what carries others: without any, everything is seen."""
        if not tags:
            return True
        return None if carried is None else bool(tags & carried)

    def asked_permission(self) -> str | None:
        """The Intune permission that the sides in force ask for."""
        for side in self.sides():
            for need in self.flat(getattr(self.rule.requires, side)):
                test = self.policy.requirements[need.id].tests[0].test
                if test.kind == "grant":
                    permission = need.permission if test.permission == "$permission" else test.permission
                    if self.policy.planes[permission] == "intune":
                        return str(permission)
        return None

    def flat(self, needs: Iterable[Any]) -> Iterator[Any]:
        for need in needs:
            if self.applies(need.when):
                if need.id:
                    yield need
                yield from self.flat([*need.all, *need.any, *self.policy.bundles.get(need.use or "", ())])


def numbers(text: str) -> list[int]:
    """A version as numbers."""
    return [int(part) for part in text.split(".")]
