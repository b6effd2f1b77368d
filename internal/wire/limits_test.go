package wire_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

func TestFragmentsAreLimited(t *testing.T) {
	for _, row := range []struct {
		fragments int
		piece     string
		want      ws.Status
	}{{1024, "x", 1000}, {1025, "x", 1008}, {1024, "", 1000}, {1025, "", 1008}} {
		t.Run(fmt.Sprintf("%d of %q", row.fragments, row.piece), func(t *testing.T) {
			one := join(first(row.piece), slices.Repeat(more(row.piece), row.fragments-2), last(row.piece))
			x := exchange{rfc: "5.4", in: join(one, one), close: row.want}
			if row.want == ws.StatusNormalClosure {
				whole := describe("text", []byte(strings.Repeat(row.piece, row.fragments)))
				x.saw, x.close = []string{whole, whole}, 0 // the count begins anew with each message
			}
			x.run(t, piped, 1<<20)
		})
	}
}

func TestMessageAge(t *testing.T) {
	for _, row := range []struct {
		name  string
		then  []byte        // after the first fragment
		after time.Duration // since then
		want  string
	}{
		{"last fragment in time", last("b"), 30 * time.Second, `text "ab"`},
		{"last fragment too late", last("b"), 30*time.Second + 1, "1008"},
		{"fragment too late", more("b"), 31 * time.Second, "1008"},
		{"ping in the end", ping("p"), 31 * time.Second, "1008"},
		{"ping in time", ping("p"), 30 * time.Second, `ping "p"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := piped(t, limits(), &recorder{})
				must(t, r.client.Raw(first("a")))
				time.Sleep(row.after)
				must(t, r.client.Raw(row.then))
				synctest.Wait()
				if row.want == "1008" {
					want(t, "close frame", r.client.ReadClose().Status, ws.StatusPolicyViolation)
					wantAll(t, "handled", r.handler.all(), nil)
					return
				}
				wantAll(t, "handled", r.handler.all(), []string{row.want})
			})
		})
	}
}

func TestControlRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.ControlRate = 50
		r := piped(t, cfg, &recorder{})
		var got heard
		for range 3 { // seconds
			must(t, r.client.Raw(join(slices.Repeat(join(ping("a"), pong("b")), 25), text("data is not counted"))))
			for range 25 {
				f, err := r.client.ReadFrame()
				must(t, err)
				got.add(t, f)
			}
			time.Sleep(time.Second)
		}
		want(t, "pongs", len(got.pongs), 75)
		want(t, "state", r.State(), wire.StateOpen)
		go func() { _ = r.client.Raw(slices.Repeat(pong(""), 51)) }()
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusPolicyViolation)
		want(t, "handled", len(r.handler.all()), 3*51+50)
	})
}
