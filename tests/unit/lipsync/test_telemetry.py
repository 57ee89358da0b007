"""A worker tells nobody about itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LOAD = """
from pathlib import Path
import services.lipsync
from services.lipsync import sessions
model = Path(services.lipsync.__path__[0]) / "models" / "networks" / "visavis-mouth" / "listen.onnx"
sessions.onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
"""


def test_loading_a_network_leaves_no_name_of_the_machine(tmp_path: Path) -> None:
    # A clean environment: in CI and in unit tests onnxruntime keeps quiet by itself.
    result = subprocess.run(
        [sys.executable, "-c", LOAD],
        env={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.rglob("*")) == []
