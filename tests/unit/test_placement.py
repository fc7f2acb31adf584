"""Placement: what it promises, over random farms."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from goplot.farm.disks import (
    NOT_MOUNTED,
    OUT_OF_ROTATION_KIB,
    READ_ONLY,
    Disk,
    Space,
    TempFarm,
    Trouble,
    TroubleKind,
    failing,
)
from goplot.farm.placement import Limits, Need, NoRoom, Placement, place, rotate

TROUBLES = st.sampled_from([None, None, None, NOT_MOUNTED, READ_ONLY, failing("EIO")])
SPACES = st.builds(Space, used=st.integers(0, 500), free=st.integers(0, 500))
APART = st.none()
TOGETHER = st.sampled_from([None, "8:1", "8:2"])


@st.composite
def farms(
    draw: st.DrawFn, volumes: st.SearchStrategy[str | None] = TOGETHER
) -> tuple[list[Disk], list[TempFarm]]:
    """Disks of up to four farms, and up to four temp farms, on file systems of `volumes`."""
    disks = [
        Disk(
            farm=draw(st.integers(1, 4)),
            name=f"disk{number}",
            path=Path(f"/farm/disk{number}"),
            space=draw(SPACES),
            trouble=draw(TROUBLES),
            disk_file_kib=draw(st.sampled_from([None, 5, OUT_OF_ROTATION_KIB, 10**14])),
            committed=draw(st.integers(0, 300)),
            jobs=draw(st.integers(0, 3)),
            elsewhere=draw(st.integers(0, 100)),
            volume=draw(volumes),
        )
        for number in range(draw(st.integers(0, 8)))
    ]
    temps = [
        TempFarm(
            farm=number,
            path=Path(f"/plot_temp/{number}"),
            space=draw(SPACES),
            trouble=draw(TROUBLES),
            committed=draw(st.integers(0, 300)),
            phases=tuple(draw(st.lists(st.sampled_from(["start", "1", "2", "copy"]), max_size=4))),
            elsewhere=draw(st.integers(0, 100)),
            volume=draw(volumes),
        )
        for number in range(1, draw(st.integers(1, 5)))
    ]
    return disks, temps


def fit_together(disk: Disk, temp: TempFarm, need: Need) -> bool:
    """True when a plot fits in both, which may be one file system."""
    shared = disk.volume is not None and disk.volume == temp.volume
    beside = need.plot_bytes if shared else 0
    return disk.available >= need.plot_bytes and temp.available >= need.temp_bytes + beside


NEEDS = st.builds(Need, plot_bytes=st.integers(1, 200), temp_bytes=st.integers(1, 200))
LIMITS = st.builds(
    Limits,
    temp_jobs=st.integers(0, 3),
    early_jobs=st.integers(0, 3),
    early_phase=st.integers(0, 3),
    dest_jobs=st.integers(0, 3),
)


@given(farms(), NEEDS, st.integers(0, 5), st.integers(0, 5), LIMITS)
def test_a_place_is_always_a_good_one(
    farm: tuple[list[Disk], list[TempFarm]], need: Need, dest: int, temp: int, limits: Limits
) -> None:
    disks, temps = farm
    found = place(disks, temps, need, dest, temp, limits)
    assert found == place(list(disks), list(temps), need, dest, temp, limits)
    if isinstance(found, NoRoom):
        return
    disk, temp_farm = found.disk, found.temp
    assert disk.trouble is None
    assert temp_farm.trouble is None
    assert disk.disk_file_kib is None or disk.disk_file_kib < OUT_OF_ROTATION_KIB
    assert disk.space is not None
    assert temp_farm.space is not None
    assert disk.committed + disk.elsewhere + need.plot_bytes <= disk.space.free
    assert temp_farm.committed + temp_farm.elsewhere + need.temp_bytes <= temp_farm.space.free
    assert fit_together(disk, temp_farm, need)
    assert disk in disks
    assert temp_farm in temps
    same_farm = [d for d in disks if d.farm == disk.farm and fit_together(d, temp_farm, need)]
    assert disk.claimed == min(d.claimed for d in same_farm)
    if limits.temp_jobs:
        assert len(temp_farm.phases) < limits.temp_jobs
    if limits.dest_jobs:
        assert sum(d.jobs for d in disks if d.farm == disk.farm) < limits.dest_jobs


@given(farms(), NEEDS)
def test_no_room_means_that_there_is_none(
    farm: tuple[list[Disk], list[TempFarm]], need: Need
) -> None:
    disks, temps = farm
    if isinstance(place(disks, temps, need, 0, 0, Limits()), NoRoom):
        assert not any(fit_together(disk, temp, need) for disk in disks for temp in temps)


@given(farms(), NEEDS, st.integers(1, 4), st.integers(1, 200), LIMITS)
def test_second_temporary_files_have_room_and_a_farm_of_their_own(
    farm: tuple[list[Disk], list[TempFarm]], need: Need, number: int, size: int, limits: Limits
) -> None:
    disks, temps = farm
    both = replace(need, temp2_farm=number, temp2_bytes=size)
    found = place(disks, temps, both, 0, 0, limits)
    second = next((temp for temp in temps if temp.farm == number), None)
    if isinstance(found, NoRoom):
        rest = [temp for temp in temps if temp is not second]
        if second is not None and second.available >= size + need.temp_bytes + need.plot_bytes:
            assert isinstance(place(disks, rest, need, 0, 0, limits), NoRoom) or any(
                temp.volume == second.volume is not None for temp in rest
            )
        return
    assert found.temp2 is second is not None
    assert found.temp in temps
    assert found.temp is not second
    taken = size
    if second.volume is not None:
        taken += need.temp_bytes * (found.temp.volume == second.volume)
        taken += need.plot_bytes * (found.disk.volume == second.volume)
    assert second.available >= taken


@given(farms(APART), NEEDS)
def test_rotation_visits_every_farm_that_has_room(
    farm: tuple[list[Disk], list[TempFarm]], need: Need
) -> None:
    disks, temps = farm
    dest_farms = {d.farm for d in disks if d.available >= need.plot_bytes}
    temp_farms = {t.farm for t in temps if t.available >= need.temp_bytes}
    visited: list[tuple[int, int]] = []
    dest = temp = 0
    for _ in range(len(dest_farms) * len(temp_farms)):
        found = place(disks, temps, need, dest, temp, Limits())
        assert isinstance(found, Placement)
        dest, temp = found.disk.farm, found.temp.farm
        visited.append((dest, temp))
    if visited:
        assert {dest for dest, _ in visited} == dest_farms
        assert {temp for _, temp in visited} == temp_farms


def test_rotate_goes_round() -> None:
    assert rotate([3, 1, 2], 0) == [1, 2, 3]
    assert rotate([3, 1, 2], 1) == [2, 3, 1]
    assert rotate([3, 1, 2], 3) == [1, 2, 3]
    assert rotate([3, 1], 2) == [3, 1]


def test_a_full_farm_is_passed_over_not_waited_for() -> None:
    full = Disk(2, "b", Path("/farm/2/b"), Space(100, 0))
    free = Disk(1, "a", Path("/farm/1/a"), Space(0, 100))
    temp = TempFarm(1, Path("/plot_temp/1"), Space(0, 100))
    found = place([full, free], [temp], Need(10, 10), 1, 1, Limits())
    assert isinstance(found, Placement)
    assert found.disk is free


@given(st.sampled_from(TroubleKind), st.text(max_size=40))
def test_a_trouble_is_known_again_by_its_text(kind: TroubleKind, detail: str) -> None:
    trouble = Trouble(kind, detail)
    assert Trouble.of(str(trouble)) == trouble


def test_other_reasons_are_not_troubles() -> None:
    assert [Trouble.of(text) for text in ("", "full", "taken out by hand", "fail: x")] == [None] * 4
