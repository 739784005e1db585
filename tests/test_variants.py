"""A variant of an action: any of its names finds it, and one that is mistyped is no question."""

from __future__ import annotations

import re
from pathlib import Path

import permcheck
import pytest
from commands import Cli
from permcheck.errors import QuestionError, UnknownNameError

CONTOSO = Path(__file__).parent.parent / "examples" / "contoso"
WHO, WHERE = "helpdesk@contoso.com", "PC-1042"
MISTYPED = [
    ("run-cmpivot:adminstrators", "administrators"),
    ("CMPivot: Administratrs", "administrators"),
    ("run-cmpivot:RegistryKye()", "registrykey"),
    ("start-cmpivot-console:ipconfg", "ipconfig"),
    ("start-cmpivot-console:Dissk", "Disk"),
    ("view-applications:user-targted", "user-targeted"),
]


@pytest.fixture(scope="module")
def estate() -> permcheck.Estate:
    return permcheck.load(CONTOSO)


@pytest.mark.parametrize(("action", "meant"), MISTYPED)
def test_a_mistyped_variant_is_no_question(cli: Cli, action: str, meant: str) -> None:
    """A deny would look like an answer about what was meant; and an allow of the console could be a wrong one."""
    result = cli("check", WHO, action, WHERE, "-e", CONTOSO)
    assert (result.code, result.out) == (2, "")
    said = re.fullmatch(r"error: no variant of `\S+` is called `.+`\n  help: did you mean (.+)\?\n", result.err)
    assert said, result.err
    assert meant.casefold() in said[1].casefold()


@pytest.mark.parametrize(("action", "meant"), MISTYPED)
def test_the_library_refuses_it_too(estate: permcheck.Estate, action: str, meant: str) -> None:
    for ask in (estate.check, estate.verdict):
        with pytest.raises(UnknownNameError) as caught:
            ask(WHO, action, WHERE)
        assert meant.casefold() in {name.casefold().removesuffix("()") for name in caught.value.near}
    with pytest.raises(UnknownNameError):
        estate.find_action(action)
    with pytest.raises(UnknownNameError):
        estate.review(actions=(action,))


def test_a_file_of_expected_decisions_says_so(cli: Cli) -> None:
    text = f"estate: {CONTOSO}\ncases: [{{user: {WHO}, action: 'run-cmpivot:adminstrators', device: {WHERE}, expect: deny}}]\n"
    Path("a.permcheck-test.yaml").write_text(text, "utf-8")
    result = cli("test", ".")
    assert result.code == 3
    assert "a.permcheck-test.yaml:2:9: " in result.out + result.err
    assert "did you mean `Administrators`" in result.out + result.err


def test_a_log_of_uses_says_so(cli: Cli) -> None:
    usage = "usage: [{source: A, since: 2026-01-01, until: 2026-10-31, actions: [run-cmpivt]}]\n"
    Path("e.yaml").write_text("users: [{upn: a@example.com}]\n" + usage, "utf-8")
    result = cli("check", "a@example.com", "sign-in-admin-center", "-e", "e.yaml")
    assert (result.code, "did you mean `run-cmpivot`" in result.err) == (3, True)


@pytest.mark.parametrize("command", ["review", "who-can"])
def test_a_selection_says_so(cli: Cli, command: str) -> None:
    words = ("-a", "run-cmpivot:adminstrators") if command == "review" else ("run-cmpivot:adminstrators", WHERE)
    result = cli(command, *words, "-e", CONTOSO)
    assert result.code == 2
    assert "did you mean `Administrators`" in result.err


def test_what_was_compiled_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An estate that was asked about before is not read again."""
    monkeypatch.setenv("PERMCHECK_CACHE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        assert cli("check", WHO, "run-cmpivot", WHERE, "-e", CONTOSO).code == 0
        assert cli("check", WHO, "run-cmpivot:adminstrators", WHERE, "-e", CONTOSO).code == 2


@pytest.mark.parametrize("name", ["administrators", "Administrators", "BEHEERDERS", " ccmlog ", "CcmLog()"])
def test_any_name_of_a_variant_finds_it(estate: permcheck.Estate, name: str) -> None:
    assert estate.find_action(f"run-cmpivot:{name}")[1] in {"administrators", "ccmlog"}


@pytest.mark.parametrize("name", ["RegistryKey()", "registrykey", "Horoscope", "Something else"])
def test_an_entity_that_the_table_lacks_is_a_question(estate: permcheck.Estate, name: str) -> None:
    """The console has it, or no document speaks of it: the page has no such entity, and nothing near it."""
    decision = estate.check(WHO, f"run-cmpivot:{name}", WHERE)
    assert decision.verdict is permcheck.Verdict.DENY
    assert [one.id for one in decision.unmet] == ["DEV-ENTITY"]


def test_an_action_without_variants_takes_none(estate: permcheck.Estate) -> None:
    with pytest.raises(QuestionError, match="has no variants"):
        estate.check(WHO, "sync-machine-policy:now", WHERE)
