// Package awsjson is the protocol of the three Personalize doors: it turns an
// HTTP request into a typed, checked input and a typed output or an error into
// what AWS clients expect.
//
// Takes:  HTTP requests in json 1.1 (POST / with X-Amz-Target) and rest-json (POST /recommendations, …).
// Makes:  the structs of wire, checked against every published constraint; answers; exceptions; page tokens.
// Never:  knows what an operation means, or who may call it (Options.Guard asks somebody who does).
// Start:  server.go, then serve.go and error.go.
//
// # What a request goes through
//
// Route, read the body (at most MaxBody), Guard, Parse, Admit, Check, fill the input,
// call the handler, encode. Member names are matched exactly; members that the
// operation does not publish are ignored; null means absent; an empty body
// means {}.
//
// # Which exception a failure becomes
//
// A *Named error is sent verbatim. Otherwise the Kind decides, and the first
// name in its row that the operation publishes is taken; when it publishes none
// of them, the first one is sent all the same (clients then see it as a generic
// error with that code):
//
//	Invalid           InvalidInput
//	NotFound          ResourceNotFound, InvalidInput
//	Exists            ResourceAlreadyExists, ResourceInUse, InvalidInput
//	InUse             ResourceInUse, InvalidInput
//	LimitExceeded     LimitExceeded, InvalidInput
//	TooManyTags       TooManyTags, LimitExceeded, InvalidInput
//	TooManyTagKeys    TooManyTagKeys, TooManyTags, InvalidInput
//	InvalidNextToken  InvalidNextToken, InvalidInput
//	Throttled         ThrottlingException           400, REST 429
//	Denied            AccessDeniedException         400, REST 403
//	Unavailable       ServiceUnavailable            503
//	NotBuilt          NotBuiltException             400, because clients retry every 5xx
//	Internal          InternalFailure               500, with the request id and no other word
//
// The control plane answers 400 for all published exceptions; runtime and
// events use the published status (400, 404, 409). A body that is not JSON, or
// has a value of the wrong JSON type, is a SerializationException with status
// 400, as at AWS; its Kind is Invalid. A violated constraint is InvalidInput
// with the message that AWS would write.
package awsjson
