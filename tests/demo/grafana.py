"""Whether the demo can have Grafana: its vendor's repository is not reached from everywhere."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.hosts.machine import Machine

_DEFAULTS = Path("roles/grafana/defaults/main.yml")
# Each as the role asks: apt by its own proxies, the key with Python.
_REACHED = """
set -e
timeout 30 /usr/lib/apt/apt-helper -o Acquire::Retries=0 \
    download-file "$1/dists/stable/InRelease" /run/grafana-repository
rm /run/grafana-repository
python3 -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=10)' "$2"
echo reached
"""


def unreached(farmer: Machine) -> str | None:
    """The repository, if this host can't install Grafana from it; None if it can."""
    defaults = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))
    repository, key = str(defaults["grafana_apt_repository"]), str(defaults["grafana_apt_key"])
    words = farmer.run("sh", "-c", _REACHED, "sh", repository, key, check=False)
    return None if words.endswith("reached\n") else repository
