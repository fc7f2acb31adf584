#!/usr/bin/python
"""Looks at what a host has already of what goplot would run on it."""

from __future__ import annotations

import os
from typing import Any

from ansible.module_utils import common_bash_goplot, common_monitoring
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common_chia_choice import Host, Wanted, plan, takes
from ansible.module_utils.common_chia_found import (
    closed_to_chia,
    look,
    readable_for_chia,
    unmounted,
    users,
)

DOCUMENTATION = """
module: preflight_existing
short_description: Look at what a host has already
description:
  - Looks for a Chia that goplot did not install, for a bash goplot, and for monitoring at the ports
    of programs whose unit goplot has not configured. It changes nothing.
options:
  chia:
    description: The options of chia_existing.
    type: dict
    required: true
  goplot:
    description: What the owner chose for a bash goplot.
    type: str
    choices: [refuse, adopt]
    required: true
  monitoring:
    description: The programs of monitoring about which the inventory does not decide.
    type: list
    elements: dict
    required: true
    options:
      name: {description: Name for people., type: str, required: true}
      variable: {description: The variable that chooses., type: str, required: true}
      port: {description: The TCP port on which goplot's would listen., type: int, required: true}
      unit: {description: The unit that goplot's would be., type: str, required: true}
author: goplot
"""

EXAMPLES = """
- name: Look at what the host has already
  preflight_existing:
    chia:
      choice: refuse
      root: /var/lib/chia/mainnet
      keys_root: /var/lib/chia/keys
      network: mainnet
      services: [daemon]
    goplot: refuse
    monitoring:
      - {name: Prometheus, variable: prometheus_install, port: 9090, unit: prometheus.service}
"""

RETURN = """
refused:
  description: What its owner has to choose or to change, a sentence each.
  type: list
  elements: str
  returned: success
ansible_facts:
  description: The fact C(takes_over), whether there is anything of C(chia) or C(goplot) to take
    over.
  type: dict
  returned: success
takes:
  description: What goplot takes over, a sentence each.
  type: list
  elements: str
  returned: success
"""


def main() -> None:
    """Runs the module."""
    program = {
        "name": {"type": "str", "required": True},
        "variable": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "unit": {"type": "str", "required": True},
    }
    programs = {"type": "list", "elements": "dict", "required": True, "options": program}
    spec: dict[str, Any] = {
        "chia": {"type": "dict", "required": True, "no_log": False},
        "goplot": {"type": "str", "choices": ["refuse", "adopt"], "required": True},
        "monitoring": programs,
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    options = module.params["chia"]
    wanted = Wanted(**{**options, "services": tuple(options["services"])})
    found = look(wanted.network, wanted.root, users(), wanted.existing_root)
    todo = plan(found, wanted, Host(os.path.exists, readable_for_chia, closed_to_chia, unmounted))
    taken = [] if todo.refused or not (todo.adopted or todo.stops) else [takes(found, todo)]
    bash, choice = common_bash_goplot.look(), module.params["goplot"]
    module.exit_json(
        changed=False,
        ansible_facts={
            "takes_over": {
                "chia": bool(todo.refused or todo.adopted or todo.stops),
                "goplot": common_bash_goplot.is_there(bash),
            }
        },
        refused=[
            *todo.refused,
            *common_bash_goplot.refused(bash, choice),
            *common_monitoring.found(module.params["monitoring"]),
        ],
        takes=[*taken, *common_bash_goplot.takes(bash, choice)],
    )


if __name__ == "__main__":
    main()
