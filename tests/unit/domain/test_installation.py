"""A missing extra is asked for where loom came from, never by a bare name that an index may know as another project."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.core import MissingExtra
from loom.domain.installation import how_to_add, requirement_of

FOLDER = "file:///srv/my%20code/loom"


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        ({"url": FOLDER, "dir_info": {}}, "'/srv/my code/loom[jobs]'"),
        ({"url": FOLDER, "dir_info": {"editable": True}}, "-e '/srv/my code/loom[jobs]'"),
        (
            {"url": "file:///tmp/loom_kernel-0.1.0-py3-none-any.whl", "archive_info": {}},
            "'loom-kernel[jobs] @ file:///tmp/loom_kernel-0.1.0-py3-none-any.whl'",
        ),
        (
            {"url": "https://git.example/loom", "vcs_info": {"vcs": "git", "commit_id": "a1b2"}, "subdirectory": "py"},
            "'loom-kernel[jobs] @ git+https://git.example/loom@a1b2#subdirectory=py'",
        ),
        (
            {
                "url": "https://git.example/loom",
                "vcs_info": {"vcs": "git", "commit_id": "a1", "requested_revision": "v1"},
            },
            "'loom-kernel[jobs] @ git+https://git.example/loom@v1'",
        ),
    ],
    ids=["folder", "editable", "archive", "repository", "revision"],
)
def test_the_origin_is_named(origin: dict[str, Any], wanted: str) -> None:
    assert requirement_of(origin, "jobs") == wanted


def installed(folder: Path, direct_url: dict[str, Any] | None) -> None:
    info = folder / "loom_kernel-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: loom-kernel\nVersion: 0.1.0\n")
    if direct_url is not None:
        (info / "direct_url.json").write_text(json.dumps(direct_url))


def test_what_came_from_an_index_is_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, None)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert how_to_add("jobs").startswith("add the extra 'jobs' to your requirement of loom-kernel")
    assert "pip install" not in MissingExtra("celery", "jobs").remedy


def test_what_came_from_a_folder_is_a_command_of_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, {"url": FOLDER, "dir_info": {}})
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert MissingExtra("celery", "jobs").remedy == "pip install '/srv/my code/loom[jobs]'"


def test_a_tree_without_an_installation_has_no_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert "pip install" not in how_to_add("jobs")


def test_this_installation_names_this_tree() -> None:
    root = Path(__file__).parents[3]
    assert re.fullmatch(rf"pip install -e '{re.escape(str(root))}\[jobs\]'", how_to_add("jobs"))
