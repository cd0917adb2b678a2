// Command peers does the same work with well-known libraries and with Attune, side
// by side in one run, and prints how much processor time each takes and how far
// it comes with that.
//
//	go run ./bench/peers                        every peer: als and sasrec
//	go run ./bench/peers sasrec                 a SASRec in PyTorch, in the way that is quickest here
//	go run ./bench/peers als                    implicit matrix factorisation at the size of MovieLens 20M
//	go run ./bench/peers -scale 0.1 -dims 64    a tenth of the users and items
//	go run ./bench/peers -dir peers             keeps the Python environment for the next run
//
// A peer is installed from PyPI into a virtual environment, so the first run
// needs python3 and the network. What is compared is processor time per round,
// of all threads, with the loss after each round computed by one Go function
// from the factors of both. The peer's BLAS must have chosen kernels for this
// processor; where it did not, it is told to.
//
// Takes:  python3 with venv, PyPI; worlds that it makes up.
// Makes:  a line of JSON for each round of each side, and a table with the ratios.
// Never:  reads real data, asserts a ratio, leaves anything but -dir behind.
// Start:  main.go, then als.go; a peer has one file, with its script beside it.
package main
