"""What the controls of the pages hold and links carry, and how it becomes a plan."""
