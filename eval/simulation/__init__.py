"""Statistical correctness by simulation: the product's own tasks on data whose truth is known.

`python -m eval.simulation` draws many data sets, runs tasks on them and compares how often an interval holds the truth,
and how often a test rejects where there is nothing, with what is promised.
"""
