// Package jwks verifies JSON Web Tokens with the keys that an issuer publishes as a JSON Web Key Set (RFC 7517). It is
// a module of its own, for its dependencies.
//
//	wsx.Config{Auth: jwks.New("https://id.example.com/jwks.json")}
//
// What a token has to be like is said in package auth/jwt, which verifies it: a key's type fixes the algorithm, or the
// key's own alg does where the type leaves a choice; what the token names must equal it. Of a set only public RSA,
// ECDSA and Ed25519 keys with a kid and for signatures are used; the rest is passed over, secrets too.
//
// # Fetching
//
// The set is fetched when the first token comes, when it is older than [Config].MaxAge, and when a token names a kid
// that is not in it, which is how keys are rotated: publish the new one, then sign with it. At most one fetch is under
// way, and between two of them lies [Config].Floor, so that made-up kids cost the issuer nothing; a kid that was not in
// the set is remembered and asks for no other fetch for a while. While the issuer does not answer, the last set counts
// until it is older than [Config].MaxStale; then no token is good.
//
// # Concurrency
//
// The Authenticator may be used by many goroutines at once. It holds a goroutine only while it fetches.
package jwks
