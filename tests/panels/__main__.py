"""Says which panels of a running farm are empty: `python -m tests.panels URL`.

Exit code 1 when a query fails, or a panel is empty without saying why.
"""

import argparse
import sys
from pathlib import Path

from tests.panels.ask import Prometheus
from tests.panels.check import look_at_all


def main() -> int:
    """Print every panel that has no data, and how many have."""
    parser = argparse.ArgumentParser(prog="python -m tests.panels", description=__doc__)
    parser.add_argument("url", help="the farm's Prometheus, such as http://farmer1:9090")
    parser.add_argument("--ca", type=Path, help="the CA of its certificate")
    parser.add_argument("--credentials", type=Path, help="a file with user:password")
    given = parser.parse_args()
    secret = given.credentials.read_text().strip() if given.credentials else None
    panels = look_at_all(Prometheus(given.url.rstrip("/"), given.ca, secret))
    for panel in panels:
        if panel.fault:
            print(f"FAULT  {panel.place}: {panel.fault}")
        elif not panel.series:
            print(f"empty  {panel.place}: {panel.empty}")
    shown = sum(1 for panel in panels if panel.series)
    print(f"{shown} of {len(panels)} panels show data")
    return 1 if any(panel.fault for panel in panels) else 0


if __name__ == "__main__":
    sys.exit(main())
