"""Everything that could fail for a dull reason, looked at before a GPU starts.

``check`` is the form of a check, ``subject`` what all of them look at, ``looking`` asks them side
by side; each module of ``checks`` holds a few. Nothing is created, in OCI or elsewhere.
"""
