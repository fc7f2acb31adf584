#!/usr/bin/python
"""Tells which Debian packages are installed."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_packages
short_description: Tell which Debian packages are installed
description:
  - Sets the fact C(packages), the version of each package that is installed whole. Looking takes
    a fraction of the time of apt. On another system there are none.
author: goplot
"""

EXAMPLES = """
- name: Look up the installed packages
  common_packages:
"""

RETURN = """
ansible_facts:
  description: The fact C(packages).
  type: dict
  returned: success
"""


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    program = module.get_bin_path("dpkg-query")
    if program is None:
        module.exit_json(ansible_facts={"packages": {}})
    form = "${db:Status-Abbrev}\t${Package}\t${Version}\n"
    command = [program, "--show", f"--showformat={form}"]
    _, output, _ = module.run_command(command, check_rc=True)
    lines = [line.split("\t") for line in output.splitlines()]
    packages = {name: version for status, name, version in lines if status[1] == "i"}
    module.exit_json(ansible_facts={"packages": packages})


if __name__ == "__main__":
    main()
