"""Write what is made from the program: the reference, the man page and the completions of shells.

.venv/bin/python docs/reference.py            writes them
.venv/bin/python docs/reference.py --check    says what is stale, and exits with 1 if anything is
"""

import sys

from docs.generator.written import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
