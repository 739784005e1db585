"""What words and numbers in exports mean stands in the policy, and so does which list is a whole one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import permcheck
import pytest
from exported import imported, put, records
from permcheck.checks.lint import lint
from permcheck.checks.settings import Settings
from permcheck.errors import PolicyError
from permcheck.loading.data import data_root
from permcheck.loading.policy import (
    COMPILED_EXPORTS,
    checked_policy,
    compile_policy,
    load_policy,
    policy_from,
    read_policy,
)
from permcheck.loading.text import parse_file
from permcheck.model.estate import SECTIONS, Device, IntuneAssignment
from permcheck.model.policy_index import build_policy
from permcheck.model.policy_values import Sign, Value, ValuesFile

VALUES = data_root() / "policy" / "values.yaml"
EXAMPLE = Path(__file__).parent.parent / "examples" / "exports"


def written() -> dict[str, Any]:
    """The file as it is parsed."""
    data: dict[str, Any] = parse_file(VALUES).data
    return data


KEYS = [(value, meaning) for value, meanings in written().items() for meaning in meanings]
"""Every value with each of its meanings, and their sources."""


def refused(folder: Path, data: dict[str, Any]) -> list[str]:
    """What loading says of other values."""
    (folder / "values.yaml").write_text(json.dumps(data), "utf-8")
    with pytest.raises(PolicyError) as caught:
        read_policy(folder)
    return [problem.message.partition(" (at $")[0] for problem in caught.value.problems]


# --- keys ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", ValuesFile.model_fields)
def test_a_value_that_is_missing_is_refused(value: str, tmp_path: Path) -> None:
    data = written()
    del data[value]
    assert refused(tmp_path, data) == [f"the key `{value}` is missing"]


@pytest.mark.parametrize(("value", "meaning"), KEYS)
def test_a_meaning_that_is_missing_or_has_another_name_is_refused(value: str, meaning: str, tmp_path: Path) -> None:
    data = written()
    data[value][f"{meaning}x"] = data[value].pop(meaning)
    assert sorted(refused(tmp_path, data)) == [f"the key `{meaning}` is missing", f"unknown key `{meaning}x`"]


def test_a_value_that_nobody_asks_for_is_refused(tmp_path: Path) -> None:
    data = written() | {"shoe_size": {"large": [46], "sources": ["lab-hierarchy-2026-08/sites"]}}
    assert refused(tmp_path, data) == ["unknown key `shoe_size`"]


def test_a_meaning_without_words_is_refused(tmp_path: Path) -> None:
    data = written()
    data["approval_state"]["approved"] = []
    assert refused(tmp_path, data) == ["this must not be empty"]


def test_values_that_lack_a_key_fail_where_they_are_loaded(tmp_path: Path) -> None:
    """What was compiled doesn't fit other files, and is not believed."""
    folder = tmp_path / "policy"
    shutil.copytree(VALUES.parent, folder)
    data = written()
    del data["scope_type"]["all_users"]
    (folder / "values.yaml").write_text(json.dumps(data), "utf-8")
    policy = policy_from(folder)
    assert policy.actions
    with pytest.raises(PolicyError, match="the key `all_users` is missing"):
        _ = policy.values


# --- words --------------------------------------------------------------------------


VALUES_OF_SEVERAL = [name for name, field in ValuesFile.model_fields.items() if issubclass(field.annotation, Value)]
SIGNS = [name for name, field in ValuesFile.model_fields.items() if field.annotation is Sign]


@pytest.mark.parametrize("name", VALUES_OF_SEVERAL)
def test_a_word_has_one_meaning(name: str) -> None:
    words = [str(word).casefold() for _, word in getattr(load_policy().values, name).words()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", VALUES_OF_SEVERAL)
def test_every_word_says_its_meaning_in_any_case(name: str) -> None:
    value = getattr(load_policy().values, name)
    for meaning, word in value.words():
        said = [word, word.upper(), word.lower()] if isinstance(word, str) else [word]
        assert {value.says(one) for one in said} == {meaning.replace("_", "-")}
        assert value.says("no such word", word) == meaning.replace("_", "-")
    assert value.says("no such word", None, -7) is None
    assert value.says() is None


@pytest.mark.parametrize("name", SIGNS)
def test_a_sign_is_known_in_any_case(name: str) -> None:
    sign = getattr(load_policy().values, name)
    for word in sign.said:
        assert word in sign
        assert str(word).upper() in sign or not isinstance(word, str)
    assert "no such word" not in sign
    assert None not in sign
    assert -7 not in sign


def test_words_for_the_estate_are_those_of_its_forms() -> None:
    """What a list says becomes a field of a record: the form must know the word."""
    values = load_policy().values
    for value in (values.management_agent, values.managed_by):
        for _, word in value.words():
            assert Device.model_validate({"name": "PC", "management": value.says(word)})
    for _, word in values.scope_type.words():
        fields = {"name": "A", "role": "R", "scope_type": values.scope_type.says(word)}
        if fields["scope_type"] == "groups":
            fields["scope_groups"] = ("G",)
        assert IntuneAssignment.model_validate(fields)


def test_a_part_of_a_text_is_found() -> None:
    agent = load_policy().values.ad_user_discovery
    assert agent.part_of("SMS_AD_USER_DISCOVERY_AGENT")
    assert agent.part_of("sms_ad_user_discovery_agent")
    assert not agent.part_of("SMS_AD_SECURITY_GROUP_DISCOVERY_AGENT")


# --- whole lists --------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_has_a_whole_list(section: str) -> None:
    assert load_policy().known_exports.lists_of(section)


def test_a_whole_list_is_of_sections() -> None:
    """A list that tells fields alone is the whole list of nothing."""
    for kind in load_policy().exports.values():
        assert not kind.whole or set(kind.fills) & set(SECTIONS), kind.id


# --- loading ------------------------------------------------------------------------


def test_what_is_compiled_is_that_of_the_files() -> None:
    folder = VALUES.parent
    compiled = compile_policy(folder, checked_policy(folder))
    assert (folder / COMPILED_EXPORTS).read_text("utf-8") == compiled[COMPILED_EXPORTS]
    assert build_policy(tuple(read_policy(folder).items())).known_exports == load_policy().known_exports


def test_a_question_about_an_estate_does_not_read_it() -> None:
    """It would be paid for by everybody who only asks."""
    code = (
        "import sys; from permcheck.cli.main import guarded; "
        "code = guarded(sys.argv[1:]); "
        "print(code, sorted(name for name in sys.modules if name.startswith('permcheck.model.policy_')))"
    )
    estate = EXAMPLE.parent / "contoso"
    ask = ["check", "helpdesk@contoso.com", "run-cmpivot", "PC-1042", "-e", str(estate)]
    done = subprocess.run([sys.executable, "-c", code, *ask], capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()[-1]
    assert told.startswith("0 ")
    assert "policy_index" in told
    assert "policy_exports" not in told
    assert "policy_values" not in told


# --- the tenant ---------------------------------------------------------------------


def test_each_fact_of_the_tenant_names_its_export() -> None:
    places = permcheck.load(EXAMPLE).tables.places
    told = {
        "name": "organization.json",
        "use_intune_rbac": "getState.json",
        "cloud": "facts.yaml",
        "": "organization.json",
    }
    for detail, file in told.items():
        origin = places.of("tenant", "", detail)
        assert origin is not None
        assert Path(origin.file).name == file, detail


def test_a_finding_on_the_tenant_names_the_export_of_the_fact() -> None:
    settings = Settings(select=("PC201",))
    (found,) = lint([], load_policy(), settings, permcheck.load(EXAMPLE)).findings
    assert found.place.file == f"{EXAMPLE / 'getState.json'}, $.value"


def test_a_tenant_of_which_nobody_tells_the_name_is_where_its_first_fact_is(tmp_path: Path) -> None:
    (tmp_path / "getState.json").write_text('{"enabled": true}', "utf-8")
    users = {"value": [{"id": "00000001-0000-4000-8000-000000000000", "userPrincipalName": "a@c.com"}]}
    (tmp_path / "users.json").write_text(json.dumps(users), "utf-8")
    origin = permcheck.load(tmp_path).tables.places.of("tenant", "")
    assert origin is not None
    assert Path(origin.file).name == "getState.json"


@pytest.mark.parametrize(
    ("plans", "off", "licensed"),
    [
        ({"c1ec4a95-1f05-45b3-a911-aa3fa01094f5": "INTUNE_A"}, (), True),
        ({"da24caf9-af8e-485c-b7c8-e73336da2693": "INTUNE_EDU"}, (), True),
        ({"3e170737-c728-4eae-bbb9-3f3360f7184c": "INTUNE_A_VL"}, (), True),
        ({"8e9ff0ff-aa7a-4b20-83c1-2f636b600ac2": "INTUNE_SMBIZ"}, (), True),
        ({"882e1d05-acd1-4ccb-8708-6ee03664b117": "INTUNE_O365"}, (), False),
        ({"00000000-0000-4000-8000-000000000777": "INTUNE_NEW"}, (), None),
        ({"00000000-0000-4000-8000-000000000777": "SOMETHING"}, (), False),
        ({"00000000-0000-4000-8000-000000000777": "INTUNE_NEW"}, ("00000000-0000-4000-8000-000000000777",), False),
        (
            {"c1ec4a95-1f05-45b3-a911-aa3fa01094f5": "INTUNE_A", "da24caf9-af8e-485c-b7c8-e73336da2693": "INTUNE_EDU"},
            ("da24caf9-af8e-485c-b7c8-e73336da2693",),
            True,
        ),
    ],
)
def test_a_licence_is_a_plan_of_intune_that_is_on(
    plans: dict[str, str], off: tuple[str, ...], licensed: Any, tmp_path: Path
) -> None:
    """Told by the plans that are assigned, and by the licences; a plan that may be one of Intune leaves it open."""
    sku = "00000000-0000-4000-8000-000000000111"
    held = [{"servicePlanId": id_, "servicePlanName": name} for id_, name in plans.items()]
    on = [{"servicePlanId": id_, "capabilityStatus": "Enabled"} for id_ in plans if id_ not in off]
    people = [
        {"id": f"00000000-0000-4000-8000-00000000000{n}", "userPrincipalName": f"{n}@contoso.com"} | told
        for n, told in enumerate(
            ({"assignedPlans": on}, {"assignedLicenses": [{"skuId": sku, "disabledPlans": list(off)}]})
        )
    ]
    put(tmp_path, users=people, subscribedSkus=[{"skuId": sku, "servicePlans": held}])
    found = records(imported(tmp_path), "users")
    assert [person.get("licensed") for person in found] == [licensed, licensed]
