package wsx_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest/conformance"
)

// TestConformance holds every transport to the RFCs, case by case, with and without compression.
func TestConformance(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		t.Parallel() // most of it is waiting
		modes := map[string]hub.Compression{
			"no compression": {},
			"context takeover": {
				Enabled: true, Threshold: -1, ServerContextTakeover: true, ClientContextTakeover: true,
			},
		}
		if on.detached { // what they do to a message does not depend on the transport
			modes["compression"] = hub.Compression{Enabled: true, Threshold: -1}
			modes["largest windows"] = hub.Compression{
				Enabled: true, Threshold: -1, Level: 6, ServerContextTakeover: true, ClientContextTakeover: true,
				ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
			}
		}
		names := slices.Sorted(maps.Keys(modes))
		crowd(len(names), len(names), func(i int) {
			t.Run(names[i], func(t *testing.T) {
				compression := modes[names[i]]
				conformance.Run(t, conformance.Server{
					URL: on.serve(t, echoHub(hub.Config{Compression: compression})), Compression: compression.Enabled,
				})
			})
		})
	})
}
