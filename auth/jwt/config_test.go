package jwt_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
)

func TestWhatCannotWorkPanics(t *testing.T) {
	small := &rsa.PublicKey{N: new(big.Int).Rsh(rsaKey.N, 1), E: 65537}
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	der := must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey))
	cert := must(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &rsaKey.PublicKey, rsaKey))
	for name, tt := range map[string]struct {
		build func() auth.Authenticator
		say   string
	}{
		"no secret":        {func() auth.Authenticator { return jwt.HMAC(nil) }, "0 bytes"},
		"short secret":     {func() auth.Authenticator { return jwt.HMAC(secret[:31]) }, "31 bytes; HS256 needs at least 32"},
		"short for HS384":  {func() auth.Authenticator { return jwt.HMAC(secret[:47], jwt.Config{Algorithm: "HS384"}) }, "at least 48"},
		"short for HS512":  {func() auth.Authenticator { return jwt.HMAC(secret[:63], jwt.Config{Algorithm: "HS512"}) }, "at least 64"},
		"secret of zeros":  {func() auth.Authenticator { return jwt.HMAC(make([]byte, 32)) }, "zeros"},
		"PEM":              {func() auth.Authenticator { return jwt.HMAC(publicPEM()) }, "PEM"},
		"PEM after a line": {func() auth.Authenticator { return jwt.HMAC(append([]byte("\n"), publicPEM()...)) }, "PEM"},
		"DER, PKIX":        {func() auth.Authenticator { return jwt.HMAC(der) }, "public key"},
		"DER, PKCS 1":      {func() auth.Authenticator { return jwt.HMAC(x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)) }, "public key"},
		"certificate":      {func() auth.Authenticator { return jwt.HMAC(cert) }, "public key"},
		"none":             {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Algorithm: "none"}) }, `"none"`},
		"RS256 by secret":  {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Algorithm: "RS256"}) }, `"RS256"`},
		"HS256 by RSA": {func() auth.Authenticator { return jwt.RSA(&rsaKey.PublicKey, jwt.Config{Algorithm: "HS256"}) },
			`"HS256"`},
		"nil RSA":       {func() auth.Authenticator { return jwt.RSA(nil) }, "nil"},
		"empty RSA":     {func() auth.Authenticator { return jwt.RSA(&rsa.PublicKey{}) }, "nil"},
		"small RSA":     {func() auth.Authenticator { return jwt.RSA(small) }, "2047 bits"},
		"RSA with e=1":  {func() auth.Authenticator { return jwt.RSA(&rsa.PublicKey{N: rsaKey.N, E: 1}) }, "exponent"},
		"RSA with e=4":  {func() auth.Authenticator { return jwt.RSA(&rsa.PublicKey{N: rsaKey.N, E: 4}) }, "exponent"},
		"nil ECDSA":     {func() auth.Authenticator { return jwt.ECDSA(nil) }, "nil"},
		"empty ECDSA":   {func() auth.Authenticator { return jwt.ECDSA(&ecdsa.PublicKey{}) }, "nil"},
		"half an ECDSA": {func() auth.Authenticator { return jwt.ECDSA(&ecdsa.PublicKey{Curve: elliptic.P256()}) }, "nil"},
		"P-224":         {func() auth.Authenticator { return jwt.ECDSA(&p224.PublicKey) }, "P-224"},
		"off the curve": {func() auth.Authenticator { return jwt.ECDSA(offCurve) }, "not a point"},
		"ES384 on P-256": {func() auth.Authenticator { return jwt.ECDSA(&ecKey.PublicKey, jwt.Config{Algorithm: "ES384"}) },
			`"ES384"`},
		"nil Ed25519":      {func() auth.Authenticator { return jwt.Ed25519(nil) }, "32 bytes"},
		"short Ed25519":    {func() auth.Authenticator { return jwt.Ed25519(make([]byte, 31)) }, "32 bytes"},
		"Ed25519 of zeros": {func() auth.Authenticator { return jwt.Ed25519(make([]byte, 32)) }, "zeros"},
		"no keys":          {func() auth.Authenticator { return jwt.Keys(nil) }, "no keys"},
		"empty kid":        {func() auth.Authenticator { return jwt.Keys(map[string]any{"": secret}) }, "empty kid"},
		"key of no type":   {func() auth.Authenticator { return jwt.Keys(map[string]any{"a": nil}) }, `key "a"`},
		"string as key":    {func() auth.Authenticator { return jwt.Keys(map[string]any{"a": string(secret)}) }, "string is no key"},
		"RSA by value":     {func() auth.Authenticator { return jwt.Keys(map[string]any{"a": rsaKey.PublicKey}) }, "is no key"},
		"private key":      {func() auth.Authenticator { return jwt.Keys(map[string]any{"a": rsaKey}) }, "public key"},
		"private Ed25519":  {func() auth.Authenticator { return jwt.Keys(map[string]any{"a": edKey}) }, "public key"},
		"short among keys": {func() auth.Authenticator { return jwt.Keys(map[string]any{"a": secret[:8]}) }, "8 bytes"},
		"algorithm of one key": {func() auth.Authenticator {
			return jwt.Keys(map[string]any{"h": secret, "r": &rsaKey.PublicKey}, jwt.Config{Algorithm: "HS256"})
		}, `key "r"`},
		"leeway's unit":  {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Leeway: 30}) }, "Leeway is 30ns"},
		"no issuers":     {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Issuers: []string{}}) }, "Issuers is set but empty"},
		"empty issuer":   {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Issuers: []string{"a", ""}}) }, "Issuers is set but empty"},
		"no audiences":   {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Audiences: []string{}}) }, "Audiences is set but empty"},
		"empty audience": {func() auth.Authenticator { return jwt.HMAC(secret, jwt.Config{Audiences: []string{""}}) }, "Audiences is set but empty"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				text, ok := recover().(string)
				if !ok || !strings.Contains(text, tt.say) {
					t.Errorf("%q does not say %q", text, tt.say)
				}
				if strings.Contains(text, "secret of") && strings.Contains(text, "asks for") {
					t.Errorf("%q holds the secret", text)
				}
			}()
			tt.build()
		})
	}
}

func TestKeysAreCopied(t *testing.T) {
	key := bytes.Clone(secret)
	keys := map[string]any{"h": bytes.Clone(secret)}
	a, b := jwt.HMAC(key), jwt.Keys(keys)
	clear(key)
	clear(keys["h"].([]byte))
	delete(keys, "h")
	if _, err := a.Authenticate(t.Context(), hs256(alive(""))); err != nil {
		t.Error(err)
	}
	if _, err := b.Authenticate(t.Context(), token(`{"alg":"HS256","kid":"h"}`, alive(""), withHS)); err != nil {
		t.Error(err)
	}
}

func TestTimesToTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands
		claim := func(name string, d time.Duration) string {
			if name == "exp" {
				return fmt.Sprintf(`{"sub":"a","exp":%d}`, time.Now().Add(d).Unix())
			}
			return alive(fmt.Sprintf(`"%s":%d`, name, time.Now().Add(d).Unix()))
		}
		none, wide := jwt.HMAC(secret, jwt.Config{Leeway: -1}), jwt.HMAC(secret, jwt.Config{Leeway: time.Hour})
		for _, tt := range []struct {
			by   auth.Authenticator
			name string
			at   time.Duration
			want error
		}{
			{plain, "exp", time.Second, nil},
			{plain, "exp", 0, jwt.ErrExpired},
			{wide, "exp", 0, jwt.ErrExpired},
			{plain, "nbf", jwt.DefaultLeeway, nil},
			{plain, "nbf", jwt.DefaultLeeway + time.Second, jwt.ErrNotYet},
			{plain, "iat", jwt.DefaultLeeway, nil},
			{plain, "iat", jwt.DefaultLeeway + time.Second, jwt.ErrNotYet},
			{none, "nbf", 0, nil},
			{none, "nbf", time.Second, jwt.ErrNotYet},
			{none, "iat", time.Second, jwt.ErrNotYet},
			{wide, "nbf", time.Hour, nil},
			{wide, "iat", time.Hour + time.Second, jwt.ErrNotYet},
		} {
			if _, err := tt.by.Authenticate(t.Context(), hs256(claim(tt.name, tt.at))); !errors.Is(err, tt.want) {
				t.Errorf("%s in %v: %v, want %v", tt.name, tt.at, err, tt.want)
			}
		}
	})
}

func TestATokenEndsWhenItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(time.Minute)
		token := must(jwt.Sign(secret, jwt.Claims{Subject: "a", Expires: end}))
		id, err := plain.Authenticate(t.Context(), token)
		if err != nil || !id.Expires.Equal(end) {
			t.Fatalf("%v, %v", id.Expires, err)
		}
		time.Sleep(time.Minute - 1)
		if _, err := plain.Authenticate(t.Context(), token); err != nil {
			t.Errorf("a nanosecond before: %v", err)
		}
		time.Sleep(1)
		if _, err := plain.Authenticate(t.Context(), token); !errors.Is(err, jwt.ErrExpired) {
			t.Errorf("at its end: %v", err)
		}
	})
}

func TestSignedTokensAreAccepted(t *testing.T) {
	ec384, ec521 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	for name, tt := range map[string]struct {
		key any
		by  func(jwt.Config) auth.Authenticator
		alg string
	}{
		"secret":           {secret, func(c jwt.Config) auth.Authenticator { return jwt.HMAC(secret, c) }, ""},
		"secret, HS384":    {secret, func(c jwt.Config) auth.Authenticator { return jwt.HMAC(secret, c) }, "HS384"},
		"secret, 32 bytes": {secret[:32], func(c jwt.Config) auth.Authenticator { return jwt.HMAC(secret[:32], c) }, ""},
		"RSA":              {rsaKey, func(c jwt.Config) auth.Authenticator { return jwt.RSA(&rsaKey.PublicKey, c) }, ""},
		"RSA, PS512":       {rsaKey, func(c jwt.Config) auth.Authenticator { return jwt.RSA(&rsaKey.PublicKey, c) }, "PS512"},
		"P-256":            {ecKey, func(c jwt.Config) auth.Authenticator { return jwt.ECDSA(&ecKey.PublicKey, c) }, ""},
		"P-384":            {ec384, func(c jwt.Config) auth.Authenticator { return jwt.ECDSA(&ec384.PublicKey, c) }, "ES384"},
		"P-521":            {ec521, func(c jwt.Config) auth.Authenticator { return jwt.ECDSA(&ec521.PublicKey, c) }, ""},
		"Ed25519": {edKey, func(c jwt.Config) auth.Authenticator {
			return jwt.Ed25519(edKey.Public().(ed25519.PublicKey), c)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			token, err := jwt.Sign(tt.key, jwt.Claims{
				Subject: "Zoë <b>", Expires: now.Add(time.Hour), Issuer: "iss", Audience: []string{"x", "chat"}, ID: "id-1",
				NotBefore: now, Extra: map[string]any{"role": "admin", "n": 3},
			}, jwt.Header{KeyID: "k", Algorithm: tt.alg})
			if err != nil {
				t.Fatal(err)
			}
			by := tt.by(jwt.Config{Issuers: []string{"iss"}, Audiences: []string{"chat"}, Algorithm: tt.alg})
			id, err := by.Authenticate(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if id.Subject != "Zoë <b>" || id.ID != "id-1" || id.Expires.Unix() != now.Add(time.Hour).Unix() ||
				id.Claims["role"] != "admin" || id.Claims["n"] != 3.0 || id.Claims["iat"] != float64(now.Unix()) &&
				id.Claims["iat"] != float64(now.Unix()+1) {
				t.Errorf("%+v", id)
			}
		})
	}
}

func TestSignWritesTheKeyID(t *testing.T) {
	token := must(jwt.Sign(secret, jwt.Claims{Subject: "a", Expires: time.Now().Add(time.Hour)}, jwt.Header{KeyID: "h"}))
	if _, err := ring.Authenticate(t.Context(), token); err != nil {
		t.Error(err)
	}
}

func TestSignRefusesWhatWouldBeRefused(t *testing.T) {
	fine := jwt.Claims{Subject: "a", Expires: time.Now().Add(time.Hour)}
	with := func(change func(*jwt.Claims)) jwt.Claims {
		c := fine
		change(&c)
		return c
	}
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	for name, tt := range map[string]struct {
		key    any
		claims jwt.Claims
		header []jwt.Header
		say    string
	}{
		"no key":         {nil, fine, nil, "cannot sign"},
		"string":         {string(secret), fine, nil, "cannot sign"},
		"public key":     {&rsaKey.PublicKey, fine, nil, "cannot sign"},
		"nil RSA":        {(*rsa.PrivateKey)(nil), fine, nil, "cannot sign"},
		"nil ECDSA":      {(*ecdsa.PrivateKey)(nil), fine, nil, "cannot sign"},
		"empty ECDSA":    {&ecdsa.PrivateKey{}, fine, nil, "nil"},
		"short Ed25519":  {edKey[:32], fine, nil, "cannot sign"},
		"small RSA":      {small, fine, nil, "1024 bits"},
		"short secret":   {secret[:31], fine, nil, "31 bytes"},
		"PEM":            {publicPEM(), fine, nil, "PEM"},
		"none":           {secret, fine, []jwt.Header{{Algorithm: "none"}}, `"none"`},
		"another's alg":  {secret, fine, []jwt.Header{{Algorithm: "RS256"}}, `"RS256"`},
		"bad kid":        {secret, fine, []jwt.Header{{KeyID: "a\xff"}}, "KeyID"},
		"no subject":     {secret, with(func(c *jwt.Claims) { c.Subject = "" }), nil, "Subject"},
		"bad subject":    {secret, with(func(c *jwt.Claims) { c.Subject = "a\xff" }), nil, "Subject"},
		"no end":         {secret, with(func(c *jwt.Claims) { c.Expires = time.Time{} }), nil, "Expires"},
		"end in 1970":    {secret, with(func(c *jwt.Claims) { c.Expires = time.Unix(0, 0) }), nil, "years"},
		"end in 10000":   {secret, with(func(c *jwt.Claims) { c.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), nil, "years"},
		"before 1970":    {secret, with(func(c *jwt.Claims) { c.NotBefore = time.Unix(-1, 0) }), nil, "years"},
		"bad ID":         {secret, with(func(c *jwt.Claims) { c.ID = "a\n" }), nil, "ID"},
		"empty audience": {secret, with(func(c *jwt.Claims) { c.Audience = []string{""} }), nil, "Audience"},
		"sub in Extra":   {secret, with(func(c *jwt.Claims) { c.Extra = map[string]any{"sub": "b"} }), nil, `"sub"`},
		"exp in Extra":   {secret, with(func(c *jwt.Claims) { c.Extra = map[string]any{"exp": 1} }), nil, `"exp"`},
		"not JSON":       {secret, with(func(c *jwt.Claims) { c.Extra = map[string]any{"f": func() {}} }), nil, "json"},
		"too long":       {secret, with(func(c *jwt.Claims) { c.Extra = map[string]any{"x": strings.Repeat("x", 8000)} }), nil, "Extra"},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := jwt.Sign(tt.key, tt.claims, tt.header...)
			if err == nil || token != "" || !strings.Contains(err.Error(), tt.say) {
				t.Errorf("%q, %v; it should say %q", token, err, tt.say)
			}
		})
	}
}

func TestSignLeavesTheClaimsAlone(t *testing.T) {
	c := jwt.Claims{Subject: "a", Expires: time.Now().Add(time.Hour), Audience: []string{"x"}, Extra: map[string]any{"a": 1}}
	must(jwt.Sign(secret, c))
	if !c.IssuedAt.IsZero() || len(c.Extra) != 1 || !slices.Equal(c.Audience, []string{"x"}) {
		t.Errorf("%+v", c)
	}
}

func BenchmarkAuthenticateHS256(b *testing.B) {
	token := hs256(alive(""))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plain.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
