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
from permcheck.loading.data import data_root
from permcheck.loading.policy import COMPILED, COMPILED_EXPORTS, compile_policy, policy_from
from permcheck.loading.schemas import SCHEMAS, schema_text


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Every generated file and its text. The schemas come first: validating the policy uses them."""
    for name in SCHEMAS:
        yield root / "schemas" / f"{name}.schema.json", schema_text(name)
    for name in (COMPILED, COMPILED_EXPORTS):
        yield root / "policy" / name, compile_policy(root / "policy", name)
    yield root / "policy" / facts.COMPILED, facts.compile_checks(root)
    if (root / "docs").is_dir():
        for name, text in pages(facts.read_checks(root), policy_from(root / "policy")):
            yield root / "docs" / "checks" / name, text


def main(arguments: list[str]) -> int:
    """Write the files, or with --check tell which are out of step. Returns 1 if any is."""
    stale = []
    for path, text in generated(data_root()):
        if not path.is_file() or path.read_text("utf-8") != text:
            stale.append(path)
            if "--check" not in arguments:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
    for path in stale:
        sys.stdout.write(f"{'out of step' if '--check' in arguments else 'written'}: {path}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
