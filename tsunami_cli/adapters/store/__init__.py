"""The store door: the place that hosts read from, a folder or a bucket, and what a publish does to it.

    opening     open_store: the store at `file:PATH`, `s3://...`, `gs://...` or `az://...`
    model       Store, what a publish asks of one; Kept, an object as read; Overtaken
    folder      FolderStore: a folder, for a web server or rsync
    places      a folder's files: staged, then put in their places, never through a symlink
    connecting  connect: buckets as obstore opens them
    cloud       CloudStore: S3, Google Cloud Storage and Azure, through obstore
    clouds      what the environment says about each cloud, checked before obstore reads it
    failures    what obstore complains about, in one line and with the way out
    crew        many requests at a time, ended by the first failure
    reading     what a host does: reading, over https too
    limits      how long a store may take

Import from the module that has it: a folder must not pay for loading obstore. Every failure of a store leaves as
Unreachable (exit 4), except a newer publisher, who is Overtaken.
"""
