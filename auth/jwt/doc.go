// Package jwt verifies JSON Web Tokens for [github.com/fiberwsx/wsx/auth], and signs them for programs that mint
// tokens.
//
//	wsx.Config{Auth: jwt.HMAC(key)}
//
// # What is accepted
//
// A token that was signed with the key given, by the one algorithm that belongs to it, and that says when it ends and
// whose it is:
//
//   - The key's type fixes the algorithm; what the token names must equal it. "none" does not exist here, a public key
//     cannot serve as a secret, and keys or addresses of keys inside a token (jwk, jku, x5c, x5u) are never looked at.
//   - exp is required, a number of seconds between 1970 and the year 9999, and still to come. It has no leeway, because
//     a connection that is open ends at exp too: what was let in late would be closed at once.
//   - nbf and iat may not lie further in the future than [Config].Leeway.
//   - sub is required and passes [auth.CheckSubject]; jti, when there is one, passes it too.
//   - iss and aud are compared with [Config].Issuers and [Config].Audiences. A token that names an audience is
//     refused while no Audiences are set, as RFC 7519 demands: it was made for somebody else.
//   - Any crit or b64 in the header is refused, as are members that stand there twice, text that is not UTF-8, JSON
//     with anything behind it, base64 with padding, line breaks or loose bits, and a token over [auth.MaxToken].
//
// The claims are decoded after the signature has been verified, not before. They come as encoding/json decodes them:
// numbers are float64.
//
// # Errors
//
// Each is one of the Err values of this package or wraps one with a fixed sentence. Nothing of the token is in any.
package jwt
