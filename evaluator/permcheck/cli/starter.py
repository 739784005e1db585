"""The starter estate that `permcheck init` writes."""

STARTER_TEXT = r"""# yaml-language-server: $schema=estate.schema.json
# The facts about one tenant. What is left out is unknown, and an answer that depends on it
# says so. A list that is there is the whole list.
estate: example

# Lists that are absent are empty. Leave this out while the estate is being written.
complete: true

# What you vouch for without stating every fact; every answer repeats it.
assume: [SITE-*, IDENT-UPN]

tenant:
  cloud: public
  multi_geo: false
  use_intune_rbac: On              # the tenant-wide toggle
  unlicensed_admins: true
  scoped_permissions: merged
  entra_premium: true

hierarchies:
- id: P01
  version: 2309
  tenant_attached: true
  upload: all
  enforce_configmgr_rbac: checked  # the checkbox on the Configure upload tab

users:
- upn: anna@example.com
  account: EXAMPLE\anna            # the account in Active Directory
  synced: true
  enabled: true
  licensed: true
  discovered_by: [entra, ad]

groups:
- name: SG-Helpdesk
  type: security
  members: [anna@example.com]

intune_assignments:
- name: Help desk
  role: Help Desk Operator
  members: [SG-Helpdesk]
  scope_tags: [Default]

security_roles:
- name: Help desk queries
  permissions:
    Collection: [Read, Run CMPivot]

administrative_users:
- name: EXAMPLE\anna
  assignments:                     # each role with its own scopes and collections
  - role: Help desk queries
    scopes: [Default]
    collections: [Workstations]

collections:
- {id: SMS00001, name: All Systems}
- {id: P0100010, name: Workstations, limited_to: All Systems}

devices:
- name: PC-0001
  collections: [Workstations]
  client_current: true
  powershell: "5.1"
  online: true
"""
