"""Completion of `goplot` for bash (and zsh through its bashcompinit)."""

from collections.abc import Mapping, Sequence

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


def bash_completion(options: Mapping[str, Sequence[str]]) -> str:
    """The script for commands and the words that may follow each."""
    cases = "\n".join(
        f'        {command}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
        for command, words in options.items()
    )
    return _SCRIPT.format(commands=" ".join(options), cases=cases)
