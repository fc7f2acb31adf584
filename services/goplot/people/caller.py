"""What the person who runs `goplot` may see and change: its files belong to its own user."""

import errno
import os
from dataclasses import replace
from pathlib import Path

from goplot.farm.disks import HIDDEN, TempFarm, failing
from goplot.farm.jobs import Job
from goplot.host.account import become
from goplot.host.diskstate import read_temp_faults
from goplot.host.observe import Observation


def act_as_goplot(state: Path, folder: Path) -> None:
    """As root, become the user of goplot's services, who may change the files of a folder.

    Raises PermissionError when the caller may not change them, AccountError without that user.
    """
    become("goplot", state)
    if not os.access(folder, os.W_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def seen_by_caller(observation: Observation, state: Path) -> Observation:
    """The observation with what is hidden from the caller marked as HIDDEN.

    That is not a problem: goplot's user and root see it.
    """
    if os.geteuid() in (0, state.stat().st_uid):
        return observation
    faults = read_temp_faults(state)
    return replace(
        observation,
        disks=tuple(
            replace(disk, trouble=HIDDEN) if disk.trouble == _DENIED else disk
            for disk in observation.disks
        ),
        temps=tuple(
            replace(temp, trouble=HIDDEN)
            if str(temp.path) not in faults and _is_hidden(temp, observation.jobs)
            else temp
            for temp in observation.temps
        ),
    )


_DENIED = failing(os.strerror(errno.EACCES))


def _is_hidden(temp: TempFarm, jobs: tuple[Job, ...]) -> bool:
    """True when the temp farm, or what its jobs have written, can't be read for lack of rights."""
    if temp.trouble is not None:
        return temp.trouble == _DENIED
    return any(
        _is_closed(temp.path / job.folder.name) for job in jobs if temp.path in job.temp_paths
    )


def _is_closed(folder: Path) -> bool:
    try:
        with os.scandir(folder):
            return False
    except OSError as error:
        return error.errno == errno.EACCES
