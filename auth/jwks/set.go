package jwks

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/MicahParks/keyfunc/v3"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
)

const (
	maxSet  = 512 << 10 // bytes of an answer
	maxKeys = 256       // in a set
)

// get fetches the set. Its errors hold nothing of the answer.
func (v *verifier) get(ctx context.Context) (map[string]auth.Authenticator, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := v.cfg.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("jwks: the issuer answered with %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSet+1))
	if err != nil || len(body) > maxSet {
		return nil, errors.New("jwks: the set is not whole, or longer than 512 KiB")
	}
	return v.parse(ctx, body)
}

// parse makes an Authenticator of each key that can be used.
func (v *verifier) parse(ctx context.Context, body []byte) (map[string]auth.Authenticator, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil || len(set.Keys) > maxKeys {
		return nil, errors.New("jwks: not a key set, or one of more than 256 keys")
	}
	keys := make(map[string]auth.Authenticator, len(set.Keys))
	for _, raw := range set.Keys {
		kid, key, ok := v.usable(ctx, raw)
		if _, twice := keys[kid]; ok && !twice {
			keys[kid] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("jwks: no key in the set can be used")
	}
	return keys, nil
}

// usable returns what verifies tokens by a key of a set. False: it is of a kind that is not used, or no good key.
func (v *verifier) usable(ctx context.Context, raw json.RawMessage) (kid string, key auth.Authenticator, ok bool) {
	defer func() { ok = recover() == nil && ok }() // jwt.Keys says so of keys that are too weak
	one, err := json.Marshal(map[string]any{"keys": []json.RawMessage{raw}})
	if err != nil {
		return "", nil, false
	}
	parsed, err := keyfunc.NewJWKSetJSON(one)
	if err != nil {
		return "", nil, false
	}
	all, err := parsed.Storage().KeyReadAll(ctx)
	if err != nil || len(all) != 1 {
		return "", nil, false
	}
	m := all[0].Marshal()
	if m.KID == "" || len(m.KID) > maxKID || m.USE != "" && m.USE != "sig" {
		return "", nil, false
	}
	switch all[0].Key().(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return "", nil, false // a secret, or somebody's private key
	}
	cfg := v.cfg.JWT
	cfg.Algorithm = m.ALG.String()
	return m.KID, jwt.Keys(map[string]any{m.KID: all[0].Key()}, cfg), true
}
