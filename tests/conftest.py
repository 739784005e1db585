"""What every test shares: hypothesis profiles, and a path on which the tests' own modules are found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# pytest imports test files by path, so modules beside them (strategies, oracle) are not importable by themselves.
sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile(
    "local",
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
