"""The laptop stack: runs the built `template.yaml` on 127.0.0.1, without Docker and without AWS.

`python -m local run` starts it, `python -m local stop` ends one that runs in the background. What
runs where, and what it cannot prove, is in docs/local-stack.md. Nothing of this is ever deployed.
"""
