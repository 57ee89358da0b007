"""The .proto files go in, typed Python stubs come out beside them whenever the package is built."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.build import build

ROOT = Path(__file__).parent


class BuildStubs(Command):
    """Runs protoc with mypy-protobuf; the generated files are never committed."""

    user_options: ClassVar[list[tuple[str, str | None, str]]] = []
    editable_mode = False

    def initialize_options(self) -> None:
        self.protos: list[str] = []

    def finalize_options(self) -> None:
        self.protos = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("visavis/v1/*.proto"))

    def run(self) -> None:
        outputs = [f"--{kind}_out={ROOT}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
        # protoc finds its mypy plug-ins on PATH, where an isolated or a virtual environment keeps them.
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", *outputs, *self.protos]
        plugins = [
            f"--plugin=protoc-gen-{name}={path}"
            for name in ("mypy", "mypy_grpc")
            if (path := Path(sys.executable).parent / f"protoc-gen-{name}").exists()
        ]
        subprocess.run([*command, *plugins], check=True, cwd=ROOT)

    def get_source_files(self) -> list[str]:
        return self.protos

    def get_outputs(self) -> list[str]:
        return []

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class BuildWithStubs(build):
    """The ordinary build, stubs first."""

    sub_commands: ClassVar = [("build_stubs", None), *build.sub_commands]


setup(cmdclass={"build": BuildWithStubs, "build_stubs": BuildStubs})
