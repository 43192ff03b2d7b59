"""What no object of the program knows: the meaning of exit codes, of the environment, and the files around it."""

EXIT_CODES = {
    0: "Done. A guard that halted something has done its work, too.",
    1: "The answer is no: invalid, refused, unknown, or there is nothing to do it to.",
    2: "The command was called wrongly.",
    3: "A bug in tsunami. TSUNAMI_DEBUG=1 shows where.",
    4: "Could not ask or reach: git's remote, the store, or the metrics server.",
    130: "Interrupted, by Ctrl-C.",
}

ENVIRONMENT = {
    "Tsunami": {
        "TSUNAMI_DEBUG": "1 shows where an error comes from, with a traceback.",
        "TSUNAMI_GIT_TIMEOUT": "Seconds that a remote may take to answer; 20 by default.",
        "TSUNAMI_NOTIFY": "Who is told of what happens: addresses for apprise, with spaces between.",
        "TSUNAMI_NOW": "Replaces the clock, as 2016-11-14T10:00:00Z, the dates of commits included: for trying things "
        "out. Publishing then goes to folders only.",
        "TSUNAMI_PROMETHEUS_URL": "Address of the metrics server; wins over guard.prometheus.",
        "TSUNAMI_PROMETHEUS_TIMEOUT": "Seconds that one question may take, 10 by default; all together thrice that.",
        "TSUNAMI_PROMETHEUS_TOKEN": "A bearer token for the metrics server.",
        "TSUNAMI_PROMETHEUS_TOKEN_FILE": "A file that holds the bearer token.",
        "TSUNAMI_PROMETHEUS_USER": "The user for basic authentication.",
        "TSUNAMI_PROMETHEUS_PASSWORD": "The password for basic authentication.",
        "TSUNAMI_PUBLISH_TO": "Where to publish; wins over publish.to, and --to wins over it.",
        "TSUNAMI_STORE_TIMEOUT": "Seconds that one request to a store may take; 20 by default.",
    },
    "Stores": {
        "AWS_ACCESS_KEY_ID": "s3:// - with AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one. "
        "Profiles are not read.",
        "AWS_REGION": "s3:// - the region of the bucket; else AWS_DEFAULT_REGION.",
        "AWS_ENDPOINT_URL": "s3:// - another server than Amazon's; AWS_ENDPOINT_URL_S3 wins over it.",
        "GOOGLE_APPLICATION_CREDENTIALS": "gs:// - the file of a service account's key; or GOOGLE_BEARER_TOKEN.",
        "GOOGLE_BASE_URL": "gs:// - another server than Google's.",
        "AZURE_STORAGE_ACCOUNT_NAME": "az:// - with AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, or the "
        "variables of a client or a managed identity.",
        "AZURE_STORAGE_ENDPOINT": "az:// - another server than Azure's.",
        "HTTPS_PROXY": "Stores are asked through it, but for what NO_PROXY names. The metrics server never is.",
    },
    "Git and the terminal": {
        "GIT_AUTHOR_NAME": "Who decides, with GIT_AUTHOR_EMAIL; else git's user.name and user.email.",
        "GIT_SSH_COMMAND": "How git reaches a remote by ssh; else GIT_SSH. What would point git to another repository "
        "is not read.",
        "NO_COLOR": "Anything but empty: no colours.",
        "COLUMNS": "How wide the output is; else as wide as the terminal, and in a pipe without an edge.",
        "TZ": "The zone of the local times on the screen. Files and JSON are in UTC.",
    },
}
"""Group -> variable -> what it does."""

SET_FOR_OTHERS = {"TSUNAMI_FILE": "Set for what pull --exec runs: the file that has changed."}

FILES = {
    "tsunami.yaml": "The settings, in the root of the repository.",
    "rollouts/VARIABLE.yaml": "One variable: its default, its pins, its objectives, its rollouts.",
    "inventory.csv": "The hosts and their roles; the settings may name another file.",
    "schemas/*.schema.json": "JSON Schemas of all of these, for editors.",
    ".tsunami-notify": "Addresses for apprise, one a line; not in git.",
}

PURPOSE = "rolls a change out to a fleet of hosts slowly, unattended and under control"

INVENTORY = """\
`inventory.csv` begins with the line `host,role`, and further columns if you like: they are labels, for `spread`. Each
line is one host with its one role.

```csv
host,role,site
lon2-accesspoint-a1,accesspoint,lon2
sto1-login-a1,login,sto1
```

Or YAML, where there are no labels:

```yaml
accesspoint: [lon2-accesspoint-a1]
login: [sto1-login-a1]
```

- Host names are those of RFC 1123: lower-case letters, digits and `-`, label by label, 253 characters at most.
- Names of roles are lower-case letters, digits and `- _ .` between them, 63 at most, without `..`.
- A host that stands twice is an error.
"""
