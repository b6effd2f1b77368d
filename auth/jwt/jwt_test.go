package jwt_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
)

// The tests build tokens by hand, from text, so that nothing of what they check is used to make them.

var (
	secret  = []byte("a secret of at least 64 bytes, which is what HS512 asks for, so here")
	other   = []byte("another secret of at least 64 bytes, which is what HS512 asks for, ok")
	rsaKey  = must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey   = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edKey   = ed25519.NewKeyFromSeed(secret[:ed25519.SeedSize])
	encoded = base64.RawURLEncoding.EncodeToString
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sign is one way to sign what stands in front of the second dot.
type sign func(signed string) []byte

func hs(h crypto.Hash, key []byte) sign {
	return func(signed string) []byte {
		mac := hmac.New(h.New, key)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}
}

func rs256(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	return must(rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:]))
}

func ps256(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	return must(rsa.SignPSS(rand.Reader, rsaKey, crypto.SHA256, sum[:], nil))
}

func es256(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, ecKey, sum[:])
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func edDSA(signed string) []byte { return ed25519.Sign(edKey, []byte(signed)) }

func fixed(signature []byte) sign { return func(string) []byte { return signature } }

// token signs a header and claims that are given as text.
func token(header, claims string, s sign) string {
	signed := encoded([]byte(header)) + "." + encoded([]byte(claims))
	return signed + "." + encoded(s(signed))
}

// hs256 signs claims as the verifier of most tests wants them.
func hs256(claims string) string {
	return token(`{"alg":"HS256","typ":"JWT"}`, claims, hs(crypto.SHA256, secret))
}

// in returns a NumericDate that far from now.
func in(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }

// alive are claims that are good, with more members between them.
func alive(more string) string {
	if more != "" {
		more += ","
	}
	return `{` + more + `"sub":"leak-alice","exp":` + in(time.Hour) + `}`
}

func publicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey))})
}

// The verifiers of the tables.
var (
	plain    = jwt.HMAC(secret)
	strict   = jwt.HMAC(secret, jwt.Config{Issuers: []string{"https://id.example"}, Audiences: []string{"chat", "game"}})
	byRSA    = jwt.RSA(&rsaKey.PublicKey)
	byPSS    = jwt.RSA(&rsaKey.PublicKey, jwt.Config{Algorithm: "PS256"})
	byEC     = jwt.ECDSA(&ecKey.PublicKey)
	byEd     = jwt.Ed25519(edKey.Public().(ed25519.PublicKey))
	byHS512  = jwt.HMAC(secret, jwt.Config{Algorithm: "HS512"})
	ring     = jwt.Keys(map[string]any{"h": secret, "r": &rsaKey.PublicKey, "e": &ecKey.PublicKey, "d": edKey.Public().(ed25519.PublicKey)})
	goodIss  = `"iss":"https://id.example","aud":"chat"`
	headHS   = `{"alg":"HS256"}`
	withHS   = hs(crypto.SHA256, secret)
	withHead = func(header string) string { return token(header, alive(""), withHS) }
)

func TestGoodTokens(t *testing.T) {
	for name, tt := range map[string]struct {
		by    auth.Authenticator
		token string
	}{
		"HS256":                        {plain, hs256(alive(""))},
		"no typ":                       {plain, withHead(headHS)},
		"members of the header unused": {plain, withHead(`{"kid":"x","alg":"HS256","jku":"https://evil.example","typ":"at+jwt","x":[{"crit":1}]}`)},
		"HS512":                        {byHS512, token(`{"alg":"HS512"}`, alive(""), hs(crypto.SHA512, secret))},
		"RS256":                        {byRSA, token(`{"alg":"RS256"}`, alive(""), rs256)},
		"PS256":                        {byPSS, token(`{"alg":"PS256"}`, alive(""), ps256)},
		"ES256":                        {byEC, token(`{"alg":"ES256"}`, alive(""), es256)},
		"EdDSA":                        {byEd, token(`{"alg":"EdDSA"}`, alive(""), edDSA)},
		"kid of the secret":            {ring, token(`{"alg":"HS256","kid":"h"}`, alive(""), withHS)},
		"kid of the RSA key":           {ring, token(`{"alg":"RS256","kid":"r"}`, alive(""), rs256)},
		"kid of the ECDSA key":         {ring, token(`{"alg":"ES256","kid":"e"}`, alive(""), es256)},
		"kid of the Ed25519 key":       {ring, token(`{"alg":"EdDSA","kid":"d"}`, alive(""), edDSA)},
		"iss and aud":                  {strict, hs256(alive(goodIss))},
		"one aud of several":           {strict, hs256(alive(`"iss":"https://id.example","aud":["x","game"]`))},
		"iss that nobody compares":     {plain, hs256(alive(`"iss":"anybody"`))},
		"nbf and iat in the past":      {plain, hs256(alive(`"nbf":` + in(-time.Hour) + `,"iat":` + in(-time.Hour)))},
		"iat within the leeway":        {plain, hs256(alive(`"iat":` + in(20*time.Second)))},
		"exp with a fraction":          {plain, hs256(`{"sub":"leak-alice","exp":` + in(time.Hour) + `.75}`)},
		"exp in scientific notation":   {plain, hs256(`{"sub":"leak-alice","exp":2.5e11}`)},
		"space in the JSON":            {plain, hs256(" \n" + alive("") + "\t ")},
		"names that differ in case":    {plain, hs256(alive(`"SUB":"eve","Sub":"eve","EXP":1`))},
		"the same name further down":   {plain, hs256(alive(`"a":{"sub":"eve","exp":1},"b":{"sub":1}`))},
		"escapes in a name":            {plain, hs256(strings.Replace(alive(""), `"sub"`, `"s\u0075b"`, 1))},
		"jti":                          {plain, hs256(alive(`"jti":"t-1"`))},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := tt.by.Authenticate(t.Context(), tt.token)
			if err != nil {
				t.Fatal(err)
			}
			if id.Subject != "leak-alice" || !id.Expires.After(time.Now()) || id.Claims["sub"] != "leak-alice" {
				t.Errorf("%+v", id)
			}
			if want, _ := id.Claims["jti"].(string); id.ID != want {
				t.Errorf("ID is %q, not %q", id.ID, want)
			}
		})
	}
}

func Example() {
	key := []byte("32 bytes or more, from crypto/rand") // never in the source in earnest
	token, err := jwt.Sign(key, jwt.Claims{Subject: "device-1", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		panic(err)
	}
	a := jwt.HMAC(key)
	id, err := a.Authenticate(context.Background(), token)
	fmt.Println(id.Subject, err)
	_, err = a.Authenticate(context.Background(), strings.ToLower(token))
	fmt.Println(err)
	// Output:
	// device-1 <nil>
	// jwt: malformed token: a part is not JSON in UTF-8
}
