"""Writes the dashboards' JSON into dashboard/json."""

import sys
from pathlib import Path

from dashboard.files import write

if __name__ == "__main__":
    sys.exit(write(Path(__file__).parent / "json"))
