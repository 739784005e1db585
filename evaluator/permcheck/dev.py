"""Write what is generated from the models and the policy: `python -m permcheck.dev [--check]`.

schemas/*.schema.json come from the models; policy/compiled*.json and, in a checkout, docs/checks/ from the policy's
YAML.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from permcheck.checks import facts
from permcheck.checks.output.page import pages
from permcheck.errors import PolicyError
from permcheck.loading.data import data_root
from permcheck.loading.policy import checked_policy, compile_policy
from permcheck.loading.schemas import SCHEMAS, schema_text
from permcheck.model.policy_index import build_policy


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Every generated file and its text. The schemas come first: validating the policy uses them."""
    for name in SCHEMAS:
        yield root / "schemas" / f"{name}.schema.json", schema_text(name)
    forms = checked_policy(root / "policy")  # what does not hold together is never compiled
    for name, text in compile_policy(root / "policy", forms).items():
        yield root / "policy" / name, text
    checks = facts.checks_of(forms)
    yield root / "policy" / facts.COMPILED, facts.compile_checks(root, checks)
    if (root / "docs").is_dir():
        for name, text in pages(checks, build_policy(tuple(forms.items()))):
            yield root / "docs" / "checks" / name, text


def main(arguments: list[str]) -> int:
    """Write the files, or with --check tell which are out of step. Returns 1 if any is, 3 for a broken policy."""
    stale = []
    try:
        for path, text in generated(data_root()):
            if not path.is_file() or path.read_text("utf-8") != text:
                stale.append(path)
                if "--check" not in arguments:
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(text, "utf-8")
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    for path in stale:
        sys.stdout.write(f"{'out of step' if '--check' in arguments else 'written'}: {path}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
