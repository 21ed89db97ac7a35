"""For every test: one torch thread, and shapes that are checked."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["NO_MKDOCS_2_WARNING"] = "1"  # Material's banner about MkDocs 2; we pin mkdocs<2
