# Trains implicit's AlternatingLeastSquares on pairs written by peers and prints
# the processor time of each round, of all threads. The factors after each round
# go to files, outside the time that is measured.
import json
import os
import resource
import sys

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

folder, factors, rounds, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
confidence, regularization = float(sys.argv[5]), float(sys.argv[6])


def seconds():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


start = np.fromfile(os.path.join(folder, "start"), dtype="<i8")
item = np.fromfile(os.path.join(folder, "item"), dtype="<i4")
users, items = int(sys.argv[7]), int(sys.argv[8])
pairs = csr_matrix((np.full(len(item), confidence, dtype=np.float32), item, start), shape=(users, items))

# The defaults: conjugate gradients, three steps.
model = AlternatingLeastSquares(factors=factors, regularization=regularization, iterations=rounds, num_threads=threads, random_state=1)
since = None


def after(iteration, elapsed, loss):
    global since
    took = seconds() - since
    model.user_factors.astype("<f4").tofile(os.path.join(folder, "users.f32"))
    model.item_factors.astype("<f4").tofile(os.path.join(folder, "items.f32"))
    print(json.dumps({"round": iteration + 1, "cpu_seconds": took, "wall_seconds": elapsed}), flush=True)
    sys.stdin.readline()  # until the factors are read
    since = seconds()


# The first round has the transposition of the pairs in it; peers leaves it out.
since = seconds()
model.fit(pairs, show_progress=False, callback=after)
