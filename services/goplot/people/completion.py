"""Completion of `goplot` for bash (and zsh through its bashcompinit)."""

from argparse import ArgumentParser
from collections.abc import Mapping

_SCRIPT = """# bash completion for goplot; made by `goplot completion`
_goplot() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}}
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    if [ "${{COMP_WORDS[COMP_CWORD-1]}}" = --settings ]; then
        COMPREPLY=($(compgen -f -- "$word"))
        return
    fi
    case $command in
{cases}
    esac
}}
complete -F _goplot goplot
"""


def bash_completion(commands: Mapping[str, ArgumentParser]) -> str:
    """The script for commands: each is followed by its options and by the choices it has."""
    cases = "\n".join(
        f'        {command}) COMPREPLY=($(compgen -W "{" ".join(_words(parser))}" -- "$word")) ;;'
        for command, parser in commands.items()
    )
    return _SCRIPT.format(commands=" ".join(commands), cases=cases)


def _words(parser: ArgumentParser) -> list[str]:
    """What may follow a command, according to its parser, without the help option."""
    words: list[str] = []
    # argparse has no public way to list what a parser accepts.
    for action in parser._actions:
        if action.choices is not None:
            words += map(str, action.choices)
        words += [name for name in action.option_strings if name.startswith("--")]
    return [word for word in words if word != "--help"]
