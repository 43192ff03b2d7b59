"""What is decided, and nothing else: arguments in, values out. No file, git, network, clock or screen."""
