"""The git door: the repository, its files and history, and decisions as commits.

    repository  Repository.discover, refs, `differs`
    trees       WorkTree, CommitTree: files as checked out, files of a commit
    history     decisions: the commits that changed given files
    remote      settings, remote_of, fetch, push
    decider     decide: one decision, committed, pushed and followed by the checkout

Import from the module that has it: reading must not pay for loading what writes. Every git process is started by
`process`, in an environment that nothing redirects; every failure leaves as Refused (exit 1) or Unreachable (exit 4).
Nothing of the above goes through GitPython: importing it takes 65 ms where a git process takes 2, it passes
every GIT_ variable on, and it writes objects without git's care for shared permissions and power cuts.
"""
