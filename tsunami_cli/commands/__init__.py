"""One module for each command: flags to adapters, adapters to core, core to a result value."""
