"""The laptop stack: runs the built `template.yaml` on 127.0.0.1, without Docker and without AWS.

`python -m local run` starts it, `python -m local stop` stops one that runs in the background.
docs/local-stack.md says what runs where and what it cannot prove. None of this is ever deployed.
"""
