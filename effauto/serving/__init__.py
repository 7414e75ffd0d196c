"""A trained model behind HTTP, on this machine: batched, watched, and open to nobody else."""
