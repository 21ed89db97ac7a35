"""Print pip's option for PyTorch's CPU builds where they are the better choice: Linux, no NVIDIA card, index in reach.

Elsewhere print nothing: pip's own choice is then right (macOS, Windows) or the only one.
"""

import pathlib
import platform
import urllib.request

INDEX = "https://download.pytorch.org/whl/cpu"


def reachable() -> bool:
    """Say whether the index answers within three seconds."""
    try:
        with urllib.request.urlopen(f"{INDEX}/torch/", timeout=3):
            return True
    except OSError:
        return False


if platform.system() == "Linux" and not pathlib.Path("/proc/driver/nvidia").exists() and reachable():
    print(f"--extra-index-url {INDEX}")
