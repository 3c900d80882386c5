"""Groups of a sweep on other processes and machines: by Ray, by submitit, in a folder that all of them see."""
