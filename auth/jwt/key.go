package jwt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// minRSABits is RFC 7518's floor for RSA.
const minRSABits = 2048

// key is one public key or secret with the one method that it verifies.
type key struct {
	method   jwt.SigningMethod
	material any
}

// keyring is one key for all tokens, or one for each kid.
type keyring struct {
	only key
	byID map[string]key // nil: only
}

// methods are the algorithms there are. The method comes from here, by the key's type, never from the library's
// registry by the token's word.
var methods = map[string]jwt.SigningMethod{
	"HS256": jwt.SigningMethodHS256, "HS384": jwt.SigningMethodHS384, "HS512": jwt.SigningMethodHS512,
	"RS256": jwt.SigningMethodRS256, "RS384": jwt.SigningMethodRS384, "RS512": jwt.SigningMethodRS512,
	"PS256": jwt.SigningMethodPS256, "PS384": jwt.SigningMethodPS384, "PS512": jwt.SigningMethodPS512,
	"ES256": jwt.SigningMethodES256, "ES384": jwt.SigningMethodES384, "ES512": jwt.SigningMethodES512,
	"EdDSA": jwt.SigningMethodEdDSA,
}

// newKey checks what it is given and takes a copy. "" is the default algorithm of the key's type.
func newKey(material any, algorithm string) (key, error) {
	switch k := material.(type) {
	case []byte:
		return newSecret(k, algorithm)
	case *rsa.PublicKey:
		return newRSA(k, algorithm)
	case *ecdsa.PublicKey:
		return newECDSA(k, algorithm)
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize || zeros(k) {
			return key{}, errors.New("the Ed25519 key is not 32 bytes, or all zeros; give the public key as it was generated")
		}
		return withMethod(slices.Clone(k), algorithm, "EdDSA")
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return key{}, fmt.Errorf("a %T cannot verify; give its public key, and keep it away from here", material)
	}
	return key{}, fmt.Errorf("a %T is no key; give a []byte secret, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey", material)
}

// withMethod picks the method among those that the material can do, of which the first is the default.
func withMethod(material any, algorithm string, can ...string) (key, error) {
	if algorithm == "" {
		algorithm = can[0]
	}
	if !slices.Contains(can, algorithm) {
		return key{}, fmt.Errorf("the algorithm %q does not go with the key; this one does %v", algorithm, can)
	}
	return key{methods[algorithm], material}, nil
}

func newSecret(secret []byte, algorithm string) (key, error) {
	k, err := withMethod(slices.Clone(secret), algorithm, "HS256", "HS384", "HS512")
	if err != nil {
		return key{}, err
	}
	need := k.method.(*jwt.SigningMethodHMAC).Hash.Size()
	switch {
	case isPublic(secret):
		return key{}, errors.New("the secret is a PEM block or a public key, which others have too; verify with RSA, ECDSA or Ed25519")
	case len(secret) < need:
		return key{}, fmt.Errorf("the secret has %d bytes; %s needs at least %d, from crypto/rand (openssl rand %d)",
			len(secret), k.method.Alg(), need, need)
	case zeros(secret):
		return key{}, errors.New("the secret is all zeros; fill it from crypto/rand")
	}
	return k, nil
}

// isPublic reports whether a secret is in truth key material of another kind: with a public key as the secret, all who
// can read that key could sign.
func isPublic(secret []byte) bool {
	if bytes.Contains(secret, []byte("-----BEGIN")) {
		return true
	}
	_, pkix := x509.ParsePKIXPublicKey(secret)
	_, pkcs1 := x509.ParsePKCS1PublicKey(secret)
	_, cert := x509.ParseCertificate(secret)
	return pkix == nil || pkcs1 == nil || cert == nil
}

func newRSA(k *rsa.PublicKey, algorithm string) (key, error) {
	if k == nil || k.N == nil {
		return key{}, errors.New("the RSA key is nil")
	}
	if bits := k.N.BitLen(); bits < minRSABits {
		return key{}, fmt.Errorf("the RSA key has %d bits; make one with at least %d", bits, minRSABits)
	}
	if k.E < 3 || k.E%2 == 0 {
		return key{}, fmt.Errorf("the RSA key has the exponent %d; use 65537", k.E)
	}
	public := &rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}
	return withMethod(public, algorithm, "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
}

func newECDSA(k *ecdsa.PublicKey, algorithm string) (key, error) {
	if k == nil || k.Curve == nil || k.X == nil || k.Y == nil {
		return key{}, errors.New("the ECDSA key is nil")
	}
	name, ok := map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[k.Params().Name]
	if !ok {
		return key{}, fmt.Errorf("no algorithm goes with the curve %s; use P-256, P-384 or P-521", k.Params().Name)
	}
	if _, err := k.ECDH(); err != nil { // that checks that the point is on the curve
		return key{}, errors.New("the ECDSA key is not a point of its curve")
	}
	public := *k
	return withMethod(&public, algorithm, name)
}

func zeros(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
