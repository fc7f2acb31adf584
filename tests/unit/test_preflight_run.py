"""The preflight play as Ansible runs it, on this machine and without a change to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible import __version__ as ansible_version
from ansible.parsing.dataloader import DataLoader
from goplot_preflight.written import Position

from tests.support.modules import load_module
from tests.support.playbook import PROJECT, run_ansible

HOSTS = """
all:
  vars: {{ansible_connection: local, ansible_python_interpreter: {python}}}
  children:
    farmer: {{hosts: {{farmer1: {{}}}}}}
    plotter: {{hosts: {{plotter1: {{}}}}}}
    harvester: {{hosts: {{plotter1: {{}}, harvester1: {{}}}}}}
"""
GOOD = """
goplot_tunables: {on_toggle: stop}
farm_layout_mounts:
  - {path: /farm/1/disk1, src: "UUID={{ inventory_hostname }}-1", fstype: xfs}
  - {path: "/plot_temp/{{ farm | default(1) }}", src: LABEL=temp, fstype: xfs}
"""
BAD = """
goplt_k: 32
goplot_k: 17
goplot_max_plots: 3
goplot_compression: "{{ undefined_here }}"
goplot_tunables: {on_toggle: stop, max_plots: -1}
farm_layout_mounts:
  - {path: /farm/0/disk1, src: UUID=1, fstype: xfs}
  - {path: /farm/2/disk2, src: UUID=1, fstype: xfs}
  - {path: /home/1/disk3, src: UUID=3, fstype: xfs}
  - {path: /farm/3/disk2, src: UUID=4, fstype: xfs}
  - {path: /plot_temp/1, src: UUID=5, fstype: zfs2}
"""
NEXT_PLAY = """
- name: Check
  ansible.builtin.import_playbook: {repository}/playbooks/preflight.yml

- name: Change
  hosts: all
  gather_facts: false
  tasks:
    - name: Leave a mark
      ansible.builtin.file:
        path: {folder}/{{{{ inventory_hostname }}}}.changed
        state: touch
        mode: "0644"
"""


NUMBERS = """
chia_version: 2.10
level: 05  # 5, however it is read
goplot_compression: "{{ level }}"
goplot_tunables: {plot_gap: 1:15:00, max_plots: 010, on_toggle: stop, load_max: 100}
goplot_farmer_public_key: 0xKEY
chia_settings: {farmer: {launcher: 0x1F, port: 8447}}
tls_names: [farm.example, &alias 1.10]
goplot_plotters:
  madmax: {program: /usr/bin/chia_plot, options: [-r, 8, -u, 010]}
  madmx: {program: /usr/bin/chia_plot}
farm_layout_mounts:
  - {path: /plot_temp/1, src: /dev/md/temp, fstype: xfs}
  - {path: /farm/1/disk1, src: "LABEL=Seagate Expansion", fstype: ext4}
  - {path: /farm/1/disk2, src: '/dev/disk/by-label/Seagate\\x20Expansion', fstype: ext4}
"""
NUMBERS_REPORTED = (
    'chia_version is written 2.10 in {file}:2, which is read as 2.1: put it in quotes: "2.10"',
    "goplot_tunables.plot_gap is written 1:15:00 in {file}:5, which is read as 4500: "
    "write the plain number: 4500",
    "goplot_tunables.max_plots is written 010 in {file}:5, which is read as 8: "
    "write the plain number: 10, or 8 if that is meant",
    "goplot_farmer_public_key has a value in {file}:6 that is not read as it is written: "
    "put it in quotes",
    "chia_settings.farmer.launcher is written 0x1F in {file}:7",
    "tls_names[1] is written 1.10 in {file}:8, which is read as 1.1: put it in quotes",
    'goplot_plotters.madmax.options[1] is 8: put it in quotes: "8"',
    'goplot_plotters.madmax.options[3] is 8: put it in quotes: "010"',
    "goplot_plotters.madmx is not a known plotter",
    "farm_layout_mounts[1].src is 'LABEL=Seagate Expansion': a name with a space can't be",
    "farm_layout_mounts[2].src is '/dev/disk/by-label/Seagate",
)


class Site:
    """An inventory in a folder, and a site of preflight and a play that changes something."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory = folder / "inventory"
        self.write("hosts.yml", HOSTS.format(python=sys.executable))
        self.write("group_vars/all/main.yml", GOOD)
        play = NEXT_PLAY.format(repository=PROJECT, folder=folder)
        (folder / "site.yml").write_text(play, encoding="utf-8")
        (folder / "password").write_text("correct horse", encoding="utf-8")

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the inventory."""
        path = self.inventory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of Ansible with the vault's password."""
        return run_ansible(
            *arguments,
            program=name,
            ANSIBLE_ROLES_PATH=str(PROJECT / "roles"),
            ANSIBLE_VAULT_PASSWORD_FILE=str(self.folder / "password"),
            ANSIBLE_LOCAL_TEMP=str(self.folder / "local"),
            ANSIBLE_REMOTE_TEMP=str(self.folder / "remote"),
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the site."""
        site = str(self.folder / "site.yml")
        return self.program("ansible-playbook", "-i", str(self.inventory), site, *arguments)

    def changed(self) -> list[str]:
        """The hosts that the play after preflight changed."""
        return sorted(path.stem for path in self.folder.glob("*.changed"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site whose inventory has no mistake."""
    return Site(tmp_path)


def reported(output: str) -> list[str]:
    """The lines of mistakes; not of this machine's own operating system, which may be any."""
    starts = ("inventory: ", "farmer1", "plotter1", "harvester1")
    found = [line for line in output.splitlines() if line.startswith(starts)]
    return [line for line in found if "operating system is" not in line and " : ok=" not in line]


def test_ten_mistakes_are_ten_lines_and_no_change(site: Site) -> None:
    site.write("host_vars/plotter1.yml", BAD)
    result = site.run()
    found = reported(result.stdout)
    assert result.returncode != 0
    assert len(found) == 10, "\n".join(found)
    for words in (
        "plotter1: goplt_k is not a variable of goplot: did you mean goplot_k?",
        "plotter1: goplot_k is 17: must be a whole number from 18 to 50",
        "plotter1: goplot_max_plots is not a variable",
        "plotter1: goplot_compression cannot be evaluated ('undefined_here' is undefined)",
        "plotter1: goplot_tunables.max_plots is -1",
        "plotter1: farm_layout_mounts[0].path is '/farm/0/disk1'",
        "plotter1: farm_layout_mounts[1].src is 'UUID=1'",
        "plotter1: farm_layout_mounts[2].path is '/home/1/disk3'",
        "plotter1: farm_layout_mounts[3].path is '/farm/3/disk2'",
        "plotter1: farm_layout_mounts[4].fstype is 'zfs2'",
    ):
        assert any(line.startswith(words) for line in found), words
    assert site.changed() == []


def test_without_an_inventory_the_run_fails_in_one_sentence(site: Site) -> None:
    missing = site.folder / "farm"
    result = site.program("ansible-playbook", "-i", str(missing), str(site.folder / "site.yml"))
    assert result.returncode != 0
    (error,) = [line for line in result.stdout.splitlines() if line.startswith("[ERROR]")]
    assert f"There is no host in {missing}: run make inventory, or cp -r" in error


def test_an_ansible_that_is_too_old_is_named_with_the_version_needed_and_the_cure(
    site: Site,
) -> None:
    site.write("host_vars/plotter1.yml", BAD)
    result = site.run("-e", "_preflight_least_ansible=99.0")
    assert result.returncode != 0
    (error,) = [line for line in result.stdout.splitlines() if line.startswith("[ERROR]")]
    assert f"This is Ansible {ansible_version}, and goplot needs 99.0 or newer" in error
    assert "pipx install 'ansible-core>=99.0'" in error
    # An old Ansible can't run the checks of the inventory: it would end in a traceback.
    assert reported(result.stdout) == []


def test_readme_and_roles_state_the_version_that_preflight_requires() -> None:
    variables = PROJECT / "roles/preflight/vars/main.yml"
    least = yaml.safe_load(variables.read_text(encoding="utf-8"))["_preflight_least_ansible"]
    assert f"`pipx install ansible-core`, {least} or newer" in (PROJECT / "README.md").read_text(
        encoding="utf-8"
    )
    for path in PROJECT.glob("roles/*/meta/main.yml"):
        meta = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert meta["galaxy_info"]["min_ansible_version"] == least, path


def test_a_mistake_of_another_host_stops_a_limited_check_run(site: Site) -> None:
    site.write("host_vars/plotter1.yml", "goplot_k: 17\n")
    result = site.run("--check", "--limit", "harvester1")
    assert result.returncode != 0
    assert len(reported(result.stdout)) == 1


def test_a_good_inventory_goes_on_and_templates_may_use_defaults(site: Site) -> None:
    site.write("host_vars/plotter1.yml", 'node_exporter_arguments: ["-k", "{{ goplot_k }}"]\n')
    result = site.run("--limit", "plotter1")
    assert reported(result.stdout) == []
    # On a machine that goplot does not support the run stops all the same.
    if "operating system is" not in result.stdout:
        assert result.returncode == 0, result.stdout
        assert site.changed() == ["plotter1"]


def test_what_yaml_makes_of_unquoted_values_is_reported_with_file_line_and_cure(site: Site) -> None:
    file = site.write("host_vars/plotter1.yml", NUMBERS.replace("KEY", "8d" * 48))
    result = site.run()
    found = reported(result.stdout)
    wanted = [f"plotter1: {line.format(file=file)}" for line in NUMBERS_REPORTED]
    assert len(found) == len(wanted), "\n".join(found)
    for words in wanted:
        assert any(line.startswith(words) for line in found), (words, found)
    assert site.changed() == []


def test_values_of_other_files_are_found_and_secrets_stay_hidden(site: Site) -> None:
    ini = site.write("more", "[plotter]\nplotter1 chia_version=2.10\n")
    hosts = site.write(
        "hosts.yml",
        HOSTS.format(python=sys.executable).replace(
            "harvester1: {}", "harvester1: {goplot_k: 0x20}"
        ),
    )
    users = "---\nprometheus_basic_auth_users: {owner: 0123456}\n"
    secret = site.write("group_vars/farmer.yml", users)
    assert site.program("ansible-vault", "encrypt", str(secret)).returncode == 0
    result = site.run("-e", "verify_seconds=010", "-e", '{"goplot_farmer_public_key": 12}')
    found = reported(result.stdout)
    for words in (
        f"plotter1: chia_version is written 2.10 in {ini}:2, which is read as 2.1: "
        "put it in quotes: '\"2.10\"'",
        f"harvester1: goplot_k is written 0x20 in {hosts}:7, which is read as 32",
        f"farmer1: prometheus_basic_auth_users.owner has a value in {secret}:2 that is not read as "
        "it is written: put it in quotes",
        "farmer1, plotter1, harvester1: goplot_farmer_public_key has a value that is not shown "
        "here: must be the 96 hexadecimal digits of a key; put it in quotes",
    ):
        assert any(line.startswith(words) for line in found), (words, found)
    assert len(found) == 4
    assert not any(text in result.stdout + result.stderr for text in ("0123456", "42798"))


def test_where_a_value_was_read_may_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = load_module("preflight/action_plugins/preflight_inventory.py")
    read = DataLoader().load("a: 010", file_name="/inventory/all.yml")["a"]
    assert plugin._position(read) == Position(Path("/inventory/all.yml"), 1, 4)
    assert plugin._position(8) is None
    monkeypatch.setattr(plugin, "Origin", None)
    assert plugin._position(read) is None


def test_encrypted_values_are_never_printed(site: Site) -> None:
    secret = site.write("group_vars/all/vault.yml", "goplot_k: 7777\nhidden_level: 8888\n")
    assert site.program("ansible-vault", "encrypt", str(secret)).returncode == 0
    inline = site.program("ansible-vault", "encrypt_string", "9999", "--name", "chia_version")
    text = f'{inline.stdout}\ngoplot_compression: "{{{{ hidden_level }}}}"\n'
    site.write("host_vars/plotter1.yml", text)
    result = site.run()
    output = result.stdout + result.stderr
    found = reported(output)
    assert {line.split(" has a value that is not shown here: ")[0] for line in found} == {
        "farmer1, plotter1, harvester1: goplot_k",
        "plotter1: goplot_compression",
        "plotter1: chia_version",
    }
    assert not any(value in output for value in ("7777", "8888", "9999"))
