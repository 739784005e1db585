"""Forms as JSON that was validated when it was written: read back without validating again (8 times faster)."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from permcheck.model import policy
from permcheck.model.base import Form

TAG: Final = "$form"


def pack(value: Any) -> Any:
    """Return a form as plain values; what is at its default is left out."""
    if isinstance(value, Form):
        stated = {key: pack(getattr(value, key)) for key in sorted(value.model_fields_set)}
        return {TAG: type(value).__name__, **stated}
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    return [pack(item) for item in value] if isinstance(value, tuple) else value


def unpack(data: dict[str, Any]) -> Any:
    """Return the inverse, as an object hook of json.loads. Raises KeyError for an unknown form."""
    name = data.pop(TAG, None)
    stated = {key: _tuples(item) if type(item) is list else item for key, item in data.items()}
    if name is None:
        return stated
    form, defaults = _form(name)
    result = form.__new__(form)
    for attribute, value in (
        ("__dict__", {**defaults, **stated}),
        ("__pydantic_fields_set__", set(stated)),
        ("__pydantic_extra__", None),
        ("__pydantic_private__", None),
    ):
        object.__setattr__(result, attribute, value)
    return result


def _tuples(items: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuples(item) if type(item) is list else item for item in items)


@cache
def _form(name: str) -> tuple[type[Form], dict[str, Any]]:
    form: type[Form] = vars(policy).get(name) or _seldom(name)
    fields = form.model_fields.items()
    return form, {key: field.default for key, field in fields if not field.is_required()}


def _seldom(name: str) -> type[Form]:
    """Return a form that no question needs. Raises KeyError."""
    from permcheck.model import policy_checks

    found: type[Form] | None = vars(policy_checks).get(name)
    if found is None:
        from permcheck.model import policy_exports, policy_values  # nor do checks need these

        found = vars(policy_exports).get(name) or vars(policy_values)[name]
    return found
