"""A collection from Microsoft Graph, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import re
import threading
import traceback

import fake_tenant as tenant
import pytest
from fake_services import TOKEN, Fault
from permcheck.live import LiveError, collect_graph
from permcheck.live.asks_graph import GRAPH

pytest.importorskip("azure.core")

RBAC = "/beta/deviceManagement"


@pytest.fixture
def collect(graph, credential, tmp_path, listener):
    def run(**more):
        options = {"credential": credential, "base_url": graph.url, "progress": listener}
        options["application_id"] = tenant.APPLICATION
        return collect_graph(tmp_path / "graph", **options | more)

    run.folder = tmp_path / "graph"
    run.partial = tmp_path / "graph.partial"
    return run


def manifest(folder):
    return json.loads((folder / "collected.json").read_text())


def rows(folder, name):
    pages = sorted(folder.glob(f"{name}-*.json"))
    return [row for page in pages for row in json.loads(page.read_text())["value"]]


def users(asked):
    """Addresses of the list of users; their sign-ins are another list, at the same path."""
    return [a for a in asked if "/users" in a and "signInActivity" not in a]


def test_pages_are_joined_and_kept_as_received(collect, graph):
    collected = collect()
    assert [row["id"] for row in rows(collect.folder, "users")] == tenant.USERS
    assert len(list(collect.folder.glob("users-*.json"))) == 3
    document = manifest(collect.folder)
    assert (document["permcheck"], document["service"]) == ("collection/1", "graph")
    assert (document["tenant"], document["endpoint"]) == (tenant.TENANT, graph.url.removeprefix("http://"))
    assert document["started"] <= document["finished"]
    assert collected.responses == len(document["responses"])
    for response in document["responses"]:
        body = (collect.folder / response["file"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == response["sha256"]
        assert response["status"] == 200
    files = {p.relative_to(collect.folder).as_posix() for p in collect.folder.rglob("*") if p.is_file()}
    assert files == {r["file"] for r in document["responses"]} | {"collected.json"}
    assert not collect.partial.exists()


def test_only_what_decides_is_asked_for(collect):
    collect()
    everything = "".join(p.read_text() for p in collect.folder.rglob("*.json"))
    assert "never asked for" not in everything


def test_members_of_groups_that_matter_and_of_the_groups_inside(collect, graph):
    collect()
    asked = {p.split("/")[3] for p in graph.paths() if p.endswith("/members")}
    matter = {tenant.HELPDESK, tenant.NESTED, tenant.SCOPE, tenant.SYNCED, tenant.APP_GROUP, tenant.ROLE_GROUP}
    assert asked == matter | {tenant.ELIGIBLE, tenant.GONE}
    page = f"groups/{tenant.HELPDESK}/members-0001.json"
    entry = next(r for r in manifest(collect.folder)["responses"] if r["file"] == page)
    assert f"/groups/{tenant.HELPDESK}/members" in entry["url"]
    assert [m["@odata.type"] for m in rows(collect.folder / "groups" / tenant.HELPDESK, "members")][-1].endswith(
        "group"
    )


def test_each_address_is_asked_once(collect, graph):
    collect()
    assert len(graph.asked) == len(set(graph.asked))


def test_a_synced_group_is_not_asked_for_eligible_members(collect, graph):
    collect()
    asked = [a for a in graph.asked if "eligibilitySchedules" in a and "groupId" in a]
    assert not any(tenant.SYNCED in a for a in asked)
    assert any(tenant.HELPDESK in a for a in asked)


def test_a_group_that_is_gone_is_noted(collect):
    collected = collect()
    assert [(r.status, r.needs) for r in collected.refused if tenant.GONE in r.url] == [(404, "")]


@pytest.mark.parametrize("status", [429, 503, 504, 500])
def test_busy_services_are_asked_again(collect, graph, status):
    graph.goes_wrong("/v1.0/users", Fault(status, {"Retry-After": "0"}), Fault(status))
    collect()
    assert len(rows(collect.folder, "users")) == 5


def test_retry_after_is_obeyed_up_to_a_limit(collect, graph, monkeypatch):
    waited = []
    monkeypatch.setattr(
        "azure.core.pipeline.transport.RequestsTransport.sleep", lambda _, seconds: waited.append(seconds)
    )
    graph.goes_wrong("/v1.0/users", Fault(429, {"Retry-After": "7"}), Fault(429, {"Retry-After": "86400"}))
    collect()
    assert waited == [7, 120]


def test_a_service_that_stays_busy_ends_the_run(collect, graph):
    graph.goes_wrong("/v1.0/users", *[Fault(503)] * 50)
    with pytest.raises(LiveError, match="too busy") as caught:
        collect()
    assert "kept" in caught.value.help
    assert not collect.folder.exists()
    assert collect.partial.exists()


def test_a_cut_answer_is_asked_again(collect, graph):
    graph.goes_wrong("/v1.0/users", Fault(cut=True), Fault(cut=True))
    collect()
    assert len(rows(collect.folder, "users")) == 5


def test_a_slow_answer_is_not_waited_for(collect, graph, monkeypatch):
    monkeypatch.setattr("permcheck.live.graph_transport.TIMEOUT", 0.1)
    slow = threading.Event()
    graph.goes_wrong("/v1.0/users", Fault(wait=slow))
    try:
        collect()
    finally:
        slow.set()
    assert len([a for a in users(graph.asked) if "skiptoken" not in a]) == 2
    assert len(rows(collect.folder, "users")) == 5


def test_resumes_after_a_cut(collect, graph):
    graph.goes_wrong("skiptoken=0.4", *[Fault(cut=True)] * 200)
    with pytest.raises(LiveError, match=r"break off|reached"):
        collect()
    assert not collect.folder.exists()
    before = list(graph.asked)
    graph.faults.clear()
    graph.asked.clear()
    collect()
    assert not [a for a in users(graph.asked) if "skiptoken=0.2" in a]
    again = set(before) & set(graph.asked)
    assert {a.split("?")[0] for a in again} == {"/v1.0/organization", "/v1.0/users"}
    assert [row["id"] for row in rows(collect.folder, "users")] == tenant.USERS


def test_a_damaged_page_is_asked_again(collect, graph):
    graph.goes_wrong("/v1.0/groups?", Fault(418))
    with pytest.raises(LiveError):
        collect()
    page = collect.partial / "users-0002.json"
    page.write_bytes(page.read_bytes()[:-3])
    graph.asked.clear()
    collect()
    assert users(graph.asked) == [next(a for a in graph.asked if "skiptoken=0.2" in a)]
    assert [row["id"] for row in rows(collect.folder, "users")] == tenant.USERS


def test_links_that_the_service_has_forgotten_begin_the_list_anew(collect, graph):
    graph.goes_wrong("skiptoken=0.4", Fault(418))
    with pytest.raises(LiveError):
        collect()
    graph.run = 1
    graph.lists["/v1.0/users"].pop()
    graph.lists["/v1.0/users"].pop()
    collect()
    assert [row["id"] for row in rows(collect.folder, "users")] == tenant.USERS[:3]
    pages = [r for r in manifest(collect.folder)["responses"] if r["file"].startswith("users-")]
    assert [p["file"] for p in pages] == ["users-0001.json", "users-0002.json"]


def test_a_next_page_that_fails_never_ends_a_list(collect, graph):
    graph.goes_wrong("skiptoken=0.2", Fault(404))
    with pytest.raises(LiveError, match="404"):
        collect()
    assert not collect.folder.exists()


def test_a_resumed_run_must_be_of_the_same_tenant(collect, graph):
    graph.goes_wrong("/v1.0/groups?", Fault(418))
    with pytest.raises(LiveError):
        collect()
    graph.lists["/v1.0/organization"][0]["id"] = tenant.uid(999)
    with pytest.raises(LiveError, match="of tenant"):
        collect()


def test_interrupting_leaves_only_the_partial_folder(collect, listener, monkeypatch):
    def interrupt(title, *_):
        if title == "groups":
            raise KeyboardInterrupt

    monkeypatch.setattr(listener, "start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        collect()
    assert collect.partial.exists()
    assert not collect.folder.exists()
    assert listener.stopped == 1


def test_pages_in_a_circle_are_noticed(collect, graph):
    first = f"{graph.url}/v1.0/groups?x=1"
    graph.goes_wrong("/v1.0/groups?", Fault(link=first), Fault(link=first), Fault(link=first))
    with pytest.raises(LiveError, match="circle"):
        collect()


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/users",
        "https://127.0.0.1/users",
        "https://evil.example/users",
        "//evil.example/users",
        "http://evil.example/users",
        "http://[/users",
        "http://127.0.0.1@evil.example/",
        "file:///etc/passwd",
    ],
)
def test_no_page_leads_to_another_host(collect, graph, link):
    graph.goes_wrong("/v1.0/users", Fault(link=link))
    with pytest.raises(LiveError, match="another host"):
        collect()


def test_redirects_are_not_followed(collect, graph):
    graph.goes_wrong("/v1.0/users", Fault(302, {"Location": "https://evil.example/"}))
    with pytest.raises(LiveError, match="302"):
        collect()


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"[]", b'{"value": 1}', b'{"value": [1]}', b"\xff\xfe"])
def test_an_answer_that_is_no_list_is_refused(collect, graph, body):
    graph.goes_wrong("/v1.0/users", Fault(body=body))
    with pytest.raises(LiveError) as caught:
        collect()
    assert "proxy" in caught.value.help
    assert not list(collect.partial.glob("users-*"))


def test_a_sign_in_that_is_not_accepted_ends_the_run(collect, graph):
    graph.tokens.clear()
    with pytest.raises(LiveError, match="doesn't accept the sign-in") as caught:
        collect()
    assert "Organization.Read.All" in caught.value.help


@pytest.mark.parametrize(
    ("part", "permission"),
    [
        ("/v1.0/users", "User.Read.All"),
        ("/v1.0/groups?", "GroupMember.Read.All"),
        (f"{RBAC}/roleDefinitions", "DeviceManagementRBAC.Read.All"),
        (f"{RBAC}/roleAssignments/", "DeviceManagementRBAC.Read.All"),
        ("/members", "GroupMember.Read.All"),
    ],
)
def test_what_is_needed_and_refused_ends_the_run_and_names_the_permission(collect, graph, part, permission):
    graph.goes_wrong(part, Fault(403))
    with pytest.raises(LiveError, match=permission) as caught:
        collect()
    assert permission in caught.value.help
    assert not collect.folder.exists()


@pytest.mark.parametrize(
    ("part", "status", "needs"),
    [
        ("getState", 404, ""),
        ("getState", 403, "DeviceManagementManagedDevices.Read.All"),
        ("roleEligibilitySchedules", 400, ""),
        ("roleEligibilitySchedules", 403, "RoleEligibilitySchedule.Read.Directory"),
        ("servicePrincipals", 404, ""),
        ("managedDevices", 403, "DeviceManagementManagedDevices.Read.All"),
        ("directory/roleAssignments", 403, "RoleManagement.Read.Directory"),
        ("signInActivity", 403, "AuditLog.Read.All"),
    ],
)
def test_what_can_be_missed_is_noted_with_the_permission(collect, graph, listener, part, status, needs):
    graph.goes_wrong(part, Fault(status))
    collected = collect()
    refused = [r for r in collected.refused if part in r.url]
    assert [(r.status, r.needs) for r in refused] == [(status, needs)]
    noted = [r for r in manifest(collect.folder)["refused"] if part in r["url"]]
    assert noted == [{"url": refused[0].url, "status": status, "needs": needs}]
    assert any((needs or str(status)) in line for line in listener.lines)


def test_what_was_refused_is_asked_again_when_resumed(collect, graph):
    graph.goes_wrong("getState", Fault(403))
    graph.goes_wrong("/members", Fault(418))
    with pytest.raises(LiveError):
        collect()
    assert all("getState" not in r.url for r in collect().refused)


def test_secrets_are_nowhere(collect, graph, caplog, capfd, listener):
    caplog.set_level(logging.DEBUG)
    graph.goes_wrong("getState", Fault(403))
    collect()
    graph.goes_wrong("/v1.0/users", Fault(418))
    with pytest.raises(LiveError) as caught:
        collect()
    error = caught.value
    told = [
        *caplog.messages,
        *listener.lines,
        *capfd.readouterr(),
        *(p.read_text() for p in collect.folder.rglob("*") if p.is_file()),
        *(p.read_text() for p in collect.partial.rglob("*") if p.is_file()),
        repr(error),
        str(error.help),
        pickle.dumps(error).decode("latin-1"),
        "".join(traceback.format_exception(error)),
    ]
    assert not [text for text in told if TOKEN in text]
    assert "user0@contoso.com" not in "".join(listener.lines)
    assert caplog.messages == []
    assert (error.__cause__, error.__context__) == (None, None)


def test_loggers_are_as_before(collect):
    logger = logging.getLogger("azure")
    logger.setLevel(logging.DEBUG)
    try:
        collect()
        assert logger.level == logging.DEBUG
    finally:
        logger.setLevel(logging.NOTSET)


class Broken:
    """A credential that fails."""

    def __init__(self, error):
        self.error = error

    def get_token(self, *_, **__):
        raise self.error


def test_a_failing_sign_in_says_so(collect):
    from azure.core.exceptions import ClientAuthenticationError

    text = f"AADSTS700082: refresh token {TOKEN} expired"
    with pytest.raises(LiveError, match=r"nobody is signed in .*AADSTS700082") as caught:
        collect(credential=Broken(ClientAuthenticationError(message=text)))
    assert TOKEN not in repr(caught.value)
    assert caught.value.__context__ is None
    assert "az login" in caught.value.help


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), OSError("x"), ValueError("x")])
def test_no_foreign_error_of_a_credential_comes_through(collect, error):
    with pytest.raises(LiveError, match="nobody is signed in"):
        collect(credential=Broken(error))


def test_the_cloud_decides_what_the_token_is_for(collect, credential):
    collect(cloud="china")
    assert set(credential.scopes) == {"https://microsoftgraph.chinacloudapi.cn/.default"}


def test_the_policy_knows_the_application(collect, graph):
    collect(application_id=None)
    assert f"/v1.0/servicePrincipals(appId='{tenant.APPLICATION}')" in graph.paths()


def test_nobody_listens(collect):
    assert collect(progress=None).tenant == tenant.TENANT


def test_a_host_that_is_not_there(collect):
    with pytest.raises(LiveError, match="can't be reached"):
        collect(base_url="http://127.0.0.1:9")


def test_every_request_is_asked(collect, graph):
    collect()
    patterns = [a.path.format(id="ID", application=tenant.APPLICATION).split("?")[0] for a in GRAPH]
    ids = re.compile("|".join((tenant.HELPDESK, tenant.ASSIGNMENT, tenant.helpdesk_role()["id"])))
    asked = {ids.sub("ID", p.lstrip("/")) for p in graph.paths()}
    assert set(patterns) <= asked


def test_a_long_answer_of_an_unwilling_tenant_is_refused(collect, graph):
    graph.lists["/v1.0/organization"].clear()
    with pytest.raises(LiveError, match="which tenant"):
        collect()


def test_an_earlier_collection_is_replaced_when_the_new_one_is_whole(collect, graph):
    collect()
    first = manifest(collect.folder)
    graph.lists["/v1.0/users"].pop()
    graph.goes_wrong("/v1.0/groups?", Fault(418))
    with pytest.raises(LiveError):
        collect()
    assert manifest(collect.folder) == first
    assert len(rows(collect.folder, "users")) == 5
    collect()
    assert len(rows(collect.folder, "users")) == 4
    assert sorted(p.name for p in collect.folder.parent.iterdir()) == ["graph"]
