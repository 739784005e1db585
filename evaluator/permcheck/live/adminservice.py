"""Collect from the administration service of Configuration Manager."""

from __future__ import annotations

from pathlib import Path

from permcheck.errors import LiveError
from permcheck.live import asks_adminservice as ask
from permcheck.live.asks import Ask
from permcheck.live.collection import Collected, Collection
from permcheck.live.endpoint import endpoint
from permcheck.live.errors import no_system_errors
from permcheck.live.progress import Progress, Silent
from permcheck.live.reader import Reader


@no_system_errors
def collect_adminservice(
    folder: Path,
    server: str,
    *,
    auth: object | None = None,
    progress: Progress | None = None,
) -> Collected:
    """Collect what decides in Configuration Manager into a folder, as raw pages. Raises LiveError.

    `server`: the computer with the SMS Provider role. `auth`: as requests takes it; default: whoever is signed in.
    """
    from permcheck.live.adminservice_transport import AdminServiceTransport
    from permcheck.live.graph_transport import quiet

    told = progress or Silent()
    with quiet():
        transport = AdminServiceTransport(endpoint(server), auth)
        collection = Collection(folder, "adminservice", transport.endpoint.name)
        try:
            _collect(Reader(transport, collection, told, ask.PAGE))
        finally:
            told.stop()
            transport.close()
        return collection.finish()


KEYS = {ask.ROLES: ("RoleID", ask.ROLE), ask.ADMINISTRATORS: ("AdminID", ask.ADMINISTRATOR)}
"""Classes whose decisive properties are lazy: they come only with one object at a time."""


def _collect(reader: Reader) -> None:
    for list_ in ask.ADMIN_SERVICE:
        if list_.per is None:
            _one_class(reader, list_)


def _one_class(reader: Reader, list_: Ask) -> None:
    if list_ not in KEYS:
        reader.walk(list_)
        return
    reader.progress.start(list_.name)
    key, single = KEYS[list_]
    ids = [str(row[key]) for row in reader.rows(list_) if row.get(key) is not None]
    if not ids:
        message = f"`{reader.transport.endpoint.name}` shows no {list_.name}, and every site has some"
        raise LiveError(message, reader.transport.denied(list_))
    reader.progress.start(f"{list_.name}, one by one", len(ids))
    for id_ in ids:
        reader.one(single, id=id_)
