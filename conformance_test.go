package wsx_test

import (
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest/conformance"
)

// TestConformance holds every transport to the RFCs, case by case, with and without compression.
func TestConformance(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		for name, compression := range map[string]hub.Compression{
			"no compression": {},
			"compression":    {Enabled: true, Threshold: -1},
			"context takeover": {
				Enabled: true, Threshold: -1, ServerContextTakeover: true, ClientContextTakeover: true,
			},
			"largest windows": {
				Enabled: true, Threshold: -1, Level: 6, ServerContextTakeover: true, ClientContextTakeover: true,
				ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
			},
			"smallest windows": {Enabled: true, Threshold: -1, ServerMaxWindowBits: 8, ClientMaxWindowBits: 8},
		} {
			t.Run(name, func(t *testing.T) {
				conformance.Run(t, conformance.Server{
					URL: on.serve(t, echoHub(hub.Config{Compression: compression})), Compression: compression.Enabled,
				})
			})
		}
	})
}
