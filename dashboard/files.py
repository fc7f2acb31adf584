"""The dashboards as files."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboard import disks, farm, fleet, harvesters, plotting


def contents() -> dict[str, str]:
    """The text of every dashboard's file, by the file's name."""
    boards = (farm.board(), plotting.board(), disks.board(), harvesters.board(), fleet.board())
    documents = [json.loads(JSONEncoder().encode(board.build())) for board in boards]
    return {f"{board['uid']}.json": _text(board) for board in documents}


def write(folder: Path) -> int:
    """Write every dashboard into `folder`. Returns 0; raises OSError."""
    for name, text in contents().items():
        (folder / name).write_text(text)
    return 0


def _text(board: dict[str, Any]) -> str:
    """JSON with one line for each panel, so that a change shows where it is."""
    lines = []
    for key, value in sorted(board.items()):
        if key == "panels":
            panels = ",\n".join(json.dumps(panel, sort_keys=True) for panel in value)
            lines.append(f'"panels": [\n{panels}\n]')
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
