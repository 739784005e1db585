"""The public names: typed, frozen, without traps in their signatures."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import permcheck
import pytest
from permcheck import change

PUBLIC = {name: getattr(permcheck, name) for name in permcheck.__all__}
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}
CALLABLES = {
    "load": permcheck.load,
    **{
        f"{name}.{method}": function
        for name, cls in CLASSES.items()
        for method, function in vars(cls).items()
        if inspect.isfunction(function) and not method.startswith("_")
    },
}
HEAVY = ("pydantic", "networkx", "jsonschema", "yaml", "rich", "click", "dataclasses", "permcheck.api")


def test_the_names_for_type_checkers_are_the_public_ones() -> None:
    """What `if TYPE_CHECKING` imports is what `__all__` promises, each from the module that it really is in."""
    tree = ast.parse(Path(permcheck.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        a.asname: (node.module, a.name) for node in block.body if isinstance(node, ast.ImportFrom) for a in node.names
    }
    assert sorted([*typed, "__version__"]) == sorted(permcheck.__all__)
    for public, (module, name) in typed.items():
        home = __import__(str(module), fromlist=[name])
        assert public == name
        assert getattr(home, name) is PUBLIC[public]


def test_importing_permcheck_imports_nothing_heavy() -> None:
    """The cold start is a feature: names are imported when they are first used."""
    program = "import sys, permcheck; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert set(HEAVY) & set(loaded) == set()


@pytest.mark.parametrize("name", CALLABLES)
def test_signatures_hold_no_traps(name: str) -> None:
    """No positional booleans, no `**kwargs`, every parameter and result with a type, one line that says what it does."""
    function: Any = CALLABLES[name]
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        assert parameter.kind is not inspect.Parameter.VAR_KEYWORD
        assert parameter.annotation is not inspect.Parameter.empty
        positional = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert not (positional and str(parameter.annotation).startswith("bool"))
    assert signature.return_annotation is not inspect.Signature.empty
    assert (function.__doc__ or "").strip()


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_says_what_it_is(name: str) -> None:
    assert (CLASSES[name].__doc__ or "").strip()
    for method, value in vars(CLASSES[name]).items():
        if isinstance(value, property):
            assert (value.__doc__ or "").strip(), method


@pytest.mark.parametrize("name", [n for n, c in CLASSES.items() if n != "Estate" and not issubclass(c, Exception)])
def test_values_are_frozen(name: str) -> None:
    """Every arrow carries a frozen value: a dataclass, a tuple with names, or an enumeration."""
    cls = CLASSES[name]
    if dataclasses.is_dataclass(cls):
        assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    else:
        assert issubclass(cls, tuple | enum.Enum)


def test_every_change_is_a_frozen_value() -> None:
    assert isinstance(change, ModuleType)
    for kind in typing.get_args(change.Change):
        assert dataclasses.is_dataclass(kind)
        assert kind.__dataclass_params__.frozen
        assert getattr(change, kind.__name__) is kind


def test_modules_hold_no_state_that_changes() -> None:
    """Module-level names are constants: nothing assigns to a global."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in Path(permcheck.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Global)
    ]
    assert found == []
