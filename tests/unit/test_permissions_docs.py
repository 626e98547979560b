"""The worked example in docs/permissions.md runs as it is printed, where nothing of the CRM is but the component."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from crm.settings import ROOT

TEXT = (ROOT / "docs" / "permissions.md").read_text("utf-8")
LIFTED = ("__init__.py", "errors.py", "i18n", "rbac")


def test_the_worked_example_runs_with_the_component_lifted_out(tmp_path: Path) -> None:
    example = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(example) == 2
    (tmp_path / "crm").mkdir()
    for name in LIFTED:
        part = ROOT / "crm" / name
        (shutil.copytree if part.is_dir() else shutil.copyfile)(part, tmp_path / "crm" / name)
    (tmp_path / "library.py").write_text("\n".join(example), "utf-8")

    ran = subprocess.run(
        [sys.executable, "library.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_example_uses_nothing_of_the_crm() -> None:
    assert set(re.findall(r"^from (crm\.\w+)", TEXT, re.MULTILINE)) == {"crm.errors", "crm.i18n", "crm.rbac"}
