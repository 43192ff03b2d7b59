"""One door for each thing outside: YAML documents, schemas, git, inventory files, folders, the environment."""
