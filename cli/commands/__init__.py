"""One file per command; what a command needs is imported when it runs, so that `prsm --help` stays quick."""
