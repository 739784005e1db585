"""Make the JSON Schemas from the models; the committed files must be these, byte for byte."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from permcheck.model.base import Form
from permcheck.model.document import DecisionDocument
from permcheck.model.estate import EstateFile
from permcheck.model.expected import ExpectedFile
from permcheck.model.findings import FindingsDocument
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_forms import FORMS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Final[dict[str, type[Form]]] = {
    "estate": EstateFile,
    "decision": DecisionDocument,
    "findings": FindingsDocument,
    "test": ExpectedFile,
    **{f"policy-{kind}": form for kind, form in FORMS.items()},
    "policy-check": CheckFacts,
}
"""Every form that has a schema, by the schema's name."""


class Generator(GenerateJsonSchema):
    """Writes a tagged union as if/then: a file that fails gets the errors of the branch that it meant."""

    def encode_default(self, dft: Any) -> Any:
        """Build the form of a default before it is written: pydantic before 2.14 can't write one that waits."""
        if isinstance(dft, Form):
            type(dft).model_rebuild()
        return super().encode_default(dft)

    def tagged_union_schema(self, schema: Any) -> JsonSchemaValue:
        """One `if` for each tag instead of `oneOf`."""
        tag = schema["discriminator"]
        choices = {str(key): self.generate_inner(choice) for key, choice in schema["choices"].items()}
        branches = [
            {"if": {"properties": {tag: {"const": key}}, "required": [tag]}, "then": inner}
            for key, inner in choices.items()
        ]
        wanted = {"type": "object", "properties": {tag: {"enum": list(choices)}}, "required": [tag]}
        return {**wanted, "allOf": branches}


def schema_text(name: str) -> str:
    """Return the text of one schema file. Raises KeyError for an unknown name."""
    form = SCHEMAS[name]
    schema = form.model_json_schema(schema_generator=Generator)
    document = {"$schema": DIALECT, "$id": f"urn:permcheck:{name}", **schema}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
