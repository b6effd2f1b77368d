package wsx_test

import (
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestExtensionsAreAnswered: with one field for several of the request, with 400 to what does not follow the grammar,
// and with nothing while compression is off.
func TestExtensionsAreAnswered(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		off := on.serve(t, echoHub(hub.Config{}))
		enabled := on.serve(t, echoHub(hub.Config{Compression: hub.Compression{Enabled: true}}))
		const both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
		for name, row := range map[string]struct {
			url    string
			fields []string
			status int
			want   string
		}{
			"off":             {off, []string{"permessage-deflate"}, 101, ""},
			"on":              {enabled, []string{"permessage-deflate"}, 101, both},
			"not offered":     {enabled, nil, 101, ""},
			"several lines":   {enabled, []string{"x-foo", "permessage-deflate; foo", "permessage-deflate; client_max_window_bits"}, 101, both},
			"declined":        {enabled, []string{"permessage-deflate; server_max_window_bits=16"}, 101, ""},
			"malformed":       {enabled, []string{"permessage-deflate; ;"}, 400, ""},
			"malformed, off":  {off, []string{"permessage-deflate", "=1"}, 400, ""},
			"quoted":          {enabled, []string{`permessage-deflate; server_max_window_bits="12"`}, 101, both + "; server_max_window_bits=12"},
			"empty, so none":  {enabled, []string{""}, 101, ""},
			"only separators": {enabled, []string{",,"}, 101, ""},
		} {
			t.Run(name, func(t *testing.T) {
				c, resp, err := wsxtest.TryDial(t, row.url, wsxtest.Options{Header: map[string][]string{"Sec-WebSocket-Extensions": row.fields}})
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(resp.Header["Sec-Websocket-Extensions"], " | "); resp.StatusCode != row.status || got != row.want {
					t.Errorf("got %d and %q, want %d and %q", resp.StatusCode, got, row.status, row.want)
				}
				if c != nil {
					c.SendText("Hello")
					if got := c.ReadText(); got != "Hello" {
						t.Errorf("got %q", got)
					}
					c.Close()
				}
			})
		}
	})
}
