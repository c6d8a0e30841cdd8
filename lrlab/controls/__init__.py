"""The draft that page controls and links hold, its fields, and how it becomes a plan."""
