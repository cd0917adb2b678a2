// Package sequence is a causal transformer over the items of a user, oldest
// first: at every place it says which item comes next.
//
// Kang, McAuley: Self-Attentive Sequential Recommendation (ICDM 2018), with the
// softmax over all items or a corrected sample of them instead of the binary
// loss, as in Klenitskiy, Vasilev: Turning Dross Into Gold Loss (RecSys 2023)
// and Petrov, Macdonald: gSASRec (RecSys 2023), and with gated layers as in
// Tikhonovich et al.: eSASRec (RecSys 2025). Forward and backward are written
// out by hand on the products of kernel. Where the machine has tiles of bfloat16
// (the AMX tier) they round what the large products of training and of reading
// histories are made of; weights, sums and all the rest are float32, see product.go.
//
// Takes:  recipe.Input; the order of a user's events is all that it reads of time.
// Makes:  a model with one vector per item and the weights of the layers. Users
// are not stored: their history is read through the layers when they ask.
// Never:  depends on how goroutines are scheduled; same input, same bits.
// Start:  sequence.go, then layout.go, forward.go, backward.go, loss.go, product.go, train.go.
package sequence
