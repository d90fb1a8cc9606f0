"""Azure Functions blueprints, one file a trigger."""
