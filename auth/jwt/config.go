package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fiberwsx/wsx/auth"
)

// DefaultLeeway is how far the clocks of the issuer and of this machine may be apart.
const DefaultLeeway = 30 * time.Second

// Config says what a token must be besides signed and alive. The zero Config is fine.
type Config struct {
	// Issuers are the values of iss that are accepted. It is a list, so that a setting that came out empty is seen:
	// a list without entries or with an empty one panics. Optional. Default: nil, iss is not compared.
	Issuers []string
	// Audiences are the names that this service goes by: aud must hold at least one of them. A list without entries or
	// with an empty one panics. Optional. Default: nil, tokens that name an audience are refused.
	Audiences []string
	// Leeway is how far nbf and iat may lie in the future. Negative: not at all. exp has none.
	// Optional. Default: DefaultLeeway.
	Leeway time.Duration
	// Algorithm is the one algorithm, where the key's type leaves a choice: HS256, HS384 or HS512 for a secret, RS256,
	// RS384, RS512, PS256, PS384 or PS512 for RSA. Optional. Default: HS256, RS256, the curve's, EdDSA.
	Algorithm string
}

// HMAC returns an Authenticator for tokens signed with a secret, by HS256 unless Config.Algorithm says otherwise. The
// secret has at least as many bytes as the hash: 32 for HS256, 48 for HS384, 64 for HS512. It panics when the key is
// shorter, all zeros, or somebody's public key or certificate, which is no secret. The key is copied.
func HMAC(key []byte, config ...Config) auth.Authenticator {
	return must("HMAC", config, single(key))
}

// RSA returns an Authenticator for tokens signed by RS256 unless Config.Algorithm says otherwise. It panics when the
// key has fewer than 2048 bits or an exponent that is even or below 3.
func RSA(key *rsa.PublicKey, config ...Config) auth.Authenticator {
	return must("RSA", config, single(key))
}

// ECDSA returns an Authenticator for tokens signed by the algorithm of the key's curve: ES256 on P-256, ES384 on P-384,
// ES512 on P-521. It panics with any other curve, and when the point is not on it.
func ECDSA(key *ecdsa.PublicKey, config ...Config) auth.Authenticator {
	return must("ECDSA", config, single(key))
}

// Ed25519 returns an Authenticator for tokens signed by EdDSA. It panics when the key is not 32 bytes or all zeros.
func Ed25519(key ed25519.PublicKey, config ...Config) auth.Authenticator {
	return must("Ed25519", config, single(key))
}

// Keys returns an Authenticator that takes the key from a map, by the token's kid; a token without one is refused. The
// values are what the functions for one key take: []byte, *[rsa.PublicKey], *[ecdsa.PublicKey] or [ed25519.PublicKey],
// and each fixes the algorithm of its tokens; Config.Algorithm, when it is set, must go with every one of them. It
// panics where those would, and when the map is empty or has the kid "". The map is copied.
func Keys(keys map[string]any, config ...Config) auth.Authenticator {
	return must("Keys", config, func(algorithm string) (keyring, error) {
		if len(keys) == 0 {
			return keyring{}, errors.New("there are no keys; give it at least one")
		}
		ring := keyring{byID: make(map[string]key, len(keys))}
		for kid, material := range keys {
			if kid == "" {
				return keyring{}, errors.New("a key has the empty kid; give each a name")
			}
			k, err := newKey(material, algorithm)
			if err != nil {
				return keyring{}, fmt.Errorf("key %q: %w", kid, err)
			}
			ring.byID[kid] = k
		}
		return ring, nil
	})
}

// single makes the ring of one key, which a kid does not choose.
func single(material any) func(algorithm string) (keyring, error) {
	return func(algorithm string) (keyring, error) {
		k, err := newKey(material, algorithm)
		return keyring{only: k}, err
	}
}

// must builds a verifier, or panics with a sentence that names the function called.
func must(name string, config []Config, ring func(algorithm string) (keyring, error)) *verifier {
	var c Config
	if len(config) > 0 {
		c = config[0]
	}
	v := &verifier{issuers: slices.Clone(c.Issuers), audiences: slices.Clone(c.Audiences), leeway: c.Leeway}
	switch {
	case c.Leeway == 0:
		v.leeway = DefaultLeeway
	case c.Leeway < 0:
		v.leeway = 0
	}
	err := errors.Join(checkUnit(c.Leeway), checkList("Issuers", c.Issuers), checkList("Audiences", c.Audiences))
	if err == nil {
		v.keys, err = ring(c.Algorithm)
	}
	if err != nil {
		panic(fmt.Sprintf("jwt.%s: %v", name, err))
	}
	return v
}

// checkUnit refuses a number of seconds without its unit, which is nanoseconds.
func checkUnit(d time.Duration) error {
	if d > 0 && d < time.Millisecond {
		return fmt.Errorf("Config.Leeway is %v; write its unit, as in %d*time.Second", d, d)
	}
	return nil
}

// checkList refuses a setting that is there but says nothing, as an environment variable that is not set would make it.
func checkList(name string, list []string) error {
	if list != nil && (len(list) == 0 || slices.Contains(list, "")) {
		return fmt.Errorf("Config.%s is set but empty; fill it in, or leave it out to switch the comparison off", name)
	}
	return nil
}
