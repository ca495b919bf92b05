"""CPU-bound work of engines, in processes that can be ended at any moment.

A thread that is inside a long call into C cannot be interrupted; a process can be killed. One small process, the fork
server, has loaded the engines' libraries and nothing else: no gRPC, no threads. From it every attempt gets a process of
its own within some milliseconds, uses it for all its work, and takes it along when it ends: by completion, pause,
cancel, loss of the lease or drain. Nothing of one session is left for the next.

The kernel ends the fork server with the worker, and the attempts' processes with the fork server.
"""
