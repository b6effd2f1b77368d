package jwt

import (
	"math"
	"slices"
	"time"

	"github.com/fiberwsx/wsx/auth"
)

// maxDate is the end of the year 9999 in seconds. An exp in milliseconds lies beyond it.
const maxDate = 253402300799

// identity checks the verified claims and makes an identity of them.
func (v *verifier) identity(claims map[string]any, now time.Time) (auth.Identity, error) {
	expires, err := v.checkTimes(claims, now)
	if err != nil {
		return auth.Identity{}, err
	}
	if err := v.checkIssuer(claims); err != nil {
		return auth.Identity{}, err
	}
	if err := v.checkAudience(claims); err != nil {
		return auth.Identity{}, err
	}
	subject, ok := claims["sub"].(string)
	if !ok {
		return auth.Identity{}, refusal{ErrClaims, "there is no sub, or it is not a string"}
	}
	if why := auth.CheckSubject(subject); why != nil {
		return auth.Identity{}, refusal{ErrClaims, "the sub cannot be used: " + why.Error()}
	}
	id, ok := claims["jti"].(string)
	if _, has := claims["jti"]; has && (!ok || auth.CheckSubject(id) != nil) {
		return auth.Identity{}, refusal{ErrClaims, "the jti cannot be used: it is no string, empty, too long or not text"}
	}
	issued, _ := date(claims["iat"]) // checked above, where there is one
	return auth.Identity{Subject: subject, Claims: claims, ID: id, Issued: issued, Expires: expires}, nil
}

func (v *verifier) checkTimes(claims map[string]any, now time.Time) (expires time.Time, err error) {
	expires, ok := date(claims["exp"])
	if !ok || expires.Unix() == 0 {
		return time.Time{}, refusal{ErrClaims, "there is no exp, or it is not seconds between 1970 and 9999"}
	}
	if !now.Before(expires) {
		return time.Time{}, ErrExpired
	}
	for _, name := range []string{"nbf", "iat"} {
		value, has := claims[name]
		if !has {
			continue
		}
		from, ok := date(value)
		if !ok {
			return time.Time{}, refusal{ErrClaims, name + " is not seconds between 1970 and 9999"}
		}
		if from.After(now.Add(v.leeway)) {
			return time.Time{}, refusal{ErrNotYet, name + " lies in the future"}
		}
	}
	return expires, nil
}

// date reads a NumericDate: seconds since 1970, with a fraction or without.
func date(value any) (time.Time, bool) {
	seconds, ok := value.(float64)
	if !ok || seconds < 0 || seconds > maxDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

func (v *verifier) checkIssuer(claims map[string]any) error {
	value, has := claims["iss"]
	issuer, ok := value.(string)
	switch {
	case has && !ok:
		return refusal{ErrClaims, "the iss is not a string"}
	case v.issuers != nil && !slices.Contains(v.issuers, issuer):
		return refusal{ErrClaims, "the iss is not one of Config.Issuers"}
	}
	return nil
}

func (v *verifier) checkAudience(claims map[string]any) error {
	value, has := claims["aud"]
	if !has && v.audiences == nil {
		return nil
	}
	named, ok := value.([]any)
	if one, isString := value.(string); isString {
		named, ok = []any{one}, true
	}
	if !ok || len(named) == 0 {
		return refusal{ErrClaims, "there is no aud, or it is neither a string nor a list of strings"}
	}
	if v.audiences == nil {
		return refusal{ErrClaims, "the token is for an audience and Config.Audiences is not set"}
	}
	match := false
	for _, a := range named {
		name, ok := a.(string)
		if !ok {
			return refusal{ErrClaims, "the aud holds something that is not a string"}
		}
		match = match || slices.Contains(v.audiences, name)
	}
	if !match {
		return refusal{ErrClaims, "the aud names none of Config.Audiences"}
	}
	return nil
}
