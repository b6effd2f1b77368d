package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fiberwsx/wsx/auth"
)

// Claims are what [Sign] writes into a token. Times are written in whole seconds, rounded down.
type Claims struct {
	Subject   string         // sub; required
	Expires   time.Time      // exp; required. A time that has passed is written too: the token is just of no use
	Issuer    string         // iss; "" leaves it out
	Audience  []string       // aud; empty leaves it out. The verifier needs Config.Audiences then
	ID        string         // jti; "" leaves it out
	NotBefore time.Time      // nbf; zero leaves it out
	IssuedAt  time.Time      // iat; zero means now
	Extra     map[string]any // claims of your own, under any other name; they are encoded by encoding/json
}

// Header is what [Sign] writes into a token's header. Both are optional.
type Header struct {
	KeyID     string // kid, for a verifier that was made by Keys; "" leaves it out
	Algorithm string // alg, where the key leaves a choice as Config.Algorithm does; "" is the default of the key's type
}

// Sign returns a token, signed with a []byte secret, an *[rsa.PrivateKey], an *[ecdsa.PrivateKey] or an
// [ed25519.PrivateKey]. It refuses what the verifier would refuse whatever the time: a key that is too short or of
// another type, claims without a subject or an end, a name that cannot be used, a token over [auth.MaxToken].
func Sign(key any, claims Claims, header ...Header) (string, error) {
	var h Header
	if len(header) > 0 {
		h = header[0]
	}
	token, err := sign(key, claims, h)
	if err != nil {
		return "", fmt.Errorf("jwt.Sign: %w", err)
	}
	return token, nil
}

func sign(key any, claims Claims, h Header) (string, error) {
	public, err := publicOf(key)
	if err != nil {
		return "", err
	}
	verifies, err := newKey(public, h.Algorithm)
	if err != nil {
		return "", err
	}
	head, err := h.members(verifies.method.Alg())
	if err != nil {
		return "", err
	}
	members, err := claims.members()
	if err != nil {
		return "", err
	}
	signed, err := encode(head, members)
	if err != nil {
		return "", err
	}
	signature, err := verifies.method.Sign(signed, key)
	if err != nil {
		return "", err
	}
	token := signed + "." + encoding.EncodeToString(signature)
	if len(token) > auth.MaxToken {
		return "", fmt.Errorf("the token has %d bytes and at most %d are accepted; put less into Extra", len(token), auth.MaxToken)
	}
	return token, nil
}

// publicOf returns what verifies what the key signs.
func publicOf(key any) (any, error) {
	switch k := key.(type) {
	case []byte:
		return k, nil
	case *rsa.PrivateKey:
		if k != nil {
			return &k.PublicKey, nil
		}
	case *ecdsa.PrivateKey:
		if k != nil {
			return &k.PublicKey, nil
		}
	case ed25519.PrivateKey:
		if len(k) == ed25519.PrivateKeySize {
			return k.Public(), nil
		}
	}
	return nil, fmt.Errorf("a %T (or a nil one) cannot sign; give a []byte secret, *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey", key)
}

// encode returns the part of a token that is signed.
func encode(head, members map[string]any) (string, error) {
	h, err := json.Marshal(head)
	if err != nil {
		return "", err
	}
	m, err := json.Marshal(members)
	if err != nil {
		return "", err
	}
	return encoding.EncodeToString(h) + "." + encoding.EncodeToString(m), nil
}

func (h Header) members(algorithm string) (map[string]any, error) {
	m := map[string]any{"alg": algorithm, "typ": "JWT"}
	if h.KeyID == "" {
		return m, nil
	}
	if auth.CheckSubject(h.KeyID) != nil {
		return nil, errors.New("the KeyID cannot be used: it is longer than 256 bytes or not text")
	}
	m["kid"] = h.KeyID
	return m, nil
}

func (c Claims) members() (map[string]any, error) {
	if c.IssuedAt.IsZero() {
		c.IssuedAt = time.Now()
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	m := map[string]any{"sub": c.Subject, "exp": c.Expires.Unix(), "iat": c.IssuedAt.Unix()}
	if c.Issuer != "" {
		m["iss"] = c.Issuer
	}
	if len(c.Audience) > 0 {
		m["aud"] = c.Audience
	}
	if c.ID != "" {
		m["jti"] = c.ID
	}
	if !c.NotBefore.IsZero() {
		m["nbf"] = c.NotBefore.Unix()
	}
	for name, value := range c.Extra {
		switch name {
		case "sub", "exp", "iat", "nbf", "iss", "aud", "jti":
			return nil, fmt.Errorf("Extra holds %q; set the field of Claims", name)
		}
		m[name] = value
	}
	return m, nil
}

func (c Claims) check() error {
	if why := auth.CheckSubject(c.Subject); why != nil {
		return fmt.Errorf("the Subject cannot be used: %w", why)
	}
	if c.Expires.IsZero() {
		return errors.New("Expires is not set; a token without an end is never accepted")
	}
	if c.ID != "" && auth.CheckSubject(c.ID) != nil {
		return errors.New("the ID cannot be used: it is longer than 256 bytes or not text")
	}
	if slices.Contains(c.Audience, "") {
		return errors.New("the Audience holds an empty name")
	}
	for _, t := range []time.Time{c.Expires, c.IssuedAt, c.NotBefore} {
		if !t.IsZero() && (t.Unix() < 1 || t.Unix() > maxDate) {
			return errors.New("a time lies outside the years 1970 to 9999")
		}
	}
	return nil
}
