"""The command `fw`: one file per verb. It parses words and prints; the substance is in `inspect` and below."""
