"""What the tests of live collections share: services on this machine, and no patience."""

from __future__ import annotations

import time
from types import SimpleNamespace

import fake_tenant as tenant
import pytest
from fake_services import TOKEN, FakeAdminService, FakeGraph
from permcheck.live import adminservice_transport, graph_transport


class Credential:
    """Gives always the same token."""

    def __init__(self, token=TOKEN):
        self.token = token
        self.scopes = []

    def get_token(self, *scopes, **_):
        self.scopes += scopes
        return SimpleNamespace(token=self.token, expires_on=int(time.time()) + 3600)


class Listener:
    """Remembers what it is told."""

    def __init__(self):
        self.lines = []
        self.titles = []
        self.stopped = 0

    def start(self, title, total=None):
        self.titles.append((title, total))

    def advance(self, count=1):
        pass

    def tell(self, message):
        self.lines.append(message)

    def stop(self):
        self.stopped += 1


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(graph_transport, "BACKOFF", 0.001)
    monkeypatch.setattr(adminservice_transport, "BACKOFF", 0.001)


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def credential():
    return Credential()


@pytest.fixture
def graph():
    with FakeGraph(tenant.lists(), tenant.objects()) as fake:
        yield fake


@pytest.fixture
def site():
    with FakeAdminService(tenant.classes(), tenant.KEYS, tenant.LAZY) as fake:
        yield fake
