"""What a sweep looks like: one page, pictures and a table, made from its ledger and its members' metric logs."""
