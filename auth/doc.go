// Package auth says who a connection is: the [Authenticator] that turns a token into an [Identity], and the places of a
// request that a token may come from.
//
// Package auth/jwt verifies JSON Web Tokens, [Static] a fixed list of tokens, and [Func] makes an Authenticator of any
// function, for a look-up in a database or a cache.
//
// # Concurrency
//
// An Authenticator is called by many handshakes at once. Sources and identities are values that nobody changes.
package auth
