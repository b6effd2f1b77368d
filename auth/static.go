package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// MinStaticToken is the shortest token in bytes that [Static] takes: 16 random bytes cannot be guessed.
const MinStaticToken = 16

// ErrUnknownToken is the error of [Static] for a token that is not in its list.
var ErrUnknownToken = errors.New("auth: unknown token")

// static keeps digests: they have one length whatever the token's, so a comparison tells nothing of that either, and
// the tokens themselves do not stay in memory.
type static []entry

type entry struct {
	digest  [sha256.Size]byte
	subject string
}

// Static returns an Authenticator for a fixed list, token → subject. Several tokens may stand for one subject. It
// compares in constant time and always with all of them, so a call costs one SHA-256 and 32 bytes an entry: it is made
// for a handful of services, not for thousands of users. The identities never expire.
//
// It panics when the map is empty, when a token is shorter than [MinStaticToken], longer than [MaxToken] or could not
// travel in a request (see [ErrMalformedToken]), and when a subject does not pass [CheckSubject].
func Static(tokens map[string]string) Authenticator {
	if len(tokens) == 0 {
		panic("auth.Static: no tokens; give it at least one, as in {\"<32 random characters>\": \"device-1\"}")
	}
	list := make(static, 0, len(tokens))
	for token, subject := range tokens {
		if why := CheckSubject(subject); why != nil {
			panic(fmt.Sprintf("auth.Static: the subject %q cannot be used: %v", subject, why))
		}
		switch {
		case len(token) < MinStaticToken:
			panic(fmt.Sprintf("auth.Static: the token of %q has %d bytes; make it at least %d, at random (openssl rand -hex 32)",
				subject, len(token), MinStaticToken))
		case CheckToken(token) != nil:
			panic(fmt.Sprintf("auth.Static: the token of %q cannot travel in a request; make it of at most %d letters and digits",
				subject, MaxToken))
		}
		list = append(list, entry{sha256.Sum256([]byte(token)), subject})
	}
	return list
}

func (s static) Authenticate(_ context.Context, token string) (Identity, error) {
	digest := sha256.Sum256([]byte(token))
	found := -1
	for i := range s { // to the end, found or not
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(digest[:], s[i].digest[:]), i, found)
	}
	if found < 0 {
		return Identity{}, ErrUnknownToken
	}
	return Identity{Subject: s[found].subject}, nil
}
