"""Analysis sessions: a dataset and a question become statistics, figures and findings in words.

`reading` turns bytes into a typed table, `numerics` computes (exactly where the data is small enough),
`expressions` holds the formula language, `tasks` has one module per kind of task, `planning` chooses tasks
when none are asked for, `findings` puts results into words and `document` assembles the result document.
"""
