"""The policy holds together: every name in it is defined, every fact has a source, every entry is used."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import permcheck
import pytest
from permcheck.errors import UnknownNameError
from permcheck.evaluate.facts import DERIVED
from permcheck.evaluate.plan import leaves, make_plan
from permcheck.evaluate.question import Question, World
from permcheck.loading.data import data_root
from permcheck.loading.policy import COMPILED, checked_policy, compile_policy, load_policy, policy_files, read_policy
from permcheck.model import estate as estate_form
from permcheck.model import policy as form
from permcheck.model.base import Form
from permcheck.model.policy_index import Policy, build_policy

ACTIONS = """
view-device-in-list view-client-details view-collections view-resource-explorer view-resource-explorer-history
view-timeline sync-timeline view-software-updates view-scripts run-script run-cmpivot view-applications
take-application-action view-recovery-keys rotate-bitlocker-keys sync-machine-policy sync-user-policy
app-evaluation-cycle enroll-now
sign-in-admin-center onboard-hierarchy offboard-hierarchy upload-devices set-use-intune-rbac set-enforce-cm-rbac
assign-entra-app-role view-connector-status import-azure-app renew-app-secret enable-endpoint-analytics-upload
use-cloud-attach-wizard
start-cmpivot-console run-script-console create-script approve-script client-notification-console read-collections
""".split()
REQUIREMENTS = """
IDENT-SYNCED IDENT-MATCH IDENT-UPN DISCOVERY LICENCE INTUNE-ROLE INTUNE-PERM INTUNE-ACTION INTUNE-SCOPETAG
INTUNE-GROUPTYPE ENTRA-APPROLE ENTRA-APPROLE-GROUP CM-COLL-READ CM-COLL-READRESOURCE CM-COLL-NOTIFY CM-COLL-RUNSCRIPT
CM-COLL-CMPIVOT CM-COLL-BLKEY CM-SCRIPTS-READ CM-SCRIPTS-CREATE CM-SCRIPTS-APPROVE CM-INVREPORTS-READ CM-SCOPE-DEFAULT
CM-APP-READ CM-APP-APPROVE CM-COLL-USER-READ CM-SCOPE-DEVICE CM-SCOPE-SCRIPT CM-ANY CM-ROLE-EXISTS SCRIPT-APPROVED
SCRIPT-NOPARAMS SCRIPT-2NDAPPROVER DEV-UPLOADED DEV-CLIENT DEV-PS DEV-ENTITY DEV-EA DEV-BLPOLICY DEV-ONLINE CM-VERSION
CLOUD GEO RING TOGGLE-TENANT TOGGLE-HIERARCHY TOGGLE-EDIT ONBOARD-GA OFFBOARD SITE-MFA SITE-CASDBLHOP SITE-LOGON SITE-WAA
SITE-ADMINSVC SITE-WMI SITE-SCP
""".split()
SYNONYMS = {
    "Download computer policy": "sync-machine-policy",
    "RequestMachinePolicy": "sync-machine-policy",
    "Download user policy": "sync-user-policy",
    "Evaluate application deployments": "app-evaluation-cycle",
    "CM Pivot": "run-cmpivot",
    "Run CMPivot query": "run-cmpivot",
    "Run Scripts": "run-script",
    "Reinstall": "take-application-action",
    "Retry installation": "take-application-action",
}
SUBJECTS: dict[str, type[Form]] = {
    "tenant": estate_form.Tenant,
    "hierarchy": estate_form.Hierarchy,
    "user": estate_form.User,
    "device": estate_form.Device,
    "script": estate_form.Script,
    "application": estate_form.Application,
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="module")
def files() -> dict[str, Form]:
    """Every file of the policy as its form, read from YAML."""
    return read_policy(data_root() / "policy")


def walk(value: Any, owner: str = "") -> Iterator[tuple[str, Form]]:
    """Every form inside a value, with the nearest id above it."""
    if isinstance(value, Form):
        owner = str(getattr(value, "id", None) or getattr(value, "name", None) or owner)
        yield owner, value
        for name in type(value).model_fields:
            yield from walk(getattr(value, name), owner)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from walk(item, owner)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, str(key))


def all_forms(files: dict[str, Form]) -> Iterator[tuple[str, Form]]:
    for name, one in files.items():
        for owner, inner in walk(one, name):
            yield f"{name}: {owner}", inner


def cited(files: dict[str, Form]) -> set[str]:
    return {source for _, one in all_forms(files) for source in getattr(one, "sources", ()) if isinstance(source, str)}


def cases(files: dict[str, Form], kind: type[Form]) -> Iterator[tuple[str, Any]]:
    return ((owner, one) for owner, one in all_forms(files) if isinstance(one, kind))


def unknown(names: Iterable[str], known: Iterable[str]) -> set[str]:
    return set(names) - set(known)


# --- sources ----------------------------------------------------------------------------------------------------------


def test_every_source_that_is_cited_exists(policy: Policy, files: dict[str, Form]) -> None:
    assert unknown(cited(files) - set(policy.documents), policy.sources) == set()


def test_every_source_is_a_passage_of_a_document(policy: Policy) -> None:
    assert unknown((source.partition("/")[0] for source in policy.sources), policy.documents) == set()


def test_every_passage_is_cited(policy: Policy, files: dict[str, Form]) -> None:
    """What is in the list of sources says something that the policy uses."""
    assert unknown(policy.sources, cited(files)) == set()


def test_every_document_has_a_passage(policy: Policy) -> None:
    assert unknown(policy.documents, (source.partition("/")[0] for source in policy.sources)) == set()


def test_five_pages_are_the_specification(policy: Policy, files: dict[str, Form]) -> None:
    """The five pages that the evaluator is built on are marked, and each is cited."""
    pages = {key for key, document in policy.documents.items() if document.specification}
    assert len(pages) == 5
    assert pages <= {source.partition("/")[0] for source in cited(files)}


def test_passages_are_in_our_words(policy: Policy) -> None:
    """A source says what a passage states in one sentence, not in the page's own paragraphs."""
    for key, source in policy.sources.items():
        assert 10 < len(source.says) < 400, key
        assert "\n" not in source.says, key


SOURCED = (
    form.RoleGrant, form.BuiltInRole, form.RecommendedRole, form.Requirement, form.Action, form.Alternative, form.Edition,
    form.Version, form.Feature, form.ErrorText, form.AuthorityRow, form.SwitchDefault, form.Term, form.Builtin, form.Gate,
    form.Place, form.Wait,
)  # fmt: skip


@pytest.mark.parametrize("kind", SOURCED, ids=lambda kind: kind.__name__)
def test_every_fact_has_a_source(files: dict[str, Form], kind: type[Form]) -> None:
    """Every grant and every requirement carries a source."""
    found = list(cases(files, kind))
    assert found
    assert [owner for owner, one in found if not one.sources] == []


def test_every_permission_has_a_source(policy: Policy) -> None:
    """A list's own sources hold for each entry that names none."""
    assert [key for key, permission in policy.permissions.items() if not permission.sources] == []


def test_every_need_has_a_source(policy: Policy) -> None:
    """Each requirement of an action says where the page asks for it."""
    lists = [
        (a.id, n)
        for a in policy.actions.values()
        for s in ("common", "configmgr", "intune")
        for n in getattr(a.requires, s)
    ]
    lists += [(name, need) for name, needs in policy.bundles.items() for need in needs]
    assert [owner for owner, need in lists if not need.use and not sourced(need, ())] == []


def sourced(need: form.Need, above: tuple[str, ...]) -> bool:
    sources = need.sources or above
    inner = (*need.all, *need.any)
    return all(sourced(one, sources) for one in inner) if inner else bool(sources or need.use)


# --- references -----------------------------------------------------------------------------------------------------


def test_every_permission_that_is_named_exists(policy: Policy, files: dict[str, Form]) -> None:
    named: set[str] = set()
    for kind in (form.RoleGrant, form.RecommendedRole, form.RoleExistsTest):
        named |= {p for _, one in cases(files, kind) for p in one.permissions}
    named |= {p for one in policy.permissions.values() for p in one.implies}
    tests = [one.permission for kind in (form.RightTest, form.GrantTest) for _, one in cases(files, kind)]
    named |= {p for p in tests if p not in {"any", "$permission"}}
    named |= {one.permission for _, one in cases(files, form.Need) if one.permission}
    assert unknown(named, policy.permissions) == set()


def test_permissions_are_of_the_plane_that_asks_for_them(policy: Policy, files: dict[str, Form]) -> None:
    for owner, one in cases(files, form.RightTest):
        assert one.permission == "any" or policy.planes[one.permission] == "configmgr", owner
    for owner, one in cases(files, form.GrantTest):
        assert one.permission == "$permission" or policy.planes[one.permission] in {"intune", "entra"}, owner
    for role in policy.roles.values():
        plane = policy.role_planes[role.id]
        allowed = {"entra": {"entra", "intune"}}.get(plane, {plane})
        assert {policy.planes[p] for grant in role.grants for p in grant.permissions} <= allowed, role.name


def test_every_configmgr_permission_is_of_a_known_class(policy: Policy) -> None:
    mine = [p for p in policy.permissions.values() if policy.planes[p.id] == "configmgr"]
    assert unknown((p.category for p in mine), policy.classes) == set()
    assert [p.id for p in mine if p.id != f"{p.category}/{p.name}"] == []


def test_every_requirement_and_bundle_that_is_named_exists(policy: Policy, files: dict[str, Form]) -> None:
    needs = [one for _, one in cases(files, form.Need)]
    assert unknown((need.id for need in needs if need.id), policy.requirements) == set()
    assert unknown((need.use for need in needs if need.use), policy.bundles) == set()
    assert unknown((r for error in policy.errors.values() for r in error.requirements), policy.requirements) == set()


def test_a_need_is_one_thing(files: dict[str, Form]) -> None:
    """Exactly one of `id`, `all`, `any` and `use` is stated."""
    for owner, need in cases(files, form.Need):
        assert sum(bool(part) for part in (need.id, need.all, need.any, need.use)) == 1, owner


def test_bundles_do_not_contain_themselves(policy: Policy) -> None:
    def inside(needs: Iterable[form.Need], passed: tuple[str, ...]) -> None:
        for need in needs:
            assert need.use not in passed
            inside((*need.all, *need.any), passed)
            if need.use:
                inside(policy.bundles[need.use], (*passed, need.use))

    for name, needs in policy.bundles.items():
        inside(needs, (name,))


def test_every_requirement_is_used(policy: Policy, files: dict[str, Form]) -> None:
    used = {one.id for _, one in cases(files, form.Need)}
    assert unknown(policy.requirements, used) == set()


def test_every_bundle_is_used(policy: Policy, files: dict[str, Form]) -> None:
    assert unknown(policy.bundles, {one.use for _, one in cases(files, form.Need)}) == set()


def test_every_edition_and_variant_that_is_named_exists(policy: Policy, files: dict[str, Form]) -> None:
    whens = [one for _, one in cases(files, form.When)]
    spans = [one for _, one in cases(files, form.EditionSpan)]
    named = {e for one in spans for e in (one.from_edition, one.before_edition) if e}
    named |= {action.documented_from for action in policy.actions.values()}
    assert unknown(named, policy.editions) == set()
    variants = {v.id for action in policy.actions.values() for v in action.variants}
    assert (
        unknown((v for when in whens for v in (*(when.variants or ()), *(when.not_variants or ()))), variants) == set()
    )


def test_variants_of_a_condition_belong_to_the_action(policy: Policy) -> None:
    for action in policy.actions.values():
        own = {variant.id for variant in action.variants}
        for _, one in walk(action.requires):
            if isinstance(one, form.When):
                assert {*(one.variants or ()), *(one.not_variants or ())} <= own, action.id


def test_every_error_that_is_named_exists_and_is_shown(policy: Policy) -> None:
    named = {error for requirement in policy.requirements.values() for error in requirement.errors}
    assert unknown(named, policy.errors) == set()
    assert unknown((a for error in policy.errors.values() for a in error.actions), policy.actions) == set()
    assert unknown((e.id for e in policy.errors.values() if not e.elsewhere), named) == set()
    assert [e.id for e in policy.errors.values() if e.elsewhere and e.actions] == []


def test_a_message_of_an_action_names_a_requirement_of_it(policy: Policy) -> None:
    """Reports tell of roles without which nobody signs in; no page asks for one."""
    needed = {action.id: policy.requirements_of(action) for action in policy.actions.values()}
    idle = {
        (error.id, action)
        for error in policy.errors.values()
        for action in error.actions
        if not set(error.requirements) & set(needed[action])
    }
    assert idle <= {("e17", "sign-in-admin-center"), ("e17b", "sign-in-admin-center")}


def test_errors_and_requirements_name_each_other(policy: Policy) -> None:
    """A requirement lists the errors that people see without it; an error lists the requirements behind it."""
    there = {(e, r.id) for r in policy.requirements.values() for e in r.errors}
    back = {(e.id, r) for e in policy.errors.values() for r in e.requirements}
    assert there == back


# --- readings -------------------------------------------------------------------------------------------------------


def readings_used(policy: Policy, files: dict[str, Form]) -> set[tuple[str, str]]:
    used = {(name, a) for _, when in cases(files, form.When) for name, those in when.readings.items() for a in those}
    used |= {(name, a) for row in policy.authority.table for name, a in row.reading.items()}
    for _, one in cases(files, form.ByReading):
        used |= {(one.reading, a) for a in (*one.granted, *one.unknown)}
    return used


def test_every_reading_that_is_named_exists(policy: Policy, files: dict[str, Form]) -> None:
    known = {(r.id, a.id) for r in policy.readings.values() for a in r.alternatives}
    assert readings_used(policy, files) - known == set()


def test_the_default_is_one_of_the_alternatives(policy: Policy) -> None:
    for reading in policy.readings.values():
        names = [alternative.id for alternative in reading.alternatives]
        assert reading.default in names
        assert len(set(names)) == len(names)


def test_every_reading_decides_something(policy: Policy, files: dict[str, Form]) -> None:
    """Of the alternatives of a reading, all but one are used somewhere or enable something."""
    used = readings_used(policy, files)
    for reading in policy.readings.values():
        idle = [a.id for a in reading.alternatives if (reading.id, a.id) not in used and a.enables is None]
        assert len(idle) <= 1, (reading.id, idle)


# --- facts ----------------------------------------------------------------------------------------------------------


def test_every_fact_that_is_tested_is_known(files: dict[str, Form]) -> None:
    """A test asks for a field of the estate's form, or for a fact that follows from such."""
    named = {one.fact for kind in (form.FactTest, form.VersionTest) for _, one in cases(files, kind)}
    named |= {fact for _, one in cases(files, form.SameTest) for fact in one.facts}
    for fact in named:
        subject, _, attribute = fact.partition(".")
        assert fact in DERIVED or attribute in SUBJECTS[subject].model_fields, fact


def test_a_fact_is_compared_in_one_way(files: dict[str, Form]) -> None:
    for owner, one in cases(files, form.FactTest):
        ways = (one.equals is not None, bool(one.one_of), one.contains is not None, one.at_least is not None)
        assert sum(ways) == 1, owner


def test_values_that_a_test_takes_from_the_action_are_stated(policy: Policy) -> None:
    """`$permission`, `$at_least` and `$value` are filled in by every need of the requirement."""
    wants: dict[str, set[str]] = {}
    for requirement in policy.requirements.values():
        for _, one in walk(requirement.tests):
            for field, marker in (("permission", "$permission"), ("at_least", "$at_least"), ("value", "$value")):
                if marker in {getattr(one, f, None) for f in ("permission", "at_least", "contains")}:
                    wants.setdefault(requirement.id, set()).add(field)
            if isinstance(one, form.VersionTest):
                wants.setdefault(requirement.id, set()).add("at_least")
    needs = [
        one
        for _, one in walk([*policy.actions.values(), policy.bundles, policy.authority])
        if isinstance(one, form.Need)
    ]
    for need in needs:
        for field in wants.get(need.id or "", ()):
            assert getattr(need, field), need.id


# --- completeness ---------------------------------------------------------------------------------------------------


def test_every_action_is_there(policy: Policy) -> None:
    assert set(policy.actions) == set(ACTIONS)


def test_every_requirement_id_is_there(policy: Policy) -> None:
    """Requirement ids are stable: others refer to them."""
    assert set(REQUIREMENTS) <= set(policy.requirements)


@pytest.mark.parametrize(("text", "action"), SYNONYMS.items())
def test_synonyms_lead_to_their_action(policy: Policy, text: str, action: str) -> None:
    assert policy.action_names.find(text) == action


def test_names_of_actions_are_unambiguous(policy: Policy) -> None:
    for action in policy.actions.values():
        for name in (action.id, action.title, *action.synonyms):
            assert policy.action_names.get(name) == action.id, name


def test_permissions_and_roles_are_counted(policy: Policy) -> None:
    """242 Intune permissions; 9 Intune roles, 16 security roles, 14 directory roles."""
    intune = [p for p in policy.permissions if policy.planes[p] == "intune"]
    assert len(intune) == 242
    assert all(re.fullmatch(r"Microsoft\.Intune_\w+", p) for p in intune)
    planes = list(policy.role_planes.values())
    assert {plane: planes.count(plane) for plane in ("intune", "configmgr", "entra")} == {
        "intune": 9, "configmgr": 16, "entra": 14,
    }  # fmt: skip


def test_every_permission_and_role_is_found_by_its_names(policy: Policy) -> None:
    for permission in policy.permissions.values():
        plane = policy.planes[permission.id]
        for text in (
            permission.id,
            f"{permission.category}\\{permission.name}",
            f"{permission.category}/{permission.name}",
        ):
            assert policy.find_permission(plane, text) == permission.id, text
    for role in policy.roles.values():
        for text in (role.id, role.name, role.name.upper(), *role.synonyms):
            assert policy.find_role(policy.role_planes[role.id], text) == role.id


def test_editions_are_called_by_their_month(policy: Policy) -> None:
    """So their ids are in the order of time, which spans rely on."""
    assert [one.id for one in policy.editions.values()] == [one.date[:7] for one in policy.editions.values()]
    assert list(policy.editions) == sorted(policy.editions)


def test_every_release_has_a_page_to_be_judged_by(policy: Policy) -> None:
    """Every release falls to one edition; later releases to later ones."""
    order = list(policy.editions)
    chosen = [order.index(policy.edition_for(release)) for release in sorted(policy.versions)]
    assert chosen == sorted(chosen)
    assert [e.date for e in policy.editions.values()] == sorted(e.date for e in policy.editions.values())


def test_the_switch_table_answers_every_combination(policy: Policy) -> None:
    from permcheck.evaluate.worlds import authority

    for edition in policy.editions:
        for version in (*policy.versions, 1511, 9912):
            for toggle in (True, False):
                for checkbox in (True, False):
                    row = authority(policy, policy.defaults(), edition, version, toggle=toggle, checkbox=checkbox)
                    assert row.because.format(hierarchy="P01", version=version)


EDITIONS = ("2020-07", "2020-09", "2020-12", "2022-07", "2022-08", "2023-12")
RELEASES = (
    1902,
    1906,
    1910,
    2002,
    2006,
    2010,
    2103,
    2107,
    2111,
    2203,
    2207,
    2211,
    2303,
    2309,
    2403,
    2409,
    2503,
    2509,
    2603,
    2609,
)
SINCE = 2207
"""The release that knows Intune RBAC; so do the pages since August 2022."""


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("release", RELEASES)
def test_who_decides(policy: Policy, edition: str, release: int) -> None:
    """The table of docs/decisions.md, release by release: below 2207, or by older pages, the switches change nothing."""
    from permcheck.evaluate.worlds import authority

    def decides(*, toggle: bool, checkbox: bool, **readings: str) -> str:
        chosen = policy.defaults() | {key.replace("_", "-"): value for key, value in readings.items()}
        return authority(policy, chosen, edition, release, toggle=toggle, checkbox=checkbox).authority

    assert (set(policy.editions), set(policy.versions)) == (set(EDITIONS), set(RELEASES))
    knows = release >= SINCE and edition >= "2022-08"
    assert decides(toggle=False, checkbox=False) == "configmgr"
    assert decides(toggle=False, checkbox=True) == "configmgr"
    assert decides(toggle=True, checkbox=True) == ("both" if knows else "configmgr")
    assert decides(toggle=True, checkbox=False) == ("intune" if knows else "configmgr")
    older = {"toggle_on_checkbox_checked": "configmgr-only"}
    assert decides(toggle=True, checkbox=True, **older) == "configmgr"
    assert decides(toggle=True, checkbox=False, **older) == ("intune" if knows else "configmgr")


def test_built_in_roles_give_what_they_gave(policy: Policy) -> None:
    """One page with everything that is granted by being built in; PERMCHECK_SNAPSHOTS=write makes it anew."""
    text = "\n".join(built_in(policy)) + "\n"
    path = Path(__file__).parent / "snapshots" / "built-in-roles.txt"
    if os.environ.get("PERMCHECK_SNAPSHOTS") == "write":
        path.write_text(text, "utf-8", newline="\n")
    assert path.read_text("utf-8") == text


def built_in(policy: Policy) -> Iterator[str]:
    """Every built-in role with its grants, what permissions include, and what any role gives."""
    for id_, role in policy.roles.items():
        known = "" if role.complete else "; documented in part"
        yield f"{policy.role_planes[id_]} role {role.name} ({id_}{known})"
        for grant in role.grants:
            yield f"  {', '.join([*conditions(grant), *grant.sources])}"
            whole = policy.role_planes[id_] if grant.plane is None else grant.plane
            yield from ([f"    every permission of {whole}: {grant.every}"] if grant.every else ())
            yield from ([f"    counts as a role of {whole}"] if grant.any_role else ())
            yield from sorted(f"    {permission}" for permission in grant.permissions)
        yield from sorted(f"  not identified: {name}" for name in role.unidentified)
    for permission in policy.permissions.values():
        since = f" since {permission.implied_since}" if permission.implied_since else ""
        yield from (f"{permission.id} includes {other}{since}" for other in sorted(permission.implies))
        yield from (
            [f"{permission.id} is withheld on an assigned collection"] if permission.withheld_on_assigned else ()
        )
    for plane, gate in policy.gates.items():
        yield f"any role of {plane} gives {gate.id}"
    for scope in policy.builtins:
        yield f"built-in {scope.kind} {scope.id} {scope.name} holds {scope.holds}"


def conditions(grant: form.RoleGrant) -> Iterator[str]:
    if grant.since:
        yield f"since {grant.since}"
    if grant.by_reading:
        for word, those in (("granted", grant.by_reading.granted), ("unknown", grant.by_reading.unknown)):
            yield from (f"{word} under {grant.by_reading.reading}={one}" for one in those)


def test_sentences_have_only_known_fields(policy: Policy) -> None:
    fields = dict.fromkeys(("user", "device", "hierarchy", "object", "value", "at_least", "permission"), "x")
    for requirement in policy.requirements.values():
        assert requirement.needs.format_map(fields)


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_compiled_policy_is_that_of_the_files() -> None:
    folder = data_root() / "policy"
    forms = checked_policy(folder)
    assert (folder / COMPILED).read_text("utf-8") == compile_policy(folder, forms)[COMPILED]


def test_the_compiled_policy_loads_as_the_files_do(policy: Policy, files: dict[str, Form]) -> None:
    """Both ways give one policy, value by value and in one order."""
    assert build_policy(tuple(files.items())) == policy


def test_a_list_of_ids_has_none_twice(files: dict[str, Form]) -> None:
    """A later entry of the same id would silently replace an earlier one."""
    for name, one in files.items():
        for field in type(one).model_fields:
            value = getattr(one, field)
            if isinstance(value, tuple) and value and isinstance(value[0], Form):
                ids = [getattr(item, "id", None) or getattr(item, "name", None) for item in value]
                stated = [i for i in ids if i is not None]
                assert len(stated) == len(set(stated)), (name, field)
    for kind in (form.Permission, form.BuiltInRole, form.Requirement, form.Action, form.Reading, form.ErrorText):
        ids = [item.id for _, item in cases(files, kind)]
        assert len(ids) == len(set(ids)), kind.__name__


def test_policy_files_name_their_schema() -> None:
    """Editors check the policy while it is written."""
    folder = data_root() / "policy"
    for path in policy_files(folder):
        first = path.read_text("utf-8").splitlines()[0]
        match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert match, path
        assert (path.parent / match[1]).resolve().is_file(), path


def test_no_python_names_a_role_or_permission(policy: Policy) -> None:
    """What Microsoft's documents state lives in policy/ and only there: Python knows kinds of node, never a name."""
    names = {role.name for role in policy.roles.values()} | {role.id for role in policy.roles.values()}
    names |= set(policy.recommended) | set(policy.permissions)
    names |= {p.name for p in policy.permissions.values() if " " in p.name}
    names |= {"Intune_CloudAttach", "Policy and Profile", "Policy Profile Manager"}
    pattern = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")(?!\w)")
    found = [
        f"{path.name}:{line} {match[1]}"
        for path in sorted(Path(permcheck.__file__).parent.rglob("*.py"))
        for line, text in texts(path)
        if (match := pattern.search(text))
    ]
    assert found == []


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_a_lost_role_is_asked_about_only_where_a_role_is_asked_for(policy: Policy) -> None:
    """A role that comes through the wrong group is never worse than no role."""
    asked = 0
    for action, readings in product(policy.actions.values(), every_reading_about_roles(policy)):
        for edition in policy.editions:
            plan = make_plan(policy, Question("", action), World(edition, None, None, None, None), readings)
            for side, tree in plan.sides.items():
                found = list(leaves(tree))
                if any(leaf.test.kind == "group-type" for leaf in found):
                    asked += 1
                    roles = [leaf for leaf in found if leaf.test.kind in {"any-role", "grant"}]
                    assert any(leaf.requirement.plane == "intune" for leaf in roles), (action.id, edition, side)
    assert asked


def every_reading_about_roles(policy: Policy) -> Iterator[dict[str, str]]:
    """All readings as they stand, each with one alternative in its place."""
    default = {key: reading.default for key, reading in policy.readings.items()}
    yield default
    for key, reading in policy.readings.items():
        yield from ({**default, key: one.id} for one in reading.alternatives if one.id != reading.default)


def test_the_policy_tells_what_every_type_of_group_does(policy: Policy) -> None:
    """An estate and the policy know the same types."""
    types = {name for part in get_args(estate_form.Group.model_fields["type"].annotation) for name in get_args(part)}
    assert {one.id for one in policy.group_types} == types


def test_words_for_actions_of_another_service_say_so(policy: Policy) -> None:
    for one in policy.other_actions:
        for word in one.words:
            with pytest.raises(UnknownNameError) as error:
                policy.find_action(word.upper())
            assert error.value.help == one.says
