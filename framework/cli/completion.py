"""`fw completion`: a completion script for the shell."""

from __future__ import annotations

import argparse
import sys

from framework.cli.arguments import VerbParser, one_of
from framework.cli.verbs import VERBS

RECIPE_VERBS = (
    *("run", "train", "sweep", "launch", "show", "explain", "check", "summary", "graph", "shardings", "plan"),
    "eject",
)
KINDS = ("recipes", "networks", "layers", "losses", "metrics", "optimizers", "schedules", "data")

_BASH = """\
# Completion of fw for bash: verbs, recipes, kinds and files.  eval "$(fw completion bash)"
_fw() {
    local word="${COMP_WORDS[COMP_CWORD]}" verb="${COMP_WORDS[1]}" kind="${COMP_WORDS[2]}"
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "@VERBS@" -- "$word"))
        return
    fi
    case "$verb:$COMP_CWORD" in
        @RECIPE_CASES@) COMPREPLY=($(compgen -W "$(fw list recipes --names 2>/dev/null)" -- "$word")) ;;
        list:2) COMPREPLY=($(compgen -W "@KINDS@" -- "$word")) ;;
        list:3) COMPREPLY=($(compgen -W "$(fw list "$kind" --names 2>/dev/null)" -- "$word")) ;;
        completion:2) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")) ;;
    esac
}
complete -o default -F _fw fw
"""

_ZSH = """\
# Completion of fw for zsh.  eval "$(fw completion zsh)"
autoload -U +X bashcompinit && bashcompinit
"""

_FISH = """\
# Completion of fw for fish: verbs, recipes and kinds.  fw completion fish | source
complete -c fw -n __fish_use_subcommand -f -a "@VERBS@"
complete -c fw -n "__fish_seen_subcommand_from @RECIPE_VERBS@" -a "(fw list recipes --names 2>/dev/null)"
complete -c fw -n "__fish_seen_subcommand_from list" -f -a "@KINDS@"
complete -c fw -n "__fish_seen_subcommand_from completion" -f -a "bash zsh fish"
"""

_SHELLS = {"bash": _BASH, "zsh": _ZSH + _BASH.partition("\n")[2], "fish": _FISH}


def parser() -> VerbParser:
    """The words of `fw completion`."""
    words = VerbParser(
        "completion",
        usage="SHELL",
        about="""Print a script that completes verbs, the names of recipes and whatever `fw list` knows. Recipes in
        the working directory are completed too, as the script asks `fw list` each time.""",
        examples=('eval "$(fw completion bash)"', "fw completion fish > ~/.config/fish/completions/fw.fish"),
    )
    words.word("shell", metavar="SHELL", type=one_of("fw completion SHELL", *_SHELLS), help="bash, zsh or fish")
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the script."""
    facts = {
        "VERBS": " ".join(VERBS),
        "RECIPE_CASES": "|".join(f"{verb}:2" for verb in RECIPE_VERBS),
        "RECIPE_VERBS": " ".join(RECIPE_VERBS),
        "KINDS": " ".join(KINDS),
    }
    script = _SHELLS[options.shell]
    for name, words in facts.items():
        script = script.replace(f"@{name}@", words)
    sys.stdout.write(script)
    return 0
