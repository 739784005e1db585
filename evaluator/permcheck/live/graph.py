"""Collect from Microsoft Graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from permcheck.errors import LiveError
from permcheck.live import asks_graph as ask
from permcheck.live.clouds import cloud_named, graph_of
from permcheck.live.collection import Collected, Collection
from permcheck.live.credentials import SignIn, Way, credential_for
from permcheck.live.errors import no_system_errors
from permcheck.live.graph_transport import GraphTransport, quiet
from permcheck.live.progress import Progress, Silent
from permcheck.live.reader import Reader, Row

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@no_system_errors
def collect_graph(
    folder: Path,
    *,
    cloud: str = "public",
    credential: object | None = None,
    sign_in: Way = "default",
    tenant: str | None = None,
    client: str | None = None,
    certificate: Path | None = None,
    certificate_password: str | None = None,
    application_id: str | None = None,
    base_url: str | None = None,
    progress: Progress | None = None,
) -> Collected:
    """Collect what decides in Microsoft Entra and Intune into a folder, as raw pages. Raises LiveError.

    `credential`: a TokenCredential of azure-core, instead of `sign_in`. `application_id`: appId of the Configuration
    Manager Microservice; default: what the policy says. `base_url`: an address on this machine that answers as Graph.
    """
    told = progress or Silent()
    place = cloud_named(cloud)
    endpoint = graph_of(place, base_url)
    way = SignIn(sign_in, tenant, client, certificate, certificate_password)
    with quiet():
        signed = cast("TokenCredential", credential or credential_for(way, place, told))
        transport = GraphTransport(endpoint, signed, place.scope)
        application = application_id or _application()
        collection = Collection(folder, "graph", endpoint.name)
        try:
            _collect(Reader(transport, collection, told), application)
        finally:
            told.stop()
            transport.close()
        return collection.finish()


def _application() -> str:
    """Return the appId that the policy states."""
    from permcheck.loading.policy import load_policy

    return next(iter(load_policy().applications.values()))


def _collect(reader: Reader, application: str) -> None:
    _tenant(reader)
    reader.walk(ask.USERS)
    known = _known_groups(reader)
    wanted = {key for key, synced in known.items() if synced}
    wanted |= _intune_groups(reader)
    for single in (ask.SCOPE_TAGS, ask.DIRECTORY_DEFINITIONS, ask.LICENCES, ask.DEVICES, ask.SIGN_INS):
        reader.walk(single)
    reader.one(ask.TOGGLE)
    wanted |= _app_role_groups(reader, application)
    for list_ in (ask.DIRECTORY_ASSIGNMENTS, ask.ELIGIBLE_ROLES):
        reader.progress.start(list_.name)
        holders = {str(row.get("principalId")) for row in reader.rows(list_)}
        wanted |= holders & known.keys()
    _members(reader, wanted, known)


def _tenant(reader: Reader) -> None:
    """Ask who answers, in a resumed run too: its pages may be of another tenant."""
    reader.progress.start(ask.ORGANIZATION.name)
    for row in reader.rows(ask.ORGANIZATION, fresh=True):
        if isinstance(row.get("id"), str):
            reader.collection.belongs_to(row["id"])
            return
    message = f"`{reader.transport.endpoint.name}` doesn't say which tenant it answers for"
    raise LiveError(message, reader.transport.denied(ask.ORGANIZATION))


def _known_groups(reader: Reader) -> dict[str, bool]:
    """Return group id -> whether it comes from Active Directory: such a group can be an administrative user."""
    reader.progress.start(ask.GROUPS.name)
    return {
        row["id"]: row.get("onPremisesSyncEnabled") is True
        for row in reader.rows(ask.GROUPS)
        if isinstance(row.get("id"), str)
    }


def _intune_groups(reader: Reader) -> set[str]:
    """Return the member and scope groups of every Intune role assignment, which is asked for in every way.

    The list has their ids, each by its id has the lists, and the way from the roles tells which role it is.
    """
    reader.progress.start(ask.INTUNE_ROLES.name)
    roles = [str(row["id"]) for row in reader.rows(ask.INTUNE_ROLES) if row.get("id")]
    rows = list(reader.rows(ask.INTUNE_ASSIGNMENTS))
    reader.progress.start("assignments of Intune roles", len(roles))
    for id_ in roles:
        rows += reader.rows(ask.INTUNE_ROLE_ASSIGNMENTS, id=id_)
        reader.progress.advance()
    ids = list(dict.fromkeys(str(row["id"]) for row in rows if row.get("id")))
    reader.progress.start("Intune role assignments", len(ids))
    rows += [reader.one(ask.INTUNE_ASSIGNMENT, id=id_) or {} for id_ in ids]
    lists = (row.get(key) for row in rows for key in ("members", "resourceScopes", "scopeMembers"))
    return {str(group) for found in lists for group in (found if isinstance(found, list) else ())}


def _app_role_groups(reader: Reader, application: str) -> set[str]:
    reader.progress.start(ask.APP_ROLE_HOLDERS.name)
    if reader.one(ask.APPLICATION, application=application) is None:
        return set()
    rows = reader.rows(ask.APP_ROLE_HOLDERS, application=application)
    return {str(row["principalId"]) for row in rows if row.get("principalType") == "Group" and row.get("principalId")}


def _members(reader: Reader, wanted: set[str], known: Mapping[str, bool]) -> None:
    """Ask for the members of groups, of the groups among those, and so on; each group once."""
    done, waiting = set[str](), sorted(wanted)
    while waiting:
        reader.progress.start(f"members of {len(waiting)} groups", len(waiting))
        found: set[str] = set()
        for id_ in waiting:
            members = reader.rows(ask.MEMBERS, id=id_)
            found.update(str(row["id"]) for row in members if row.get("id") and _is_group(row, known))
            if not known.get(id_):  # PIM takes no group that is synced
                eligible = {str(row.get("principalId")) for row in reader.rows(ask.ELIGIBLE_MEMBERS, id=id_)}
                found.update(eligible & known.keys())
            reader.progress.advance()
        done.update(waiting)
        waiting = sorted(found - done)


def _is_group(row: Row, known: Mapping[str, bool]) -> bool:
    return str(row.get("@odata.type", "")).casefold() == "#microsoft.graph.group" or row["id"] in known
