"""goplot's services as they were."""

import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
#: The last commit before prometheus_client, psutil and requests did their jobs: 0.1.0, as the first
#: farms run it.
BEFORE = "46e3ce5"


def services_before(folder: Path) -> Path:
    """Put the services of BEFORE into a folder, once. Needs the repository's history."""
    services = folder / "before/services"
    if not services.exists():
        archive = subprocess.run(
            ["git", "archive", BEFORE, "services"], cwd=_ROOT, capture_output=True, check=True
        )
        services.parent.mkdir(parents=True)
        command = ["tar", "-x", "-C", str(services.parent)]
        subprocess.run(command, input=archive.stdout, check=True)
    return services
