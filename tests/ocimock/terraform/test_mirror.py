"""The mirror: where Terraform looks, with a script that runs from anywhere."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import ocimock
from ocimock.terraform.__main__ import main
from ocimock.terraform.mirror import install, platform_of_terraform, plugin_path


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Linux", "x86_64", "linux_amd64"),
        ("Linux", "aarch64", "linux_arm64"),
        ("Darwin", "arm64", "darwin_arm64"),
        ("Linux", "riscv64", "linux_riscv64"),
    ],
)
def test_platforms_in_terraforms_terms(system: str, machine: str, expected: str) -> None:
    assert platform_of_terraform(system, machine) == expected


def test_the_plugin_lies_where_terraform_looks() -> None:
    assert plugin_path(Path("m"), "linux_amd64") == Path(
        "m/registry.terraform.io/oracle/oci/8.28.0/linux_amd64/terraform-provider-oci_v8.28.0"
    )


def test_the_script_runs_from_another_folder_and_a_path_with_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "it's a mirror"
    install(folder)
    shadow = tmp_path / "elsewhere"
    (shadow / "ocimock").mkdir(parents=True)
    (shadow / "ocimock" / "__init__.py").write_text("raise SystemExit('the wrong ocimock')")
    environment = {k: v for k, v in os.environ.items() if k != "TF_PLUGIN_MAGIC_COOKIE"}
    done = subprocess.run(
        [plugin_path(folder / "mirror")],
        cwd=shadow,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # Not started by Terraform, it says what it is and goes.
    assert done.returncode == 1
    assert done.stderr.startswith("This is the stand-in for oracle/oci")


def test_a_working_copy_in_a_path_with_a_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocimock, "__file__", str(tmp_path / "a copy" / "ocimock" / "__init__.py"))
    install(tmp_path / "m")
    script = plugin_path(tmp_path / "m" / "mirror").read_text()
    assert f"PYTHONPATH='{tmp_path / 'a copy'}' exec " in script


def test_install_prints_what_to_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a folder"
    assert main(["install", "--dir", str(folder)]) == 0
    printed = shlex.split(capsys.readouterr().out)
    exports = dict(word.split("=", 1) for word in printed if word != "export")
    assert exports["TF_PLUGIN_CACHE_DIR"] == ""
    assert exports["CDKTF_DISABLE_PLUGIN_CACHE_ENV"] == "1"
    config = Path(exports["TF_CLI_CONFIG_FILE"])
    assert f'path    = "{folder / "mirror"}"' in config.read_text()


def test_installing_twice_changes_nothing(tmp_path: Path) -> None:
    config = install(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert install(tmp_path) == config
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["install", "--dir", str(tmp_path / "file" / "below")]) == 1
    assert "Choose another --dir" in capsys.readouterr().err


def test_the_plugin_imports_no_oci_before_it_needs_it() -> None:
    code = "import sys, ocimock.terraform.serve; sys.exit('oci' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
