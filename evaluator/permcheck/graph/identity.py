"""Whether a user or group is an administrative user: SIDs tell, names only where no SID is stated."""

from __future__ import annotations

from permcheck.graph.node import Grant
from permcheck.model.estate import AdministrativeUser, Group, User
from permcheck.model.fold import fold_case
from permcheck.model.state import MET, UNKNOWN, UNMET, State, state_of

NO_SID = "identity"
OTHER_SID = "sid-history"
"""Why it is only possible that a record is an administrative user: nobody states a SID, or it is another one."""


def is_guess(grant: Grant) -> bool:
    """Tell whether it is only possible that a record is the administrative user."""
    return grant.condition is not None and grant.condition.fault in {NO_SID, OTHER_SID}


def in_domain(record: User) -> State:
    """Tell whether an account may hold rights on premises: a cloud-only one is in no domain, nor are its groups."""
    return state_of(record.synced)


def is_account(record: User | Group, admin: AdministrativeUser) -> State:
    """Tell whether a user or group is an administrative user.

    An account that was deleted and made again has its name and another SID: it is not who was given the
    rights. SID history could still match, which no export tells. Of an account without any identity nobody
    can say that it is another one.
    """
    called_alike = fold_case(record.account or "") == fold_case(admin.name)
    if record.sid and admin.sid and _kind(record.sid) == _kind(admin.sid):
        if fold_case(record.sid) == fold_case(admin.sid):
            return MET
        return UNKNOWN if called_alike else UNMET
    if called_alike:
        return UNKNOWN if admin.sid else MET
    return UNMET if record.account else UNKNOWN


def _kind(sid: str) -> list[str]:
    """Return the authority of a SID: one of Active Directory says nothing against one of Entra ID."""
    return fold_case(sid).split("-")[:4]
