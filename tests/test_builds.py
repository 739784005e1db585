"""Which release a build is of, and that a build which nobody knows yet changes no answer."""

from __future__ import annotations

import pytest
from permcheck.loading.policy import load_policy
from permcheck.model.builds import BuildOf, release_of

VERSIONS = tuple(load_policy().versions.values())
NEWEST = max(one.release for one in VERSIONS if one.build)


@pytest.mark.parametrize(
    ("build", "found"),
    [
        ("5.00.9132", BuildOf(2409, "own")),
        ("5.00.9132.1000", BuildOf(2409, "own")),
        ("5.0.9132.1", BuildOf(2409, "own")),
        ("5.00.9133.1000", BuildOf(2409, "before")),
        ("5.00.9129", BuildOf(2403, "before")),
        ("5.2403.9128.1000", BuildOf(2403, "own")),
        ("5.00.9999.1000", BuildOf(NEWEST, "at-least")),
        ("6.00.1", BuildOf(NEWEST, "at-least")),
        ("5.00.8000.1000", None),
        ("5.00.x", None),
        ("5.00.²", None),
        ("5." + "9" * 5000, None),
        ("9132", BuildOf(NEWEST, "at-least")),
    ],
)
def test_a_build_is_of_the_release_before_it(build: str, found: BuildOf | None) -> None:
    assert release_of(VERSIONS, build) == found
