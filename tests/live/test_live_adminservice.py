"""A collection from the administration service, over real HTTP."""

from __future__ import annotations

import json
import sys
import threading
from types import SimpleNamespace

import fake_tenant as tenant
import pytest
from fake_services import TOKEN, Fault
from permcheck.live import LiveError, adminservice, adminservice_transport, collect_adminservice
from permcheck.live.asks_adminservice import ADMIN_SERVICE

requests = pytest.importorskip("requests")


def nobody(request):
    """Windows authentication needs a domain."""
    request.headers["Authorization"] = f"Negotiate {TOKEN}"
    return request


@pytest.fixture
def collect(site, tmp_path, listener):
    def run(**more):
        return collect_adminservice(tmp_path / "cm", site.url, **({"auth": nobody, "progress": listener} | more))

    run.folder = tmp_path / "cm"
    run.partial = tmp_path / "cm.partial"
    return run


@pytest.fixture
def small_pages(monkeypatch):
    """Ask for two rows at a time."""
    from dataclasses import replace

    small = tuple(replace(a, path=a.path.replace("$top=1000", "$top=2")) for a in ADMIN_SERVICE)
    keys = {next(s for s in small if s.name == a.name): value for a, value in adminservice.KEYS.items()}
    monkeypatch.setattr(adminservice.ask, "ADMIN_SERVICE", small)
    monkeypatch.setattr(adminservice.ask, "PAGE", 2)
    monkeypatch.setattr(adminservice, "KEYS", keys)


def rows(folder, name):
    pages = sorted(folder.glob(f"{name}-*.json"))
    return [row for page in pages for row in json.loads(page.read_text())["value"]]


def ids(folder, name):
    return [row["ResourceID"] for row in rows(folder, name)]


def test_lazy_properties_come_one_by_one(collect):
    collected = collect()
    assert rows(collect.folder, "SMS_Role")[0]["Operations"] is None
    assert rows(collect.folder / "SMS_Role", "SMS0001R")[0]["Operations"] == [
        {"ObjectTypeID": 1, "GrantedOperations": 1}
    ]
    assert rows(collect.folder / "SMS_Admin", "16777234")[0]["Permissions"]
    assert (collected.service, collected.tenant, collected.refused) == ("adminservice", None, ())


@pytest.mark.usefixtures("small_pages")
def test_pages_by_skipping(collect, site):
    collect()
    assert ids(collect.folder, "SMS_R_System") == list(range(7))
    assert any("$top=2&$skip=6" in address for address in site.asked)


@pytest.mark.usefixtures("small_pages")
def test_pages_by_links(collect, site):
    site.linked = True
    collect()
    assert ids(collect.folder, "SMS_R_System") == list(range(7))
    assert len([a for a in site.asked if "SMS_R_System" in a]) == 4


def test_a_service_that_gives_less_than_was_asked_for_is_read_to_the_end(collect, site):
    site.most = 3
    collect()
    assert ids(collect.folder, "SMS_R_System") == list(range(7))


def test_a_service_that_cannot_skip_and_gave_all(collect, site):
    site.skips = False
    collect()
    assert ids(collect.folder, "SMS_R_System") == list(range(7))


@pytest.mark.usefixtures("small_pages")
def test_a_service_that_cannot_skip_and_may_have_more(collect, site):
    site.skips = False
    with pytest.raises(LiveError, match="same page"):
        collect()


@pytest.mark.usefixtures("small_pages")
def test_resumes(collect, site):
    site.goes_wrong("SMS_R_User", Fault(418))
    site.goes_wrong("SMS_R_System?$top=2&$skip=4", Fault(418))
    with pytest.raises(LiveError):
        collect()
    site.faults.clear()
    site.asked.clear()
    collect()
    assert not [a for a in site.asked if "SMS_Role" in a or ("skip=2" in a and "System" in a)]
    assert ids(collect.folder, "SMS_R_System") == list(range(7))


def test_cut_and_busy_answers_are_asked_again(collect, site):
    site.goes_wrong("SMS_R_System", Fault(cut=True), Fault(503), Fault(429, {"Retry-After": "0"}), Fault(cut=True))
    collect()
    assert ids(collect.folder, "SMS_R_System") == list(range(7))


def test_a_slow_answer_is_not_waited_for(collect, site, monkeypatch):
    monkeypatch.setattr(adminservice_transport, "TIMEOUT", 0.1)
    slow = threading.Event()
    site.goes_wrong("SMS_R_System", Fault(wait=slow))
    try:
        collect()
    finally:
        slow.set()
    assert len([a for a in site.asked if "SMS_R_System" in a and "skip" not in a]) == 2
    assert ids(collect.folder, "SMS_R_System") == list(range(7))


def test_a_wait_has_a_limit(collect, site, monkeypatch):
    waited = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    site.goes_wrong("SMS_Site", Fault(503, {"Retry-After": "86400"}))
    collect()
    assert waited == [120]


def test_a_service_that_stays_busy_ends_the_run(collect, site):
    site.goes_wrong("SMS_Site", *[Fault(503)] * 50)
    with pytest.raises(LiveError, match="too busy"):
        collect()
    assert not collect.folder.exists()


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_refused_learns_what_is_needed(collect, site, status):
    site.goes_wrong("SMS_Site", Fault(status))
    with pytest.raises(LiveError) as caught:
        collect()
    assert "a security role that reads everything" in caught.value.help


def test_who_sees_no_roles_is_no_administrator(collect, site):
    site.classes["SMS_Role"].clear()
    with pytest.raises(LiveError, match="SMS_Role") as caught:
        collect()
    assert "administrative user" in caught.value.help


def test_a_class_that_an_old_site_lacks_is_noted(collect, site, listener):
    del site.classes["SMS_AvailableOperation"]
    collected = collect()
    assert [(r.status, r.needs) for r in collected.refused] == [(404, "")]
    assert "SMS_AvailableOperation" in listener.lines[0]


def test_the_text_of_scripts_is_not_asked_for(collect, site):
    collect()
    assert all("$select" in a for a in site.asked if "SMS_Scripts" in a)


def test_keys_are_quoted(collect, site):
    site.classes["SMS_Role"].append({"RoleID": "a/../b'c", "RoleName": "odd"})
    collect()
    assert any("SMS_Role('a%2F..%2Fb%27%27c')" in a for a in site.asked)
    assert {p.parent.name for p in collect.folder.rglob("*b*c*.json")} <= {"SMS_Role", "cm"}


def test_secrets_are_nowhere(collect, caplog):
    caplog.set_level("DEBUG")
    collect()
    kept = [p.read_text() for p in collect.folder.rglob("*") if p.is_file()]
    assert not [text for text in kept if TOKEN in text]
    assert caplog.messages == []


def test_redirects_are_not_followed(collect, site):
    site.goes_wrong("SMS_Site", Fault(302, {"Location": f"{site.url}/AdminService/wmi/SMS_Admin"}))
    with pytest.raises(LiveError, match="302"):
        collect()
    assert len(site.asked) == 1


class SspiError(Exception):
    """As pywintypes.error."""


class KerberosError(requests.RequestException):
    __module__ = "requests_kerberos.exceptions"


@pytest.mark.parametrize("kind", [RuntimeError, OSError, KeyError, SspiError, KerberosError])
def test_no_foreign_error_of_a_sign_in_comes_through(collect, kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "pywintypes", SimpleNamespace(error=SspiError))

    def broken(_):
        raise kind(TOKEN)

    with pytest.raises(LiveError, match="nobody is signed in") as caught:
        collect(auth=broken)
    assert caught.value.__context__ is None


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(LiveError, match="can't be reached"):
        collect_adminservice(tmp_path / "x", "http://127.0.0.1:9", auth=nobody)


def test_a_certificate_that_is_not_trusted(site, tmp_path):
    """The fake speaks no TLS: nothing is asked in the clear instead."""
    address = site.url.replace("http:", "https:")
    with pytest.raises(LiveError, match=r"certificate|reached"):
        collect_adminservice(tmp_path / "x", address, auth=nobody)
    assert site.asked == []


@pytest.mark.parametrize("server", ["http://cm01.contoso.com", "http://10.0.0.1"])
def test_http_is_for_this_machine(tmp_path, server):
    with pytest.raises(LiveError, match="over http"):
        collect_adminservice(tmp_path / "x", server, auth=nobody)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "server", ["", "a b", "ftp://x", "cm01/AdminService", "u@cm01", "cm01?x", "http://[", "cm01:x"]
)
def test_what_is_no_server(tmp_path, server):
    with pytest.raises(LiveError, match="not a server"):
        collect_adminservice(tmp_path / "x", server, auth=nobody)


@pytest.mark.parametrize(
    ("platform", "module", "name"),
    [
        ("win32", "requests_negotiate_sspi", "HttpNegotiateAuth"),
        ("linux", "requests_kerberos", "HTTPKerberosAuth"),
    ],
)
def test_windows_authentication(monkeypatch, platform, module, name):
    monkeypatch.setattr(adminservice_transport.sys, "platform", platform)
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(**{name: lambda: "auth"}))
    assert adminservice_transport.windows_authentication() == "auth"
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(LiveError) as caught:
        adminservice_transport.windows_authentication()
    assert "permcheck[kerberos]" in caught.value.help


def test_tls_is_verified(site):
    from permcheck.live.endpoint import endpoint

    transport = adminservice_transport.AdminServiceTransport(endpoint(site.url), nobody)
    assert transport._session.verify is True
    transport.close()


def test_every_class_is_asked(collect, site):
    collect()
    asked = {path.split("/")[3].partition("(")[0] for path in site.paths()}
    assert asked == set(tenant.classes()) == {a.name for a in ADMIN_SERVICE if a.per is None}
