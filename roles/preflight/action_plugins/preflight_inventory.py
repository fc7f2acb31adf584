"""The action that validates the whole inventory on the controller; it connects to no host."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.parsing.vault import EncryptedString
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
# The services define the ranges of the tunables.
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "services"))

from goplot_preflight.catalogue import Catalogue, read_catalogue
from goplot_preflight.farm import GROUPS, Host, check_inventory
from goplot_preflight.report import lines
from goplot_preflight.written import Position, Sources, Written, written_of

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # Ansible's own, and free to change: mistakes then lack file and line
    Origin = None

_ROLES = Path(__file__).resolve().parents[2]
_REASON_CHARACTERS = 160
display = Display()


class ActionModule(ActionBase):
    """Shows one line per mistake, and fails if there is any."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Reads hostvars and groups, returns changed=False always."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        groups = {name: list(hosts) for name, hosts in variables["groups"].items()}
        catalogue = read_catalogue(_ROLES)
        names = dict.fromkeys(host for group in GROUPS for host in groups.get(group, []))
        encrypted = self._encrypted_names(variables)
        sources = Sources(self._text)
        hosts = [self._host(name, variables, catalogue, encrypted, sources) for name in names]
        mistakes = lines(check_inventory(hosts, groups, catalogue))
        # Shown line by line, since Ansible prints a failed task's message twice.
        for line in mistakes:
            display.display(line, color=constants.COLOR_ERROR)
        result.update(changed=False, failed=bool(mistakes))
        if mistakes:
            count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
            result["msg"] = f"{count} in the inventory (above); nothing was changed on any host."
        else:
            result["msg"] = f"The inventory of {len(hosts)} hosts has no mistake that goplot knows."
        return result

    def _host(
        self,
        name: str,
        task_vars: Mapping[str, Any],
        catalogue: Catalogue,
        encrypted: frozenset[str],
        sources: Sources,
    ) -> Host:
        raw = task_vars["hostvars"].raw_get(name)
        # Templates in an inventory may refer to a default of a role, which hostvars does not have.
        templar = self._templar.copy_with_new_env(
            available_variables={
                **catalogue.defaults,
                **raw,
                "hostvars": task_vars["hostvars"],
            }
        )
        values, failures, secrets = {}, {}, set()
        written: dict[str, Written] = {}
        for variable in sorted(raw.keys() & catalogue.options.keys()):
            if _is_secret(variable, raw[variable], encrypted):
                secrets.add(variable)
            try:
                values[variable] = templar.template(raw[variable])
                written.update(written_of(variable, values[variable], _position, sources))
            except AnsibleUndefinedVariable as error:
                # A fact that preflight does not gather is checked by the role that needs it.
                if "ansible_" not in str(raw[variable]):
                    failures[variable] = _reason(error, variable in secrets)
            except AnsibleError as error:
                failures[variable] = _reason(error, variable in secrets)
        facts = raw.get("ansible_facts") or {}
        system = (facts.get("distribution"), facts.get("distribution_version"))
        return Host(
            name=name,
            groups=frozenset(raw.get("group_names") or ()),
            values=values,
            failures=failures,
            names=frozenset(raw),
            secrets=frozenset(secrets),
            system=(str(system[0]), str(system[1])) if all(system) else None,
            written=written,
        )

    def _text(self, path: Path) -> str:
        """A file of the inventory, decrypted; nothing if it can't be read again."""
        try:
            text = self._loader.get_text_file_contents(str(path))
        except AnsibleError:
            return ""
        # PyYAML refuses text that Ansible has tagged.
        return text.encode(errors="replace").decode()

    def _encrypted_names(self, task_vars: Mapping[str, Any]) -> frozenset[str]:
        """The variables from files that are encrypted as a whole."""
        folders = {
            Path(source) if Path(source).is_dir() else Path(source).parent
            for source in [*task_vars["ansible_inventory_sources"], task_vars["playbook_dir"]]
        }
        names: set[str] = set()
        for folder in folders:
            for path in (*folder.glob("group_vars/**/*"), *folder.glob("host_vars/**/*")):
                if path.is_file() and _is_encrypted(path):
                    names |= set(self._loader.load_from_file(str(path)) or {})
        return frozenset(names)


def _position(value: object) -> Position | None:
    """Where Ansible read a value; a template's value has the position of what it refers to."""
    origin = Origin.get_tag(value) if Origin else None
    if not origin or not origin.path or not origin.line_num:
        return None
    return Position(Path(origin.path), origin.line_num, origin.col_num or 0)


def _is_encrypted(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(14) == b"$ANSIBLE_VAULT"


def _is_secret(variable: str, raw: object, encrypted: frozenset[str]) -> bool:
    """Whether any part of a value is encrypted, or comes from a variable that is."""
    if variable in encrypted or isinstance(raw, EncryptedString):
        return True
    if isinstance(raw, Mapping):
        return any(_is_secret("", item, encrypted) for item in raw.values())
    if isinstance(raw, (list, tuple)):
        return any(_is_secret("", item, encrypted) for item in raw)
    if isinstance(raw, str) and "{" in raw:
        return "vault" in raw or any(name in raw for name in encrypted)
    return False


def _reason(error: AnsibleError, secret: bool) -> str:
    if secret:
        return type(error).__name__
    return str(error).splitlines()[0][:_REASON_CHARACTERS].rstrip(".")
