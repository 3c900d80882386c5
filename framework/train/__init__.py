"""The thin shell around the pure step: dispatch, evaluation, policies, stages and the run directory."""
