"""Sweeps: many recipes at once, grouped by the program that they compile to, durable, each an ordinary run."""
