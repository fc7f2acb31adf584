"""Which goplot builds an upgrade removes."""

from __future__ import annotations

from pathlib import Path

from goplot_builds import unused


def test_a_build_goes_when_no_process_runs_it(tmp_path: Path) -> None:
    install = tmp_path / "opt"
    proc = tmp_path / "proc"
    for build in ("1-old", "1-older", "2-run", "3-new"):
        (install / "venvs" / build).mkdir(parents=True)
        (install / "packages" / build).mkdir(parents=True)
    (install / "packages/0-half").mkdir()
    for process, command in (
        ("7", f"{install}/venvs/2-run/bin/python\0{install}/current/bin/goplot-tractor\x007\0"),
        ("8", f"{install}/venvs/1-old-but-another/bin/python\0"),
        ("self", f"{install}/venvs/1-old/bin/python\0"),
    ):
        (proc / process).mkdir(parents=True)
        (proc / process / "cmdline").write_text(command)
    (proc / "9").mkdir()
    assert unused(install, ["3-new"], proc) == ["0-half", "1-old", "1-older"]
    assert unused(install, ["3-new", "1-old"], proc) == ["0-half", "1-older"]
