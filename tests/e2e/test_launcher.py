"""`visavis serve`: four processes start together and end together, however the launcher ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.fakes.ports import free_port

SERVE = (sys.executable, "-c", "from visavis_client.command import main; main()", "serve")
ENDING_SECONDS = 30

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are found in /proc"),
]


@contextmanager
def serving(folder: Path, port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The launcher, run from a folder that is not the checkout."""
    process = subprocess.Popen(
        [*SERVE, "--port", str(port)], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "GATEWAY_DATA": str(folder / "data"), **environment},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines_until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "Ready: open" in line:
            return lines
    raise AssertionError("".join(lines) + (process.stderr.read() if process.stderr else ""))


def children(process: subprocess.Popen[str]) -> dict[int, str]:
    """Pids and command lines."""
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return {int(pid): Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip() for pid in pids}


def assert_all_end(handles: list[int]) -> None:
    """Waits on pidfds, which become readable when their process ends."""
    running = set(handles)
    while running:
        ended, _, _ = select.select(list(running), [], [], ENDING_SECONDS)
        assert ended, f"{len(running)} processes outlived the launcher"
        running -= set(ended)
    for handle in handles:
        os.close(handle)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_however_it_is_stopped_no_process_survives(tmp_path: Path, number: signal.Signals, code: int) -> None:
    port = free_port()
    with serving(tmp_path, port) as launcher:
        lines = lines_until_ready(launcher)
        stages = httpx.get(f"http://127.0.0.1:{port}/readyz").json()["stages"]
        started = children(launcher)
        handles = [os.pidfd_open(pid) for pid in started]
        launcher.send_signal(number)
        _, stderr = launcher.communicate(timeout=ENDING_SECONDS)
        assert_all_end(handles)

    assert sorted(command.split(" -m ")[1] for command in started.values()) == [
        "gateway", "services.lipsync", "services.text", "services.tts",
    ]  # fmt: skip
    assert set(stages.values()) == {"serving"}
    assert f"http://127.0.0.1:{port}" in lines[-1]
    assert any("text: " in line and "OPENAI_API_KEY" in line for line in lines)
    assert launcher.returncode == code
    assert stderr == ""


def test_say_takes_the_processes_it_started_along(tmp_path: Path) -> None:
    command = [*SERVE[:-1], "say", "Hello there. " * 50, "-o", "x.mp4"]
    with subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE) as say:
        assert say.stderr is not None
        while "%" not in (line := say.stderr.readline()):
            assert line, "it ended before it was interrupted"
        handles = [os.pidfd_open(pid) for pid in children(say)]
        say.send_signal(signal.SIGINT)
        assert_all_end(handles)
    assert len(handles) == 4
    assert say.returncode == 128 + signal.SIGINT
    assert not list(tmp_path.iterdir())


def test_a_process_that_dies_later_ends_the_others_and_is_named(tmp_path: Path) -> None:
    with serving(tmp_path, free_port()) as launcher:
        lines_until_ready(launcher)
        started = children(launcher)
        handles = [os.pidfd_open(pid) for pid in started]
        victim = next(pid for pid, command in started.items() if "services.tts" in command)
        os.kill(victim, signal.SIGKILL)
        _, stderr = launcher.communicate(timeout=ENDING_SECONDS)
        assert_all_end(handles)
    assert launcher.returncode == 1
    assert stderr.startswith("The process tts was ended by SIGKILL, so the others were stopped too.")


def test_a_process_that_cannot_start_is_named_with_its_reason(tmp_path: Path) -> None:
    with serving(tmp_path, free_port(), TTS_LOG_LEVEL="loud") as launcher:
        stdout, stderr = launcher.communicate(timeout=60)
    assert launcher.returncode == 1
    assert stderr.startswith("The process tts ended with exit code 1, so the others were stopped too.")
    assert "TTS_LOG_LEVEL" in stderr
    assert "Ready" not in stdout


def test_the_address_of_a_bucket_reaches_the_gateway_as_it_was_given(tmp_path: Path) -> None:
    nobody = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "AWS_ACCESS_KEY_ID": "a"}
    nobody |= {"AWS_SECRET_ACCESS_KEY": "b", "GATEWAY_DATA": "s3://nobody/there"}
    with serving(tmp_path, free_port(), **nobody) as launcher:
        _, stderr = launcher.communicate(timeout=60)
    assert launcher.returncode == 1
    assert "Media cannot be kept at s3://nobody/there" in stderr


def test_a_taken_port_is_said_together_with_the_way_out(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with serving(tmp_path, port) as launcher:
            stdout, stderr = launcher.communicate(timeout=60)
    assert launcher.returncode == 1
    assert stdout == ""
    assert stderr.startswith(
        f"Cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another"
    )
    assert "PORT=" in stderr
    assert stderr.count("\n") == 1


def test_a_page_that_asks_too_early_does_not_stop_it(tmp_path: Path) -> None:
    port = free_port()
    stop = threading.Event()
    refusals: list[int] = []

    def ask_all_the_time() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as page:
            while not stop.wait(0.05):
                with suppress(httpx.TransportError):
                    refusals.append(page.get("/v1/models").status_code)

    with serving(tmp_path, port) as launcher, ThreadPoolExecutor() as threads:
        asking = threads.submit(ask_all_the_time)
        try:
            lines = lines_until_ready(launcher)
        finally:
            stop.set()
        asking.result()
    assert 503 in refusals
    assert any("text: " in line for line in lines)
