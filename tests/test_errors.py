"""What is raised is permcheck's own, keeps its fields, and survives a pickle; what is answered is compared, not tested."""

from __future__ import annotations

import ast
import inspect
import pickle
from collections.abc import Iterator
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import permcheck
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from permcheck import (
    AmbiguousNameError,
    Decision,
    Estate,
    LiveError,
    LoadError,
    NothingSelectedError,
    PermcheckError,
    PolicyError,
    Problem,
    QuestionError,
    SelfCheckError,
    UnknownNameError,
    Verdict,
    WriteError,
    change,
    errors,
    load,
)
from permcheck.model.state import State
from strategies import ACTIONS, Data, estates, every_question, load_dict, partial_estates

PROBLEMS = (Problem("b.yaml", 2, 1, "x", "second", "do it"), Problem("a.yaml", 0, 0, "y", "first"))
RAISED: tuple[PermcheckError, ...] = (
    LoadError(PROBLEMS),
    PolicyError(PROBLEMS[:1]),
    UnknownNameError("user", "ana", ("anna",), ""),
    UnknownNameError("role", "Boss", (), "it is not built in"),
    AmbiguousNameError("device", "PC-1", ("p01/pc-1", "p02/pc-1")),
    QuestionError("this can't be asked", "ask something else"),
    LiveError("the service does not answer", "ask again"),
    NothingSelectedError("device", "X*"),
    SelfCheckError(3, ("anna run-script PC-1: allow at once, deny alone",)),
    WriteError("out.csv", "the disk is full", "make room"),
)
OWN = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, BaseException)]
ESTATE: Data = {
    "complete": True,
    "hierarchies": [{"id": "P01", "version": 2211}],
    "users": [{"upn": "u@contoso.com", "synced": True}],
    "groups": [{"name": "G", "type": "security", "members": ["u@contoso.com"]}],
    "collections": [{"id": "SMS00001", "name": "All Systems"}],
    "devices": [{"name": "PC-1"}],
    "scripts": [{"name": "S"}],
    "intune_assignments": [{"name": "A", "role": "Help Desk Operator", "members": ["G"], "scope_tags": []}],
}


# --- exceptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", RAISED, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    "again", [lambda e: pickle.loads(pickle.dumps(e)), copy, deepcopy], ids=["pickle", "copy", "deep"]
)
def test_an_error_keeps_its_fields(error: PermcheckError, again: Any) -> None:
    """Fields first, text derived: a worker process can hand an error back."""
    other = again(error)
    assert type(other) is type(error)
    assert vars(other) == vars(error)
    assert str(other) == str(error)
    assert getattr(other, "help", None) == getattr(error, "help", None)


def test_every_kind_of_error_is_tried() -> None:
    assert {type(error) for error in RAISED} | {PermcheckError} == set(OWN)


@pytest.mark.parametrize("cls", OWN, ids=lambda cls: cls.__name__)
def test_every_error_is_a_permcheck_error(cls: type[BaseException]) -> None:
    assert issubclass(cls, PermcheckError)
    assert issubclass(cls, Exception)
    assert getattr(permcheck, cls.__name__) is cls


def drawn(text: str) -> dict[str, str]:
    """Return child -> parent of a tree drawn with lines."""
    result: dict[str, str] = {}
    above: list[str] = []
    for line in text.splitlines():
        name = next((word for word in line.split() if word.endswith("Error")), "")
        if name and line.split()[0] in {name, "├──", "└──", "│"}:
            depth = line.index(name) // 4
            above = [*above[:depth], name]
            if depth:
                result[name] = above[depth - 1]
    return result


def test_the_drawn_tree_is_the_real_one() -> None:
    """The docstring draws the tree of exceptions as it is."""
    real = {cls.__name__: cls.__bases__[0].__name__ for cls in OWN if cls is not PermcheckError}
    assert drawn(errors.__doc__ or "") == real


def test_problems_are_sorted_and_say_their_place() -> None:
    error = LoadError(PROBLEMS)
    assert [p.file for p in error.problems] == ["a.yaml", "b.yaml"]
    assert str(error) == "a.yaml: first\nb.yaml:2:1: second\n  help: do it"


# --- nothing foreign crosses ----------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["users", "groups", "upn", "name", "members", "devices", "tenant", "collections", "hierarchies", "id", "On", "2207"]
)
MARKS = st.sampled_from([":", ": ", "\n", "\n- ", "- ", "{", "}", "[", "]", ", ", "&a ", "*a", "<<: ", "!!", "|", ">", "'", '"', "#", "?", "\t", "---\n", "  ", "\\", "%", "@"])  # fmt: skip
ODDITIES = st.sampled_from(["\ufeff", "\u0085", "\u2028", "\x00", "\x1b", "\ud7ff", "🙂", "é"])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.one_of(WORDS, MARKS, ODDITIES), max_size=40).map("".join), st.sampled_from([".yaml", ".json"]))
def test_any_text_loads_or_is_a_load_error(tmp_path: Path, text: str, suffix: str) -> None:
    """Exceptions of parsers and validators stay inside."""
    path = tmp_path / f"estate{suffix}"
    path.write_text(text, "utf-8")
    _loads_or_says_why(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=60), st.sampled_from([".yaml", ".json"]))
def test_any_bytes_load_or_are_a_load_error(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"estate{suffix}"
    path.write_bytes(data)
    _loads_or_says_why(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(["users", "groups", "tenant", "devices", "readings", "complete"]), JSON))
def test_any_values_load_or_are_a_load_error(data: Data) -> None:
    try:
        load_dict({**data})
    except LoadError as error:
        assert error.problems
        assert str(error).strip()


def _loads_or_says_why(path: Path) -> None:
    try:
        load(path)
    except LoadError as error:
        assert error.problems
        assert error.__cause__ is None
        assert str(error).strip()


NAMES = st.one_of(
    st.sampled_from(["u@contoso.com", "a\nb", "PC-1", "P01", "run-cmpivot", "run-script", "S", "", " ", ":", "/"]),
    st.text(max_size=8),
)


@pytest.fixture(scope="module")
def estate() -> Estate:
    return load_dict(ESTATE)


@settings(max_examples=200)
@given(
    NAMES,
    st.one_of(st.sampled_from([*ACTIONS, "set-use-intune-rbac", "approve-script"]), NAMES),
    st.none() | NAMES,
    st.none() | NAMES,
)
def test_any_question_is_answered_or_refused(
    estate: Estate, user: str, action: str, device: str | None, thing: str | None
) -> None:
    """A question that can't be asked raises one of permcheck's errors, with what to do about it."""
    try:
        decision = estate.check(user, action, device, object=thing)
    except PermcheckError as error:
        assert not isinstance(error, LoadError)
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert decision.verdict in set(Verdict)


@settings(max_examples=100)
@given(
    st.text(max_size=30),
    st.sampled_from(["", "tenant.", "user:u@contoso.com.", "group:G.", "hierarchy:P01.", "device:PC-1."]),
)
def test_any_what_if_is_made_or_refused(estate: Estate, text: str, start: str) -> None:
    try:
        estate.what_if(start + text)
    except PermcheckError as error:
        assert str(error)


def test_settings_that_nobody_knows_are_refused(estate: Estate) -> None:
    for bad in ({"edition": "2031-01"}, {"readings": {"x": "y"}}, {"readings": {"discovery-from-2103": "x"}}):
        with pytest.raises(QuestionError) as caught:
            estate.with_settings(**bad)
        assert caught.value.help


CHANGES: tuple[change.Change, ...] = (
    change.SetFact("user", "nobody", "synced", value=True),
    change.SetFact("user", "u@contoso.com", "no_fact", value=True),
    change.SetFact("user", "u@contoso.com", "synced", value="maybe"),
    change.SetFact("planet", "", "synced", value=True),
    change.SetFact("device", "p01/nothing", "online", value=True),
    change.SetFact("tenant", "", "cloud", value="moon"),
    change.AddMember("no group", "u@contoso.com"),
    change.AddMember("g", "nobody"),
    change.RemoveMember("no group", "u@contoso.com"),
    change.AssignIntuneRole("no role", built_in=True, user="u@contoso.com"),
    change.AssignIntuneRole("no role", built_in=False, user="u@contoso.com"),
    change.AssignIntuneRole("no role", built_in=True, user="nobody"),
    change.CreateIntuneRole(("no permission",), "u@contoso.com"),
    change.AssignAppRole("no app role", "u@contoso.com"),
    change.AssignEntraRole("no role", "u@contoso.com"),
    change.AssignSecurityRole("p01", "no role", "u@contoso.com", "p01/sms00001", "SMS00UNA"),
    change.AssignSecurityRole("p09", "p01/full administrator", "u@contoso.com", "p01/sms00001", "SMS00UNA"),
    change.AssignSecurityRole("p01", "p01/full administrator", "u@contoso.com", "p01/nothing", "SMS00UNA"),
    change.CreateSecurityRole("p01", ("no permission",), "u@contoso.com", "p01/sms00001", "SMS00UNA"),
    change.AddScopeTag("no assignment", "0"),
    change.AddCollection("no row", "p01/sms00001"),
    change.AddScope("no row", "SMS00UNA"),
    change.AddPermissions("security_roles", "p01/full administrator", ("Site/Read",)),
    change.AddPermissions("intune_roles", "no role", ("no permission",)),
    change.Activate("groups", "no group", "u@contoso.com"),
    change.Activate("entra_roles", "no role", "u@contoso.com"),
    change.RemoveGrant("no section", "x"),
    change.RemoveGrant("rows", "no row"),
    change.RemoveGrant("intune_assignments", "no assignment", "group", "g"),
)


@pytest.mark.parametrize("wrong", CHANGES, ids=repr)
def test_a_change_that_can_not_be_made_is_refused(estate: Estate, wrong: change.Change) -> None:
    """A change of what is not there is a QuestionError, at once."""
    with pytest.raises(QuestionError) as caught:
        estate.with_changes(wrong)
    assert str(caught.value)


def test_every_kind_of_change_is_tried() -> None:
    assert {type(one) for one in CHANGES} == set(change.Change.__args__)


# --- answers --------------------------------------------------------------------------------------------------------


def test_an_answer_has_no_truth_value(estate: Estate) -> None:
    """`if estate.check(...)` would take an undetermined answer for an allow: it is an error."""
    decision = estate.check("u@contoso.com", "run-cmpivot", "PC-1")
    for answer in (decision, decision.verdict, *Verdict):
        with pytest.raises(TypeError, match="compare"):
            bool(answer)
    assert State.UNMET is not State.MET


@settings(max_examples=15)
@given(partial_estates())
def test_a_decision_survives_a_pickle(pair: tuple[Data, Data]) -> None:
    """A decision is whole when it is pickled, its fixes, revocations and turns included."""
    estate = load_dict(pair[0])
    seen: set[Verdict] = set()
    for ask in every_question(pair[0]):
        decision = estate.check(ask.user, ask.action, ask.device, object=ask.object)
        if decision.verdict not in seen:
            seen.add(decision.verdict)
            other: Decision = pickle.loads(pickle.dumps(decision))
            assert other == decision
            assert (other.fixes, other.no_fix) == (decision.fixes, decision.no_fix)
            assert (other.revocations, other.turns) == (decision.revocations, decision.turns)


@settings(max_examples=5)
@given(estates())
def test_decisions_are_values(data: Data) -> None:
    """The same question twice gives equal decisions; nothing in one can be changed."""
    estate = load_dict(data)
    ask = next(every_question(data))
    one, other = estate.check(*ask[:3]), estate.check(*ask[:3])
    assert one == other
    with pytest.raises(AttributeError):
        one.verdict = Verdict.ALLOW  # type: ignore[misc]


def modules() -> Iterator[Path]:
    return Path(permcheck.__file__).parent.rglob("*.py")


def test_nothing_is_caught_in_passing() -> None:
    """No bare except, and no `except Exception` outside the guard of the command line."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and path.parent.name != "cli"
    ]
    assert found == []
