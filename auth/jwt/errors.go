package jwt

import "errors"

// Why a token was refused. They are for the log and for counting; a client hears the same of all.
var (
	// ErrMalformed is a token that is not three parts of base64url, or a header or claims that are not one JSON object.
	ErrMalformed = errors.New("jwt: malformed token")
	// ErrHeader is a header that asks for something that is not done here, crit for example.
	ErrHeader = errors.New("jwt: header refused")
	// ErrAlgorithm is a token that names another algorithm than the key's.
	ErrAlgorithm = errors.New("jwt: not the key's algorithm")
	// ErrUnknownKey is a token without a kid, or with one that is not in the map of [Keys].
	ErrUnknownKey = errors.New("jwt: no such key")
	// ErrSignature is a token that was not signed with the key.
	ErrSignature = errors.New("jwt: signature does not verify")
	// ErrExpired is a token whose exp has come.
	ErrExpired = errors.New("jwt: expired")
	// ErrNotYet is a token whose nbf or iat lies in the future.
	ErrNotYet = errors.New("jwt: not valid yet")
	// ErrClaims is a claim that is missing, of a wrong type, or not the one that is asked for.
	ErrClaims = errors.New("jwt: claims refused")
)

// refusal is one of the errors above with the reason. The text is ours, never the token's.
type refusal struct {
	err error
	why string
}

func (r refusal) Error() string { return r.err.Error() + ": " + r.why }

func (r refusal) Unwrap() error { return r.err }
