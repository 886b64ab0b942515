"""What must hold whatever happens: random histories of a landing, and runs that are killed."""
