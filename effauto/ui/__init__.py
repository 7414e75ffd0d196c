"""The results in a browser, on this machine: studies, trials, methods; nothing can be changed."""
