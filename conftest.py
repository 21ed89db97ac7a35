"""For every test: one torch thread, no deadline, and in CI the same examples every time."""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["NO_MKDOCS_2_WARNING"] = "1"  # Material's banner about MkDocs 2; we pin mkdocs<2

settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("here")
