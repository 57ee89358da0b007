"""Alerts and dashboard ask for metrics that exist, in a language that Prometheus reads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import visavis.rpc.telemetry
import yaml
from prometheus_client import REGISTRY
from visavis.rpc.failures import Failure, FailureType

import gateway.reply.metrics
import gateway.valkey.tickets
import services.lipsync.timings
from gateway.problems import problem_of
from tests.deploy.rendering import DEPLOY

MONITORING = DEPLOY / "components" / "monitoring"
MEASURED = (
    gateway.reply.metrics,
    gateway.valkey.tickets,
    services.lipsync.timings,
    visavis.rpc.telemetry,
)


def asked() -> list[str]:
    """All expressions of the alerts and of the dashboard."""
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]["groups"]
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return [rule["expr"] for group in groups for rule in group["rules"]] + [
        target["expr"] for panel in panels for target in panel["targets"]
    ]


def test_every_metric_asked_for_is_one_that_a_process_has() -> None:
    assert MEASURED
    known = {family.name for family in REGISTRY.collect()}
    names = {name for expression in asked() for name in re.findall(r"visavis_[a-z_]+", expression)}
    assert len(names) > 8
    assert {name for name in names if re.sub("_(total|bucket|count|sum)$", "", name) not in known} == set()


def test_nobody_is_woken_for_what_a_caller_did_wrong() -> None:
    failing = next(expression for expression in asked() if "outcome!~" in expression)
    left_out = re.compile(re.findall(r'outcome!~"([^"]+)"', failing)[0])
    told = {type_.value: problem_of(Failure(type_, "")).status for type_ in FailureType}
    callers = {type_ for type_, status in told.items() if 400 <= status < 500 and status != 429}
    assert {type_ for type_ in told if left_out.fullmatch(type_)} == callers


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool reads the rules: sudo apt-get install prometheus"
)
def test_prometheus_accepts_the_rules_and_the_dashboard(tmp_path: Path) -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]
    shown = [
        {"record": f"shown:{index}", "expr": re.sub(r"\$__(rate_interval|range)", "5m", expression)}
        for index, expression in enumerate(asked())
    ]
    rules["groups"].append({"name": "shown", "rules": shown})
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    checked = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
