"""`callboard up`: the servers and all parts as children of one process that keeps them alive and ends them.

supervisor.py is the story; each other file is one concern of it. What there is to say goes to a `Reporter`
(report.py), which the command line draws.
"""
