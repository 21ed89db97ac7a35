import os
import subprocess
import sys

import pytest

from paperimpl.vault.write import write


def test_it_writes_text_and_bytes_as_they_are_and_makes_the_folders(tmp_path):
    assert write(tmp_path / "a/b/c.txt", "line\nπ\n")
    assert (tmp_path / "a/b/c.txt").read_bytes() == "line\nπ\n".encode()
    assert write(tmp_path / "c.bin", b"\r\n\x00")
    assert (tmp_path / "c.bin").read_bytes() == b"\r\n\x00"


def test_it_says_whether_the_file_changed_and_leaves_an_equal_one_alone(tmp_path):
    place = tmp_path / "a"
    assert write(place, "x")
    os.utime(place, (1, 1))
    assert not write(place, "x")
    assert place.stat().st_mtime == 1
    assert write(place, "y")
    assert place.read_text(encoding="utf-8") == "y"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a process's files")
def test_a_disk_that_is_full_leaves_the_old_file_and_names_it(tmp_path):
    place = tmp_path / "a"
    place.write_text("old", encoding="utf-8")
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom paperimpl.vault.write import write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write(Path(sys.argv[1]), 'x' * 9999)\nexcept OSError as full:\n    print(full.filename)"
    )
    told = subprocess.check_output([sys.executable, "-c", program, str(place)], text=True)
    assert told.strip() == str(place)
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("a", "old")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    place = tmp_path / "a"
    place.touch()
    place.chmod(mode)
    write(place, "x")
    assert place.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("step", ["fdopen", "chmod", "replace"])
def test_an_interruption_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step, stop):
    place = tmp_path / "a"
    place.write_text("old", encoding="utf-8")
    real = os.fdopen

    def stopped(*arguments, **named):
        if step == "fdopen":
            real(*arguments, **named).close()
        raise stop

    monkeypatch.setattr(os, step, stopped)
    with pytest.raises(stop):
        write(place, "new")
    assert place.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["a"]
