"""How the costly operations are carried out: one meaning each, written in the form that XLA compiles well."""
