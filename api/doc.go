// Package api is the doors: one handler for each operation of the Personalize
// services, one file for each kind of resource.
//
// Takes:  the checked structs of wire that awsjson made of requests.
// Makes:  calls to resource, event and serve, and structs of wire of what they say.
// Never:  decides: rules live in resource, the protocol in awsjson.
// Start:  personalize.go, then campaign.go, events.go and recommend.go.
package api
