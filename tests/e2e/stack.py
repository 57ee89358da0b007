"""Settings go in, the four real processes come out: each can be killed and started again by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import httpx

from tests.fakes.ports import free_ports

STAGES = ("text", "tts", "lipsync")
START_SECONDS = 120


class Stack:
    """text, tts, lipsync and the gateway as processes of their own, logging into `folder`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        names = (*STAGES, "gateway")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.url = f"http://127.0.0.1:{self.ports['gateway']}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.settings = {
            "GATEWAY_PORT": str(self.ports["gateway"]),
            "GATEWAY_DATA": str(folder / "data"),
        }
        for name in STAGES:
            address = f"127.0.0.1:{self.ports[name]}"
            self.settings[f"{name.upper()}_LISTEN"] = address
            self.settings[f"GATEWAY_{name.upper()}_TARGET"] = address
        self.settings |= settings

    def start(self, name: str) -> None:
        """Starts one process; returns at once."""
        module = "gateway" if name == "gateway" else f"services.{name}"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", module], env=os.environ | self.settings, stdout=log, stderr=log
            )

    def start_all(self, names: Collection[str] = (*STAGES, "gateway")) -> None:
        """Starts these and waits until every stage serves that is not asleep."""
        for name in names:
            self.start(name)
        self.wait_until_serving()

    def wait_until_serving(self) -> None:
        """Polls /readyz, the one outside view of readiness, until all stages serve that are not asleep.

        Raises:
            RuntimeError: a process died, or START_SECONDS passed; with the end of the logs.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if dead := [name for name, process in self.processes.items() if process.poll() is not None]:
                raise RuntimeError(f"{dead} ended at start-up:\n{self.logs()}")
            try:
                stages = httpx.get(f"{self.url}/readyz", timeout=5).json()["stages"]
            except (httpx.TransportError, ValueError, KeyError):
                stages = {}
            if stages and all(state in ("serving", "asleep") for state in stages.values()):
                return
            time.sleep(0.1)
        raise RuntimeError(f"The stack did not come up:\n{self.logs()}")

    def kill(self, name: str) -> None:
        """kill -9."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self) -> None:
        """SIGTERM to all, as an operator would; kills what has not ended after 15 s."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self) -> str:
        """The end of every process's log."""
        return "\n".join(
            f"--- {path.stem}\n{path.read_text(errors='replace')[-2000:]}"
            for path in self.folder.glob("*.log")
        )
