package jwt_test

import (
	"context"
	"crypto"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
)

// attack is a token that nobody may accept, and the reason for which it is to be refused: a row that is refused for
// another one does not try what it says.
type attack struct {
	name  string
	by    auth.Authenticator
	token string
	err   error
}

func TestHostileTokens(t *testing.T) {
	var attacks []attack
	for _, group := range []func() []attack{
		attacksOnTheForm, attacksOnTheHeader, attacksOnTheAlgorithm, attacksOnTheKey, attacksOnTheSignature,
		attacksOnTheTimes, attacksOnTheAudience, attacksOnTheSubject,
	} {
		attacks = append(attacks, group()...)
	}
	if len(attacks) < 60 {
		t.Fatalf("%d rows; there were more", len(attacks))
	}
	seen := map[string]bool{}
	for _, a := range attacks {
		if seen[a.name] {
			t.Errorf("%q stands there twice", a.name)
		}
		seen[a.name] = true
		t.Run(a.name, func(t *testing.T) {
			id, err := a.by.Authenticate(t.Context(), a.token)
			if err == nil || id.Subject != "" || id.Claims != nil || id.ID != "" {
				t.Fatalf("accepted as %+v, %v", id, err)
			}
			if !errors.Is(err, a.err) {
				t.Errorf("refused with %q, not with %q", err, a.err)
			}
			checkNoLeak(t, a.token, err)
		})
	}
}

// checkNoLeak looks for the token, its parts and what is in them in the error.
func checkNoLeak(t *testing.T, token string, err error) {
	t.Helper()
	text := err.Error()
	for part := range strings.SplitSeq(token, ".") {
		if len(part) >= 8 && strings.Contains(text, part) {
			t.Errorf("%q holds the part %q", text, part)
		}
	}
	for _, leak := range []string{"leak", "evil", `\x`, "1e400", "%!"} {
		if strings.Contains(text, leak) {
			t.Errorf("%q holds %q", text, leak)
		}
	}
}

func attacksOnTheForm() []attack {
	ok := hs256(alive(""))
	part := strings.Split(ok, ".")
	std := func(s string) string { // the other base64 alphabet, which differs where there is such a byte
		return base64.RawStdEncoding.EncodeToString([]byte(s))
	}
	resign := func(signed string) string { return signed + "." + encoded(withHS(signed)) }
	bad := func(name, token string) attack { return attack{name, plain, token, jwt.ErrMalformed} }
	return []attack{
		bad("empty", ""),
		bad("one dot", "."),
		bad("two dots", ".."),
		bad("a word", "leak"),
		bad("one part", part[0]),
		bad("two parts", part[0]+"."+part[1]),
		bad("stripped signature", part[0]+"."+part[1]+"."),
		bad("stripped header", "."+part[1]+"."+part[2]),
		bad("stripped claims", part[0]+".."+part[2]),
		bad("dot at the end", ok+"."),
		bad("dot in front", "."+ok),
		bad("four parts", ok+"."+part[2]),
		bad("five parts, as encryption has", ok+"."+part[2]+"."+part[2]),
		bad("space in front", " "+ok),
		bad("space behind", ok+" "),
		bad("line break behind", ok+"\n"),
		bad("line break inside, which base64 decoders skip", resign(part[0][:8]+"\n"+part[0][8:]+"."+part[1])),
		bad("carriage return in the signature", ok[:len(ok)-4]+"\r\n"+ok[len(ok)-4:]),
		bad("NUL behind", ok+"\x00"),
		bad("scheme in front", "Bearer "+ok),
		bad("ideographic full stops", strings.ReplaceAll(ok, ".", "\u3002")),
		bad("fullwidth full stops", strings.ReplaceAll(ok, ".", "\uff0e")),
		bad("escaped dots", strings.ReplaceAll(ok, ".", "%2e")),
		bad("padding on a part", resign(part[0]+"=."+part[1])),
		bad("padding on the signature", ok+"="),
		bad("the other base64 alphabet", resign(std(`{"alg":"HS256","leak":"???>>>"}`)+"."+part[1])),
		bad("loose bits in the signature", ok[:len(ok)-1]+string(loosen(ok[len(ok)-1]))),
		bad("loose bits in the header", resign(encoded([]byte(headHS + " "))[:21]+string(loosen(encoded([]byte(headHS + " "))[21]))+"."+part[1])),
		bad("over 8 KiB", hs256(alive(`"x":"`+strings.Repeat("leak", 2000)+`"`))),
		bad("a mebibyte of dots", strings.Repeat(".", 1<<20)),
		bad("header that is null", token(`null`, alive(""), withHS)),
		bad("header that is a list", token(`[{"alg":"HS256"}]`, alive(""), withHS)),
		bad("header that is a string", token(`"HS256"`, alive(""), withHS)),
		bad("header in a header", token(encoded([]byte(headHS)), alive(""), withHS)),
		bad("header that ends early", token(`{"alg":"HS256"`, alive(""), withHS)),
		bad("header with more behind it", token(headHS+headHS, alive(""), withHS)),
		bad("header with a BOM", token("\ufeff"+headHS, alive(""), withHS)),
		bad("header that is not UTF-8", token("{\"alg\":\"HS256\",\"leak\":\"\xff\"}", alive(""), withHS)),
		bad("header with alg twice", token(`{"alg":"none","alg":"HS256"}`, alive(""), withHS)),
		bad("header with alg twice, escaped", token(`{"alg":"none","\u0061lg":"HS256"}`, alive(""), withHS)),
		bad("claims that are null", hs256(`null`)),
		bad("claims that are a list", hs256(`[`+alive("")+`]`)),
		bad("claims that are a token", hs256(`"`+ok+`"`)),
		bad("claims with more behind them", hs256(alive("")+`{"sub":"evil"}`)),
		bad("claims with sub twice", hs256(alive(`"sub":"evil"`))),
		bad("claims with exp twice", hs256(alive(`"exp":1`))),
		bad("claims with sub twice, escaped", hs256(alive(`"s\u0075b":"evil"`))),
		bad("claims that are not UTF-8", hs256(alive("\"leak\":\"\xff\""))),
		bad("claims with a comma too many", hs256(`{"sub":"leak","exp":`+in(time.Hour)+`,}`)),
		bad("claims with a comment", hs256(alive("")+`//`)),
		bad("exp as NaN", hs256(`{"sub":"leak","exp":NaN}`)),
		bad("exp as Infinity", hs256(`{"sub":"leak","exp":Infinity}`)),
		bad("exp in hexadecimal", hs256(`{"sub":"leak","exp":0x7fffffff}`)),
		bad("exp out of a float's range", hs256(`{"sub":"leak","exp":1e400}`)),
		bad("deep nesting", hs256(alive(`"x":`+strings.Repeat("[", 2800)))),
	}
}

// loosen sets a bit of a last character that stands for no bit of the bytes.
func loosen(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)|1]
}

func attacksOnTheHeader() []attack {
	bad := func(name, header string) attack { return attack{name, plain, withHead(header), jwt.ErrHeader} }
	return []attack{
		bad("crit", `{"alg":"HS256","crit":["exp"]}`),
		bad("crit with its extension", `{"alg":"HS256","crit":["leak"],"leak":true}`),
		bad("crit that is empty", `{"alg":"HS256","crit":[]}`),
		bad("crit that is null", `{"alg":"HS256","crit":null}`),
		bad("crit with b64", `{"alg":"HS256","crit":["b64"],"b64":false}`),
		bad("b64 false", `{"alg":"HS256","b64":false}`),
		bad("kid that is a number", `{"alg":"HS256","kid":1}`),
		bad("kid that is null", `{"alg":"HS256","kid":null}`),
		bad("kid that is a list", `{"alg":"HS256","kid":["h"]}`),
	}
}

func attacksOnTheAlgorithm() []attack {
	var attacks []attack
	bad := func(name string, by auth.Authenticator, token string) {
		attacks = append(attacks, attack{name, by, token, jwt.ErrAlgorithm})
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE", "none ", "\u0000none", ""} {
		bad(fmt.Sprintf("alg %q, unsigned", none), plain, token(string(must(json.Marshal(map[string]string{"alg": none}))), alive(""), fixed([]byte("x"))))
	}
	bad("none against RSA", byRSA, token(`{"alg":"none"}`, alive(""), fixed([]byte("x"))))
	for _, alg := range []string{"hs256", "HS-256", "HS256 ", "HS256\u0000", "SHA256", "ＨＳ256"} {
		bad(fmt.Sprintf("alg %q", alg), plain, withHead(string(must(json.Marshal(map[string]string{"alg": alg})))))
	}
	bad("no alg", plain, withHead(`{"typ":"JWT"}`))
	bad("empty header", plain, withHead(`{}`))
	bad("alg that is null", plain, withHead(`{"alg":null}`))
	bad("alg that is a list", plain, withHead(`{"alg":["HS256"]}`))
	bad("alg that is a number", plain, withHead(`{"alg":256}`))
	bad("Alg", plain, withHead(`{"Alg":"HS256"}`))
	bad("HS384 where HS256 is fixed", plain, token(`{"alg":"HS384"}`, alive(""), hs(crypto.SHA384, secret)))
	bad("HS512 where HS256 is fixed", plain, token(`{"alg":"HS512"}`, alive(""), hs(crypto.SHA512, secret)))
	bad("HS256 where HS512 is fixed", byHS512, hs256(alive("")))
	bad("HS256 with RSA's public key in PEM", byRSA, token(headHS, alive(""), hs(crypto.SHA256, publicPEM())))
	bad("HS256 with RSA's modulus", byRSA, token(headHS, alive(""), hs(crypto.SHA256, rsaKey.N.Bytes())))
	bad("HS256 with no secret against RSA", byRSA, token(headHS, alive(""), hs(crypto.SHA256, nil)))
	bad("HS256 with the Ed25519 public key", byEd, token(headHS, alive(""), hs(crypto.SHA256, edKey[32:])))
	bad("RS256 where PS256 is fixed", byPSS, token(`{"alg":"RS256"}`, alive(""), rs256))
	bad("PS256 where RS256 is fixed", byRSA, token(`{"alg":"PS256"}`, alive(""), ps256))
	bad("RS256 against a secret", plain, token(`{"alg":"RS256"}`, alive(""), rs256))
	bad("ES384 against P-256", byEC, token(`{"alg":"ES384"}`, alive(""), es256))
	bad("ES256K", byEC, token(`{"alg":"ES256K"}`, alive(""), es256))
	bad("the RSA key's kid with HS256", ring, token(`{"alg":"HS256","kid":"r"}`, alive(""), hs(crypto.SHA256, publicPEM())))
	bad("the secret's kid with RS256", ring, token(`{"alg":"RS256","kid":"h"}`, alive(""), rs256))
	return attacks
}

func attacksOnTheKey() []attack {
	var attacks []attack
	for _, kid := range []string{"", "x", "H", "h ", " h", "h\u0000", "../../h", "/dev/null", "h' UNION SELECT 'evil",
		"https://evil.example/jwks.json", "${h}", "*", "__proto__"} {
		header := string(must(json.Marshal(map[string]string{"alg": "HS256", "kid": kid})))
		attacks = append(attacks, attack{fmt.Sprintf("kid %q", kid), ring, token(header, alive(""), withHS), jwt.ErrUnknownKey})
	}
	attacks = append(attacks, attack{"no kid where there are several keys", ring, hs256(alive("")), jwt.ErrUnknownKey})

	jwk := `{"kty":"oct","k":"` + encoded(other) + `"}`
	for name, header := range map[string]string{
		"another secret":          headHS,
		"a key inside, jwk":       `{"alg":"HS256","jwk":` + jwk + `}`,
		"a key elsewhere, jku":    `{"alg":"HS256","jku":"https://evil.example/keys"}`,
		"a certificate, x5c":      `{"alg":"HS256","x5c":["` + base64.StdEncoding.EncodeToString(other) + `"]}`,
		"a certificate, x5u":      `{"alg":"HS256","x5u":"https://evil.example/cert"}`,
		"a file as kid":           `{"alg":"HS256","kid":"/dev/null"}`,
		"compression, zip":        `{"alg":"HS256","zip":"DEF"}`,
		"another token as header": `{"alg":"HS256","cty":"JWT"}`,
	} {
		attacks = append(attacks, attack{name, plain, token(header, alive(""), hs(crypto.SHA256, other)), jwt.ErrSignature})
	}
	return attacks
}

func attacksOnTheSignature() []attack {
	ok := hs256(alive(""))
	signed := ok[:strings.LastIndexByte(ok, '.')]
	sum := withHS(signed)
	part := strings.Split(ok, ".")
	n := elliptic.P256().Params().N.Bytes()
	bad := func(name string, by auth.Authenticator, token string) attack {
		return attack{name, by, token, jwt.ErrSignature}
	}
	attacks := []attack{
		bad("empty secret", plain, token(headHS, alive(""), hs(crypto.SHA256, nil))),
		bad("secret with a byte more", plain, token(headHS, alive(""), hs(crypto.SHA256, append([]byte("x"), secret...)))),
		bad("SHA-512 under the name of HS256", plain, token(headHS, alive(""), hs(crypto.SHA512, secret))),
		bad("signature cut", plain, signed+"."+encoded(sum[:31])),
		bad("signature of a byte", plain, signed+"."+encoded(sum[:1])),
		bad("signature with a byte more", plain, signed+"."+encoded(append(sum, 0))),
		bad("signature twice", plain, signed+"."+encoded(append(sum, sum...))),
		bad("signature of zeros", plain, signed+"."+encoded(make([]byte, 32))),
		bad("signature as hexadecimal", plain, signed+"."+fmt.Sprintf("%x", withHS(signed))),
		bad("other claims under the signature", plain, part[0]+"."+encoded([]byte(strings.Replace(alive(""), "alice", "evil!", 1)))+"."+part[2]),
		bad("other header under the signature", plain, encoded([]byte(`{"typ":"JWT","alg":"HS256"}`))+"."+part[1]+"."+part[2]),
		bad("RSA signature of zeros", byRSA, token(`{"alg":"RS256"}`, alive(""), fixed(make([]byte, 256)))),
		bad("RSA signature of one", byRSA, token(`{"alg":"RS256"}`, alive(""), fixed(append(make([]byte, 255), 1)))),
		bad("RSA signature of the modulus", byRSA, token(`{"alg":"RS256"}`, alive(""), fixed(rsaKey.N.Bytes()))),
		bad("RSA signature with a zero in front", byRSA, token(`{"alg":"RS256"}`, alive(""), func(s string) []byte { return append([]byte{0}, rs256(s)...) })),
		bad("PSS under the name of RS256", byRSA, token(`{"alg":"RS256"}`, alive(""), ps256)),
		bad("PKCS 1 under the name of PS256", byPSS, token(`{"alg":"PS256"}`, alive(""), rs256)),
		bad("ECDSA r and s zero", byEC, token(`{"alg":"ES256"}`, alive(""), fixed(make([]byte, 64)))),
		bad("ECDSA r and s the order", byEC, token(`{"alg":"ES256"}`, alive(""), fixed(append(n, n...)))),
		bad("ECDSA r and s one", byEC, token(`{"alg":"ES256"}`, alive(""), fixed(append(append(make([]byte, 31), 1), append(make([]byte, 31), 1)...)))),
		bad("ECDSA as ASN.1", byEC, token(`{"alg":"ES256"}`, alive(""), fixed([]byte{0x30, 6, 2, 1, 0, 2, 1, 0}))),
		bad("ECDSA with a byte more", byEC, token(`{"alg":"ES256"}`, alive(""), func(s string) []byte { return append(es256(s), 0) })),
		bad("Ed25519 of zeros", byEd, token(`{"alg":"EdDSA"}`, alive(""), fixed(make([]byte, 64)))),
		bad("Ed25519 cut", byEd, token(`{"alg":"EdDSA"}`, alive(""), func(s string) []byte { return edDSA(s)[:63] })),
	}
	for _, bit := range []int{0, 7, 100, 255} {
		flipped := withHS(signed)
		flipped[bit/8] ^= 1 << (bit % 8)
		attacks = append(attacks, bad(fmt.Sprintf("bit %d flipped", bit), plain, signed+"."+encoded(flipped)))
	}
	return attacks
}

func attacksOnTheTimes() []attack {
	exp := func(name, value string, err error) attack {
		return attack{name, plain, hs256(`{"sub":"leak","exp":` + value + `}`), err}
	}
	with := func(name, more string, err error) attack { return attack{name, plain, hs256(alive(more)), err} }
	return []attack{
		{"no exp", plain, hs256(`{"sub":"leak"}`), jwt.ErrClaims},
		{"Exp", plain, hs256(`{"sub":"leak","Exp":` + in(time.Hour) + `}`), jwt.ErrClaims},
		exp("exp that is 0", `0`, jwt.ErrClaims),
		exp("exp that is 0.0", `0.0`, jwt.ErrClaims),
		exp("exp that is -0", `-0`, jwt.ErrClaims),
		exp("exp that is negative", `-1`, jwt.ErrClaims),
		exp("exp that is very negative", `-9223372036854775808`, jwt.ErrClaims),
		exp("exp that is a string", `"`+in(time.Hour)+`"`, jwt.ErrClaims),
		exp("exp that is a date", `"2999-01-01T00:00:00Z"`, jwt.ErrClaims),
		exp("exp that is null", `null`, jwt.ErrClaims),
		exp("exp that is true", `true`, jwt.ErrClaims),
		exp("exp that is a list", `[`+in(time.Hour)+`]`, jwt.ErrClaims),
		exp("exp that is an object", `{"n":`+in(time.Hour)+`}`, jwt.ErrClaims),
		exp("exp of a second ago", in(-time.Second), jwt.ErrExpired),
		exp("exp within the leeway", in(-10*time.Second), jwt.ErrExpired),
		exp("exp in 1970", `1`, jwt.ErrExpired),
		exp("exp in 1970, in scientific notation", `1e0`, jwt.ErrExpired),
		exp("exp just above 0", `1e-300`, jwt.ErrClaims),
		exp("exp in milliseconds", in(time.Hour)+`000`, jwt.ErrClaims),
		exp("exp in the year 10000", `253402300800`, jwt.ErrClaims),
		exp("exp of 2^63", `9223372036854775808`, jwt.ErrClaims),
		exp("exp of 2^64", `18446744073709551616`, jwt.ErrClaims),
		exp("exp of 1e300", `1e300`, jwt.ErrClaims),
		with("nbf in an hour", `"nbf":`+in(time.Hour), jwt.ErrNotYet),
		with("nbf behind the leeway", `"nbf":`+in(40*time.Second), jwt.ErrNotYet),
		with("nbf that is a string", `"nbf":"0"`, jwt.ErrClaims),
		with("nbf that is null", `"nbf":null`, jwt.ErrClaims),
		with("nbf that is negative", `"nbf":-1`, jwt.ErrClaims),
		with("nbf of 2^63", `"nbf":9223372036854775808`, jwt.ErrClaims),
		with("iat in an hour", `"iat":`+in(time.Hour), jwt.ErrNotYet),
		with("iat that is a string", `"iat":"`+in(0)+`"`, jwt.ErrClaims),
		with("iat that is null", `"iat":null`, jwt.ErrClaims),
		with("iat of 1e300", `"iat":1e300`, jwt.ErrClaims),
	}
}

func attacksOnTheAudience() []attack {
	bad := func(name, more string) attack { return attack{name, strict, hs256(alive(more)), jwt.ErrClaims} }
	iss, aud := `"iss":"https://id.example",`, `,"aud":"chat"`
	return []attack{
		bad("neither iss nor aud", ""),
		bad("no iss", aud[1:]),
		bad("another iss", `"iss":"https://evil.example"`+aud),
		bad("iss with a slash more", `"iss":"https://id.example/"`+aud),
		bad("iss in capitals", `"iss":"HTTPS://ID.EXAMPLE"`+aud),
		bad("empty iss", `"iss":""`+aud),
		bad("iss that is a list", `"iss":["https://id.example"]`+aud),
		bad("iss that is null", `"iss":null`+aud),
		bad("iss with a NUL", `"iss":"https://id.example\u0000"`+aud),
		bad("no aud", iss[:len(iss)-1]),
		bad("another aud", iss+`"aud":"leak"`),
		bad("aud that begins like ours", iss+`"aud":"chat2"`),
		bad("aud in capitals", iss+`"aud":"CHAT"`),
		bad("empty aud", iss+`"aud":""`),
		bad("aud that is an empty list", iss+`"aud":[]`),
		bad("aud that is null", iss+`"aud":null`),
		bad("aud that is a number", iss+`"aud":0`),
		bad("aud that is an object", iss+`"aud":{"chat":true}`),
		bad("aud that is a list of lists", iss+`"aud":[["chat"]]`),
		bad("aud with a number beside ours", iss+`"aud":["chat",1]`),
		bad("aud with null in front of ours", iss+`"aud":[null,"chat"]`),
		bad("aud as one string with commas", iss+`"aud":"chat,game"`),
		{"aud where none is expected", plain, hs256(alive(`"aud":"leak"`)), jwt.ErrClaims},
		{"empty aud where none is expected", plain, hs256(alive(`"aud":[]`)), jwt.ErrClaims},
		{"iss that is a number, where none is compared", plain, hs256(alive(`"iss":1`)), jwt.ErrClaims},
	}
}

func attacksOnTheSubject() []attack {
	exp := `"exp":` + in(time.Hour)
	sub := func(name, value string) attack {
		return attack{name, plain, hs256(`{"sub":` + value + `,` + exp + `}`), jwt.ErrClaims}
	}
	jti := func(name, value string) attack {
		return attack{name, plain, hs256(alive(`"jti":` + value)), jwt.ErrClaims}
	}
	return []attack{
		{"no sub", plain, hs256(`{` + exp + `}`), jwt.ErrClaims},
		{"Sub", plain, hs256(`{"Sub":"leak",` + exp + `}`), jwt.ErrClaims},
		{"no claims at all", plain, hs256(`{}`), jwt.ErrClaims},
		sub("empty sub", `""`),
		sub("sub that is null", `null`),
		sub("sub that is a number", `1`),
		sub("sub that is a list", `["leak"]`),
		sub("sub that is an object", `{"$ne":"leak"}`),
		sub("sub with a NUL", `"leak\u0000"`),
		sub("sub with a line break", `"leak\nlevel=error"`),
		sub("sub with an escape sequence", `"leak\u001b[2J"`),
		sub("sub with a lone surrogate", `"leak\ud800"`),
		sub("sub with U+FFFD", `"leak\ufffd"`),
		sub("sub over 256 bytes", `"`+strings.Repeat("leak", 65)+`"`),
		jti("jti that is a number", `1`),
		jti("jti that is null", `null`),
		jti("empty jti", `""`),
		jti("jti with a line break", `"leak\n"`),
	}
}

// FuzzAuthenticate lets whatever comes in be accepted only when the signature was made with the secret over those very
// bytes, and then only with what every identity has.
func FuzzAuthenticate(f *testing.F) {
	for _, group := range []func() []attack{attacksOnTheForm, attacksOnTheHeader, attacksOnTheAlgorithm, attacksOnTheSignature, attacksOnTheSubject} {
		for _, a := range group() {
			if len(a.token) < 1024 {
				f.Add(a.token)
			}
		}
	}
	f.Add(hs256(alive("")))
	f.Fuzz(func(t *testing.T, token string) {
		id, err := plain.Authenticate(context.Background(), token)
		if err != nil {
			if id.Subject != "" || id.Claims != nil {
				t.Errorf("%+v beside %v", id, err)
			}
			return
		}
		dot := strings.LastIndexByte(token, '.')
		if token[dot+1:] != encoded(withHS(token[:dot])) {
			t.Errorf("%q was accepted and not signed", token)
		}
		checkIdentity(t, id)
	})
}

// FuzzSigned signs what comes in, so that the parts behind the signature are reached too.
func FuzzSigned(f *testing.F) {
	f.Add(headHS, `{"sub":"a","exp":2.5e11}`)
	f.Add(`{"alg":"HS256","crit":[]}`, `{"sub":"a","exp":1e400,"aud":[null]}`)
	f.Add(`{"alg":"HS256","alg":"none"}`, `{"sub":"a","sub":"b","nbf":"x","iat":-1,"jti":{}}`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		for _, by := range []auth.Authenticator{plain, strict, ring} {
			if id, err := by.Authenticate(context.Background(), token(header, claims, withHS)); err == nil {
				checkIdentity(t, id)
			}
		}
	})
}

func checkIdentity(t *testing.T, id auth.Identity) {
	t.Helper()
	if why := auth.CheckSubject(id.Subject); why != nil || id.Claims["sub"] != id.Subject || !id.Expires.After(time.Now()) {
		t.Errorf("%+v was accepted", id)
	}
}
