#!/usr/bin/python
"""Looks at what a host is: its distribution, its packages and its addresses."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facts.system.distribution import Distribution

DOCUMENTATION = """
module: common_system
short_description: Look at a host's distribution, packages and addresses
description:
  - Sets Ansible's facts of the distribution, the fact C(packages), the version of each Debian
    package that is installed whole, and the facts C(addresses), the host's addresses, C(drives),
    its devices that report their health, and C(configured), the packages' units that goplot has
    configured. All this takes a fraction of the
    time of gathering facts, or of asking apt.
author: goplot
"""

EXAMPLES = """
- name: Look at the host
  common_system:
"""

RETURN = """
ansible_facts:
  description: C(distribution), C(distribution_version), C(distribution_release), C(packages),
    C(addresses), C(drives) and C(configured).
  type: dict
  returned: success
"""

_UNITS = Path("/etc/systemd/system")
_DRIVES = ("sd*", "hd*", "nvme*")


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    facts = Distribution(module).get_distribution_facts()
    names = ("distribution", "distribution_version", "distribution_release")
    module.exit_json(
        ansible_facts={
            **{name: facts[name] for name in names if name in facts},
            "packages": _packages(module),
            "addresses": _addresses(module),
            "drives": [str(path) for name in _DRIVES for path in Path("/dev").glob(name)],
            "configured": [path.parent.stem for path in _UNITS.glob("*.d/goplot.conf")],
        }
    )


def _packages(module: AnsibleModule) -> dict[str, str]:
    """The version by package; none on another system than Debian."""
    program = module.get_bin_path("dpkg-query")
    if program is None:
        return {}
    form = "${db:Status-Abbrev}\t${Package}\t${Version}\n"
    command = [program, "--show", f"--showformat={form}"]
    _, output, _ = module.run_command(command, check_rc=True)
    lines = [line.split("\t") for line in output.splitlines()]
    return {name: version for status, name, version in lines if status[1] == "i"}


def _addresses(module: AnsibleModule) -> list[str]:
    """All addresses but those of the loopback and the link, hostname(1)."""
    _, output, _ = module.run_command(["hostname", "--all-ip-addresses"], check_rc=False)
    return list(output.split())


if __name__ == "__main__":
    main()
