"""The YAML configuration: strict models, errors with file and line, JSON Schema."""
