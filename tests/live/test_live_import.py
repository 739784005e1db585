"""From the services to an answer: what is collected over HTTP is an estate, with every page and every owner."""

from __future__ import annotations

import fake_tenant as tenant
import pytest
from permcheck.exports.folder import read_exports
from permcheck.live import collect_adminservice, collect_graph
from permcheck.loading.policy import load_policy
from permcheck.loading.resolve import resolve

pytest.importorskip("azure.core")
pytest.importorskip("requests")


@pytest.fixture
def exports(graph, site, credential, tmp_path):
    collect_graph(tmp_path / "graph", credential=credential, base_url=graph.url, application_id=tenant.APPLICATION)
    collect_adminservice(tmp_path / "cm", site.url, auth=lambda request: request)
    return tmp_path


def test_everything_that_is_collected_is_known(exports):
    imported = read_exports((exports,), load_policy())
    assert [batch.file for batch in imported.unknown] == []
    assert [str(p) for p in imported.joined.problems if p.severity == "error"] == []
    assert not imported.gathered.partial


def test_every_page_is_in_the_estate(exports):
    tables, _ = resolve(read_exports((exports,), load_policy()).joined, load_policy())
    assert {form.id for form in tables.users.values()} >= set(tenant.USERS)
    assert {form.name for form in tables.devices.values()} >= {row["Name"] for row in tenant.classes()["SMS_R_System"]}
    assert all("p01/sms00001" in inside for inside in tables.device_collections.values())


def test_what_only_checks_look_at_is_in_the_estate(exports):
    """The last sign-in, whoever made it, and how groups are protected."""
    tables, _ = resolve(read_exports((exports,), load_policy()).joined, load_policy())
    days = {form.id: form.last_sign_in for form in tables.users.values()}
    assert [days[id_] for id_ in tenant.USERS] == ["2026-11-02", "2026-09-01", None, None, None]
    groups = {form.id: (form.role_assignable, form.restricted_unit) for form in tables.groups.values()}
    assert groups[tenant.SYNCED] == (None, True)
    assert groups[tenant.ROLE_GROUP] == (True, False)


def test_a_device_that_only_the_cloud_knows_may_be_in_any_collection(exports):
    tables, _ = resolve(read_exports((exports,), load_policy()).joined, load_policy())
    theirs = {key for key, form in tables.devices.items() if form.resource_id is None}
    assert theirs
    assert theirs <= tables.membership_open


def test_a_list_of_members_belongs_to_the_group_that_was_asked(exports):
    """The pages don't name their group; the manifest does."""
    tables, _ = resolve(read_exports((exports,), load_policy()).joined, load_policy())
    by_id = {form.id: key for key, form in tables.groups.items()}
    members = {id_: tables.members[key] for id_, key in by_id.items() if tables.members[key].known}
    assert members
    assert any(found.users for found in members.values())


def test_the_three_answers_about_an_assignment_are_one(exports):
    """The list has its id, its own address its lists, the way from the role the role; no answer has everything."""
    imported = read_exports((exports,), load_policy())
    tables, _ = resolve(imported.joined, load_policy())
    (given,) = tables.intune_assignments.values()
    assert (given.name, given.members_known, bool(given.members)) == ("Help desk", True, True)
    assert given.tags is not None
    assert given.role == tenant.helpdesk_role()["id"]
    assert "intune_assignments" not in imported.joined.scalars["incomplete"]


def test_an_assignment_that_only_its_role_tells_has_unknown_members(graph, credential, tmp_path):
    """Its own address answers nothing: empty lists of the row under the role say nothing."""
    graph.objects.pop(f"/beta/deviceManagement/roleAssignments/{tenant.ASSIGNMENT}")
    collect_graph(tmp_path / "graph", credential=credential, base_url=graph.url, application_id=tenant.APPLICATION)
    tables, _ = resolve(read_exports((tmp_path,), load_policy()).joined, load_policy())
    (given,) = tables.intune_assignments.values()
    assert (given.members_known, given.tags) == (False, None)
    assert given.role == tenant.helpdesk_role()["id"]


def test_lazy_properties_are_there(exports):
    """Which role goes with which collection, and what a role holds, come only one object at a time."""
    tables, _ = resolve(read_exports((exports,), load_policy()).joined, load_policy())
    assert tables.rows
    assert any(role.permissions for role in tables.security_roles.values())
