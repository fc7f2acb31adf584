"""Completion of `goplot` for bash (and zsh through its bashcompinit)."""

from argparse import ArgumentParser, _SubParsersAction

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


def bash_completion(parser: ArgumentParser) -> str:
    """The script for a parser: each command is followed by its options and its choices."""
    commands = _commands(parser)
    cases = "\n".join(
        f'        {command}) COMPREPLY=($(compgen -W "{" ".join(_words(one))}" -- "$word")) ;;'
        for command, one in commands.items()
    )
    return _SCRIPT.format(commands=" ".join(commands), cases=cases)


def _commands(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """The parser of every command."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            return dict(action.choices)
    raise AssertionError("unreachable: the parser has commands")


def _words(parser: ArgumentParser) -> list[str]:
    """What may follow a command, according to its parser, without the help option."""
    words: list[str] = []
    # argparse has no public way to list what a parser accepts.
    for action in parser._actions:
        if action.choices is not None:
            words += map(str, action.choices)
        words += [name for name in action.option_strings if name.startswith("--")]
    return [word for word in words if word != "--help"]
