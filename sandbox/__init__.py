"""The services outside, played on this machine: for newcomers, for tests, and for rehearsals of bad days.

A service is a module here with an APIRouter `router` whose prefix is its name, as whatsapp.py shows: a file
put here is served. What goes wrong on purpose is set by knobs (knobs.py), in the same way for all (front.py).
"""
