package wsx

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/fiberwsx/wsx/auth"
)

// check returns what in c says nothing, or speaks of what there is not.
func (c Config) check() error {
	switch {
	case math.IsNaN(c.HandshakeRate) || math.IsInf(c.HandshakeRate, 0):
		return fmt.Errorf("Config.HandshakeRate is %v: make it a finite number, or 0 for no limit", c.HandshakeRate)
	case !isToken([]byte(c.AuthScheme)):
		return fmt.Errorf("Config.AuthScheme: %q is not a token of RFC 9110, so no client can send it", c.AuthScheme)
	case isNil(c.Auth):
		return fmt.Errorf("Config.Auth holds a nil %T: make one, or leave Auth out so that nobody is asked for a token", c.Auth)
	case c.MaxConnsPerSubject > 0 && c.Auth == nil && c.Identify == nil:
		return errors.New("Config.MaxConnsPerSubject needs Config.Auth or Identify: without them nobody has a subject")
	case c.VersionLookup != "" && len(c.Versions) == 0:
		return errors.New("Config.VersionLookup needs Config.Versions: without them any version is spoken")
	}
	return nil
}

// isNil reports whether a holds a nil, on which every call would panic.
func isNil(a auth.Authenticator) bool {
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map:
		return v.IsNil()
	default:
		return false
	}
}

// checkProtocols returns which subprotocol could never be answered.
func (g *gate) checkProtocols() error {
	for _, p := range g.cfg.Subprotocols {
		if !isToken([]byte(p)) {
			return fmt.Errorf("Config.Subprotocols: %q is not a token of RFC 9110", p)
		}
		for _, s := range g.sources {
			if s.Kind == auth.Protocol && strings.HasPrefix(p, s.Name+".") {
				return fmt.Errorf("Config.Subprotocols: %q would be taken for a token, because Config.TokenLookup has %q", p, s)
			}
		}
	}
	return nil
}
