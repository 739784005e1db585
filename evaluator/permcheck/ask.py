"""Turn the words of a question into a question: names to keys, variants, objects, hierarchies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from permcheck.errors import QuestionError, UnknownNameError
from permcheck.evaluate.question import Question
from permcheck.loading.inventory_names import names_of_devices
from permcheck.loading.resolve_configmgr import hierarchy_names
from permcheck.loading.resolve_people import user_names
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.policy import Action
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, Tables, hierarchy_of

HIERARCHY_PREFIX = "hierarchy:"


@dataclass(frozen=True)
class Asker:
    """Resolves the names of one estate."""

    tables: Tables
    policy: Policy

    @cached_property
    def users(self) -> Names:
        r"""Users by UPN, object id, SID and DOMAIN\name."""
        return user_names(self.tables.users)

    @cached_property
    def devices(self) -> Names:
        """Devices by name, resource id, Intune id and Entra id; with `hierarchy/` in front where ambiguous."""
        return names_of_devices(self.tables.devices)

    @cached_property
    def hierarchies(self) -> Names:
        """Hierarchies by id and name."""
        return hierarchy_names(self.tables.hierarchies)

    def act(self, text: str) -> tuple[Action, str | None]:
        """Return an action and its variant by any of their names. Raises as `act_of` does."""
        return act_of(self.policy, text)

    def question(self, user: str, action: str, device: str | None, object_: str | None) -> Question:
        """Resolve every name. Raises UnknownNameError, AmbiguousNameError or QuestionError."""
        asked, rest = action_of(self.policy, action)
        variant, object_ = _variant(self.policy, asked, rest, object_)
        user_key = self.users.find(user)
        if asked.target == "device":
            device_key = self._device(asked, device)
            hierarchy: Key | None = hierarchy_of(device_key)
            return Question(user_key, asked, variant, hierarchy, device_key, self._object(asked, object_, hierarchy))
        hierarchy = self._hierarchy(asked, device)
        return Question(user_key, asked, variant, hierarchy, None, self._object(asked, object_, hierarchy))

    def _device(self, action: Action, device: str | None) -> Key:
        if device is None:
            message = f"`{action.id}` is about a device, and none was named"
            raise QuestionError(message, f"permcheck check USER {action.id} DEVICE")
        return self.devices.find(device)

    def _hierarchy(self, action: Action, name: str | None) -> Key | None:
        if name is not None:
            return self.hierarchies.find(name.removeprefix(HIERARCHY_PREFIX))
        if action.target == "tenant":
            return None
        if len(self.tables.hierarchies) == 1:
            return next(iter(self.tables.hierarchies))
        ids = ", ".join(f"`{h.id}`" for h in self.tables.hierarchies.values())
        message = f"`{action.id}` is about a hierarchy, and the estate has {'several' if ids else 'none'}"
        raise QuestionError(message, f"name one of {ids} behind the action" if ids else "list one under `hierarchies:`")

    def _object(self, action: Action, name: str | None, hierarchy: Key | None) -> Key | None:
        if name is None:
            return None
        if action.object is None:
            message = f"`{action.id}` takes no script or application"
            raise QuestionError(message, "leave --object out")
        records = self.tables.scripts if action.object == "script" else self.tables.applications
        mine = {key: form for key, form in records.items() if hierarchy_of(key) == hierarchy}
        ids = ((key, (getattr(form, "id", None),)) for key, form in mine.items())
        return Names(action.object, ((key, (form.name,)) for key, form in mine.items()), ids).find(name)


def action_of(policy: Policy, text: str) -> tuple[Action, str | None]:
    """Return an action by any of its names, and what stands behind the colon. Raises UnknownNameError."""
    name, colon, rest = text.partition(":")
    action = policy.actions[policy.find_action(name)]
    return action, rest.strip() if colon and rest.strip() else None


def act_of(policy: Policy, text: str) -> tuple[Action, str | None]:
    """Return an action and its variant by any of their names, for questions about everybody.

    Raises UnknownNameError, or QuestionError where a script or application is named.
    """
    action, rest = action_of(policy, text)
    variant, object_ = _variant(policy, action, rest, None)
    if object_ is not None:
        message = f"`{text}` names a script or application, and answers about everybody are about none"
        raise QuestionError(message, f"ask for `{action.id}`, or `permcheck check USER {action.id} DEVICE --object`")
    return action, variant


def variant_names(action: Action) -> Names:
    """Return the names of an action's variants."""
    return _names_of_variants(action, (action,))


def _names_of_variants(action: Action, every: Iterable[Action]) -> Names:
    kind = f"variant of `{action.id}`"
    return Names(kind, ((v.id, (v.id, v.name, *v.synonyms)) for one in every for v in one.variants))


def _variant(policy: Policy, action: Action, rest: str | None, object_: str | None) -> tuple[str | None, str | None]:
    """Return the variant, and the object, that stand behind a colon."""
    if rest is None:
        return None, object_
    names = variant_names(action)
    found = names.get(rest)
    if found is not None:
        return found, object_
    if action.object is not None and object_ is None and not action.variants:
        return None, rest
    if action.free_variant is not None:
        return _free(policy, action, rest), object_
    if not action.variants:
        message = f"`{action.id}` has no variants"
        raise QuestionError(message, f"ask for `{action.id}`")
    raise UnknownNameError(names.kind, rest, names.near(fold_case(rest)) or names.all())


def _free(policy: Policy, action: Action, text: str) -> str:
    """Return a variant that the action does not list: one of a like action, or one of which no document speaks.

    What looks like one that is known is mistyped, and no answer about it helps anybody. Raises UnknownNameError.
    """
    like = (one for one in policy.actions.values() if one.free_variant == action.free_variant)
    known = _names_of_variants(action, like)
    found, near = known.get(text), known.near(fold_case(text))
    if found is None and near:
        raise UnknownNameError(known.kind, text, near)
    return found or fold_case(text).replace(" ", "-")
