"""Networks that other frameworks declare, as declarations in this one's language."""
