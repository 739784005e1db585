"""Signing in, clouds, and what is not imported before it is needed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import get_args

import pytest
from fake_services import TOKEN
from permcheck.live import LiveError, Silent, Way, collect_adminservice, collect_graph
from permcheck.live.clouds import CLOUDS, cloud_named, graph_of
from permcheck.live.credentials import TAKES, SignIn, credential_for

needs_azure = pytest.mark.skipif(not importlib.util.find_spec("azure"), reason="needs the extra `live`")
PUBLIC = CLOUDS["public"]


def test_where_the_tools_are_the_extras_are_too():
    """Where mypy is, the dev group is: there no test of this folder may be skipped."""
    if importlib.util.find_spec("mypy"):
        assert importlib.util.find_spec("azure")
        assert importlib.util.find_spec("requests")


def test_importing_costs_nothing():
    code = (
        "import sys, permcheck.live; "
        "print([m for m in ('azure', 'requests', 'msal', 'urllib3', 'rich', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["azure", "azure.core"])
def test_without_azure_one_learns_what_to_install(monkeypatch, tmp_path, module, credential):
    for name in [n for n in sys.modules if n.split(".")[0] == "azure"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    given = {} if module == "azure" else {"credential": credential}
    with pytest.raises(LiveError, match="not installed") as caught:
        collect_graph(tmp_path / "c", base_url="http://127.0.0.1:9", **given)
    assert caught.value.help == "install permcheck[live]"
    assert caught.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


def test_without_requests_one_learns_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(LiveError) as caught:
        collect_adminservice(tmp_path / "c", "cm01")
    assert caught.value.help == "install permcheck[live]"


@pytest.mark.parametrize(
    ("cloud", "graph", "authority"),
    [
        ("public", "graph.microsoft.com", "AZURE_PUBLIC_CLOUD"),
        ("us-government", "graph.microsoft.us", "AZURE_GOVERNMENT"),
        ("dod", "dod-graph.microsoft.us", "AZURE_GOVERNMENT"),
        ("china", "microsoftgraph.chinacloudapi.cn", "AZURE_CHINA"),
    ],
)
@needs_azure
def test_clouds(cloud, graph, authority):
    from azure.identity import AzureAuthorityHosts

    found = cloud_named(cloud)
    assert graph_of(found, None).base == f"https://{graph}"
    assert found.authority == getattr(AzureAuthorityHosts, authority)
    assert found.scope == f"https://{graph}/.default"


def test_no_such_cloud(tmp_path):
    with pytest.raises(LiveError, match="`germany`") as caught:
        collect_graph(tmp_path / "c", cloud="germany")
    assert "us-government" in caught.value.help


@pytest.mark.parametrize("address", ["https://evil.example", "http://evil.example", "https://graph.microsoft.com"])
def test_a_token_goes_to_the_cloud_or_stays_here(tmp_path, address, credential):
    with pytest.raises(LiveError):
        collect_graph(tmp_path / "c", base_url=address, credential=credential)
    assert credential.scopes == []


@needs_azure
@pytest.mark.parametrize(
    ("sign_in", "kind"),
    [
        (SignIn(), "DefaultAzureCredential"),
        (SignIn("azure-cli"), "AzureCliCredential"),
        (SignIn("azure-cli", tenant="t"), "AzureCliCredential"),
        (SignIn("managed-identity"), "ManagedIdentityCredential"),
        (SignIn("managed-identity", client="c"), "ManagedIdentityCredential"),
    ],
)
def test_ways_to_sign_in(sign_in, kind):
    assert type(credential_for(sign_in, PUBLIC, Silent())).__name__ == kind


@needs_azure
def test_the_code_is_told(listener, monkeypatch):
    from azure import identity

    made = []
    monkeypatch.setattr(identity, "DeviceCodeCredential", lambda **options: made.append(options))
    credential_for(SignIn("device-code", client="c"), CLOUDS["china"], listener)
    made[0].pop("prompt_callback")("https://microsoft.com/devicelogin", "ABC123", None)
    assert made == [{"client_id": "c", "authority": "login.chinacloudapi.cn"}]
    assert "ABC123" in listener.lines[0]


@needs_azure
def test_a_certificate(tmp_path, listener):
    file = tmp_path / "key.pem"
    file.write_text("no key")
    sign_in = SignIn("certificate", "t", "c", file, TOKEN)
    with pytest.raises(LiveError, match="can't be used") as caught:
        credential_for(sign_in, PUBLIC, listener)
    assert caught.value.__context__ is None
    assert TOKEN not in repr(caught.value) + repr(sign_in)


@needs_azure
def test_a_certificate_that_is_not_there(tmp_path, listener):
    with pytest.raises(LiveError, match="can't be used"):
        credential_for(SignIn("certificate", "t", "c", tmp_path / "none.pem"), PUBLIC, listener)


@pytest.mark.parametrize(
    ("sign_in", "message"),
    [
        (SignIn("device-code"), "client id"),
        (SignIn("certificate", client="c"), "tenant id and the file"),
        (SignIn("azure-cli", client="c"), "takes no client"),
        (SignIn(tenant="t"), "takes no tenant"),
        (SignIn("device-code", client="c"), "nobody would see"),
        (SignIn("password"), "no way to sign in"),
    ],
)
def test_what_a_way_needs(sign_in, message):
    with pytest.raises(LiveError, match=message) as caught:
        credential_for(sign_in, PUBLIC, Silent())
    assert caught.value.help


def test_every_way_says_what_it_takes():
    assert set(TAKES) == set(get_args(Way))


@needs_azure
def test_tls_is_verified(credential):
    from permcheck.live.endpoint import endpoint
    from permcheck.live.graph_transport import GraphTransport

    transport = GraphTransport(endpoint("graph.microsoft.com"), credential, PUBLIC.scope)
    pipeline = transport._client._pipeline
    assert pipeline._transport.connection_config.verify is True
    kinds = [type(getattr(policy, "_policy", policy)).__name__ for policy in pipeline._impl_policies]
    assert not any("Logging" in kind or "Redirect" in kind for kind in kinds)
    transport.close()
