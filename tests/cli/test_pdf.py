"""`paperimpl pdf` against a real server on loopback that answers well and in every way badly."""

import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

PDF = b"%PDF-1.5\n" + bytes(range(256)) * 40 + b"\ntrailer\n%%EOF\n"
HTML = b"\n<!DOCTYPE html><html><title>Log in to read</title></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """The last part of the path says how to answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        getattr(self, self.path.rsplit("/", 1)[-1].replace("-", "_"))()

    def log_message(self, *_):
        pass

    def send(self, body, status=200, announced=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        self.send(PDF)

    def other(self):
        self.send(PDF.replace(b"trailer", b"changed"))

    def prefixed(self):
        self.send(b"\xef\xbb\xbf\n" + PDF)

    def html(self):
        self.send(HTML)

    def text(self):
        self.send(b"%PD nearly")

    def empty(self):
        self.send(b"")

    def gone(self):
        self.send(b"", 404)

    def busy(self):
        self.send(b"", 503)

    def moved(self):
        self.send(b"", 302, Location="/good")

    def loop(self):
        self.send(b"", 302, Location="/loop")

    def truncated(self):
        self.close_connection = True
        self.send(PDF[: len(PDF) // 2], announced=len(PDF))

    def no_length(self):
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PDF)

    def no_length_truncated(self):
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PDF[: len(PDF) // 2])

    def slow(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(PDF)))
        self.end_headers()
        for start in range(0, len(PDF), 1500):
            self.wfile.write(PDF[start : start + 1500])
            self.wfile.flush()
            self.server.over.wait(0.2)  # longer in all than the timeout, shorter each time

    def hang(self):
        self.close_connection = True
        self.server.over.wait()

    def stall(self):
        self.close_connection = True
        self.send(PDF[:2000], announced=len(PDF))
        self.wfile.flush()
        self.server.over.wait()

    def recovering(self):
        if self.server.asked.count(self.path) < 2:
            self.truncated()
        else:
            self.good()


class Server(http.server.ThreadingHTTPServer):
    """Remembers what it was asked, and can let go of the clients that it keeps waiting."""

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.over = threading.Event()

    def handle_error(self, *_):
        pass  # a client that gave up

    def url(self, how):
        return f"http://127.0.0.1:{self.server_port}/{how}"


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_waiting(monkeypatch):
    """Let pooch try again at once."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


def lock(repository):
    return json.loads((repository.root / "vault/pdf.lock").read_text(encoding="utf-8"))


@pytest.mark.parametrize("how", ["good", "prefixed", "moved", "no-length", "slow"])
def test_a_pdf_is_fetched_into_its_papers_folder_and_remembered(repository, server, how):
    folder = repository.paper("lstm", pdf=server.url(how))
    code, out, err = repository("pdf", "lstm", "--timeout", "1", "--retries", "0")
    assert (code, err) == (0, "")
    content = (folder / "lstm.pdf").read_bytes()
    assert content.endswith(PDF)
    assert "vault/04-sequences/lstm/lstm.pdf" in out
    assert lock(repository)["lstm"]["url"] == server.url(how)
    assert lock(repository)["lstm"]["bytes"] == len(content)
    assert len(lock(repository)["lstm"]["sha256"]) == 64
    assert sorted(path.name for path in folder.iterdir()) == ["lstm.md", "lstm.pdf"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("html", "a web page (HTML)"),
        ("text", "not with a PDF"),
        ("empty", "not with a PDF"),
        ("gone", "404 Not Found"),
        ("busy", "503 Service Unavailable"),
        ("loop", "TooManyRedirects"),
        ("truncated", "cut short"),
        ("no-length-truncated", "without the mark of a PDF's end"),
        ("hang", "sent nothing for 0.3 s"),
        ("stall", "sent nothing for 0.3 s"),
    ],
)
def test_anything_else_is_one_line_with_slug_address_and_remedy(repository, server, how, said):
    repository.paper("lstm", pdf=server.url(how))
    before = repository.files()
    timeout = "0.3" if how in ("hang", "stall") else "30"
    code, _, err = repository("pdf", "lstm", "--timeout", timeout, "--retries", "0")
    assert code == 1
    (line,) = err.splitlines()
    assert line.startswith("vault/04-sequences/lstm/lstm.md:12: lstm: ")
    assert server.url(how) in line
    assert said in line
    assert "mend `pdf:`, or save the file yourself as vault/04-sequences/lstm/lstm.pdf" in line or (
        "paperimpl pdf lstm" in line
    )
    assert repository.files() == before


def test_a_refused_connection_is_one_line(repository):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening
        repository.paper("lstm", pdf=f"http://127.0.0.1:{taken.getsockname()[1]}/x")
        code, _, err = repository("pdf", "lstm", "--retries", "0")
    assert code == 1
    (line,) = err.splitlines()
    assert "cannot be reached" in line


@pytest.mark.usefixtures("no_waiting")
def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_not(repository, server):
    repository.paper("lstm", pdf=server.url("recovering"))
    repository.paper("gru", pdf=server.url("gone"))
    repository.paper("rnn", pdf=server.url("busy"))
    code, _, err = repository("pdf", "--retries", "2")
    assert code == 1
    assert [line.split(": ")[1] for line in err.splitlines()] == ["gru", "rnn"]
    assert [server.asked.count(path) for path in ("/recovering", "/gone", "/busy")] == [2, 1, 3]


def test_one_that_fails_does_not_keep_the_others(repository, server):
    repository.paper("a", pdf=server.url("gone"))
    repository.paper("b", "05-transformers", pdf=server.url("good"))
    repository.paper("c", year="soon", pdf=server.url("good"))
    repository.paper("d", "05-transformers")
    code, out, err = repository("pdf")
    assert code == 1
    assert (repository.root / "vault/05-transformers/b/b.pdf").read_bytes() == PDF
    assert "d: no PDF to fetch; read it at https://example.org/paper" in out
    assert "404" in err
    assert "c.md:5: year: 'soon'" in err


def test_what_is_there_is_left_alone(repository, server):
    folder = repository.paper("lstm", pdf=server.url("good"))
    (folder / "lstm.pdf").write_bytes(b"saved by hand")
    assert repository("pdf")[0] == 0
    assert server.asked == []
    assert (folder / "lstm.pdf").read_bytes() == b"saved by hand"


def test_force_fetches_again_and_a_failure_keeps_the_old_file(repository, server):
    folder = repository.paper("lstm", pdf=server.url("good"))
    (folder / "lstm.pdf").write_bytes(b"old")
    assert repository("pdf", "--force")[0] == 0
    assert (folder / "lstm.pdf").read_bytes() == PDF
    note = folder / "lstm.md"
    note.write_text(note.read_text(encoding="utf-8").replace("/good", "/gone"), encoding="utf-8")
    assert repository("pdf", "--force")[0] == 1
    assert (folder / "lstm.pdf").read_bytes() == PDF


def test_another_file_than_the_one_remembered_is_refused(repository, server):
    folder = repository.paper("lstm", pdf=server.url("other"))
    remembered = {"lstm": {"url": server.url("other"), "sha256": "0" * 64, "bytes": 7}}
    (repository.root / "vault/pdf.lock").write_text(json.dumps(remembered), encoding="utf-8")
    for arguments in (["pdf"], ["pdf", "--force"]):
        code, _, err = repository(*arguments)
        assert code == 1
        assert "is not the file that vault/pdf.lock remembers" in err
        assert "take 'lstm' out of vault/pdf.lock" in err
        assert not (folder / "lstm.pdf").exists()
        assert lock(repository) == remembered


def test_a_new_address_may_have_another_file(repository, server):
    repository.paper("lstm", pdf=server.url("good"))
    remembered = {"lstm": {"url": "https://example.org/old", "sha256": "0" * 64, "bytes": 7}}
    (repository.root / "vault/pdf.lock").write_text(json.dumps(remembered), encoding="utf-8")
    assert repository("pdf")[0] == 0
    assert lock(repository)["lstm"]["url"] == server.url("good")


def test_the_lock_is_in_one_order(repository, server):
    for slug in ("b", "a"):
        repository.paper(slug, pdf=server.url("good"))
        repository("pdf", slug)
    text = (repository.root / "vault/pdf.lock").read_text(encoding="utf-8")
    assert list(json.loads(text)) == ["a", "b"]
    assert text.endswith("}\n")


@pytest.mark.parametrize("text", ["{", "<<<<<<< ours\n", "[]", '{"lstm": 3}'])
def test_a_broken_lock_is_refused(repository, server, text):
    repository.paper("lstm", pdf=server.url("good"))
    (repository.root / "vault/pdf.lock").write_text(text, encoding="utf-8")
    code, _, err = repository("pdf")
    assert code == 1
    assert err.startswith("vault/pdf.lock")
    assert "git checkout vault/pdf.lock" in err
    assert server.asked == []


def test_a_wrong_slug_suggests_the_near_one(repository):
    repository.paper("lstm")
    code, _, err = repository("pdf", "lstn")
    assert code == 1
    assert "did you mean 'lstm'?" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to a process")
@pytest.mark.parametrize("how", ["hang", "stall"])
def test_ctrl_c_leaves_no_half_written_file(repository, server, how):
    repository.paper("lstm", pdf=server.url(how))
    before = repository.files()
    process = subprocess.Popen(
        [sys.executable, "-c", "from paperimpl.cli import main; main()", "pdf", "lstm"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        while not server.asked:
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert "interrupted" in process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert repository.files() == before
