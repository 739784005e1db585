"""The facts of one hierarchy as rows of WMI classes, in their spelling."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.errors import UnknownNameError
from permcheck.loading.policy import load_policy
from shapes.estate_data import FIRST_GROUP, FIRST_USER, SCOPES, Book, Data, Principal, build_of, known, made_id
from shapes.operation_bits import granted, operations

DAY = "2026-02-27T17:05:42Z"
COLLECTION, SCRIPT, SCOPE = 1, 213, 29
SECONDARY, PRIMARY, CENTRAL = 1, 2, 4


def class_rows(book: Book, hierarchy: str) -> dict[str, list[Data]]:
    """Class -> its rows, for every class of which the estate knows something; in the spelling of WMI."""
    site = Site(book, hierarchy)
    needs = {
        "SMS_Site": (site.sites, "hierarchies"),
        "SMS_Role": (site.roles, "security_roles"),
        "SMS_AvailableOperation": (site.available_operations, "security_roles"),
        "SMS_Admin": (site.admins, "administrative_users"),
        "SMS_SecuredCategory": (site.scopes, "administrative_users"),
        "SMS_Scripts": (site.scripts, "scripts"),
        "SMS_SecuredCategoryMembership": (site.scope_members, "scripts"),
        "SMS_Collection": (site.collections, "collections"),
        "SMS_CollectionDependencies": (site.dependencies, "collections"),
        "SMS_R_System": (site.systems, "devices"),
        "SMS_CombinedDeviceResources": (site.resources, "devices"),
        "SMS_FullCollectionMembership": (site.memberships, "devices"),
        "SMS_R_User": (site.users, "users"),
        "SMS_R_UserGroup": (site.groups, "groups"),
    }
    return {name: list(make()) for name, (make, section) in needs.items() if section in book.data}


class Site:
    """The facts of one hierarchy in the words of WMI."""

    def __init__(self, book: Book, hierarchy: str) -> None:
        self.book = book
        self.facts = book.hierarchy(hierarchy)
        self.id: str = self.facts["id"]
        self.code = self.id if len(self.id) == 3 else made_id(self.id)[:3].upper()
        self.role_ids = dict(self._role_ids())
        self.scope_ids = self._scope_ids()

    def _own(self, section: str) -> list[Data]:
        return self.book.own(section, self.id) or []

    def sites(self) -> Iterator[Data]:
        listed = self.facts.get("sites") or [{"code": self.code, "version": self.facts.get("version")}]
        central = listed[0]["code"].upper() == "CAS"
        for number, site in enumerate(listed):
            top = site["code"].upper() == self.code.upper() or (number == 0 and len(listed) == 1)
            under_central = central and number == 1
            build = build_of(site.get("version"))
            yield {
                "SiteCode": site["code"],
                "SiteName": (self.facts.get("name") or self.id) if top else f"Site {site['code']}",
                "ReportingSiteCode": "" if top else listed[0 if under_central or not central else 1]["code"],
                "ServerName": f"{site['code'].lower()}-sms.example.com",
                "InstallDir": "C:\\Program Files\\Microsoft Configuration Manager",
                "Status": 1,
                "Type": (CENTRAL if central else PRIMARY) if top else PRIMARY if under_central else SECONDARY,
            } | known(Version=build, BuildNumber=int(build.split(".")[2]) if build else None)

    # --- security roles ---
    def _role_ids(self) -> Iterator[tuple[str, str]]:
        """Security role by name or id, folded -> RoleID."""
        policy = load_policy()
        for id_, plane in policy.role_planes.items():
            if plane == "configmgr":
                role = policy.roles[id_]
                yield from ((str(name).casefold(), id_) for name in (role.name, *role.synonyms, id_))
        for number, own in enumerate(self._own("security_roles")):
            id_ = own.get("id") or self._built_in(own["name"]) or f"{self.code}{0xA0 + number:05X}"
            yield from ((str(name).casefold(), id_) for name in (own["name"], id_))

    @staticmethod
    def _built_in(name: str) -> str | None:
        try:
            return load_policy().find_role("configmgr", name)
        except UnknownNameError:
            return None

    def role_names(self) -> dict[str, str]:
        """RoleID -> name: the built-in ones, and those of the estate under the names that it gives them."""
        policy = load_policy()
        built_in = {id_: policy.roles[id_].name for id_, plane in policy.role_planes.items() if plane == "configmgr"}
        return built_in | {self.role_ids[r["name"].casefold()]: r["name"] for r in self._own("security_roles")}

    def roles(self) -> Iterator[Data]:
        stated = {self.role_ids[role["name"].casefold()]: role for role in self._own("security_roles")}
        for id_, name in self.role_names().items():
            role, built_in = stated.get(id_, {}), id_ in load_policy().role_planes
            permissions = role.get("permissions")
            yield {
                "RoleID": id_,
                "RoleName": name,
                "RoleDescription": "",
                "CopiedFromID": self.role_ids.get(str(role.get("copied_from")).casefold(), ""),
                "IsBuiltIn": built_in,
                "IsSecAdminRole": id_ in {"SMS0001R", "SMS000FR"},
                "NumberOfAdmins": 0,
                "SourceSite": "" if built_in else self.code,
                "CreatedDate": DAY,
                "Operations": None if permissions is None else _masks(permissions),
            }

    def available_operations(self) -> Iterator[Data]:
        for operation in operations().values():
            yield {
                "ObjectTypeID": operation.object_type,
                "ObjectTypeName": operation.class_.wmi_class or f"SMS_{operation.class_.name.title().replace(' ', '')}",
                "OperationName": operation.name,
                "BitFlag": operation.bit,
                "IsTypeWideOperation": operation.name == "Create",
            }

    # --- security scopes ---
    def _scope_ids(self) -> dict[str, str]:
        """Security scope, folded -> CategoryID."""
        of_admins = [
            s
            for a in self._own("administrative_users")
            for pair in a.get("assignments") or ()
            for s in pair.get("scopes") or ()
        ]
        objects = (*self._own("scripts"), *self._own("applications"))
        of_objects = [s for one in objects for s in one.get("scopes") or ()]
        names = dict.fromkeys(
            s
            for s in (*of_admins, *of_objects)
            if s.casefold() not in {*SCOPES, *(id_.casefold() for id_ in SCOPES.values())}
        )
        made: dict[str, str] = {}
        self.scope_names = {"SMS00ALL": "All", "SMS00UNA": "Default"}
        for name in names:
            id_ = made.setdefault(name.casefold(), f"{self.code}{0x101 + len(made):05X}")
            self.scope_names.setdefault(id_, name)
        return SCOPES | {id_.casefold(): id_ for id_ in SCOPES.values()} | made

    def scopes(self) -> Iterator[Data]:
        for id_, name in self.scope_names.items():
            yield {
                "CategoryID": id_,
                "CategoryName": name,
                "CategoryDescription": "",
                "IsBuiltIn": id_ in SCOPES.values(),
                "SourceSite": self.code,
            }

    def scope_members(self) -> Iterator[Data]:
        for script in self._own("scripts"):
            for scope in script.get("scopes") or ():
                yield {
                    "CategoryID": self.scope_ids[scope.casefold()],
                    "ObjectKey": self._script_id(script),
                    "ObjectTypeID": SCRIPT,
                }

    # --- administrative users ---
    def admins(self) -> Iterator[Data]:
        groups = {
            str(name).casefold()
            for p in self.book.of("groups")
            for name in (p.record.get("account"), p.record.get("sid"))
            if name
        }
        for number, admin in enumerate(self._own("administrative_users")):
            rows = [row for pair in admin.get("assignments") or () for row in self._permissions(pair)]
            rows = [row for index, row in enumerate(rows) if row not in rows[:index]]
            is_group = bool(groups & {admin["name"].casefold(), str(admin.get("sid")).casefold()})
            yield {
                "AdminID": 0x0100_0001 + number,
                "LogonName": admin["name"],
                "DisplayName": admin["name"].rpartition("\\")[2],
                "AccountType": int(is_group),
                "IsGroup": is_group,
                "IsDeleted": False,
                "RoleNames": _names(rows, "RoleName"),
                "CategoryNames": _names([r for r in rows if r["CategoryTypeID"] == SCOPE], "CategoryName"),
                "CollectionNames": _names([r for r in rows if r["CategoryTypeID"] == COLLECTION], "CategoryName"),
                "SourceSite": self.code,
                "Permissions": None if admin.get("assignments") is None else rows,
                "Roles": [],
                "Categories": [],
            } | known(AdminSid=admin.get("sid"))

    def _permissions(self, pair: Data) -> Iterator[Data]:
        id_ = self.role_ids[pair["role"].casefold()]
        role = {"RoleID": id_, "RoleName": self.role_names()[id_]}
        for scope in pair.get("scopes") or ():
            category = self.scope_ids[scope.casefold()]
            yield role | {"CategoryID": category, "CategoryName": self.scope_names[category], "CategoryTypeID": SCOPE}
        for name in pair.get("collections") or ():
            collection = self.book.collection(self.id, name)
            yield role | {
                "CategoryID": collection["id"],
                "CategoryName": collection["name"],
                "CategoryTypeID": COLLECTION,
            }

    # --- collections and devices ---
    def collections(self) -> Iterator[Data]:
        members = self.book.members(self.id)
        for collection in self._own("collections"):
            above = self.book.collection(self.id, collection["limited_to"]) if collection.get("limited_to") else None
            yield {
                "CollectionID": collection["id"],
                "Name": collection["name"],
                "CollectionType": 1 if collection.get("kind") == "user" else 2,
                "Comment": "",
                "IsBuiltIn": collection["id"].upper().startswith("SMS"),
                "IsReferenceCollection": above is None,
                "LimitToCollectionID": above["id"] if above else "",
                "LimitToCollectionName": above["name"] if above else "",
                "IncludeExcludeCollectionsCount": len(collection.get("include") or ())
                + len(collection.get("exclude") or ()),
                "MemberCount": len(members[collection["id"]]),
                "CollectionRules": [],
            }

    def dependencies(self) -> Iterator[Data]:
        for collection in self._own("collections"):
            limit = [collection["limited_to"]] if collection.get("limited_to") else []
            for kind, names in enumerate((limit, collection.get("include") or (), collection.get("exclude") or ()), 1):
                for name in names:
                    source = self.book.collection(self.id, name)["id"]
                    yield {
                        "DependentCollectionID": collection["id"],
                        "SourceCollectionID": source,
                        "RelationshipType": kind,
                    }

    def memberships(self) -> Iterator[Data]:
        for collection, devices in self.book.members(self.id).items():
            for number, device in devices:
                yield {
                    "CollectionID": collection,
                    "ResourceID": number,
                    "Name": device["name"],
                    "ResourceType": 5,
                    "SiteCode": self.code,
                }

    def systems(self) -> Iterator[Data]:
        for number, device in self.book.resource_ids(self.id):
            yield {
                "ResourceId": number,
                "ResourceType": 5,
                "Name": device["name"],
                "NetbiosName": device["name"],
                "Client": 1,
                "ClientVersion": device.get("client_version"),
                "Obsolete": 0,
                "SMSUniqueIdentifier": f"GUID:{made_id('client', self.id, device['name']).upper()}",
                "SMSAssignedSites": [self.code],
                "SecurityGroupName": [],
            }

    def resources(self) -> Iterator[Data]:
        tenant = made_id("tenant", self.book.tenant.get("name") or "example.com")
        for number, device in self.book.resource_ids(self.id):
            entra = self.book.entra_id(device)
            yield {
                "ResourceID": number,
                "Name": device["name"],
                "SiteCode": self.code,
                "SMSID": f"GUID:{made_id('client', self.id, device['name']).upper()}",
                "IsClient": True,
                "IsObsolete": False,
                "ClientVersion": device.get("client_version"),
                "AADDeviceID": entra,
                "AADTenantID": tenant if entra else None,
            } | known(CoManaged=device.get("management") and device["management"] == "co-managed")

    # --- people ---
    def users(self) -> Iterator[Data]:
        tenant = made_id("tenant", self.book.tenant.get("name") or "example.com")
        for number, principal in enumerate(self.book.of("users")):
            user = principal.record
            methods = user.get("discovered_by") or ()
            if not methods:
                continue
            by_ad, by_entra = "ad" in methods, "entra" in methods
            domain, _, name = str(user.get("account") or f"AzureAD\\{user['upn']}").rpartition("\\")
            yield {
                "ResourceId": FIRST_USER + number,
                "Name": f"{domain}\\{name} ({user.get('name') or name})",
                "UniqueUserName": f"{domain}\\{name}",
                "UserName": name,
                "FullUserName": user.get("name") or name,
                "SID": user.get("sid"),
                "DistinguishedName": f"CN={name},OU=People,DC={domain.lower()},DC=example" if by_ad else None,
                "AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"] if by_ad else ["(the agent of another method)"],
                "AADTenantID": tenant if by_entra else None,
                "AADUserID": principal.id if by_entra else None,
                "SecurityGroupName": self._group_names(principal),
            } | (
                {"UserPrincipalName": (user["discovered_upn"] if by_ad else user["upn"]) or None}
                if "discovered_upn" in user or not by_ad
                else {}
            )

    def _group_names(self, member: Principal) -> list[str]:
        groups = (p.record for p in self.book.of("groups") if p.record.get("account"))
        return [g["account"] for g in groups if any(p.id == member.id for p in self.book.find(g.get("members") or ()))]

    def groups(self) -> Iterator[Data]:
        for number, principal in enumerate(self.book.of("groups")):
            group = principal.record
            if group.get("account") or group.get("sid"):
                account = group.get("account") or f"EXAMPLE\\{group['name']}"
                yield {
                    "ResourceId": FIRST_GROUP + number,
                    "SID": group.get("sid"),
                    "UniqueUsergroupName": account,
                    "UsergroupName": account.rpartition("\\")[2],
                }

    # --- scripts ---
    def _script_id(self, script: Data) -> str:
        return str(script.get("id") or made_id("script", self.id, script["name"])).upper()

    def scripts(self) -> Iterator[Data]:
        approval = {True: 3, False: 0, None: None}
        for script in self._own("scripts"):
            author = next(iter(self.book.find([script["author"]])), None) if script.get("author") else None
            approved = script.get("approved")
            yield {
                "ScriptGuid": self._script_id(script),
                "ScriptName": script["name"],
                "ScriptDescription": "",
                "ScriptVersion": "1",
                "ScriptType": 0,
                "Approver": "EXAMPLE\\approver" if approved else "",
            } | known(
                ApprovalState=approval[approved],
                Author=author and (author.record.get("account") or author.record.get("upn")),
            )


def _masks(permissions: Data) -> list[Data]:
    return [{"GrantedOperations": mask, "ObjectTypeID": type_} for type_, mask in sorted(granted(permissions).items())]


def _names(rows: list[Data], key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in rows))
