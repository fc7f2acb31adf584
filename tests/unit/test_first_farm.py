"""README's "Your first farm" is what the test of it follows."""

from __future__ import annotations

from tests.first_farm.commands import README, commands

KNOWN = (
    "git clone ",
    "make inventory ",
    "$EDITOR ",
    "ansible-playbook site.yml",
    "sudo goplot keys",
    "goplot farm",
    "goplot status",
)


def test_the_right_order() -> None:
    found = list(commands(README.read_text(encoding="utf-8")))
    assert all(command.startswith(KNOWN) for command in found), found
    assert found.index("ansible-playbook site.yml") < found.index("sudo goplot keys add")
    assert found.index("sudo goplot keys add") < found.index("goplot farm")
    assert found.index("sudo goplot keys add") < found.index(
        "$EDITOR inventory/farm/group_vars/plotter.yml"
    )
    assert found[-1] == "goplot status"


def test_comments_and_text_are_no_commands() -> None:
    text = "\n## Your first farm\nText\n```\na  # b\n\nc#d\n```\n## More\n```\nx\n```\n"
    assert list(commands(text)) == ["a", "c#d"]
