"""A shipped proxy configuration goes in, the real proxy in front of one gateway or several comes out."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fakes.ports import free_port

SHIPPED = Path(__file__).parents[2] / "deploy" / "proxies"
START_SECONDS = 120
# What a machine for tests has otherwise than an operator's: no public name, no right to port 80.
_CADDY_HERE = """{{
	admin off
	skip_install_trust
	auto_https disable_redirects
	storage file_system {folder}
}}
"""
_NGINX_HERE = "daemon off;\npid {folder}/nginx.pid;\n"
_NGINX_PATHS = "".join(
    f"    {kind}_temp_path {{folder}}/{kind};\n"
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: its address, over TLS, and its (first) process."""

    address: str
    pid: int


@asynccontextmanager
async def proxied(name: str, gateways: list[int], folder: Path) -> AsyncIterator[Proxy]:
    """A proxy in front of gateways at these ports. Skips the test where it is not installed."""
    program = _program(name)
    port = free_port()
    command = [program, *_arguments(name, _configuration(name, gateways, port, folder), folder)]
    log_path = folder / f"{name}.log"
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, cwd=folder)
    try:
        address = f"https://localhost:{port}"
        await _serving(address, process, log_path)
        yield Proxy(address, process.pid)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    # Debian keeps nginx where only an administrator looks.
    places = f"{os.environ.get('PATH', '')}:/usr/sbin"
    found = str(beside) if beside.exists() else shutil.which(name, path=places)
    if found is None:
        pytest.skip(f"No {name} on this machine. On Debian and Ubuntu: sudo apt-get install -y {name}")
    return found


def _configuration(name: str, gateways: list[int], port: int, folder: Path) -> Path:
    """The shipped file with its own addresses and certificate in place of the example's."""
    if name == "caddy":
        upstreams = " ".join(f"127.0.0.1:{gateway}" for gateway in gateways)
        text = _CADDY_HERE.format(folder=folder / "caddy") + _replaced(
            (SHIPPED / "Caddyfile").read_text(),
            {"face.example.com": f"https://localhost:{port}", "127.0.0.1:8000": upstreams},
        )
        return _written(folder / "Caddyfile", text)
    certificate = {"/etc/ssl/face": str(_certificate(folder))}
    if name == "nginx":
        paths = {
            "http {\n": "http {\n" + _NGINX_PATHS.format(folder=folder),
            "/var/log/nginx/error.log crit": "stderr",
            "/var/log/nginx": str(folder),
        }
        shipped = _for_each("8000", gateways, (SHIPPED / "nginx.conf").read_text())
        text = _replaced(shipped, certificate | paths | {"listen 8443": f"listen {port}"})
        return _written(folder / "nginx.conf", _NGINX_HERE.format(folder=folder) + text)
    shipped = _for_each("port_value: 8000", gateways, (SHIPPED / "envoy.yaml").read_text())
    return _written(
        folder / "envoy.yaml", _replaced(shipped, certificate | {"port_value: 8443": f"port_value: {port}"})
    )


def _for_each(named: str, gateways: list[int], text: str) -> str:
    """The text with the line that names the example's port once for each gateway's."""
    lines = text.splitlines(keepends=True)
    (example,) = (line for line in lines if named in line)
    return text.replace(example, "".join(example.replace("8000", str(port)) for port in gateways))


def _arguments(name: str, configuration: Path, folder: Path) -> list[str]:
    match name:
        case "caddy":
            return ["run", "--config", str(configuration), "--adapter", "caddyfile"]
        case "nginx":
            return ["-p", str(folder), "-c", str(configuration)]
        case _:
            hot_restart_off = ["--disable-hot-restart", "--concurrency", "1"]
            return ["--config-path", str(configuration), "--log-level", "warning", *hot_restart_off]


def _replaced(text: str, replacements: dict[str, str]) -> str:
    for old, new in replacements.items():
        assert old in text, f"The shipped configuration no longer holds {old}."
        text = text.replace(old, new)
    return text


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _certificate(folder: Path) -> Path:
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    files = "-keyout key.pem -out certificate.pem"
    command = ["openssl", *request.split(), "-addext", names, *files.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


async def _serving(address: str, process: Process, log_path: Path) -> None:
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(verify=False) as http:
        while True:
            assert process.returncode is None, _text(log_path)
            try:
                answer = await http.get(f"{address}/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code == 200, answer.text
            return


def _text(log_path: Path) -> str:
    return log_path.read_text(errors="replace")
