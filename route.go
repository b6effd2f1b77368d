package wsx

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// passesBy reports whether a handler under Use got a request that is not meant for it: Fiber takes the path as a plain
// prefix, so that Use("/ws") gets "/wsx" too.
func passesBy(c *fiber.Ctx) bool {
	pattern := strings.TrimSuffix(c.Route().Path, "/")
	if pattern == "" || strings.ContainsAny(pattern, "*+?") {
		return false
	}
	path := c.Path()
	if !strings.Contains(pattern, ":") {
		return len(path) > len(pattern) && path[len(pattern)] != '/'
	}
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	if strings.Contains(last, ":") {
		return false // a parameter takes all up to the next slash
	}
	return len(segment(path, strings.Count(pattern, "/"))) != len(last)
}

// segment returns the nth segment of a path, from 0 for what stands before the first slash.
func segment(path string, n int) string {
	for ; n > 0; n-- {
		_, rest, ok := strings.Cut(path, "/")
		if !ok {
			return ""
		}
		path = rest
	}
	s, _, _ := strings.Cut(path, "/")
	return s
}

// routeParams returns copies of the route's parameters, unescaped. The error says which one is none that a handler
// should see.
func routeParams(c *fiber.Ctx) (map[string]string, error) {
	names := c.Route().Params
	if len(names) == 0 {
		return nil, nil
	}
	params := make(map[string]string, len(names))
	for _, name := range names {
		v, err := url.PathUnescape(c.Params(name))
		if err != nil || !utf8.ValidString(v) || strings.ContainsFunc(v, isControl) {
			return nil, fmt.Errorf("parameter %s of the path is not valid", quoted(name))
		}
		params[strings.Clone(name)] = strings.Clone(v)
	}
	return params, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// locals returns what earlier handlers left with the request; strings are copied, because they may refer to it.
func locals(c *fiber.Ctx) map[string]any {
	var m map[string]any
	c.Context().VisitUserValues(func(key []byte, v any) {
		if m == nil {
			m = make(map[string]any)
		}
		if s, ok := v.(string); ok {
			v = strings.Clone(s)
		}
		m[string(key)] = v
	})
	return m
}
