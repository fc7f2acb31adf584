"""goplot's services as earlier releases have them."""

import shutil
from pathlib import Path

_RELEASES = Path(__file__).parents[1] / "releases"
#: The release before prometheus_client, psutil and requests did their jobs.
BEFORE = "0.1.0"


def services_before(folder: Path) -> Path:
    """Put the services of BEFORE into a folder, once; works without the repository's history."""
    services = folder / BEFORE / "services"
    if not services.exists():
        shutil.unpack_archive(_RELEASES / f"{BEFORE}.tar.xz", services.parent)
    return services
