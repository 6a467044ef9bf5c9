"""Programs that do the same work, each in a process and an environment of its own.

    against.py -> one line of JSON: what to prepare, run, save -> ours | original | comfyui
               <- one line of JSON: seconds, peak bytes, or why it cannot

They are run, timed and compared in numbers; nothing of theirs is read or kept.
"""
