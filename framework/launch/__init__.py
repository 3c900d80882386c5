"""One recipe as several processes: on this machine, as a SLURM job, as a JobSet on Kubernetes. JAX-free."""
