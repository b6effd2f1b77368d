package auth

import (
	"context"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxSubject is the longest subject in bytes.
const MaxSubject = 256

// Identity is who a connection is. The zero Identity is nobody: a connection without authentication.
type Identity struct {
	// Subject is the user or the device. Limits per subject count it, and messages to a user are addressed by it.
	Subject string
	// Claims are what the token says, as verified; nil when it says no more than the subject. They are shared: read
	// only.
	Claims map[string]any
	// ID names the one token (the jti of a JWT), so that it can be revoked alone; "" when it has none.
	ID string
	// Issued is when the token was made, the iat of a JWT; zero when it does not say.
	Issued time.Time
	// Expires is when the token ends, and the connection with it; zero means never.
	Expires time.Time
}

// Authenticator turns a token into an identity.
//
// Authenticate is called by many goroutines at once, before the upgrade, and should return soon after ctx ends. Every
// error gives the client the same answer, 401, and so does a subject that [CheckSubject] refuses. The text of the error
// goes to the log, so it must hold nothing of the token.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (Identity, error)
}

// Func is a function that is an [Authenticator].
type Func func(ctx context.Context, token string) (Identity, error)

// Authenticate calls f.
func (f Func) Authenticate(ctx context.Context, token string) (Identity, error) { return f(ctx, token) }

// CheckSubject returns why s cannot be a subject, or nil. A subject is not empty, has at most [MaxSubject] bytes of
// valid UTF-8, and holds no control character and no U+FFFD: a decoder writes that one in the place of what it could
// not read, so that two different names would become one. The error does not hold s.
func CheckSubject(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > MaxSubject:
		return errors.New("it is longer than 256 bytes")
	case !utf8.ValidString(s):
		return errors.New("it is not valid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return errors.New("it holds a control character or U+FFFD")
		}
	}
	return nil
}
