"""Finished documents as they are kept: their keys, their form in the object store, who renders and who clears up."""
