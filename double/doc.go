// Package double is what strict mode adds for tests that use this server in
// place of Amazon Personalize: a clock that can be put forward, and a script of
// faults.
//
// Takes:  a clock to run ahead of, and rules that say which operation fails how.
// Makes:  the time that everything due reads; for each request, what shall befall it.
// Never:  knows a request's protocol (api does), or runs when the node is not strict.
// Start:  clock.go, then fault.go.
package double
