"""Charts: each module turns plain reads into a frame, and has one Vega-Lite specification, built once.

Building a chart with Altair takes tens of milliseconds and sending its finished specification one, so the
specifications are cached and only the data changes.
"""
