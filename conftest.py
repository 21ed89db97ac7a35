"""For every test: one torch thread, no deadline, and in CI the same examples every time."""

import os
import tempfile

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["NO_MKDOCS_2_WARNING"] = "1"  # Material's banner about MkDocs 2; we pin mkdocs<2

_cache = tempfile.TemporaryDirectory(prefix="paperimpl-")  # what a user has installed is not the tests' to find
os.environ["PAPERIMPL_CACHE"] = _cache.name

settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("here")
