"""What earlier trials, on this task and on others, say before anything is tried."""
