"""Local servers that hold the documented APIs of ticket systems to the letter.

Each takes what its documentation says it takes, and refuses everything else as it would: a wrong
login, a missing header, an unknown field. They know nothing of monitord.
"""
