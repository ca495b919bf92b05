"""The language model that an installation may have: one endpoint that speaks the OpenAI chat protocol.

A stage asks through :class:`worker.models.metered.MeteredModel`, which fences in what others wrote, sets aside what a
call may cost, makes it, counts what it took and checks the form of the answer. Nothing here is loaded where no endpoint
is set.
"""
