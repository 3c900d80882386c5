"""The table of verbs. Nothing is imported until a verb is asked for, so that `fw --help` answers at once."""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "Run a recipe": {
        "run": "all stages of a recipe; finished ones are skipped on a rerun",
        "train": "the training stage alone; the same run.dir resumes",
        "launch": "a recipe as several processes: here, by SLURM, on Kubernetes",
        "sweep": "a search over settings; what shares a program runs as one",
        "evaluate": "metrics of a finished run on a split",
        "predict": "outputs of a finished run for new inputs",
        "compare": "runs beside one another: settings, metrics, means over seeds",
    },
    "Look before running": {
        "list": "recipes, networks, layers, losses, metrics, optimizers, schedules, data",
        "show": "the resolved recipe, with who set each value",
        "explain": "one key: value, bounds, who set it, who reads it",
        "check": "every shape and wire of a recipe, without loading or compiling",
        "summary": "the layer table: shapes, parameters, FLOPs",
        "graph": "a drawing of the network: SVG, PNG or Mermaid",
        "shardings": "which parameter is laid out how over devices",
        "plan": "memory, collectives and time of a step on devices that are not here",
    },
    "Set up": {
        "eject": "a recipe as a script in plain Flax and Optax, with the same numbers",
        "import": "a network of Caffe or Keras as YAML",
        "init": "a new project: a recipe, a layer of your own, a test that passes",
        "doctor": "versions, devices, caches, and what to do where something is wrong",
        "schema": "the JSON schema, for an editor that completes and checks recipes",
        "completion": "a completion script for the shell",
    },
}
"""Heading -> verb -> summary. Each verb is the module `framework.cli.<verb>` with `parser()` and `execute(options)`;
`framework.cli.import_` is that of `import`."""

VERBS: dict[str, str] = {verb: summary for group in GROUPS.values() for verb, summary in group.items()}

EPILOG = """\
RECIPE is a name out of `fw list recipes` or the path of a YAML file. OVERRIDE is Hydra's grammar:
  optimizer.learning_rate=1e-3   set a value          optimizer=lion           swap a whole section
  +metrics.f1.type=f1            add a key            '~metrics.accuracy'      delete one

`fw VERB --help` tells more of each. FW_TRACEBACK=1 or --traceback shows where an error was raised.
"""


def help_text() -> str:
    """What `fw --help` prints."""
    lines = ["usage: fw VERB [arguments] [options]", "", "Deep learning from a declared recipe.", ""]
    for heading, verbs in GROUPS.items():
        lines.append(f"{heading}:")
        lines += [f"  {verb:<11} {summary}" for verb, summary in verbs.items()]
        lines.append("")
    return "\n".join(lines) + "\n" + EPILOG
