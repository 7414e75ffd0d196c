"""From what is known or was found to the plan, and why it is what it is."""
