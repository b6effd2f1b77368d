package wsx_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestSubjectsThatNoneCanBe are refused whoever says them: an Authenticator of the application's too.
func TestSubjectsThatNoneCanBe(t *testing.T) {
	for name, row := range map[string]struct {
		subject string
		good    bool
	}{
		"a name":                {"ann", true},
		"the longest":           {strings.Repeat("a", auth.MaxSubject), true},
		"too long":              {strings.Repeat("a", auth.MaxSubject+1), false},
		"none":                  {"", false},
		"not UTF-8":             {"ann\xff", false},
		"with a line feed":      {"ann\nbob", false},
		"with what was no rune": {"ann\ufffd", false},
	} {
		t.Run(name, func(t *testing.T) {
			as := auth.Func(func(context.Context, string) (auth.Identity, error) { return auth.Identity{Subject: row.subject}, nil })
			addr, _ := serveEcho(t, wsx.Config{Auth: as, FirstMessage: true})
			want := http.StatusUnauthorized
			if row.good {
				want = http.StatusSwitchingProtocols
			}
			if got := status(t, addr, handshake("/ws", "+Authorization: Bearer "+versionToken)); got != want {
				t.Errorf("in the request: got %d, want %d", got, want)
			}
			_, c := wsxtest.Exchange(t, addr, handshake("/ws"))
			c.SendText(`{"type":"auth","token":"` + versionToken + `"}`)
			if row.good {
				if got := c.ReadText(); !strings.Contains(got, `"ok":true`) {
					t.Errorf("in the first message: got %q", got)
				}
				c.Close()
			} else if e := c.ReadClose(); e.Status != ws.StatusAuthFailed {
				t.Errorf("in the first message: closed with %v", e)
			}
		})
	}
}
