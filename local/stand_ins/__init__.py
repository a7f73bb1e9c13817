"""Stand-ins for the services Pointbook talks to, for a laptop without accounts anywhere.

Both speak HTTP on 127.0.0.1 and take orders on the side (`control.py`): be slow, fail, throttle,
hang, lose replies, forget a customer. Nothing of this package is deployed.
"""
